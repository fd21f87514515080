#include "app/health_check_logs.h"

#include "config/forwarding.h"
#include "config/http_versions.h"
#include "proxy/log/health_check_log.h"

#include <optional>
#include <set>
#include <utility>

namespace weir::app {
namespace {

constexpr std::uint16_t kServerErrorMin = 500;

IpAddress NodeOf(const config::LoadBalancer& balancer) {
  return balancer.advertise.empty() ? balancer.addresses.front() : balancer.advertise.front();
}

// gRPC has a status 0.
std::optional<std::uint16_t> StatusOf(const health::ProbeResult& result) {
  if (result.code == 0 && !result.is_grpc) return std::nullopt;
  return result.code;
}

}  // namespace

std::string_view HealthCheckLogReason(const health::ProbeResult& result) {
  switch (result.outcome) {
    case health::ProbeOutcome::kPassed:
      return {};
    case health::ProbeOutcome::kTimeout:
      return "TimedOut";
    case health::ProbeOutcome::kStringMismatch:
      return "ResponseStringMismatch";
    case health::ProbeOutcome::kInternalError:
      return "InternalError";
    case health::ProbeOutcome::kCodeMismatch:
      if (result.is_grpc) return "GRPCUnexpectedStatus";
      return result.code >= kServerErrorMin ? "TargetError" : "ResponseCodeMismatch";
    case health::ProbeOutcome::kFailed:
      return result.detail == health::kNoGrpcStatus ? "GRPCStatusHeaderEmpty" : "ConnectionReset";
  }
  return {};
}

std::string_view HealthCheckLogType(const config::TargetGroup& group) {
  if (group.function) return "lambda";
  const config::TargetHealthCheck& check = group.health_check;
  if (check.protocol == config::ProbeProtocol::kTcp) return "tcp";
  if (check.version == config::TargetProtocolVersion::kGrpc) return "grpc";
  if (config::SpeaksHttp2(check.version)) return "h2";
  return check.protocol == config::ProbeProtocol::kHttps ? "https" : "http";
}

void HealthCheckLogs::Use(const config::Model& model) {
  auto places = std::make_shared<Places>();
  for (const config::LoadBalancer& balancer : model.load_balancers) {
    if (!balancer.health_check_log) continue;
    std::set<std::uint32_t> groups;
    config::EachForwardedGroup(balancer, [&](std::uint32_t group) { groups.insert(group); });
    for (const std::uint32_t group : groups) {
      (*places)[model.target_groups[group].name].push_back(
          {.log = *balancer.health_check_log, .load_balancer = balancer.name, .node = NodeOf(balancer)});
    }
  }
  const std::lock_guard lock(mutex_);
  places_ = places->empty() ? nullptr : std::move(places);
}

void HealthCheckLogs::Write(const health::CheckReport& report) const {
  std::shared_ptr<const Places> places;
  {
    const std::lock_guard lock(mutex_);
    places = places_;
  }
  if (places == nullptr) return;
  const auto found = places->find(report.group.name);
  if (found == places->end()) return;
  const std::string target = report.group.function ? config::FunctionId(report.group) : report.target.ToString();
  for (const Place& place : found->second) {
    const proxy::HealthCheckLogRecord record{.type = HealthCheckLogType(report.group),
                                             .time = report.time,
                                             .latency = report.latency,
                                             .target = target,
                                             .target_group = report.group.name,
                                             .passed = report.result.outcome == health::ProbeOutcome::kPassed,
                                             .status_code = StatusOf(report.result),
                                             .reason = HealthCheckLogReason(report.result),
                                             .load_balancer = place.load_balancer,
                                             .node = place.node};
    std::string line;
    if (place.log.format == config::LogFormat::kJson) {
      proxy::AppendJsonLine(line, record);
    } else {
      proxy::AppendAlbLine(line, record);
    }
    sinks_.Submit(place.log.path, std::move(line));
  }
}

}  // namespace weir::app
