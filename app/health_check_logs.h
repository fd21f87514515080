#pragma once

#include "base/ip_address.h"
#include "config/model.h"
#include "health/engine.h"
#include "proxy/log/access_log_sink.h"

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace weir::app {

// What AWS calls why a check failed: `TimedOut` ...; empty for one that passed. spec: alb.md 16.4.
[[nodiscard]] std::string_view HealthCheckLogReason(const health::ProbeResult& result);
// `http`, `https`, `h2`, `grpc`, `lambda`; `tcp`, which is an addition.
[[nodiscard]] std::string_view HealthCheckLogType(const config::TargetGroup& group);

// Writes the checks of targets into the logs of the load balancers that send requests to them. Thread: any.
class HealthCheckLogs {
 public:
  // `sinks` outlives it.
  explicit HealthCheckLogs(proxy::AccessLogSinks& sinks) : sinks_(sinks) {}

  // From now on checks are logged as this model says.
  void Use(const config::Model& model);
  void Write(const health::CheckReport& report) const;

 private:
  struct Place {
    config::LogFile log;
    std::string load_balancer;
    IpAddress node;
  };
  using Places = std::map<std::string, std::vector<Place>, std::less<>>;  // by target group

  proxy::AccessLogSinks& sinks_;
  mutable std::mutex mutex_;
  std::shared_ptr<const Places> places_;  // guarded by mutex_; null: nothing is logged
};

}  // namespace weir::app
