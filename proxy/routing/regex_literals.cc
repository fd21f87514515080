#include "proxy/routing/regex_literals.h"

#include "base/text.h"

#include <cstddef>

namespace weir::proxy {

namespace {

bool IsVisible(char c) { return c >= 0x20 && c <= 0x7E; }

bool IsAsciiPunctuation(char c) {
  const auto u = static_cast<unsigned char>(c);
  return (u >= 0x21 && u <= 0x2F) || (u >= 0x3A && u <= 0x40) || (u >= 0x5B && u <= 0x60) || (u >= 0x7B && u <= 0x7E);
}

// Where a character class that begins at `begin` ends (behind its bracket).
std::size_t SkipClass(std::string_view regex, std::size_t begin) {
  std::size_t i = begin + 1;
  if (i < regex.size() && regex[i] == '^') ++i;
  if (i < regex.size() && regex[i] == ']') ++i;
  while (i < regex.size() && regex[i] != ']') {
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
      continue;
    }
    if (c == '(') ++depth;
    if (c == ')') --depth;
    if (c == '|' && depth <= 0) return true;
    ++i;
  }
  return false;
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
    } else if (c == '*' || c == '?' || c == '{') {
      if (!prefix.empty()) prefix.pop_back();
      return prefix;
    } else if (!IsVisible(c) || std::string_view("\\.[]()|^$}").contains(c)) {
      return prefix;
    }
    prefix += case_rule == CaseRule::kInsensitive ? ToLowerAscii(c) : c;
  }
  return prefix;
}

}  // namespace weir::proxy
