#pragma once

#include "base/ip_address.h"
#include "config/http_versions.h"
#include "config/model.h"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace weir::net {
class TlsClient;
}

namespace weir::functions {
class FunctionTarget;
}

namespace weir::health {

// How to probe: everything but the endpoint, worked out once per target group or DNS health check and shared by all its
// probes. Two plans are equal exactly when they ask the same question. A value. Thread: the engine's.
struct ProbePlan {
  bool speaks_tls = false;
  std::shared_ptr<net::TlsClient> tls;  // that of the target group; null: any server will do
  bool speaks_http = true;              // false: connecting is all
  std::string preamble;                 // sent as soon as connected: a PROXY header; may be empty
  std::string server_name;              // SNI, where the subject has no name of its own; empty: none
  // Of HTTP2 and GRPC the request is one for `path` (http2_question.h), else:
  config::TargetProtocolVersion version = config::TargetProtocolVersion::kHttp1;
  [[nodiscard]] bool asks_by_http2() const { return config::SpeaksHttp2(version); }
  std::string path;
  // The request is request_start + Host field value + request_rest.
  std::string request_start;
  std::string request_rest;
  std::vector<std::pair<std::uint16_t, std::uint16_t>> passing_codes;  // inclusive ranges
  std::size_t head_bytes_max = 0;
  std::string search_string;
  bool matches_string = false;
  std::optional<std::uint16_t> port;  // instead of the target's own

  // A check of a function is an invocation; null: of anything else.
  std::shared_ptr<const functions::FunctionTarget> function;
  std::string event;  // what it is invoked with

  std::chrono::milliseconds connect_timeout{0};   // from the start; with response_timeout 0 up to the response head
  std::chrono::milliseconds response_timeout{0};  // from connected to response head; 0: no limit of its own
  std::chrono::milliseconds content_timeout{0};   // from response head to verdict; 0: no limit of its own
  std::chrono::milliseconds interval{0};
  bool interval_after_result = false;  // the interval begins when the result is there, not when the probe was sent

  friend bool operator==(const ProbePlan&, const ProbePlan&) = default;
};

// A target group's check; spec: alb.md section 11. One timeout from connect to response head, fixed rate. `tls` is how
// a check by HTTPS connects; it may be null.
[[nodiscard]] ProbePlan BuildTargetPlan(const config::TargetHealthCheck& check,
                                        std::shared_ptr<net::TlsClient> tls = nullptr);
// That of a function.
[[nodiscard]] ProbePlan BuildFunctionPlan(const config::TargetHealthCheck& check,
                                          std::shared_ptr<const functions::FunctionTarget> function);

// A DNS health check that is not CALCULATED; spec: dns.md 2.2, 3.4 and 4. `timeout` bounds connecting (TLS included),
// half of it the wait for the response head, and the same again the wait for the search string: 4 s, 2 s and 2 s by
// default.
[[nodiscard]] ProbePlan BuildCheckPlan(const config::HealthCheck& check);

// The Host field for `endpoint`: the port is left out when it is the protocol's default. `name` replaces the address
// unless it is empty.
[[nodiscard]] std::string HostField(const ProbePlan& plan, const Endpoint& endpoint, std::string_view name);

}  // namespace weir::health
