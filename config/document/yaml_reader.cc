#include "config/document/yaml_reader.h"

#include "config/document/tree_builder.h"
#include "config/document/utf8.h"
#include "config/findings.h"

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <array>
#include <exception>
#include <spanstream>
#include <string>
#include <utility>
#include <vector>

namespace weir::config {
namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
constexpr std::string_view kBlanks = " \t\r\n";

// Thrown out of yaml-cpp's parser when the reading ends, for a reason that was reported.
struct ReadingEnds {};

// What yaml-cpp says, and the words that the messages of the program have for it.
struct Problem {
  std::string_view theirs;
  std::string_view ours;
  std::string_view hint = {};
  bool in_container = false;  // the container that is open helps to find it
};
constexpr std::string_view kTabHint = "indent with spaces; put quotes around text that starts with @, ` or %";
constexpr std::string_view kTabProblem = "found character that cannot start any token";
constexpr std::string_view kContentHint =
    "inside [] and {} quotes are needed around text that starts with : * & ! % @ or a brace";
// The row of an exception; absent for one that is passed on as it is.
std::optional<Problem> ProblemOf(std::string_view theirs) {
  const auto problems = std::to_array<Problem>({
      {YAML::ErrorMsg::END_OF_SEQ_FLOW, "did not find expected ',' or ']'", {}, true},
      {YAML::ErrorMsg::END_OF_MAP_FLOW, "did not find expected ',' or '}'", {}, true},
      {YAML::ErrorMsg::END_OF_MAP, "did not find expected key", {}, true},
      {YAML::ErrorMsg::END_OF_SEQ, "did not find expected '-' indicator", {}, true},
      {YAML::ErrorMsg::UNKNOWN_TOKEN, kTabProblem, kTabHint},
      {YAML::ErrorMsg::TAB_IN_INDENTATION, "found a tab character where indentation is expected", "indent with spaces"},
      {YAML::ErrorMsg::MAP_VALUE, "mapping values are not allowed in this context",
       "put quotes around text that holds `: `, and line the keys of a map up"},
      {YAML::ErrorMsg::MAP_KEY, "mapping keys are not allowed in this context"},
      {YAML::ErrorMsg::BLOCK_ENTRY, "block sequence entries are not allowed in this context"},
      {YAML::ErrorMsg::FLOW_END, "did not find expected node content", kContentHint},
      {YAML::ErrorMsg::EOF_IN_SCALAR, "found unexpected end of stream"},
      {YAML::ErrorMsg::DOC_IN_SCALAR, "found unexpected document indicator"},
      {YAML::ErrorMsg::INVALID_ESCAPE, "found unknown escape character"},
      {YAML::ErrorMsg::INVALID_HEX, "did not find expected hexadecimal number"},
      {YAML::ErrorMsg::INVALID_UNICODE, "found invalid Unicode character escape code"},
      {YAML::ErrorMsg::CHAR_IN_ALIAS, "did not find expected alphabetic or numeric character", kContentHint},
      {YAML::ErrorMsg::ALIAS_NOT_FOUND, "did not find expected alphabetic or numeric character", kContentHint},
      {YAML::ErrorMsg::CHAR_IN_ANCHOR, "did not find expected alphabetic or numeric character", kContentHint},
      {YAML::ErrorMsg::ANCHOR_NOT_FOUND, "did not find expected alphabetic or numeric character", kContentHint},
  });
  const auto known = std::ranges::find_if(problems, [&](const Problem& p) { return theirs.starts_with(p.theirs); });
  if (known == problems.end()) return std::nullopt;
  return *known;
}

// An environment reference inside a flow collection and without quotes, which is no YAML.
bool HoldsReference(std::string_view line) {
  const std::size_t at = line.find("${");
  return at != std::string_view::npos && at > 0 && line[at - 1] != '"' && line[at - 1] != '\'' &&
         line.substr(0, at).find_first_of("[{") != std::string_view::npos;
}

// Line ends of old Macintoshes are none for yaml-cpp.
std::optional<std::string> WithLineFeeds(std::string_view text) {
  std::optional<std::string> out;
  for (std::size_t at = text.find('\r'); at != std::string_view::npos; at = text.find('\r', at + 1)) {
    if (at + 1 < text.size() && text[at + 1] == '\n') continue;
    if (!out) out = std::string(text);
    (*out)[at] = '\n';
  }
  return out;
}

// Turns yaml-cpp's events into those of the builder. yaml-cpp marks bytes, has no place for an empty value and lets
// some things pass that are slips: this is put right here, from the text.
class YamlEvents final : public YAML::EventHandler {
 public:
  YamlEvents(std::string_view text, std::uint32_t file, Tree& tree, Findings& findings)
      : text_(text),
        file_(file),
        ascii_(std::ranges::all_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x80; })),
        has_tabs_(text.find('\t') != std::string_view::npos),
        builder_(tree, findings),
        findings_(findings) {}

  // Reports what yaml-cpp threw.
  void Report(const YAML::Exception& error);
  void ReportSyntax(const YAML::Mark& mark, std::string_view problem, std::string_view hint, bool in_container = false);
  // Reports a quote that is never closed: for yaml-cpp the end of the text closes it.
  void CheckQuotes();
  [[nodiscard]] std::optional<Node> root() const { return builder_.root(); }

  void OnDocumentStart(const YAML::Mark& mark) override;
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override;
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override;
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override;
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value style) override {
    OnStart(NodeKind::kList, mark, tag, anchor, style);
  }
  void OnSequenceEnd() override { OnEnd(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value style) override {
    OnStart(NodeKind::kMap, mark, tag, anchor, style);
  }
  void OnMapEnd() override { OnEnd(); }
  void OnAnchor(const YAML::Mark& mark, const std::string& name) override;

 private:
  struct Open {
    bool flow = false;
    std::size_t column = 0;  // in bytes, from 0
  };

  static void Check(bool goes_on) {
    if (!goes_on) throw ReadingEnds{};
  }
  void OnStart(NodeKind kind, const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
               YAML::EmitterStyle::value style);
  void OnEnd();
  void CheckIndentation(const YAML::Mark& mark);
  [[nodiscard]] bool IsWritten(const YAML::Mark& mark) const;
  [[nodiscard]] Position PlaceOfNothing(const YAML::Mark& mark) const;
  [[nodiscard]] bool BeginsDocument(const YAML::Mark& mark) const;
  [[nodiscard]] Position At(const YAML::Mark& mark) const;
  [[nodiscard]] Position PositionOf(std::size_t offset) const;
  [[nodiscard]] std::size_t Offset(const YAML::Mark& mark) const {
    return std::min(static_cast<std::size_t>(std::max(mark.pos, 0)), text_.size());
  }
  [[nodiscard]] std::string_view LineStart(std::size_t offset) const {  // what stands before it in its line
    const std::string_view before = text_.substr(0, offset);
    return before.substr(before.rfind('\n') + 1);  // npos + 1 is 0
  }
  // `?` is what yaml-cpp calls no tag, `!` a scalar in quotes.
  static std::string_view TagOf(std::string_view tag) { return tag == "?" || tag == "!" ? std::string_view() : tag; }
  // The name of the anchor that the node of this event has.
  std::string_view AnchorOf(YAML::anchor_t anchor) const { return anchor == 0 ? std::string_view() : anchor_name_; }

  std::string_view text_;
  std::uint32_t file_;
  bool ascii_;
  bool has_tabs_;
  TreeBuilder builder_;
  Findings& findings_;
  std::vector<Open> open_;
  std::string anchor_name_;
  bool began_ = false;
  std::size_t last_scalar_ = std::string_view::npos;  // where the last scalar begins
  std::size_t last_quoted_ = std::string_view::npos;  // where the last scalar in quotes begins, with its properties
  // The place that At last gave in a text that is not all ASCII: places come in order.
  mutable int line_ = -1;
  mutable int bytes_ = 0;
  mutable std::size_t characters_ = 0;
};

