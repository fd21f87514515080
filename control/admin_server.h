#pragma once

#include "base/ip_address.h"
#include "base/result.h"
#include "control/appliance.h"
#include "control/metrics.h"

#include <memory>

namespace weir::control {

// The admin API over HTTP/1.1 on an address of its own: one thread, keep-alive, at most kConnectionsMax connections,
// bounded heads and bodies, a time limit on every read and write. Thread: control, for every method.
class AdminServer {
 public:
  static constexpr std::size_t kConnectionsMax = 256;
  static constexpr std::size_t kHeadBytesMax = 16 * 1024;
  static constexpr std::size_t kBodyBytesMax = 64 * 1024;

  // Binds and starts to answer. `appliance` outlives the server. A connection beyond `connections_max` is closed at
  // once. Fails with `cannot bind ADDRESS:PORT: REASON`.
  [[nodiscard]] static Result<std::unique_ptr<AdminServer>> Start(const Endpoint& endpoint, Appliance& appliance,
                                                                  const BuildFacts& build,
                                                                  std::size_t connections_max = kConnectionsMax);
  ~AdminServer();  // Stop()
  AdminServer(const AdminServer&) = delete;
  AdminServer& operator=(const AdminServer&) = delete;

  // The bound address: the real port after a bind to port 0.
  [[nodiscard]] Endpoint endpoint() const;
  // Closes the listening socket; requests in flight are still answered, and their connections closed after.
  void Retire();
  // Closes everything and ends the thread.
  void Stop();

 private:
  class Loop;
  explicit AdminServer(std::unique_ptr<Loop> loop);
  std::unique_ptr<Loop> loop_;
};

}  // namespace weir::control
