#include "proxy/routing/regex_literals.h"

#include "base/text.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace weir::proxy {

namespace {

bool IsAsciiPunctuation(char c) {
  const auto u = static_cast<unsigned char>(c);
  return (u >= 0x21 && u <= 0x2F) || (u >= 0x3A && u <= 0x40) || (u >= 0x5B && u <= 0x60) || (u >= 0x7B && u <= 0x7E);
}

// Where a character class that begins at `begin` ends (behind its bracket); npos when in doubt: in `[+-[:]` the second
// bracket is the end of a range and opens no named class.
std::size_t SkipClass(std::string_view regex, std::size_t begin) {
  std::size_t i = begin + 1;
  if (i < regex.size() && regex[i] == '^') ++i;
  if (i < regex.size() && regex[i] == ']') ++i;
  while (i < regex.size() && regex[i] != ']') {
    if (regex.substr(i).starts_with("-[:")) return std::string_view::npos;
    if (regex[i] == '\\') {
      i += 2;
    } else if (regex.substr(i).starts_with("[:")) {
      const auto end = regex.find(":]", i + 2);
      i = end == std::string_view::npos ? i + 1 : end + 2;
    } else {
      ++i;
    }
  }
  return i + 1;
}

// True when an alternative at the top level may do without the beginning of the expression. Errs on the side of true.
bool HasTopLevelAlternative(std::string_view regex) {
  if (!regex.contains('|')) return false;
  if (regex.contains("\\Q")) return true;
  int depth = 0;
  for (std::size_t i = 0; i < regex.size();) {
    const char c = regex[i];
    if (c == '\\') {
      i += 2;
      continue;
    }
    if (c == '[') {
      i = SkipClass(regex, i);
      if (i == std::string_view::npos) return true;
      continue;
    }
    if (c == '(') ++depth;
    if (c == ')') --depth;
    if (c == '|' && depth <= 0) return true;
    ++i;
  }
  return false;
}

bool BeginsFlags(std::string_view rest) {
  return rest.starts_with("(?") && !rest.starts_with("(?:") && !rest.starts_with("(?P<");
}

// What a quantifier behind it looks through: in `ab(?i)*` and in `ab\Q\E*` it belongs to the `b`.
bool IsTransparent(std::string_view rest) { return BeginsFlags(rest) || rest.starts_with("\\Q"); }

// One element of an expression without its quantifier.
struct Element {
  // kUnknown: what follows cannot be read with certainty. kFlags: what precedes may mean something else, too.
  enum class Kind : std::uint8_t { kLiteral, kOther, kUnknown, kFlags };
  Kind kind = Kind::kUnknown;
  char literal = 0;
  std::size_t end = 0;  // behind it
};

Element ReadEscape(std::string_view regex, std::size_t begin) {
  if (begin + 1 >= regex.size()) return {};
  const char c = regex[begin + 1];
  const std::size_t end = begin + 2;
  if (IsAsciiPunctuation(c)) return {.kind = Element::Kind::kLiteral, .literal = c, .end = end};
  if (std::string_view("dDwWsSbBAz").contains(c)) return {.kind = Element::Kind::kOther, .end = end};
  return {};
}

Element ReadClass(std::string_view regex, std::size_t begin) {
  const std::size_t end = SkipClass(regex, begin);
  if (end == std::string_view::npos) return {};
  return {.kind = Element::Kind::kOther, .end = end};
}

Element ReadGroup(std::string_view regex, std::size_t begin) {
  int depth = 0;
  for (std::size_t i = begin; i < regex.size();) {
    const auto rest = regex.substr(i);
    if (BeginsFlags(rest)) return {.kind = Element::Kind::kFlags};
    if (rest.front() == '[') {
      i = SkipClass(regex, i);
      if (i == std::string_view::npos) return {};
      continue;
    }
    if (rest.front() == '(') ++depth;
    if (rest.front() == ')') --depth;
    i += rest.front() == '\\' ? std::size_t{2} : std::size_t{1};
    if (depth == 0) return {.kind = Element::Kind::kOther, .end = i};
  }
  return {};
}

Element ReadElement(std::string_view regex, std::size_t begin) {
  const char c = regex[begin];
  if (c == '\\') return ReadEscape(regex, begin);
  if (c == '[') return ReadClass(regex, begin);
  if (c == '(') return ReadGroup(regex, begin);
  if (std::string_view("{*+?|)").contains(c)) return {};
  if (!IsPrintableAscii(c) || std::string_view(".^$").contains(c))
    return {.kind = Element::Kind::kOther, .end = begin + 1};
  return {.kind = Element::Kind::kLiteral, .literal = c, .end = begin + 1};
}

struct Quantifier {
  // kSome: at least one. kAny: none may be enough. kUnknown: a brace that is no count.
  enum class Kind : std::uint8_t { kNone, kSome, kAny, kUnknown };
  Kind kind = Kind::kNone;
  std::size_t end = 0;  // behind it
};

std::size_t SkipDigits(std::string_view regex, std::size_t begin) {
  return std::min(regex.size(), regex.find_first_not_of("0123456789", begin));
}

// Where {n}, {n,} or {n,m} ends; npos when it is none of these.
std::size_t SkipCount(std::string_view regex, std::size_t begin) {
  std::size_t i = SkipDigits(regex, begin + 1);
  if (i == begin + 1) return std::string_view::npos;
  if (i < regex.size() && regex[i] == ',') i = SkipDigits(regex, i + 1);
  return i < regex.size() && regex[i] == '}' ? i + 1 : std::string_view::npos;
}

Quantifier ReadQuantifier(std::string_view regex, std::size_t begin) {
  using enum Quantifier::Kind;
  if (begin >= regex.size() || !std::string_view("*+?{").contains(regex[begin])) return {.kind = kNone, .end = begin};
  const std::size_t end = regex[begin] == '{' ? SkipCount(regex, begin) : begin + 1;
  if (end == std::string_view::npos) return {.kind = kUnknown};
  const bool lazy = end < regex.size() && regex[end] == '?';
  return {.kind = regex[begin] == '+' ? kSome : kAny, .end = lazy ? end + 1 : end};
}

}  // namespace

