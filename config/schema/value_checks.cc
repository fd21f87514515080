#include "config/schema/value_checks.h"

#include "base/percent.h"
#include "base/text.h"
#include "config/findings.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace weir::config {
namespace {

using std::string_view;

bool IsVisible(char c) { return c >= 0x20 && c < 0x7F; }
bool IsWildcard(char c) { return c == '*' || c == '?'; }

// The text with every byte that is no visible ASCII, and every space, percent-encoded.
std::string Encoded(string_view text) {
  std::string out;
  for (const char c : text) {
    if (IsVisible(c) && c != ' ') {
      out.push_back(c);
    } else {
      out.append(fmt::format("%{:02X}", static_cast<unsigned>(static_cast<unsigned char>(c))));
    }
  }
  return out;
}

bool HasUnseen(string_view text) { return !std::ranges::all_of(text, IsVisible); }

// A whole segment `.` or `..`, which no resolved path has. Encodings are normal.
bool HasDotSegment(string_view path) {
  for (std::size_t slash = path.find('/'); slash != string_view::npos; slash = path.find('/', slash + 1)) {
    const string_view rest = path.substr(slash + 1);
    const string_view segment = rest.substr(0, rest.find('/'));
    if (segment == "." || segment == "..") return true;
  }
  return false;
}

// A colon that no host has: only an IPv6 address, in brackets, holds one.
bool HasPort(string_view host) {
  if (host.find(':') == string_view::npos) return false;
  const char first = host.front();
  const char last = host.back();
  return (first != '[' && !IsWildcard(first)) || (last != ']' && !IsWildcard(last));
}

// Takes `tail` off the end, when it is there.
bool Take(string_view& text, string_view tail) {
  if (!text.ends_with(tail)) return false;
  text.remove_suffix(tail.size());
  return true;
}

// Takes the end of an expression off, `$` or `\z`, and the groups that close there; false when it has no end.
bool TakeEnd(string_view& regex) {
  bool anchored = false;
  while (true) {
    if (Take(regex, "$") || Take(regex, "\\z")) {
      anchored = true;
    } else if (!Take(regex, ")")) {
      return anchored;
    }
  }
}

// Takes `*`, `+`, `?`, `{m}`, `{m,}` or `{m,n}` off the end.
void TakeRepetition(string_view& regex) {
  if (Take(regex, "*") || Take(regex, "+") || Take(regex, "?") || !regex.ends_with('}')) return;
  const std::size_t brace = regex.find_last_not_of("0123456789,", regex.size() - 2);
  if (brace != string_view::npos && regex[brace] == '{') regex.remove_suffix(regex.size() - brace);
}

// Takes a digit that is repeated or not off the end: `8`, `\d+`, `[0-9]{2,5}`.
bool TakeDigits(string_view& regex) {
  string_view rest = regex;
  TakeRepetition(rest);
  if (!Take(rest, "\\d") && !Take(rest, "[0-9]")) {
    if (rest.empty() || !IsDigit(rest.back())) return false;
    rest.remove_suffix(1);
  }
  regex = rest;
  return true;
}

// The last place of a class that begins at `start`.
std::size_t ClassEnd(string_view regex, std::size_t start) {
  const std::size_t first = start + (regex.substr(start + 1).starts_with('^') ? 2 : 1);
  for (std::size_t i = first; i < regex.size(); ++i) {
    if (regex[i] == '\\') {
      ++i;
    } else if (regex[i] == ']' && i > first) {  // one that comes first is a member
      return i;
    }
  }
  return regex.size();
}

// Whether a `|` stands in `regex` outside of the groups that it closes.
bool HasAlternative(string_view regex) {
  std::vector<bool> open{false};  // for each group that is open: whether it has an alternative
  for (std::size_t i = 0; i < regex.size(); ++i) {
    if (regex[i] == '\\') {
      ++i;
    } else if (regex[i] == '[') {
      i = ClassEnd(regex, i);
    } else if (regex[i] == '(') {
      open.push_back(false);
    } else if (regex[i] == ')' && open.size() > 1) {
      open.pop_back();
    } else if (regex[i] == '|') {
      open.back() = true;
    }
  }
  return std::ranges::find(open, true) != open.end();
}

// An expression that ends in a port: `:8443$`, `:\d+$`, `(:[0-9]{4})\z`. One that may match otherwise, by a `|`, does
// not count.
bool EndsInPort(string_view regex) {
  if (!TakeEnd(regex) || !TakeDigits(regex)) return false;
  while (TakeDigits(regex)) {
  }
  return regex.ends_with(':') && !HasAlternative(regex);
}

// Whether every part of the expression has to be matched as it stands: it has no alternative, class or repetition.
bool IsStraight(string_view regex) { return regex.find_first_of("|[?*{") == string_view::npos; }

void Warn(const LocatedText& pattern, string_view subject, std::string hint, Findings& findings) {
  findings.AddWarning(pattern.position, fmt::format("no {} matches {}", subject, Quoted(pattern.text)),
                      std::move(hint));
}

constexpr string_view kCompared = "only visible ASCII and spaces are compared";

void CheckQuery(const LocatedText& pattern, string_view separators, Findings& findings) {
  const string_view text = pattern.text;
  if (HasUnseen(text) || text.find(' ') != string_view::npos) {
    Warn(pattern, "parameter",
         fmt::format("it is compared with the query as it is sent: write {}", Quoted(Encoded(text))), findings);
  } else if (text.find_first_of(separators) != string_view::npos) {
    Warn(pattern, "parameter",
         "it is compared with one parameter of the query, which is split at & and its first =", findings);
  }
}

}  // namespace

