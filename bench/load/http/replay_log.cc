#include "bench/load/http/replay_log.h"

#include "base/text.h"
#include "http/scan.h"
#include "http/target.h"
#include "logs/log_fields.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>

namespace weir::bench {
namespace {

// Positions in the line, from 0.
constexpr std::size_t kTypeField = 0;
constexpr std::size_t kTimeField = 1;
constexpr std::size_t kRequestField = 12;
constexpr std::size_t kUserAgentField = 13;
constexpr std::size_t kCreationTimeField = 21;
constexpr std::size_t kFieldsNeeded = kCreationTimeField + 1;

// What can stand neither in a request line nor in a field value (RFC 9110 section 5.5, RFC 9112 section 2.2).
constexpr std::string_view kNeverSent("\0\r\n", 3);

using LogFields = std::array<logs::LogField, kFieldsNeeded>;

// A listener takes bytes that would break a request line (docs/desync.md, SpaceInUri and AmbiguousUri), and sends them
// on in this form.
std::string EscapedTarget(std::string_view text) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte > 0x20 && byte != 0x7f) {
      out += c;
    } else {
      out += {'%', kDigits[byte >> 4], kDigits[byte & 15]};
    }
  }
  return out;
}

// The target that a client sent, from what follows the authority. It is not taken apart: fragments and bytes that are
// not ASCII are sent again as they came.
std::string TargetOf(std::string_view method, std::string_view rest) {
  if (method == "OPTIONS" && rest == "*") return "*";
  return rest.starts_with('/') ? EscapedTarget(rest) : "/" + EscapedTarget(rest);
}

// The scheme's length with `://`; 0 for any other scheme.
std::size_t SchemeBytes(std::string_view url, bool& tls) {
  constexpr std::string_view kHttp = "http://";
  constexpr std::string_view kHttps = "https://";
  tls = EqualsIgnoreCase(url.substr(0, kHttps.size()), kHttps);
  if (tls) return kHttps.size();
  return EqualsIgnoreCase(url.substr(0, kHttp.size()), kHttp) ? kHttp.size() : 0;
}

// `GET https://shop.example.net:443/a?b=c HTTP/2.0`. The target lies between the first and the last space.
Result<void> ParseRequestField(std::string_view text, LoggedRequest& request) {
  const std::string line = logs::Unescape(text);
  const std::size_t first = line.find(' ');
  const std::size_t last = line.rfind(' ');
  if (first == std::string::npos || last <= first) return Failure("field 13 is no request line");
  request.method = line.substr(0, first);
  if (!http::IsToken(request.method) || request.method == "-") return Failure("field 13 has no method");
  if (request.method == "CONNECT") return Failure("field 13 is a CONNECT");
  const std::string_view url = std::string_view(line).substr(first + 1, last - first - 1);
  if (url.find_first_of(kNeverSent) != std::string_view::npos) return Failure("field 13 has a NUL, CR or LF");
  bool tls = false;
  const std::size_t scheme = SchemeBytes(url, tls);
  if (scheme == 0) return Failure(fmt::format("field 13: `{}` does not begin with http:// or https://", url));
  const std::size_t end = std::min(url.find_first_of("/?#*", scheme), url.size());
  const std::string_view authority = url.substr(scheme, end - scheme);
  const auto place = http::ParseHostPort(authority);
  if (!place) return Failure(fmt::format("field 13: `{}` is no host", authority));
  request.target = TargetOf(request.method, url.substr(end));
  const bool is_default = !place->port || *place->port == (tls ? 443 : 80);
  request.authority = is_default ? place->host : authority;
  return {};
}

}  // namespace

Result<LoggedRequest> ParseAccessLogLine(std::string_view line) {
  LogFields fields;
  std::string_view rest = line;
  for (std::size_t i = 0; i < fields.size(); ++i) {
    const auto field = logs::TakeField(rest);
    if (!field) return Failure("field " + std::to_string(i + 1) + " is missing, or its quote does not end");
    fields[i] = *field;
  }
  const std::string_view type = fields[kTypeField].text;
  if (type == "ws" || type == "wss") return Failure("a WebSocket cannot be replayed");
  if (type != "http" && type != "https" && type != "h2" && type != "grpcs") {
    return Failure("field 1 is none of http, https, h2, grpcs, ws, wss");
  }
  if (!fields[kRequestField].quoted) return Failure("field 13 (the request line) is not in quotes");
  LoggedRequest request;
  const bool has_creation = fields[kCreationTimeField].text != "-";
  const auto at = logs::ParseLogTime(fields[has_creation ? kCreationTimeField : kTimeField].text);
  if (!at) return Failure(std::string(has_creation ? "field 22" : "field 2") + " is no time like 2026-11-02T10:15:30Z");
  request.at = at->time_since_epoch();
  if (auto parsed = ParseRequestField(fields[kRequestField].text, request); !parsed) {
    return std::unexpected(parsed.error());
  }
  const std::string_view agent = fields[kUserAgentField].text;
  if (agent != "-") request.user_agent = logs::Unescape(agent);
  // A tab may stand in a field value, and a listener passes other control characters on.
  if (request.user_agent.find_first_of(kNeverSent) != std::string::npos) {
    return Failure("field 14 has a NUL, CR or LF");
  }
  return request;
}

Result<ReplayLog> ReadReplayLog(std::istream& in, const std::string& name) {
  ReplayLog log;
  std::string line;
  for (std::size_t number = 1; std::getline(in, line); ++number) {
    if (number == 1 && line.starts_with("\x1f\x8b")) return Failure(name + " is compressed", "gunzip it first");
    if (line.ends_with('\r')) line.pop_back();
    if (line.empty()) continue;
    auto request = ParseAccessLogLine(line);
    if (request) {
      log.requests.push_back(std::move(*request));
      continue;
    }
    ++log.skipped_count;
    if (log.skipped.size() < ReplayLog::kSkippedKept) log.skipped.push_back({number, request.error().message});
  }
  if (log.requests.empty()) {
    if (log.skipped.empty()) return Failure(name + " is empty");
    const auto& first = log.skipped.front();
    return Failure(name + ":" + std::to_string(first.line) + ": " + first.why,
                   "none of its lines can be replayed; a line in ALB's access log format is wanted");
  }
  std::ranges::stable_sort(log.requests, {}, &LoggedRequest::at);
  const auto start = log.requests.front().at;
  for (auto& request : log.requests) request.at -= start;
  return log;
}

}  // namespace weir::bench