std::string LiteralPrefixOf(std::string_view regex, CaseRule case_rule) {
  std::string prefix;
  if (!regex.starts_with('^') || HasTopLevelAlternative(regex)) return prefix;
  for (std::size_t i = 1; i < regex.size(); ++i) {
    char c = regex[i];
    if (c == '\\' && i + 1 < regex.size() && IsAsciiPunctuation(regex[i + 1])) {
      c = regex[++i];
    } else if (c == '+') {
      return prefix;
    } else if (c == '*' || c == '?' || c == '{' || IsTransparent(regex.substr(i))) {
      if (!prefix.empty()) prefix.pop_back();
      return prefix;
    } else if (!IsPrintableAscii(c) || std::string_view("\\.[]()|^$}").contains(c)) {
      return prefix;
    }
    prefix += case_rule == CaseRule::kInsensitive ? ToLowerAscii(c) : c;
  }
  return prefix;
}

std::string RequiredLiteralOf(std::string_view regex, CaseRule case_rule) {
  std::string longest;
  if (regex.contains("\\Q") || HasTopLevelAlternative(regex)) return longest;
  std::string run;
  const auto end_run = [&] {
    if (run.size() > longest.size()) longest = run;
    run.clear();
  };
  for (std::size_t i = 0; i < regex.size();) {
    const Element element = ReadElement(regex, i);
    if (element.kind == Element::Kind::kFlags) return {};
    if (element.kind == Element::Kind::kUnknown) break;
    const Quantifier quantifier = ReadQuantifier(regex, element.end);
    if (quantifier.kind == Quantifier::Kind::kUnknown) break;
    const bool is_required = element.kind == Element::Kind::kLiteral && quantifier.kind != Quantifier::Kind::kAny;
    if (is_required) run += case_rule == CaseRule::kInsensitive ? ToLowerAscii(element.literal) : element.literal;
    if (!is_required || quantifier.kind == Quantifier::Kind::kSome) end_run();
    i = quantifier.end;
  }
  end_run();
  return longest;
}

}  // namespace weir::proxy
