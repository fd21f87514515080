#include "logs/filter.h"

#include "base/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>

namespace weir::logs {
namespace {

constexpr std::string_view kDefaultRule = "default";

template <class Values, class Holds>
bool AnyOrNone(const Values& values, Holds holds) {
  return values.empty() || std::ranges::any_of(values, holds);
}

// `*` stands for any text.
bool MatchesPattern(std::string_view text, std::string_view pattern) {
  std::size_t at = 0;
  std::size_t in_pattern = 0;
  std::size_t star = std::string_view::npos;
  std::size_t resume = 0;
  while (at < text.size()) {
    if (in_pattern < pattern.size() && pattern[in_pattern] == '*') {
      star = in_pattern++;
      resume = at;
    } else if (in_pattern < pattern.size() && pattern[in_pattern] == text[at]) {
      ++in_pattern;
      ++at;
    } else if (star != std::string_view::npos) {
      in_pattern = star + 1;
      at = ++resume;
    } else {
      return false;
    }
  }
  while (in_pattern < pattern.size() && pattern[in_pattern] == '*') ++in_pattern;
  return in_pattern == pattern.size();
}

std::string_view WithoutPort(std::string_view address) {
  const std::size_t colon = address.rfind(':');
  if (colon == std::string_view::npos || address.ends_with(']')) return address;
  return address.substr(0, colon);
}

bool IsAddress(std::string_view logged, std::string_view wanted) {
  if (logged == wanted) return true;
  std::string_view address = WithoutPort(logged);
  if (address == wanted) return true;
  if (address.starts_with('[') && address.ends_with(']')) address = address.substr(1, address.size() - 2);
  return address == wanted;
}

bool InRanges(std::uint16_t status, const std::vector<StatusRange>& ranges) {
  return AnyOrNone(ranges, [&](const StatusRange& range) { return status >= range.first && status <= range.last; });
}

std::optional<std::uint16_t> StatusOf(std::string_view text) {
  if (text.size() != 3) return std::nullopt;
  const auto value = ParseDecimal(text);
  if (!value) return std::nullopt;
  return static_cast<std::uint16_t>(*value);
}

}  // namespace

Result<StatusRange> ParseStatusRange(std::string_view text) {
  const auto wrong = [&] { return Failure(fmt::format("`{}` is no status", text), "write 404, 5xx or 500-504"); };
  if (text.size() == 3 && text[0] >= '1' && text[0] <= '5' && EqualsIgnoreCase(text.substr(1), "xx")) {
    const auto hundreds = static_cast<std::uint16_t>((text[0] - '0') * 100);
    return StatusRange{.first = hundreds, .last = static_cast<std::uint16_t>(hundreds + 99)};
  }
  const std::size_t dash = text.find('-');
  const auto first = StatusOf(text.substr(0, dash));
  const auto last = dash == std::string_view::npos ? first : StatusOf(text.substr(dash + 1));
  if (!first || !last || *last < *first) return wrong();
  return StatusRange{.first = *first, .last = *last};
}

Result<WallTime> ParseMoment(std::string_view text, WallTime now) {
  if (const auto time = ParseLogTime(text)) return *time;
  if (const auto day = ParseLogTime(std::string(text) + "T00:00:00Z")) return *day;
  if (!text.empty()) {
    const auto count = ParseDecimal(text.substr(0, text.size() - 1));
    constexpr std::uint64_t kCountMax = 1'000'000;
    if (count && *count <= kCountMax) {
      const auto n = static_cast<std::int64_t>(*count);
      switch (text.back()) {
        case 's':
          return now - std::chrono::seconds(n);
        case 'm':
          return now - std::chrono::minutes(n);
        case 'h':
          return now - std::chrono::hours(n);
        case 'd':
          return now - std::chrono::days(n);
        default:
          break;
      }
    }
  }
  return Failure(fmt::format("`{}` is no moment", text),
                 "write 2026-11-02T10:15:30Z, 2026-11-02, or how long ago: 15m, 2h, 1d");
}

bool Filter::AsksOfRequests() const {
  return !statuses.empty() || !target_statuses.empty() || !rules.empty() || !targets.empty() || !groups.empty() ||
         !reasons.empty() || !methods.empty() || !hosts.empty() || !paths.empty() || slower_than;
}

bool Filter::Takes(const Entry& entry) const {
  if (since && entry.time < *since) return false;
  if (until && entry.time >= *until) return false;
  const bool request = entry.kind == EntryKind::kRequest;
  const std::string_view client = request ? entry[RequestField::kClient] : entry[ConnectionField::kClientIp];
  if (!AnyOrNone(clients, [&](const auto& wanted) { return IsAddress(client, wanted); })) return false;
  const std::string_view connection =
      request ? entry[RequestField::kConnectionId] : entry[ConnectionField::kConnectionId];
  const auto is_traced = [&](const std::string& wanted) {
    return connection == wanted || (request && entry[RequestField::kTraceId].find(wanted) != std::string_view::npos);
  };
  if (!AnyOrNone(trace_ids, is_traced)) return false;
  return request ? TakesRequest(entry) : !AsksOfRequests();
}

bool Filter::TakesRequest(const Entry& entry) const {
  if (!InRanges(entry.status, statuses)) return false;
  if (!target_statuses.empty() && (entry.target_status == 0 || !InRanges(entry.target_status, target_statuses))) {
    return false;
  }
  if (slower_than) {
    const auto total = entry.total_time();
    if (!total || *total < *slower_than) return false;
  }
  const std::string_view priority = entry[RequestField::kRulePriority];
  const auto is_rule = [&](const std::string& wanted) {
    return wanted == priority || wanted == entry.rule_name || (wanted == kDefaultRule && priority == "0");
  };
  if (!AnyOrNone(rules, is_rule)) return false;
  const std::string_view target = entry[RequestField::kTarget];
  if (!AnyOrNone(targets, [&](const auto& wanted) { return IsAddress(target, wanted); })) return false;
  if (!AnyOrNone(groups, [&](const auto& wanted) { return entry.target_group() == wanted; })) return false;
  const std::string_view reason = entry.error_reason();
  const auto is_reason = [&](const std::string& wanted) {
    return !reason.empty() && (wanted == "any" || EqualsIgnoreCase(reason, wanted));
  };
  if (!AnyOrNone(reasons, is_reason)) return false;
  if (methods.empty() && hosts.empty() && paths.empty()) return true;
  const Entry::RequestLine line = entry.request_line();
  if (!AnyOrNone(methods, [&](const auto& wanted) { return line.method == wanted; })) return false;
  const std::string host = ToLowerAscii(line.host);
  const auto is_host = [&](const std::string& wanted) {
    const std::string lower = ToLowerAscii(wanted);
    return MatchesPattern(host, lower) || MatchesPattern(WithoutPort(host), lower);
  };
  if (!AnyOrNone(hosts, is_host)) return false;
  const std::string_view path = line.target.substr(0, line.target.find('?'));
  return AnyOrNone(paths, [&](const auto& wanted) { return MatchesPattern(path, wanted); });
}

}  // namespace weir::logs