Position YamlEvents::At(const YAML::Mark& mark) const {
  const auto line = static_cast<std::uint32_t>(mark.line) + 1;
  if (ascii_) return {file_, line, static_cast<std::uint32_t>(mark.column) + 1};
  if (mark.line != line_ || mark.column < bytes_) {
    line_ = mark.line;
    bytes_ = 0;
    characters_ = 0;
  }
  const auto added = static_cast<std::size_t>(mark.column - bytes_);
  const std::size_t end = Offset(mark);
  characters_ += CountCharacters(text_.substr(end - std::min(added, end), added));
  bytes_ = mark.column;
  return {file_, line, static_cast<std::uint32_t>(characters_) + 1};
}

Position YamlEvents::PositionOf(std::size_t offset) const {
  const auto line = static_cast<std::uint32_t>(std::ranges::count(text_.substr(0, offset), '\n')) + 1;
  return {file_, line, static_cast<std::uint32_t>(CountCharacters(LineStart(offset))) + 1};
}

void YamlEvents::OnDocumentStart(const YAML::Mark& mark) {
  // What follows a complete value is another document for yaml-cpp even when nothing says so.
  if (began_ && !BeginsDocument(mark)) {
    ReportSyntax(mark, "did not find expected <document start>", {});
    throw ReadingEnds{};
  }
  began_ = true;
  Check(builder_.OnDocument(At(mark)));
}

