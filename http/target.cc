#include "http/target.h"

#include "base/ip_address.h"
#include "base/percent.h"
#include "base/text.h"
#include "http/scan.h"

#include <algorithm>

namespace weir::http {

namespace {

bool IsRegisteredName(std::string_view text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (IsByte(kHostByte, text[i])) continue;
    if (text[i] != '%' || text.size() - i < 3 || HexValue(text[i + 1]) < 0 || HexValue(text[i + 2]) < 0) return false;
    i += 2;
  }
  return !text.empty();
}

// True when a `.` or `..` segment starts at `at`, which is the first byte of a segment.
bool IsDotSegment(std::string_view path, std::size_t at) {
  const std::string_view segment = path.substr(at, 3);
  return segment == "." || segment == ".." || segment.starts_with("./") || segment == "../";
}

bool MayNeedNormalizing(std::string_view path) {
  if (!path.contains('%') && !path.contains('.')) return false;  // most have neither, and these are fast
  for (std::size_t i = 0; i < path.size(); ++i) {
    if (path[i] == '%' || (path[i] == '/' && IsDotSegment(path, i + 1))) return true;
  }
  return false;
}

// Removes the last segment of out[base..] when it is `.` or `..` (and with `..` the one before it, but never the root).
// `segment` is where the last segment starts, behind its `/`. True when something was removed.
bool RemoveDotSegment(std::string& out, std::size_t base, std::size_t& segment) {
  const std::string_view text = std::string_view(out).substr(segment);
  if (text != "." && text != "..") return false;
  if (text == ".." && segment > base + 1) segment = out.rfind('/', segment - 2) + 1;
  out.resize(segment);
  return true;
}

std::optional<Target> ParseAbsoluteForm(std::string_view target) {
  const std::size_t colon = target.find(':');
  if (colon == std::string_view::npos || target.substr(colon, 3) != "://") return std::nullopt;
  Target parsed{.form = TargetForm::kAbsolute, .scheme = target.substr(0, colon)};
  if (!EqualsIgnoreCase(parsed.scheme, "http") && !EqualsIgnoreCase(parsed.scheme, "https")) return std::nullopt;
  const std::string_view rest = target.substr(colon + 3);
  const std::size_t authority_end = std::min(rest.find_first_of("/?#"), rest.size());
  parsed.authority = rest.substr(0, authority_end);
  if (!ParseHostPort(parsed.authority)) return std::nullopt;
  parsed.path = rest.substr(authority_end);
  return parsed;
}

// Splits `target.path`, which still holds all that follows the authority.
void SplitQuery(Target& target) {
  const std::string_view all = target.path.substr(0, target.path.find('#'));
  const std::size_t mark = all.find('?');
  target.path = all.substr(0, mark);
  if (target.path.empty()) target.path = "/";
  if (mark == std::string_view::npos) return;
  target.has_query = true;
  target.query = all.substr(mark + 1);
}

}  // namespace

std::optional<Target> ParseTarget(std::string_view method, std::string_view target) {
  if (target.empty()) return std::nullopt;
  if (method == "CONNECT") {
    const std::optional<HostPort> authority = ParseHostPort(target);
    if (!authority || !authority->port) return std::nullopt;
    return Target{.form = TargetForm::kAuthority, .authority = target};
  }
  if (target == "*") {
    if (method != "OPTIONS") return std::nullopt;
    return Target{.form = TargetForm::kAsterisk, .path = target};
  }
  std::optional<Target> parsed;
  if (target.front() == '/') {
    parsed = Target{.form = TargetForm::kOrigin, .path = target};
  } else {
    parsed = ParseAbsoluteForm(target);
  }
  if (parsed) SplitQuery(*parsed);
  return parsed;
}

bool TakeTargetApart(RequestHead& head) {
  const std::optional<Target> parts = ParseTarget(head.method, head.target);
  if (!parts) return false;
  head.parts = *parts;
  // ParseTarget has judged it.
  if (parts->form == TargetForm::kAbsolute) head.authority = ParseHostPort(parts->authority).value_or(HostPort());
  return true;
}

std::optional<HostPort> ParseHostPort(std::string_view text) {
  constexpr std::uint64_t kPortMax = 65'535;
  const bool is_literal = text.starts_with('[');
  const std::size_t host_end = is_literal ? text.find(']') : std::min(text.find(':'), text.size());
  if (host_end == std::string_view::npos) return std::nullopt;
  HostPort parsed{.host = text.substr(0, is_literal ? host_end + 1 : host_end), .port = {}};
  if (is_literal) {
    const auto address = IpAddress::Parse(parsed.host.substr(1, parsed.host.size() - 2));
    if (!address || address->is_v4()) return std::nullopt;
  } else if (!IsRegisteredName(parsed.host)) {
    return std::nullopt;
  }
  const std::string_view rest = text.substr(parsed.host.size());
  if (rest.empty() || rest == ":") return parsed;  // RFC 3986 section 3.2.3: port = *DIGIT
  const std::optional<std::uint64_t> port = ParseDecimal(rest.substr(1));
  if (rest.front() != ':' || rest.size() > 6 || !port || *port > kPortMax) return std::nullopt;
  parsed.port = static_cast<std::uint16_t>(*port);
  return parsed;
}

bool NormalizePath(std::string_view path, std::string& out) {
  if (!path.starts_with('/') || !MayNeedNormalizing(path)) return false;
  const std::size_t base = out.size();
  out.push_back('/');
  std::size_t segment = out.size();
  for (std::size_t at = 1; at < path.size();) {
    if (path[at] != '/') {
      at += AppendNormalByte(path, at, out);
      continue;
    }
    ++at;
    if (RemoveDotSegment(out, base, segment)) continue;
    out.push_back('/');
    segment = out.size();
  }
  RemoveDotSegment(out, base, segment);
  if (std::string_view(out).substr(base) != path) return true;
  out.resize(base);
  return false;
}

}  // namespace weir::http
