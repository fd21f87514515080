#pragma once

#include "base/clock.h"
#include "base/ip_address.h"
#include "config/model.h"
#include "http/message.h"
#include "proxy/routing/transform_status.h"

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace weir::net {
struct TlsFacts;
}

namespace weir::proxy {

class AccessLogSinks;
struct ConnectionLogRecord;  // connection_log.h

// One finished exchange, as both formats print it. spec: alb.md 16.1. Views live during Append. Empty texts print as
// `-`.
struct AccessLogRecord {
  WallTime time;           // the response was complete
  WallTime creation_time;  // the request head was complete
  std::string_view load_balancer;
  Endpoint client;
  Endpoint node;  // the address the client connected to
  bool has_target = false;
  Endpoint target;
  // Seconds; negative when the exchange did not get so far, printed as -1.
  double request_processing_seconds = -1;
  double target_processing_seconds = -1;
  double response_processing_seconds = -1;
  std::uint16_t status = 0;         // 0 prints as 000
  std::uint16_t target_status = 0;  // 0: none
  std::uint64_t received_bytes = 0;
  std::uint64_t sent_bytes = 0;
  http::Version version = http::Version::kHttp11;  // of the request
  std::string_view request_line;                   // METHOD proto://host:port/uri HTTP/x, not yet escaped
  std::string_view user_agent;
  std::string_view target_group;
  std::string_view target_protocol_version;  // HTTP2, GRPC: of its group; JSON only, HTTP1 is left out
  std::string_view trace_id;
  std::int32_t rule_priority = -2;  // -2: none matched, printed as `-`; 0: default
  std::string_view rule_name;       // JSON only
  std::string_view actions;
  std::string_view redirect_url;
  std::string_view transformed_host;
  std::string_view transformed_target;
  TransformStatus transform_status = TransformStatus::kNone;
  std::string_view error_reason;
  http::DesyncClass desync_class = http::DesyncClass::kCompliant;
  http::DesyncReason desync_reason = http::DesyncReason::kNone;
  std::string_view connection_id;  // TID_…
  const net::TlsFacts* tls = nullptr;
  bool is_grpc = false;  // over HTTP/2
  // The codes of RST_STREAM, where there was one: from the target, to the client.
  std::optional<std::uint32_t> target_error;
  std::optional<std::uint32_t> error;
  bool is_websocket = false;  // a tunnel: bytes are all that went through it, `time` is its end
  // Of a target that is a function: which version was invoked, and why it failed; JSON only.
  std::string_view function_version = {};
  std::string_view function_error = {};
};

// Appends METHOD scheme://host:port/uri HTTP/x, the port always printed. `local` stands in for a host that the request
// does not name. A head without a method was not understood: `- http://…- -`. spec: alb.md 16.1 field 13.
void AppendLoggedRequest(std::string& out, const http::RequestHead& head, std::string_view scheme,
                         const Endpoint& local, std::uint16_t port);

// Appends one line, line end included.
void AppendAlbLine(std::string& out, const AccessLogRecord& record, std::string_view node_region, Iso8601Writer& times);
void AppendJsonLine(std::string& out, const AccessLogRecord& record);

// One worker's logs of requests and of connections: formats lines and hands them to the sinks in batches, by size and
// at least every 100 ms. Thread: worker.
class AccessLog {
 public:
  static constexpr std::size_t kBatchBytes = 64 * 1024;
  static constexpr std::chrono::milliseconds kFlushInterval{100};

  AccessLog(AccessLogSinks* sinks, std::string node_region) : sinks_(sinks), node_region_(std::move(node_region)) {}

  void Append(const config::LogFile& log, const AccessLogRecord& record);
  void Append(const config::LogFile& log, const ConnectionLogRecord& record);
  // True when lines wait.
  [[nodiscard]] bool pending() const { return pending_; }
  void Flush();

 private:
  template <class Write>
  void AppendTo(const config::LogFile& log, Write write);

  AccessLogSinks* sinks_;
  std::string node_region_;
  Iso8601Writer times_;
  std::map<std::string, std::string, std::less<>> batches_;  // by path
  bool pending_ = false;
};

}  // namespace weir::proxy