bool YamlEvents::BeginsDocument(const YAML::Mark& mark) const {
  if (text_.substr(Offset(mark)).starts_with("---")) return true;
  const std::size_t end = text_.substr(0, Offset(mark)).rfind("\n...");
  return end != std::string_view::npos;
}

void YamlEvents::CheckIndentation(const YAML::Mark& mark) {
  if (!has_tabs_ || (!open_.empty() && open_.back().flow)) return;
  const std::string_view before = LineStart(Offset(mark));
  const std::size_t tab = before.find('\t');
  if (tab == std::string_view::npos || before.find_first_not_of(kBlanks) != std::string_view::npos) return;
  findings_.AddError(PositionOf(Offset(mark) - before.size() + tab), fmt::format("not YAML: {}", kTabProblem),
                     std::string(kTabHint));
  throw ReadingEnds{};
}

void YamlEvents::OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                          const std::string& value) {
  CheckIndentation(mark);
  last_scalar_ = Offset(mark);
  if (tag == "!") {
    last_quoted_ = last_scalar_;
  } else if (value.starts_with(':') && !open_.empty() && open_.back().flow) {
    // YAML 1.2 lets plain text begin so, but `[::1]` is most likely not meant for it.
    ReportSyntax(mark, "did not find expected node content", kContentHint);
    throw ReadingEnds{};
  }
  builder_.OnScalar(
      {.position = At(mark), .text = value, .plain = tag != "!", .tag = TagOf(tag), .anchor = AnchorOf(anchor)});
}

// Whether a null is written at the mark, as `~` or a word or by an anchor; else the mark is that of what comes next.
bool YamlEvents::IsWritten(const YAML::Mark& mark) const {
  const std::string_view rest = text_.substr(Offset(mark));
  if (rest.empty()) return false;
  if (rest[0] == '&' || rest[0] == '!') {
    return open_.empty() || open_.back().flow || static_cast<std::size_t>(mark.column) > open_.back().column;
  }
  const std::string_view word = rest.substr(0, rest.find_first_of(",]}:# \t\r\n"));
  return !word.empty() && IsNullText(word);
}

// A value that is not written stands behind the `:` or the `-` that asks for it; in flow collections, where it ends.
Position YamlEvents::PlaceOfNothing(const YAML::Mark& mark) const {
  if (open_.empty() || open_.back().flow) return At(mark);
  std::string_view before = text_.substr(0, Offset(mark));
  while (!before.empty()) {
    const std::size_t start = before.rfind('\n') + 1;
    std::string_view line = before.substr(start);
    const std::size_t first = line.find_first_not_of(kBlanks);
    if (first != std::string_view::npos && line[first] != '#') {
      for (std::size_t comment = line.find(" #"); comment != std::string_view::npos;
           comment = line.find(" #", comment + 1)) {
        const std::string_view shorter = line.substr(0, line.find_last_not_of(kBlanks, comment) + 1);
        if (shorter.ends_with(':') || shorter.ends_with('-')) line = shorter;
      }
      const std::size_t last = line.find_last_not_of(kBlanks);
      if (line[last] != ':' && line[last] != '-') break;
      return PositionOf(start + last + 1);
    }
    before = before.substr(0, start == 0 ? 0 : start - 1);
  }
  return At(mark);
}

void YamlEvents::OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) {
  const bool written = IsWritten(mark);
  const bool in_flow_list = !open_.empty() && open_.back().flow && !builder_.frames().empty() &&
                            builder_.frames().back().kind == NodeKind::kList;
  if (!written && in_flow_list) {
    ReportSyntax(mark, "did not find expected node content", kContentHint);
    throw ReadingEnds{};
  }
  if (!written && !open_.empty() && !open_.back().flow && Offset(mark) == last_scalar_) {
    ReportSyntax(mark, "could not find expected ':'", {});
    throw ReadingEnds{};
  }
  builder_.OnScalar(
      {.position = written ? At(mark) : PlaceOfNothing(mark), .text = {}, .plain = true, .anchor = AnchorOf(anchor)});
}

void YamlEvents::OnAnchor(const YAML::Mark& mark, const std::string& name) {
  const bool plain = std::ranges::all_of(name, [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '-';
  });
  if (!plain) {
    ReportSyntax(mark, "did not find expected alphabetic or numeric character", kContentHint);
    throw ReadingEnds{};
  }
  anchor_name_ = name;
}

