#include "bench/load/http/replay_log.h"

#include "base/text.h"
#include "bench/load/http/url.h"
#include "http/scan.h"

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

struct LogField {
  std::string_view text;
  bool quoted = false;
};
using LogFields = std::array<LogField, kFieldsNeeded>;

// Takes the next field off the line; absent at its end and for a quote that does not end.
std::optional<LogField> TakeField(std::string_view& line) {
  while (line.starts_with(' ')) line.remove_prefix(1);
  if (line.empty()) return std::nullopt;
  const bool quoted = line.front() == '"';
  const std::size_t end = quoted ? line.find('"', 1) : std::min(line.find(' '), line.size());
  if (end == std::string_view::npos) return std::nullopt;
  const LogField field{.text = quoted ? line.substr(1, end - 1) : line.substr(0, end), .quoted = quoted};
  line.remove_prefix(quoted ? end + 1 : end);
  return field;
}

// \xHH, as the log escapes quotes, backslashes and control characters.
std::string Unescape(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool escape = text.substr(i, 2) == "\\x" && text.size() - i >= 4;
    const int high = escape ? http::HexValue(text[i + 2]) : -1;
    const int low = escape ? http::HexValue(text[i + 3]) : -1;
    if (high < 0 || low < 0) {
      out += text[i];
      continue;
    }
    out += static_cast<char>(high * 16 + low);
    i += 3;
  }
  return out;
}

// A decimal number of exactly `digits` digits at the front, taken off, and `after` behind it.
std::optional<int> TakeNumber(std::string_view& text, std::size_t digits, std::string_view after) {
  const auto value = text.size() >= digits ? ParseDecimal(text.substr(0, digits)) : std::nullopt;
  if (!value || text.substr(digits, after.size()) != after) return std::nullopt;
  text.remove_prefix(digits + after.size());
  return static_cast<int>(*value);
}

// `.123456`, up to nine digits, as nanoseconds; the fraction may be missing.
std::optional<std::chrono::nanoseconds> ParseFraction(std::string_view text) {
  constexpr std::size_t kDigitsMax = 9;
  if (text.empty()) return std::chrono::nanoseconds(0);
  const auto value = text.front() == '.' ? ParseDecimal(text.substr(1)) : std::nullopt;
  if (!value || text.size() - 1 > kDigitsMax) return std::nullopt;
  std::uint64_t nanoseconds = *value;
  for (std::size_t i = text.size() - 1; i < kDigitsMax; ++i) nanoseconds *= 10;
  return std::chrono::nanoseconds(nanoseconds);
}

// 2026-11-02T10:15:30.123456Z, since 1970.
std::optional<std::chrono::nanoseconds> ParseTime(std::string_view text) {
  using namespace std::chrono;  // the names of the calendar
  if (text.ends_with('Z')) text.remove_suffix(1);
  const auto year_number = TakeNumber(text, 4, "-");
  const auto month_number = year_number ? TakeNumber(text, 2, "-") : std::nullopt;
  const auto day_number = month_number ? TakeNumber(text, 2, "T") : std::nullopt;
  const auto hour = day_number ? TakeNumber(text, 2, ":") : std::nullopt;
  const auto minute = hour ? TakeNumber(text, 2, ":") : std::nullopt;
  const auto second = minute ? TakeNumber(text, 2, "") : std::nullopt;
  const auto fraction = second ? ParseFraction(text) : std::nullopt;
  if (!fraction || *hour > 23 || *minute > 59 || *second > 60) return std::nullopt;
  const year_month_day date{year(*year_number), month(static_cast<unsigned>(*month_number)),
                            day(static_cast<unsigned>(*day_number))};
  if (!date.ok()) return std::nullopt;
  return sys_days(date).time_since_epoch() + hours(*hour) + minutes(*minute) + seconds(*second) + *fraction;
}

// `GET https://shop.example.net:443/a?b=c HTTP/2.0`. The target lies between the first and the last space.
Result<void> ParseRequestField(std::string_view text, LoggedRequest& request) {
  const std::string line = Unescape(text);
  const std::size_t first = line.find(' ');
  const std::size_t last = line.rfind(' ');
  if (first == std::string::npos || last <= first) return Failure("field 13 is no request line");
  request.method = line.substr(0, first);
  if (!http::IsToken(request.method) || request.method == "-") return Failure("field 13 has no method");
  if (request.method == "CONNECT") return Failure("field 13 is a CONNECT");
  const auto url = ParseUrl(std::string_view(line).substr(first + 1, last - first - 1));
  if (!url) return Failure("field 13: " + url.error().message);
  request.target = url->target;
  const bool is_default = url->port == (url->tls ? 443 : 80);
  const std::size_t colon = url->authority.rfind(':');
  const bool has_port = colon != std::string::npos && url->authority.find(']', colon) == std::string::npos;
  request.authority = is_default && has_port ? url->authority.substr(0, colon) : url->authority;
  return {};
}

}  // namespace

Result<LoggedRequest> ParseAccessLogLine(std::string_view line) {
  LogFields fields;
  std::string_view rest = line;
  for (std::size_t i = 0; i < fields.size(); ++i) {
    const auto field = TakeField(rest);
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
  const auto at = ParseTime(fields[has_creation ? kCreationTimeField : kTimeField].text);
  if (!at) return Failure(std::string(has_creation ? "field 22" : "field 2") + " is no time like 2026-11-02T10:15:30Z");
  request.at = *at;
  if (auto parsed = ParseRequestField(fields[kRequestField].text, request); !parsed) {
    return std::unexpected(parsed.error());
  }
  request.user_agent = Unescape(fields[kUserAgentField].text);
  if (request.user_agent == "-") request.user_agent.clear();
  const auto is_control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; };
  if (std::ranges::any_of(request.user_agent, is_control)) return Failure("field 14 has a control character");
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
