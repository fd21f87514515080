#pragma once

#include "base/ip_address.h"
#include "proxy/upstream/upstream_stream.h"
#include "proxy/worker_state.h"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <unordered_map>
#include <vector>

namespace weir::proxy {

class Http1UpstreamConnection;

// One worker's idle connections to one endpoint: a list through the connections themselves.
struct UpstreamEndpoint {
  Endpoint endpoint;
  std::uint32_t idle_count = 0;
  Http1UpstreamConnection* newest = nullptr;
  Http1UpstreamConnection* oldest = nullptr;
};

// One worker's connections to targets: those under way and the idle ones that wait to be used again, newest first, so
// that the surplus of a burst grows old and closes. Owns them all. Thread: worker.
class UpstreamPool final : public UpstreamSource {
 public:
  // Idle connections kept for one endpoint; our choice, because no target serves more from one worker usefully.
  static constexpr std::size_t kIdlePerEndpointMax = 4'096;
  // spec: alb.md 12.6.
  static constexpr std::chrono::seconds kConnectTimeout{10};

  explicit UpstreamPool(WorkerState& worker);
  ~UpstreamPool();
  UpstreamPool(const UpstreamPool&) = delete;
  UpstreamPool& operator=(const UpstreamPool&) = delete;

  // Where the connections to `endpoint` are kept: asked for once for each target, not for each request.
  [[nodiscard]] std::shared_ptr<UpstreamEndpoint> EndpointFor(const Endpoint& endpoint);
  // Drops the endpoints that nobody holds any more; idle connections hold theirs.
  void ForgetUnused();
  [[nodiscard]] UpstreamStream* Acquire(const std::shared_ptr<UpstreamEndpoint>& endpoint, Mode mode,
                                        std::chrono::seconds idle_timeout, UpstreamEvents& events, int& error) override;
  // Closes what is idle.
  void CloseIdle();

 private:
  friend class Http1UpstreamConnection;
  void PutIdle(Http1UpstreamConnection& connection);
  static void TakeIdle(Http1UpstreamConnection& connection);
  void Destroy(Http1UpstreamConnection& connection);
  // Closes an idle connection, where there is one, when the worker may have no more.
  void MakeRoom();

  WorkerState& worker_;
  std::unordered_map<Endpoint, std::shared_ptr<UpstreamEndpoint>> endpoints_;
  std::vector<std::unique_ptr<Http1UpstreamConnection>> connections_;
};

}  // namespace weir::proxy
