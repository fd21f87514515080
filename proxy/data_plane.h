#pragma once

#include "base/ip_address.h"
#include "base/unique_fd.h"
#include "health/status.h"
#include "net/event_loop.h"
#include "net/tls_server.h"
#include "proxy/connection_limits.h"
#include "proxy/log/access_log_sink.h"
#include "proxy/routing/routing_table.h"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace weir::proxy {

// Which listener of the routing table a listening socket belongs to: a reload keeps the socket and looks the listener
// up anew.
struct ListenerKey {
  std::string load_balancer;
  std::uint32_t index = 0;  // Listener::index
  friend auto operator<=>(const ListenerKey&, const ListenerKey&) = default;
};

struct DataPlaneOptions {
  std::size_t worker = 0;                 // index of this worker in every PerWorker table
  std::string node_region;                // for the ARNs of the access log; may be empty
  AccessLogSinks* access_logs = nullptr;  // shared by the workers; outlives them
  ClientCrowd* client_crowd = nullptr;    // the same; may be null
  net::TlsSharedState tls;                // the same; may be empty where no listener speaks TLS
};

// One worker's proxy: listening sockets, client connections, upstream pools, the view that new requests are decided by.
// Thread: that of its loop, for every method.
class DataPlane {
 public:
  DataPlane(net::EventLoop& loop, DataPlaneOptions options);
  ~DataPlane();  // CloseAll()
  DataPlane(const DataPlane&) = delete;
  DataPlane& operator=(const DataPlane&) = delete;

  // What requests that begin from now on are decided by. Requests under way keep the view they started with; those
  // whose target finished draining in the new table are ended with 502 (spec: alb.md 8.2). Both belong to the same
  // revision.
  void SetView(std::shared_ptr<const RoutingTable> routing, std::shared_ptr<const health::StatusTable> status);

  // Accepts on `fd`, a listening socket bound to `bound` (the real port). `bound` names the socket for RemoveListener.
  // Call SetView with a table that has the listener first.
  void AddListener(const ListenerKey& key, const Endpoint& bound, UniqueFd fd);
  // Takes what the kernel has queued, then closes the socket. Connections that were accepted live on.
  void RemoveListener(const Endpoint& bound);

  // From now on; what is open stays open. Without a call everything is taken that the system gives.
  void SetLimits(const ConnectionLimits& limits);

  // Stops accepting, closes idle connections, and answers what is under way with `Connection: close`.
  void Drain();
  // True when no client connection is left: Drain has done its work.
  [[nodiscard]] bool idle() const;
  // Ends everything at once.
  void CloseAll();

 private:
  class Implementation;
  std::unique_ptr<Implementation> implementation_;
};

}  // namespace weir::proxy
