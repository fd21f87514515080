#include "config/document/yaml_tree.h"

#include "config/findings.h"

#include <fmt/format.h>
#include <yaml.h>

#include <algorithm>
#include <cstring>
#include <new>
#include <unordered_map>
#include <unordered_set>
#include <vector>

namespace weir::config {
namespace {

constexpr std::size_t kLinearSearchMax = 16;  // entries; above it a set finds duplicates

std::string_view View(const yaml_char_t* text) {
  return text == nullptr ? std::string_view() : std::string_view(reinterpret_cast<const char*>(text));
}

// libyaml's parser, released at the end of its scope.
class YamlParser {
 public:
  explicit YamlParser(std::string_view text) {
    if (yaml_parser_initialize(&parser_) == 0) throw std::bad_alloc();
    yaml_parser_set_input_string(&parser_, reinterpret_cast<const unsigned char*>(text.data()), text.size());
  }
  ~YamlParser() { yaml_parser_delete(&parser_); }
  YamlParser(const YamlParser&) = delete;
  YamlParser& operator=(const YamlParser&) = delete;
  [[nodiscard]] yaml_parser_t* raw() { return &parser_; }

 private:
  yaml_parser_t parser_{};
};

class YamlEvent {
 public:
  YamlEvent() = default;
  ~YamlEvent() { yaml_event_delete(&event_); }
  YamlEvent(const YamlEvent&) = delete;
  YamlEvent& operator=(const YamlEvent&) = delete;
  [[nodiscard]] bool Read(YamlParser& parser) { return yaml_parser_parse(parser.raw(), &event_) != 0; }
  [[nodiscard]] const yaml_event_t& operator*() const { return event_; }

 private:
  yaml_event_t event_{};
};

// The place of a byte, for errors of libyaml's reader, which knows only the offset.
Position PositionOf(std::string_view text, std::size_t offset, std::uint32_t file) {
  const std::string_view before = text.substr(0, std::min(offset, text.size()));
  const auto line = static_cast<std::uint32_t>(std::ranges::count(before, '\n')) + 1;
  const std::size_t start = before.rfind('\n') + 1;  // npos + 1 is 0
  return {file, line, static_cast<std::uint32_t>(before.size() - start) + 1};
}

// Counted from 0, without its end.
std::string_view LineOf(std::string_view text, std::size_t line) {
  for (; line > 0; --line) {
    const std::size_t end = text.find('\n');
    if (end == std::string_view::npos) return {};
    text.remove_prefix(end + 1);
  }
  return text.substr(0, text.find('\n'));
}

// An environment reference inside a flow collection and without quotes, which is no YAML.
bool HoldsReference(std::string_view line) {
  const std::size_t at = line.find("${");
  return at != std::string_view::npos && at > 0 && line[at - 1] != '"' && line[at - 1] != '\'' &&
         line.substr(0, at).find_first_of("[{") != std::string_view::npos;
}

bool IsMergeKey(const Node& key) { return key.is_scalar() && !key.quoted && key.text == "<<"; }

bool IsNullText(std::string_view text) {
  return text.empty() || text == "~" || text == "null" || text == "Null" || text == "NULL";
}

// Builds nodes bottom up from libyaml's events. Every container that is still open has a Frame.
class TreeBuilder {
 public:
  TreeBuilder(std::string_view text, std::uint32_t file, const ScalarExpander& expand, Tree& tree, Findings& findings)
      : text_(text), file_(file), expand_(expand), tree_(tree), findings_(findings) {}

  std::optional<Node> Build();

 private:
  struct Frame {
    Node node;
    std::string anchor;
    std::size_t first = 0;  // of its children in pending_
  };

