#include "proxy/routing/text_pattern.h"

#include "base/percent.h"
#include "base/text.h"
#include "base/words.h"
#include "proxy/routing/regex_literals.h"

#include <re2/re2.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <utility>

namespace weir::proxy {

struct CompiledRegex {
  CompiledRegex(std::string_view text, const re2::RE2::Options& options)
      : expression(re2::StringPiece(text.data(), text.size()), options) {}
  re2::RE2 expression;
};

namespace {

// Stand for the wildcards in compiled code: bytes that no literal may hold.
constexpr char kAnyRun = '\x01';
constexpr char kAnyOne = '\x02';

// Program and automaton of one expression together; a thousand of them stay affordable.
constexpr std::int64_t kRegexBytesMax = 1 << 20;

// The longest field line fits, so a value is folded once and searched in linear time.
constexpr std::size_t kFoldedBytesMax = 16 * 1024;

re2::RE2::Options RegexOptions(CaseRule case_rule) {
  re2::RE2::Options options;
  options.set_log_errors(false);
  options.set_case_sensitive(case_rule == CaseRule::kSensitive);
  options.set_max_mem(kRegexBytesMax);
  options.set_never_capture(true);
  return options;
}

std::string CompileGlob(std::string_view text, CaseRule case_rule, EscapeRule escape_rule) {
  std::string code;
  code.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool escaped = escape_rule == EscapeRule::kBackslash && text[i] == '\\' && i + 1 < text.size() &&
                         (text[i + 1] == '*' || text[i + 1] == '?');
    if (escaped) {
      code += text[++i];
    } else if (text[i] == '*') {
      if (code.empty() || code.back() != kAnyRun) code += kAnyRun;
    } else if (text[i] == '?') {
      code += kAnyOne;
    } else {
      code += case_rule == CaseRule::kInsensitive ? ToLowerAscii(text[i]) : text[i];
    }
  }
  return code;
}

bool IsWildcard(char c) { return c == kAnyRun || c == kAnyOne; }

TextPattern::Shape ShapeOf(std::string_view code, std::string_view source) {
  using enum TextPattern::Shape;
  if (!IsVisibleAscii(source)) return kNever;
  const auto wildcards = std::ranges::count_if(code, IsWildcard);
  if (wildcards == 0) return kExact;
  if (wildcards > 1 || code.contains(kAnyOne)) return kGlob;
  if (code.size() == 1) return kAny;
  if (code.back() == kAnyRun) return kPrefix;
  if (code.front() == kAnyRun) return kSuffix;
  return kGlob;
}

// Whether a `?` stands between two `*`, where a search for the segment is not linear: such a pattern becomes an
// expression.
bool HasFloatingAnyOne(std::string_view code) {
  const auto first = code.find(kAnyRun);
  const auto last = code.rfind(kAnyRun);
  if (first == std::string_view::npos || first == last) return false;
  return code.substr(first, last - first).contains(kAnyOne);
}

std::string RegexOfGlob(std::string_view code) {
  std::string out = "^";
  for (const char c : code) {
    if (c == kAnyRun) {
      out += ".*";
    } else if (c == kAnyOne) {
      out += '.';
    } else {
      out += re2::RE2::QuoteMeta(re2::StringPiece(&c, 1));
    }
  }
  return out + '$';
}

bool EqualsFolded(std::string_view text, std::string_view folded, CaseRule case_rule) {
  return case_rule == CaseRule::kSensitive ? text == folded : EqualsLower(text, folded);
}

// `segment` holds literals and kAnyOne; the text has its length.
bool EqualsSegment(std::string_view text, std::string_view segment) {
  return std::ranges::equal(text, segment, [](char a, char b) { return b == kAnyOne || a == b; });
}

// The first place of `segment` in `text`; npos when there is none.
std::size_t FindSegment(std::string_view text, std::string_view segment) {
  if (segment.contains(kAnyOne)) {
    for (std::size_t i = 0; i + segment.size() <= text.size(); ++i) {
      if (EqualsSegment(text.substr(i, segment.size()), segment)) return i;
    }
    return std::string_view::npos;
  }
  // memmem is the C library's two-way search: linear, unlike string_view::find.
  const void* found = ::memmem(text.data(), text.size(), segment.data(), segment.size());
  if (found == nullptr) return std::string_view::npos;
  return static_cast<std::size_t>(static_cast<const char*>(found) - text.data());
}

// Two pointers: the segment before the first run is at the beginning, the one behind the last at the end, each one
// between them at the first place behind its predecessor, which is enough. `text` is folded already.
bool MatchesSegments(std::string_view text, std::string_view code) {
  const auto first = code.find(kAnyRun);
  if (first == std::string_view::npos) return text.size() == code.size() && EqualsSegment(text, code);
  const auto last = code.rfind(kAnyRun);
  const auto head = code.substr(0, first);
  const auto tail = code.substr(last + 1);
  if (text.size() < head.size() + tail.size()) return false;
  if (!EqualsSegment(text.substr(0, head.size()), head)) return false;
  if (!EqualsSegment(text.substr(text.size() - tail.size()), tail)) return false;

  std::string_view rest = text.substr(head.size(), text.size() - head.size() - tail.size());
  std::string_view middle = code.substr(first, last - first);
  while (!middle.empty()) {
    middle.remove_prefix(1);
    const auto segment = middle.substr(0, middle.find(kAnyRun));
    const auto at = FindSegment(rest, segment);
    if (at == std::string_view::npos) return false;
    rest.remove_prefix(at + segment.size());
    middle.remove_prefix(segment.size());
  }
  return true;
}

}  // namespace

