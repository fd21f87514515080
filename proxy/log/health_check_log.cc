#include "proxy/log/health_check_log.h"

#include "proxy/log/log_text.h"

#include <fmt/format.h>

namespace weir::proxy {
namespace {

// Seconds with all their digits: checks of a neighbour take less than a millisecond.
std::string SecondsText(std::chrono::nanoseconds latency) {
  constexpr std::int64_t kSecond = 1'000'000'000;
  return fmt::format("{}.{:09}", latency.count() / kSecond, latency.count() % kSecond);
}

std::string_view Verdict(const HealthCheckLogRecord& record) { return record.passed ? "PASS" : "FAIL"; }

std::string_view OrDash(std::string_view text) { return text.empty() ? std::string_view("-") : text; }

}  // namespace

void AppendAlbLine(std::string& out, const HealthCheckLogRecord& record) {
  out.append(record.type).append(1, ' ');
  AppendIso8601(out, record.time);
  out.append(1, ' ').append(SecondsText(record.latency));
  out.append(1, ' ').append(OrDash(record.target));
  out.append(1, ' ').append(record.target_group);
  out.append(1, ' ').append(Verdict(record));
  out.append(1, ' ').append(record.status_code ? std::to_string(*record.status_code) : "-");
  out.append(1, ' ').append(OrDash(record.reason)).append(1, ' ');
  AppendLoadBalancerId(out, record.load_balancer);
  out.append(1, ' ').append(record.node.ToString()).append(1, '\n');
}

void AppendJsonLine(std::string& out, const HealthCheckLogRecord& record) {
  out += "{\"time\":\"";
  AppendIso8601(out, record.time);
  out += '"';
  AppendJsonText(out, "type", record.type);
  out.append(",\"latency\":").append(SecondsText(record.latency));
  if (!record.target.empty()) AppendJsonText(out, "target_addr", record.target);
  AppendJsonText(out, "target_group_id", record.target_group);
  AppendJsonText(out, "status", Verdict(record));
  if (record.status_code) AppendJsonNumber(out, "status_code", *record.status_code);
  if (!record.reason.empty()) AppendJsonText(out, "reason_code", record.reason);
  std::string id;
  AppendLoadBalancerId(id, record.load_balancer);
  AppendJsonText(out, "elb", id);
  AppendJsonText(out, "ip_address", record.node.ToString());
  out += "}\n";
}

}  // namespace weir::proxy