  // False ends the parse.
  bool OnEvent(const yaml_event_t& event);
  bool OnScalar(const yaml_event_t& event);
  bool OnAlias(const yaml_event_t& event);
  bool OnStart(const yaml_event_t& event, NodeKind kind, const yaml_char_t* anchor, const yaml_char_t* tag);
  void OnEnd();
  bool OnDocument(const yaml_event_t& event);
  void Append(Node node, std::string_view anchor);
  void CheckKeys(std::vector<Node>& entries);
  std::vector<Node> Merged(std::vector<Node> entries);
  void MergeFrom(const Node& source, std::vector<Node>& entries);
  void ReportSyntax(const yaml_parser_t& parser);
  void CheckTag(const yaml_char_t* tag, std::string_view allowed, Position position);

  [[nodiscard]] Position At(const yaml_mark_t& mark) const {
    return {file_, static_cast<std::uint32_t>(mark.line) + 1, static_cast<std::uint32_t>(mark.column) + 1};
  }

  std::string_view text_;
  std::uint32_t file_;
  const ScalarExpander& expand_;
  Tree& tree_;
  Findings& findings_;
  std::vector<Node> pending_;  // finished nodes whose container is open
  std::vector<Frame> frames_;
  std::unordered_map<std::string, Node> anchors_;
  std::uint64_t aliased_nodes_ = 0;
  int documents_ = 0;
};

std::optional<Node> TreeBuilder::Build() {
  YamlParser parser(text_);
  for (;;) {
    YamlEvent event;
    if (!event.Read(parser)) {
      ReportSyntax(*parser.raw());
      return std::nullopt;
    }
    if ((*event).type == YAML_STREAM_END_EVENT) break;
    if (!OnEvent(*event)) return std::nullopt;
  }
  if (pending_.empty()) return Node{.position = {file_, 1, 1}};
  return pending_.front();
}

bool TreeBuilder::OnEvent(const yaml_event_t& event) {
  switch (event.type) {
    case YAML_DOCUMENT_START_EVENT:
      return OnDocument(event);
    case YAML_SCALAR_EVENT:
      return OnScalar(event);
    case YAML_ALIAS_EVENT:
      return OnAlias(event);
    case YAML_SEQUENCE_START_EVENT:
      return OnStart(event, NodeKind::kList, event.data.sequence_start.anchor, event.data.sequence_start.tag);
    case YAML_MAPPING_START_EVENT:
      return OnStart(event, NodeKind::kMap, event.data.mapping_start.anchor, event.data.mapping_start.tag);
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT:
      OnEnd();
      return true;
    default:
      return true;
  }
}

bool TreeBuilder::OnDocument(const yaml_event_t& event) {
  if (++documents_ == 1) return true;
  findings_.AddError(At(event.start_mark), "a second YAML document starts here",
                     "one file holds one document; use `include` for more files");
  return false;
}

void TreeBuilder::CheckTag(const yaml_char_t* tag, std::string_view allowed, Position position) {
  if (tag == nullptr || View(tag) == "!" || View(tag) == allowed) return;
  findings_.AddError(position, fmt::format("tag {} has no meaning here", Quoted(View(tag))), "leave it out");
}

bool TreeBuilder::OnScalar(const yaml_event_t& event) {
  const auto& scalar = event.data.scalar;
  Node node{.kind = NodeKind::kScalar, .position = At(event.start_mark)};
  CheckTag(scalar.tag, YAML_STR_TAG, node.position);
  node.quoted = scalar.style != YAML_PLAIN_SCALAR_STYLE || scalar.tag != nullptr;
  const std::string_view text(reinterpret_cast<const char*>(scalar.value), scalar.length);
  std::optional<std::string> expanded;
  const std::size_t errors = findings_.errors();
  if (text.find("${") != std::string_view::npos) expanded = expand_(text, node.position);
  node.unknown = findings_.errors() != errors;
  if (expanded) {
    const Node written{.kind = NodeKind::kScalar, .position = node.position, .text = tree_.Keep(text)};
    node.expanded = true;
    node.text = tree_.Keep(*expanded);
    node.children = tree_.Keep({&written, 1});
  } else if (!node.quoted && IsNullText(text)) {
    node.kind = NodeKind::kNull;
  } else {
    node.text = tree_.Keep(text);
  }
  Append(node, View(scalar.anchor));
  return true;
}

bool TreeBuilder::OnAlias(const yaml_event_t& event) {
  const std::string name(View(event.data.alias.anchor));
  const Position position = At(event.start_mark);
  const auto found = anchors_.find(name);
  if (found == anchors_.end()) {
    const bool open = std::ranges::any_of(frames_, [&](const Frame& f) { return f.anchor == name; });
    if (open) {
      findings_.AddError(position, fmt::format("alias {} stands inside what it names", Quoted("*" + name)));
    } else {
      findings_.AddError(position, fmt::format("no anchor {} before this place", Quoted("&" + name)),
                         "an anchor is written before its aliases; text that starts with * needs quotes");
    }
    return false;
  }
  Node node = found->second;
  node.position = position;
  aliased_nodes_ += node.expanded_nodes;
  if (aliased_nodes_ > kAliasedNodesMax) {
    findings_.AddError(position, fmt::format("aliases expand to more than {} nodes", kAliasedNodesMax),
                       "write fewer aliases of aliases");
    return false;
  }
  if (frames_.size() + node.height > kNestingLevelsMax) {
    findings_.AddError(position, fmt::format("nested deeper than {} levels", kNestingLevelsMax));
    return false;
  }
  Append(node, {});
  return true;
}

bool TreeBuilder::OnStart(const yaml_event_t& event, NodeKind kind, const yaml_char_t* anchor, const yaml_char_t* tag) {
  const Position position = At(event.start_mark);
  CheckTag(tag, kind == NodeKind::kList ? YAML_SEQ_TAG : YAML_MAP_TAG, position);
  if (frames_.size() >= kNestingLevelsMax) {
    findings_.AddError(position, fmt::format("nested deeper than {} levels", kNestingLevelsMax));
    return false;
  }
  frames_.push_back({Node{.kind = kind, .position = position}, std::string(View(anchor)), pending_.size()});
  return true;
}

void TreeBuilder::OnEnd() {
  Frame frame = std::move(frames_.back());
  frames_.pop_back();
  std::vector<Node> children(pending_.begin() + static_cast<std::ptrdiff_t>(frame.first), pending_.end());
  pending_.resize(frame.first);
  if (frame.node.is_map()) {
    CheckKeys(children);
    children = Merged(std::move(children));
  }
  for (const Node& child : children) {
    frame.node.height = std::max(frame.node.height, child.height + 1);
    frame.node.expanded_nodes += child.expanded_nodes;
  }
  frame.node.children = tree_.Keep(children);
  Append(frame.node, frame.anchor);
}

void TreeBuilder::Append(Node node, std::string_view anchor) {
  if (!anchor.empty()) anchors_[std::string(anchor)] = node;
  pending_.push_back(node);
}

// Takes out the entries whose key is no text or stands twice, and says so.
void TreeBuilder::CheckKeys(std::vector<Node>& entries) {
  std::vector<Node> kept;
  kept.reserve(entries.size());
  std::unordered_map<std::string_view, Position> seen;
  const bool large = entries.size() / 2 > kLinearSearchMax;
  for (std::size_t i = 0; i + 1 < entries.size(); i += 2) {
    const Node& key = entries[i];
    if (!key.is_scalar()) {
      findings_.AddError(key.position, "a key has to be text");
      continue;
    }
    std::optional<Position> first;
    if (large) {
      const auto [at, fresh] = seen.emplace(key.text, key.position);
      if (!fresh) first = at->second;
    } else {
      for (std::size_t j = 0; j < kept.size() && !first; j += 2) {
        if (kept[j].text == key.text) first = kept[j].position;
      }
    }
    if (first) {
      findings_.AddError(key.position, fmt::format("key {} stands twice in one map", Quoted(key.text)),
                         fmt::format("the first is at line {}", first->line));
      continue;
    }
    kept.push_back(key);
    kept.push_back(entries[i + 1]);
  }
  entries = std::move(kept);
}

// YAML's merge key: what `<<` names is added, the map's own entries win. A list of maps is merged in its order.
std::vector<Node> TreeBuilder::Merged(std::vector<Node> entries) {
  std::size_t at = 0;
  while (at < entries.size() && !IsMergeKey(entries[at])) at += 2;
  if (at >= entries.size()) return entries;
  const Node source = entries[at + 1];
  entries.erase(entries.begin() + static_cast<std::ptrdiff_t>(at),
                entries.begin() + static_cast<std::ptrdiff_t>(at) + 2);
  if (source.is_list()) {
    for (const Node& item : source.children) MergeFrom(item, entries);
  } else {
    MergeFrom(source, entries);
  }
  return entries;
}

void TreeBuilder::MergeFrom(const Node& source, std::vector<Node>& entries) {
  if (!source.is_map()) {
    findings_.AddError(source.position, "only a map can be merged", "write `<<: *anchor` of a map");
    return;
  }
  std::unordered_set<std::string_view> own;
  for (std::size_t i = 0; i < entries.size(); i += 2) own.insert(entries[i].text);
  for (std::size_t i = 0; i < source.entries(); ++i) {
    if (own.contains(source.key(i).text)) continue;
    entries.push_back(source.key(i));
    entries.push_back(source.value(i));
  }
}

void TreeBuilder::ReportSyntax(const yaml_parser_t& parser) {
  const std::string_view problem = parser.problem == nullptr ? "not YAML" : parser.problem;
  if (parser.error == YAML_READER_ERROR) {
    findings_.AddError(PositionOf(text_, parser.problem_offset, file_), fmt::format("not YAML text: {}", problem),
                       "the file has to be UTF-8 text");
    return;
  }
  std::string message = fmt::format("not YAML: {}", problem);
  if (parser.context != nullptr)
    message.append(fmt::format(" ({}, line {})", parser.context, parser.context_mark.line + 1));
  std::string hint;
  if (HoldsReference(LineOf(text_, parser.problem_mark.line))) {
    hint = "inside [] and {} quotes are needed around an environment reference: \"${NAME}\"";
  } else if (problem.find("expected node content") != std::string_view::npos) {
    hint = "inside [] and {} quotes are needed around text that starts with : * & ! % @ or a brace";
  } else if (problem.find("cannot start any token") != std::string_view::npos) {
    hint = "indent with spaces; put quotes around text that starts with @, ` or %";
  } else if (problem.find("mapping values are not allowed") != std::string_view::npos) {
    hint = "put quotes around text that holds `: `, and line the keys of a map up";
  }
  findings_.AddError(At(parser.problem_mark), std::move(message), std::move(hint));
}

}  // namespace

const Node* Node::Find(std::string_view name) const {
  if (!is_map()) return nullptr;
  for (std::size_t i = 0; i < children.size(); i += 2) {
    if (children[i].text == name) return &children[i + 1];
  }
  return nullptr;
}

std::string_view Tree::Keep(std::string_view text) {
  if (text.empty()) return {};
  char* const copy = static_cast<char*>(memory_.allocate(text.size(), 1));
  std::memcpy(copy, text.data(), text.size());
  return {copy, text.size()};
}

std::span<const Node> Tree::Keep(std::span<const Node> nodes) {
  if (nodes.empty()) return {};
  Node* const copy = static_cast<Node*>(memory_.allocate(nodes.size_bytes(), alignof(Node)));
  std::uninitialized_copy(nodes.begin(), nodes.end(), copy);
  return {copy, nodes.size()};
}

std::optional<Node> ParseYaml(std::string_view text, std::uint32_t file, const ScalarExpander& expand, Tree& tree,
                              Findings& findings) {
  return TreeBuilder(text, file, expand, tree, findings).Build();
}

}  // namespace weir::config
