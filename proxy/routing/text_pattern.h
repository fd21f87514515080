#pragma once

#include "base/result.h"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace weir::proxy {

enum class CaseRule : std::uint8_t { kSensitive, kInsensitive };
enum class EscapeRule : std::uint8_t { kNone, kBackslash, kPercent };

struct CompiledRegex;  // hides RE2

// One value of a condition: a text with the wildcards `*` (any number of characters) and `?` (exactly one) that must
// cover the whole of what it is compared to, or a regular expression that may match anywhere in it. Both see visible
// ASCII only (spec: alb.md 4.1): a text with any byte outside 0x20-0x7E matches nothing. Matching is linear in the
// length of the text. A value; copies share the compiled expression. Thread: any (const).
class TextPattern {
 public:
  // What the wildcards make of the pattern. kGlob has a `*` between literals, or a `?`; kNever holds bytes that no text
  // may hold.
  enum class Shape : std::uint8_t { kAny, kExact, kPrefix, kSuffix, kGlob, kRegex, kNever };

  // With EscapeRule::kBackslash, `\*` and `\?` stand for the characters themselves; any other backslash is itself. With
  // EscapeRule::kPercent, for paths, percent-encodings are compared in their normal form (RFC 3986 6.2.2).
  [[nodiscard]] static TextPattern Glob(std::string_view text, CaseRule case_rule,
                                        EscapeRule escape_rule = EscapeRule::kNone);
  // RE2's syntax. Fails with RE2's message and a hint about the dialect.
  [[nodiscard]] static Result<TextPattern> Regex(std::string_view text, CaseRule case_rule);

  // Allocates nothing, but for what RE2 caches.
  [[nodiscard]] bool Matches(std::string_view text) const;

  // As written in the configuration.
  [[nodiscard]] std::string_view source() const { return std::string_view(texts_).substr(0, source_size_); }
  [[nodiscard]] Shape shape() const { return shape_; }
  [[nodiscard]] bool is_regex() const { return shape_ == Shape::kRegex; }
  [[nodiscard]] CaseRule case_rule() const { return case_rule_; }
  // Every text that matches begins with this, in lower case when case is ignored. The whole text when kExact.
  [[nodiscard]] std::string_view literal_prefix() const;
  // Every text that matches ends with this; known for kExact, kSuffix and kGlob only.
  [[nodiscard]] std::string_view literal_suffix() const;

 private:
  [[nodiscard]] bool MatchesGlob(std::string_view text) const;

  TextPattern(std::string_view source, std::string_view code, CaseRule case_rule);
  // Literals, folded, with marks for the wildcards; the known beginning of an expression.
  [[nodiscard]] std::string_view code() const { return std::string_view(texts_).substr(source_size_); }

  // Source and code in one string: listeners hold tens of thousands of patterns.
  std::string texts_;
  std::uint32_t source_size_ = 0;
  Shape shape_ = Shape::kAny;
  CaseRule case_rule_ = CaseRule::kSensitive;
  std::shared_ptr<const CompiledRegex> regex_;
};

// What people who know other expressions have to know of RE2's.
inline constexpr std::string_view kRegexDialectHint =
    "RE2 syntax: no lookahead, lookbehind, backreferences, atomic groups, possessive quantifiers or "
    "recursion, and a backslash before a literal . * ? + ( ) [ ] { } | ^ $";

// True when every byte is in 0x20-0x7E.
[[nodiscard]] bool IsVisibleAscii(std::string_view text);

}  // namespace weir::proxy