bool IsVisibleAscii(std::string_view text) {
  // Eight bytes at a time: with the high bit clear, adding 0x60 sets it from 0x20 on and adding 1 sets it for 0x7F.
  for (; text.size() >= sizeof(std::uint64_t); text.remove_prefix(sizeof(std::uint64_t))) {
    const std::uint64_t bytes = LoadWord(text.data());
    const std::uint64_t low = bytes & EachByte(0x7F);
    if (((bytes | ~(low + EachByte(0x60)) | (low + EachByte(1))) & EachByte(0x80)) != 0) return false;
  }
  return std::ranges::all_of(text, IsPrintableAscii);
}

TextPattern::TextPattern(std::string_view source, std::string_view code, CaseRule case_rule)
    : source_size_(static_cast<std::uint32_t>(source.size())), case_rule_(case_rule) {
  texts_.reserve(source.size() + code.size());
  texts_.append(source).append(code);
}

TextPattern TextPattern::Glob(std::string_view text, CaseRule case_rule, EscapeRule escape_rule) {
  const std::string normal = escape_rule == EscapeRule::kPercent ? WithNormalEncodings(text) : std::string(text);
  TextPattern pattern(text, CompileGlob(normal, case_rule, escape_rule), case_rule);
  pattern.shape_ = ShapeOf(pattern.code(), text);
  if (pattern.shape_ == Shape::kGlob && HasFloatingAnyOne(pattern.code())) {
    auto regex = std::make_shared<const CompiledRegex>(RegexOfGlob(pattern.code()), RegexOptions(case_rule));
    // Cannot fail but for its size; the segments are searched then.
    if (regex->expression.ok()) pattern.regex_ = std::move(regex);
  }
  return pattern;
}

Result<TextPattern> TextPattern::Regex(std::string_view text, CaseRule case_rule) {
  auto regex = std::make_shared<const CompiledRegex>(text, RegexOptions(case_rule));
  if (!regex->expression.ok()) {
    return Failure(
        std::string("the regular expression \"").append(text).append("\" is not valid: ") + regex->expression.error(),
        std::string(kRegexDialectHint));
  }
  TextPattern pattern(text, LiteralPrefixOf(text, case_rule), case_rule);
  pattern.shape_ = Shape::kRegex;
  pattern.regex_ = std::move(regex);
  return pattern;
}

bool TextPattern::Matches(std::string_view text) const {
  switch (shape_) {
    case Shape::kAny:
      return IsVisibleAscii(text);
    case Shape::kExact:
      return EqualsFolded(text, code(), case_rule_);
    case Shape::kPrefix: {
      const auto prefix = literal_prefix();
      return text.size() >= prefix.size() && EqualsFolded(text.substr(0, prefix.size()), prefix, case_rule_) &&
             IsVisibleAscii(text.substr(prefix.size()));
    }
    case Shape::kSuffix: {
      const auto suffix = literal_suffix();
      return text.size() >= suffix.size() &&
             EqualsFolded(text.substr(text.size() - suffix.size()), suffix, case_rule_) &&
             IsVisibleAscii(text.substr(0, text.size() - suffix.size()));
    }
    case Shape::kGlob:
      return MatchesGlob(text);
    case Shape::kRegex:
      return IsVisibleAscii(text) &&
             re2::RE2::PartialMatch(re2::StringPiece(text.data(), text.size()), regex_->expression);
    case Shape::kNever:
      return false;
  }
  return false;
}

bool TextPattern::MatchesGlob(std::string_view text) const {
  if (!IsVisibleAscii(text)) return false;
  // The ends decide most comparisons before anything is folded or searched.
  const auto prefix = literal_prefix();
  const auto suffix = literal_suffix();
  if (text.size() < prefix.size() + suffix.size()) return false;
  if (!EqualsFolded(text.substr(0, prefix.size()), prefix, case_rule_)) return false;
  if (!EqualsFolded(text.substr(text.size() - suffix.size()), suffix, case_rule_)) return false;
  if (regex_ != nullptr) {
    return re2::RE2::PartialMatch(re2::StringPiece(text.data(), text.size()), regex_->expression);
  }
  if (case_rule_ == CaseRule::kSensitive) return MatchesSegments(text, code());
  if (text.size() > kFoldedBytesMax) return MatchesSegments(ToLowerAscii(text), code());
  std::array<char, kFoldedBytesMax> folded;
  std::ranges::transform(text, folded.begin(), [](char c) { return ToLowerAscii(c); });
  return MatchesSegments(std::string_view(folded.data(), text.size()), code());
}

std::string_view TextPattern::literal_prefix() const {
  switch (shape_) {
    case Shape::kExact:
    case Shape::kRegex:
      return code();
    case Shape::kPrefix:
      return code().substr(0, code().size() - 1);
    case Shape::kGlob:
      return code().substr(0, code().find_first_of("\x01\x02"));
    case Shape::kAny:
    case Shape::kSuffix:
    case Shape::kNever:
      return {};
  }
  return {};
}

std::string_view TextPattern::literal_suffix() const {
  switch (shape_) {
    case Shape::kExact:
      return code();
    case Shape::kSuffix:
      return code().substr(1);
    case Shape::kGlob:
      return code().substr(code().find_last_of("\x01\x02") + 1);
    case Shape::kAny:
    case Shape::kPrefix:
    case Shape::kRegex:
    case Shape::kNever:
      return {};
  }
  return {};
}

}  // namespace weir::proxy
