#pragma once

#include "base/ip_address.h"
#include "base/random.h"
#include "health/status.h"
#include "http/date.h"
#include "http/message.h"
#include "net/event_loop.h"
#include "net/pipe.h"
#include "net/timer_wheel.h"
#include "proxy/balancing/selector.h"
#include "proxy/balancing/stickiness.h"
#include "proxy/connection_limits.h"
#include "proxy/generated_response.h"
#include "proxy/log/access_log.h"
#include "proxy/routing/routing_table.h"

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

namespace weir::net {
class TlsServer;
}
namespace weir::outbound {
class HttpClient;
}

namespace weir::proxy {

class Exchange;
class UpstreamSource;     // upstream/upstream_stream.h
struct UpstreamEndpoint;  // upstream/upstream_connection.h
class WorkerSessions;     // actions/authenticate/worker_sessions.h

// A target as one worker reaches for it with every request: all in one cache line, so that thousands of targets cost
// what two do.
struct TargetHandle {
  Endpoint endpoint;
  health::TargetObservation* seen = nullptr;  // this worker's, owned by the status table
  LatencyHistogram* response_time = nullptr;  // this worker's, of its group and zone
  std::shared_ptr<UpstreamEndpoint> upstream;
};

// What requests are decided by: one revision's rules and the newest health of the same revision. An exchange pins the
// one it began with. Each worker makes its own copy, so that pinning never touches a counter of another worker.
struct DataView {
  std::shared_ptr<const RoutingTable> routing;
  std::shared_ptr<const health::StatusTable> status;
  std::vector<std::vector<TargetHandle>> targets;  // in the order of status->groups and their targets
};

// One listening socket's place in the configuration. Connections hold it, so it outlives the socket.
struct ListenerSlot {
  std::string load_balancer;
  std::uint32_t index = 0;
  Endpoint bound;                        // the real port
  bool expects_proxy_header = false;     // connections that come from here on begin with one
  std::shared_ptr<const DataView> view;  // the newest one that has the listener
  const Listener* listener = nullptr;    // in `view`; never null
  ListenerCounters* counters = nullptr;  // the listener's, of this address and worker
  std::shared_ptr<net::TlsServer> tls;   // of this worker; null: plain HTTP
  bool removed = false;  // the newest configuration has it no more: connections close after their request
  // Of refused PROXY headers: when the log was told last, and how many it was not told of since.
  SteadyTime proxy_refusal_logged;
  std::uint64_t proxy_refusals_unlogged = 0;
};

// What the connections and exchanges of one worker share. Thread: worker.
struct WorkerState {
  WorkerState(net::EventLoop& event_loop, std::size_t worker_index);
  ~WorkerState();
  WorkerState(const WorkerState&) = delete;
  WorkerState& operator=(const WorkerState&) = delete;

  // A line was appended to `access_log`.
  void FlushLogsSoon();

  net::EventLoop& loop;
  std::size_t worker;
  Selector selector;
  Stickiness stickiness;
  Random random;
  http::HttpDateLine date;
  AccessLog* access_log = nullptr;
  UpstreamSource* upstreams = nullptr;
  outbound::HttpClient* http_client = nullptr;  // for actions that ask somebody; never null where a data plane runs
  bool draining = false;
  std::size_t function_content_bytes = 0;  // of requests to functions that are still coming
  ConnectionLimits limits;
  // Run in the turn in which a client connection ends; null while nobody waits for that.
  net::Task* room_awaited = nullptr;
  // Scheduled while lines of logs wait.
  net::CallbackTimer log_flush_timer;

  // Every read goes here and is used up before the next one: idle and waiting connections own no buffer. The size is
  // what makes large bodies cheap (docs/adr/0008): one receive and one write move up to 256 KiB.
  static constexpr std::size_t kReadBytesMax = 256 * 1024;
  // While a head is awaited less is read, since what lies behind it may go through a pipe, untouched: a head with
  // content that is better copied whole, or not much more than a head where large content is to be expected.
  static constexpr std::size_t kHeadReadBytesMax = 68 * 1024;
  static constexpr std::size_t kHeadOnlyReadBytesMax = 8 * 1024;
  // Room in front for the bytes of a head that came before (64 KiB and what was read with them).
  static constexpr std::size_t kCarriedBytesMax = 128 * 1024;
  std::vector<char> read_buffer = std::vector<char>(kCarriedBytesMax + kReadBytesMax);
  // Large content goes through these where it can (docs/adr/0008).
  net::PipePool pipes;
  // Cleared and refilled where they are used; only their capacity lives on.
  http::RequestHead request_head;
  http::ResponseHead response_head;
  std::string head_out;
  std::string fields_out;
  std::string path_out;
  GeneratedResponse generated;
  std::string http2_out;   // frames of one write
  std::string http2_text;  // a head of HTTP/2 as HTTP/1.1 spells it
  std::vector<http::Field> http2_fields;

  // Of users who have signed in; null: no action has asked yet.
  std::unique_ptr<WorkerSessions> sessions;

  // Exchanges under way, and those to be used again.
  std::vector<Exchange*> active;
  std::vector<std::unique_ptr<Exchange>> spare;
};

}  // namespace weir::proxy
