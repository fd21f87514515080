// Patterns that nothing can match. What they are compared with: docs/configuration.md, spec: alb.md 4.2.

#include "base/percent.h"
#include "config/checks.h"
#include "config/findings.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace weir::config {
namespace {

using std::string_view;

bool IsVisible(char c) { return c >= 0x20 && c < 0x7F; }
bool IsWildcard(char c) { return c == '*' || c == '?'; }
bool IsDigit(char c) { return c >= '0' && c <= '9'; }

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

// An expression that ends in a port: `:8443$`, `:\d+$`, `:[0-9]+$`. One that may match otherwise, by a `|` outside of
// all groups, does not count.
bool EndsInPort(string_view regex) {
  if (!regex.ends_with('$')) return false;
  regex.remove_suffix(1);
  if (regex.ends_with("\\d+")) {
    regex.remove_suffix(3);
  } else if (regex.ends_with("[0-9]+")) {
    regex.remove_suffix(6);
  } else {
    const std::size_t size = regex.size();
    while (!regex.empty() && IsDigit(regex.back())) regex.remove_suffix(1);
    if (regex.size() == size) return false;
  }
  if (!regex.ends_with(':')) return false;
  int depth = 0;
  for (std::size_t i = 0; i < regex.size(); ++i) {
    if (regex[i] == '\\') {
      ++i;
    } else if (regex[i] == '(') {
      ++depth;
    } else if (regex[i] == ')') {
      --depth;
    } else if (regex[i] == '|' && depth == 0) {
      return false;
    }
  }
  return true;
}

class PatternCheck {
 public:
  explicit PatternCheck(Findings& findings) : findings_(findings) {}

  void operator()(const HostHeaderCondition& hosts);
  void operator()(const PathPatternCondition& paths);
  void operator()(const HttpHeaderCondition& header);
  void operator()(const QueryStringCondition& query);
  // Methods and addresses are checked as they are read.
  void operator()(const RequestMethodCondition& /*methods*/) {}
  void operator()(const SourceIpCondition& /*sources*/) {}

 private:
  void Warn(const LocatedText& pattern, string_view subject, std::string hint) {
    findings_.AddWarning(pattern.position, fmt::format("no {} matches {}", subject, Quoted(pattern.text)),
                         std::move(hint));
  }
  void CheckHost(const LocatedText& pattern);
  void CheckPath(const LocatedText& pattern);
  void CheckQuery(const LocatedText& pattern, string_view subject, string_view separators);
  void CheckRegexes(const std::vector<LocatedText>& regexes, string_view subject, string_view compared);

  Findings& findings_;
};

void PatternCheck::CheckHost(const LocatedText& pattern) {
  const string_view text = pattern.text;
  if (text.empty()) return;
  if (HasUnseen(text)) {
    Warn(pattern, "host", "it is compared with the Host field, which is ASCII: write the xn-- form of the name");
  } else if (text.find_first_of(" /#@\\") != string_view::npos) {
    Warn(pattern, "host", "it is compared with the host alone, without scheme, port and path");
  } else if (HasPort(text)) {
    Warn(pattern, "host", "it is compared with the host without its port; the port is that of the listener");
  }
}

void PatternCheck::CheckPath(const LocatedText& pattern) {
  const std::string text = WithNormalEncodings(pattern.text);
  if (text.empty()) return;
  if (text[0] != '/' && !IsWildcard(text[0])) {
    Warn(pattern, "path", "paths start with /");
  } else if (text.find('#') != std::string::npos) {
    Warn(pattern, "path", "it is compared with the path alone: a fragment (#) stays with the client");
  } else if (HasUnseen(text) || text.find(' ') != std::string::npos) {
    Warn(pattern, "path", fmt::format("it is compared with the path as it is sent: write {}", Quoted(Encoded(text))));
  } else if (HasDotSegment(text)) {
    Warn(pattern, "path", "it is compared with the path after its segments `.` and `..` are resolved");
  }
}

void PatternCheck::CheckQuery(const LocatedText& pattern, string_view subject, string_view separators) {
  const string_view text = pattern.text;
  if (HasUnseen(text) || text.find(' ') != string_view::npos) {
    Warn(pattern, subject, fmt::format("it is compared with the query as it is sent: write {}", Quoted(Encoded(text))));
  } else if (text.find_first_of(separators) != string_view::npos) {
    Warn(pattern, subject, "it is compared with one parameter of the query, which is split at & and its first =");
  }
}

void PatternCheck::CheckRegexes(const std::vector<LocatedText>& regexes, string_view subject, string_view compared) {
  for (const LocatedText& regex : regexes) {
    // An alternative, or a class, may match something else.
    const bool alternatives = regex.text.find_first_of("|[?*{") != std::string::npos;
    if (HasUnseen(regex.text) && !alternatives) Warn(regex, subject, std::string(compared));
  }
}

void PatternCheck::operator()(const HostHeaderCondition& hosts) {
  for (const LocatedText& value : hosts.values) CheckHost(value);
  CheckRegexes(hosts.regex_values, "host", "it is compared with the Host field, which is ASCII");
  for (const LocatedText& regex : hosts.regex_values) {
    if (!EndsInPort(regex.text)) continue;
    Warn(regex, "host", "it is compared with the host without its port; the port is that of the listener");
  }
}

void PatternCheck::operator()(const PathPatternCondition& paths) {
  for (const LocatedText& value : paths.values) CheckPath(value);
  CheckRegexes(paths.regex_values, "path", "it is compared with the path as it is sent, which is ASCII");
}

void PatternCheck::operator()(const HttpHeaderCondition& header) {
  constexpr string_view kCompared = "only visible ASCII and spaces are compared";
  for (const LocatedText& value : header.values) {
    if (HasUnseen(value.text)) Warn(value, "field value", std::string(kCompared));
  }
  CheckRegexes(header.regex_values, "field value", kCompared);
}

void PatternCheck::operator()(const QueryStringCondition& query) {
  for (const QueryStringPair& pair : query.pairs) {
    if (pair.key) CheckQuery(*pair.key, "parameter", "&=#");
    CheckQuery(pair.value, "parameter", "&#");
  }
}

}  // namespace

void CheckPatterns(const ConditionKind& condition, Findings& findings) {
  std::visit(PatternCheck(findings), condition);
}

}  // namespace weir::config
