#include "config/document/tree_builder.h"

#include "config/findings.h"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_set>
#include <utility>

namespace weir::config {
namespace {

constexpr std::size_t kLinearSearchMax = 16;  // entries; above it a map finds duplicates
constexpr std::string_view kTextTag = "tag:yaml.org,2002:str";
constexpr std::string_view kListTag = "tag:yaml.org,2002:seq";
constexpr std::string_view kMapTag = "tag:yaml.org,2002:map";

bool IsMergeKey(const Node& key) { return key.is_scalar() && !key.quoted && key.text == "<<"; }

}  // namespace

void CheckKeys(std::vector<Node>& entries, Findings& findings) {
  std::vector<Node> kept;
  kept.reserve(entries.size());
  std::unordered_map<std::string_view, Position> seen;
  const bool large = entries.size() / 2 > kLinearSearchMax;
  for (std::size_t i = 0; i + 1 < entries.size(); i += 2) {
    const Node& key = entries[i];
    if (!key.is_scalar()) {
      findings.AddError(key.position, "a key has to be text");
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
      findings.AddError(key.position, fmt::format("key {} stands twice in one map", Quoted(key.text)),
                        fmt::format("the first is {}", LineText(*first)));
      continue;
    }
    kept.push_back(key);
    kept.push_back(entries[i + 1]);
  }
  entries = std::move(kept);
}

bool TreeBuilder::OnDocument(Position position) {
  if (++documents_ == 1) return true;
  findings_.AddError(position, "a second YAML document starts here",
                     "one file holds one document; use `include` for more files");
  return false;
}

void TreeBuilder::CheckTag(std::string_view tag, std::string_view allowed, Position position) {
  if (tag.empty() || tag == "!" || tag == allowed) return;
  findings_.AddError(position, fmt::format("tag {} has no meaning here", Quoted(tag)), "leave it out");
}

void TreeBuilder::OnScalar(const Scalar& scalar) {
  CheckTag(scalar.tag, kTextTag, scalar.position);
  const bool quoted = !scalar.plain || !scalar.tag.empty();
  if (!quoted && IsNullText(scalar.text)) return Append({.position = scalar.position}, scalar.anchor);
  Append(tree_.Scalar(scalar.position, scalar.text, quoted), scalar.anchor);
}

bool TreeBuilder::OnAlias(Position position, std::string_view alias) {
  const std::string name(alias);
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

bool TreeBuilder::OnStart(NodeKind kind, Position position, std::string_view tag, std::string_view anchor) {
  CheckTag(tag, kind == NodeKind::kList ? kListTag : kMapTag, position);
  if (frames_.size() >= kNestingLevelsMax) {
    findings_.AddError(position, fmt::format("nested deeper than {} levels", kNestingLevelsMax));
    return false;
  }
  frames_.push_back({kind, position, std::string(anchor), pending_.size()});
  return true;
}

void TreeBuilder::OnEnd() {
  const Frame frame = std::move(frames_.back());
  frames_.pop_back();
  std::vector<Node> children(pending_.begin() + static_cast<std::ptrdiff_t>(frame.first), pending_.end());
  pending_.resize(frame.first);
  if (frame.kind == NodeKind::kMap) {
    CheckKeys(children, findings_);
    children = Merged(std::move(children));
  }
  Append(tree_.Container(frame.kind, frame.position, children), frame.anchor);
}

void TreeBuilder::Append(const Node& node, std::string_view anchor) {
  if (!anchor.empty()) anchors_[std::string(anchor)] = node;
  pending_.push_back(node);
}

std::optional<Node> TreeBuilder::root() const {
  if (pending_.empty()) return std::nullopt;
  return pending_.front();
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

}  // namespace weir::config