bool IsToken(string_view text) {
  constexpr string_view kMarks = "!#$%&'*+-.^_`|~";
  return !text.empty() && std::ranges::all_of(text, [&](char c) {
    return IsDigit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || kMarks.find(c) != string_view::npos;
  });
}

void CheckHostPattern(const LocatedText& pattern, Findings& findings) {
  const string_view text = pattern.text;
  if (text.empty()) return;
  if (HasUnseen(text)) {
    Warn(pattern, "host", "it is compared with the Host field, which is ASCII: write the xn-- form of the name",
         findings);
  } else if (text.find_first_of(" /#@\\") != string_view::npos) {
    Warn(pattern, "host", "it is compared with the host alone, without scheme, port and path", findings);
  } else if (HasPort(text)) {
    Warn(pattern, "host", "it is compared with the host without its port; the port is that of the listener", findings);
  }
}

void CheckHostRegex(const LocatedText& regex, Findings& findings) {
  const string_view text = regex.text;
  if (EndsInPort(text)) {
    Warn(regex, "host", "it is compared with the host without its port; the port is that of the listener", findings);
  } else if (!IsStraight(text)) {
    return;
  } else if (HasUnseen(text)) {
    Warn(regex, "host", "it is compared with the Host field, which is ASCII", findings);
  } else if (text.find_first_of(" /#@") != string_view::npos) {
    Warn(regex, "host", "it is compared with the host alone, without scheme, port and path", findings);
  }
}

void CheckPathPattern(const LocatedText& pattern, Findings& findings) {
  const std::string text = WithNormalEncodings(pattern.text);
  if (text.empty()) return;
  if (text[0] != '/' && !IsWildcard(text[0])) {
    Warn(pattern, "path", "paths start with /", findings);
  } else if (text.find('#') != std::string::npos) {
    Warn(pattern, "path", "it is compared with the path alone: a fragment (#) stays with the client", findings);
  } else if (HasUnseen(text) || text.find(' ') != std::string::npos) {
    Warn(pattern, "path", fmt::format("it is compared with the path as it is sent: write {}", Quoted(Encoded(text))),
         findings);
  } else if (HasDotSegment(text)) {
    Warn(pattern, "path", "it is compared with the path after its segments `.` and `..` are resolved", findings);
  }
}

void CheckPathRegex(const LocatedText& regex, Findings& findings) {
  const string_view text = regex.text;
  if (!IsStraight(text)) return;
  if (HasUnseen(text) || text.find(' ') != string_view::npos) {
    Warn(regex, "path",
         "it is compared with the path as it is sent, which is ASCII without spaces: percent-encode them", findings);
  } else if (text.find('#') != string_view::npos) {
    Warn(regex, "path", "it is compared with the path alone: a fragment (#) stays with the client", findings);
  } else if (WithNormalEncodings(text) != text) {
    Warn(regex, "path",
         "it is compared with percent-encodings in their normal form: upper-case digits, and none of letters, digits, "
         "`-`, `.`, `_` and `~`",
         findings);
  }
}

void CheckFieldPattern(const LocatedText& pattern, Findings& findings) {
  if (HasUnseen(pattern.text)) Warn(pattern, "field value", std::string(kCompared), findings);
}

void CheckFieldRegex(const LocatedText& regex, Findings& findings) {
  if (HasUnseen(regex.text) && IsStraight(regex.text)) Warn(regex, "field value", std::string(kCompared), findings);
}

void CheckQueryKey(const LocatedText& pattern, Findings& findings) { CheckQuery(pattern, "&=#", findings); }
void CheckQueryValue(const LocatedText& pattern, Findings& findings) { CheckQuery(pattern, "&#", findings); }

void CheckMethod(const LocatedText& method, Findings& findings) {
  if (IsToken(method.text)) return;
  findings.AddError(method.position, fmt::format("{} is no method", Quoted(method.text)), "GET, POST, PUT ...");
}

}  // namespace weir::config
