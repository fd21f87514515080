#pragma once

#include "base/ip_address.h"
#include "net/stream.h"
#include "proxy/upstream/upstream_connection.h"
#include "proxy/upstream/upstream_stream.h"
#include "proxy/worker_state.h"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <unordered_map>
#include <vector>

namespace weir::proxy {

// One worker's connections to targets, whatever they speak: those under way and those with room for a further exchange,
// which are used newest first, so that the surplus of a burst grows old and closes. Owns them all. Thread: worker.
class UpstreamPool final : public UpstreamSource {
 public:
  // Kept for one endpoint; our choice, because no target serves more from one worker usefully.
  static constexpr std::size_t kAvailablePerEndpointMax = 4'096;
  // spec: alb.md 12.6.
  static constexpr std::chrono::seconds kConnectTimeout{10};
  static constexpr std::chrono::seconds kTlsHandshakeTimeout{10};  // after the connect

  // Begins a connection and tells `events`, as net::TcpStream::Connect does.
  using Connector = std::function<std::unique_ptr<net::Stream>(net::EventLoop& loop, const Endpoint& peer,
                                                               net::StreamEvents& events, int& error)>;

  // Tests have a `connector` of their own, without sockets.
  explicit UpstreamPool(WorkerState& worker, Connector connector = net::TcpStream::Connect);
  ~UpstreamPool();
  UpstreamPool(const UpstreamPool&) = delete;
  UpstreamPool& operator=(const UpstreamPool&) = delete;

  // Where the connections of `key` are kept: asked for once for each target, not for each request.
  [[nodiscard]] std::shared_ptr<UpstreamEndpoint> EndpointFor(const UpstreamKey& key);
  // Drops the endpoints that nobody holds any more; connections hold theirs.
  void ForgetUnused();
  [[nodiscard]] UpstreamStream* Acquire(const std::shared_ptr<UpstreamEndpoint>& endpoint, Mode mode,
                                        std::chrono::seconds idle_timeout, UpstreamEvents& events, int& error) override;
  // Closes those that are available and serve nobody.
  void CloseIdle();

  // ---- from the connections
  // Null with an errno when the system refuses at once.
  [[nodiscard]] std::unique_ptr<net::Stream> BeginStream(const Endpoint& peer, net::StreamEvents& events, int& error) {
    return connector_(worker_.loop, peer, events, error);
  }
  // Has room for a further exchange. Twice is once, for this and for what follows.
  void PutAvailable(UpstreamConnection& connection);
  // Has none any more.
  static void Withdraw(UpstreamConnection& connection);
  // Has closed: destroyed at the end of the turn.
  void Destroy(UpstreamConnection& connection);

 private:
  // Closes an idle connection, where there is one, when the worker may have no more.
  void MakeRoom();

  WorkerState& worker_;
  Connector connector_;
  std::unordered_map<UpstreamKey, std::shared_ptr<UpstreamEndpoint>> endpoints_;
  std::vector<std::unique_ptr<UpstreamConnection>> connections_;
};

}  // namespace weir::proxy
