#include "health/probe_plan.h"

#include "functions/event.h"
#include "functions/function_target.h"

#include <utility>

namespace weir::health {
namespace {

constexpr std::size_t kTargetHeadBytesMax = 32 * 1024;  // spec: alb.md 12.2
constexpr std::size_t kCheckHeadBytesMax = 16 * 1024;   // spec: dns.md 4

std::string RequestStart(std::string_view path) {
  std::string start = "GET ";
  if (!path.starts_with('/')) start += '/';
  start += path;
  start += " HTTP/1.1\r\nHost: ";
  return start;
}

}  // namespace

ProbePlan BuildTargetPlan(const config::TargetHealthCheck& check, std::shared_ptr<net::TlsClient> tls) {
  ProbePlan plan;
  plan.speaks_tls = check.protocol == config::ProbeProtocol::kHttps;
  if (plan.speaks_tls) plan.tls = std::move(tls);
  plan.speaks_http = check.protocol != config::ProbeProtocol::kTcp;
  plan.port = check.port;
  plan.connect_timeout = check.timeout;
  plan.interval = check.interval;
  if (!plan.speaks_http) return plan;
  plan.version = check.version;
  plan.passing_codes = check.matcher.ranges;
  plan.head_bytes_max = kTargetHeadBytesMax;
  if (plan.asks_by_http2()) {
    plan.path = check.path;
    return plan;
  }
  plan.request_start = RequestStart(check.path);
  // `compressed` is what the original was seen to send.
  plan.request_rest =
      "\r\nUser-Agent: ELB-HealthChecker/2.0\r\nAccept-Encoding: gzip, compressed\r\nConnection: close\r\n\r\n";
  return plan;
}

ProbePlan BuildFunctionPlan(const config::TargetHealthCheck& check,
                            std::shared_ptr<const functions::FunctionTarget> function) {
  ProbePlan plan;
  plan.connect_timeout = check.timeout;
  plan.interval = check.interval;
  plan.passing_codes = check.matcher.ranges;
  plan.event = functions::EncodeHealthCheckEvent(function->target_group_arn(), check.path, function->values());
  plan.function = std::move(function);
  return plan;
}

ProbePlan BuildCheckPlan(const config::HealthCheck& check) {
  using enum config::HealthCheckType;
  ProbePlan plan;
  plan.speaks_tls = check.type == kHttps || check.type == kHttpsStrMatch;
  plan.speaks_http = check.type != kTcp;
  plan.matches_string = check.type == kHttpStrMatch || check.type == kHttpsStrMatch;
  plan.port = check.port;
  plan.connect_timeout = check.timeout;
  plan.interval = check.request_interval;
  plan.interval_after_result = true;
  if (!plan.speaks_http) return plan;
  if (plan.speaks_tls && check.enable_sni) plan.server_name = check.host;
  plan.request_start = RequestStart(check.path);
  plan.request_rest = "\r\nUser-Agent: weir-health-check/1.0\r\nAccept: */*\r\n";
  if (plan.matches_string) plan.request_rest += "Accept-Encoding: gzip, deflate\r\n";
  plan.request_rest += "Connection: close\r\n\r\n";
  plan.passing_codes = {{200, 399}};
  plan.head_bytes_max = kCheckHeadBytesMax;
  if (plan.matches_string) plan.search_string = check.search_string;
  plan.response_timeout = check.timeout / 2;
  plan.content_timeout = check.timeout / 2;
  return plan;
}

std::string HostField(const ProbePlan& plan, const Endpoint& endpoint, std::string_view name) {
  std::string field;
  if (!name.empty()) {
    field = name;
  } else {
    const bool bracketed = !endpoint.address.is_v4();
    if (bracketed) field += '[';
    endpoint.address.AppendTo(field);
    if (bracketed) field += ']';
  }
  const std::uint16_t default_port = plan.speaks_tls ? 443 : 80;
  if (endpoint.port != default_port) {
    field += ':';
    field += std::to_string(endpoint.port);
  }
  return field;
}

}  // namespace weir::health