void YamlEvents::OnAlias(const YAML::Mark& mark, YAML::anchor_t /*anchor*/) {
  CheckIndentation(mark);
  std::string_view name = text_.substr(Offset(mark));
  name = name.substr(0, name.find_first_of(",]} \t\r\n"));
  if (name.starts_with('*')) name.remove_prefix(1);
  Check(builder_.OnAlias(At(mark), name));
}

void YamlEvents::OnStart(NodeKind kind, const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                         YAML::EmitterStyle::value style) {
  CheckIndentation(mark);
  Check(builder_.OnStart(kind, At(mark), TagOf(tag), AnchorOf(anchor)));
  open_.push_back({style == YAML::EmitterStyle::Flow, static_cast<std::size_t>(std::max(mark.column, 0))});
}

void YamlEvents::OnEnd() {
  open_.pop_back();
  builder_.OnEnd();
}

void YamlEvents::CheckQuotes() {
  if (last_quoted_ == std::string_view::npos) return;
  std::size_t at = last_quoted_;
  while (at < text_.size() && (text_[at] == '&' || text_[at] == '!')) {
    at = text_.find_first_not_of(kBlanks, std::min(text_.find_first_of(kBlanks, at), text_.size()));
  }
  if (at >= text_.size() || (text_[at] != '"' && text_[at] != '\'')) return;
  const char quote = text_[at];
  for (++at; at < text_.size(); ++at) {
    if (quote == '"' && text_[at] == '\\') {
      ++at;
    } else if (text_[at] == quote && quote == '\'' && at + 1 < text_.size() && text_[at + 1] == quote) {
      ++at;
    } else if (text_[at] == quote) {
      return;
    }
  }
  findings_.AddError(PositionOf(text_.size()), "not YAML: found unexpected end of stream",
                     "a quote that is opened has to be closed");
  throw ReadingEnds{};
}

void YamlEvents::ReportSyntax(const YAML::Mark& mark, std::string_view problem, std::string_view hint,
                              bool in_container) {
  std::string message = fmt::format("not YAML: {}", problem);
  if (in_container && !builder_.frames().empty()) {
    const auto& frame = builder_.frames().back();
    message.append(fmt::format(" (while parsing a {} {}, line {})", open_.back().flow ? "flow" : "block",
                               frame.kind == NodeKind::kList ? "sequence" : "mapping", frame.position.line));
  }
  const std::string_view before = LineStart(Offset(mark));
  const std::string_view line = text_.substr(Offset(mark) - before.size());
  if (HoldsReference(line.substr(0, line.find('\n')))) {
    hint = "inside [] and {} quotes are needed around an environment reference: \"${NAME}\"";
  }
  findings_.AddError(At(mark), std::move(message), std::string(hint));
}

void YamlEvents::Report(const YAML::Exception& error) {
  CheckIndentation(error.mark);
  const std::string_view theirs = error.msg;
  if (theirs.starts_with(YAML::ErrorMsg::UNKNOWN_ANCHOR)) {
    return OnAlias(error.mark, 0);
  }
  const auto known = ProblemOf(theirs);
  if (!known) return ReportSyntax(error.mark, theirs, {});
  ReportSyntax(error.mark, known->ours, known->hint, known->in_container);
}

// False when the reading ended early.
bool ReadEvents(std::string_view text, YamlEvents& events) {
  try {
    std::ispanstream stream(std::span<const char>(text.data(), text.size()));
    try {
      YAML::Parser parser(stream);
      while (parser.HandleNextDocument(events)) {
      }
      events.CheckQuotes();
      return true;
    } catch (const YAML::Exception& error) {
      events.Report(error);
    }
  } catch (const ReadingEnds&) {
    return false;
  }
  return false;
}

}  // namespace

std::optional<Node> ReadYaml(std::string_view text, std::uint32_t file, Tree& tree, Findings& findings) {
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  if (const auto fault = FindTextFault(text)) {
    const std::string_view before = text.substr(0, fault->offset);
    const std::string_view line = before.substr(before.rfind('\n') + 1);  // npos + 1 is 0
    findings.AddError({file, static_cast<std::uint32_t>(std::ranges::count(before, '\n')) + 1,
                       static_cast<std::uint32_t>(line.size()) + 1},
                      fmt::format("not YAML text: {}", fault->problem), "the file has to be UTF-8 text");
    return std::nullopt;
  }
  const auto changed = WithLineFeeds(text);
  YamlEvents events(changed ? std::string_view(*changed) : text, file, tree, findings);
  if (!ReadEvents(changed ? std::string_view(*changed) : text, events)) return std::nullopt;
  return events.root().value_or(Node{.position = {file, 1, 1}});
}

}  // namespace weir::config
