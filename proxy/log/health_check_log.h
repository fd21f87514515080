#pragma once

#include "base/clock.h"
#include "base/ip_address.h"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace weir::proxy {

// One check of a target, as both formats print it. spec: alb.md 16.4. Views live during Append.
struct HealthCheckLogRecord {
  std::string_view type;  // http, https, h2, grpc, lambda; tcp is an addition
  WallTime time;          // of the verdict
  std::chrono::nanoseconds latency{0};
  std::string_view target;  // ADDRESS:PORT, or the function
  std::string_view target_group;
  bool passed = false;
  std::optional<std::uint16_t> status_code = {};  // HTTP's, or gRPC's; absent: there was none
  std::string_view reason;                        // of one that failed: `TimedOut` ...
  std::string_view load_balancer;
  IpAddress node;  // the load balancer's first address: the appliance checks once for all its nodes
};

// Appends one line, line end included: ALB's ten fields, or one JSON object, which leaves out what ALB's line has `-`
// for. Thread: any.
void AppendAlbLine(std::string& out, const HealthCheckLogRecord& record);
void AppendJsonLine(std::string& out, const HealthCheckLogRecord& record);

}  // namespace weir::proxy
