#pragma once

#include "base/ip_address.h"
#include "net/event_loop.h"
#include "net/proxy_protocol.h"
#include "net/tls_client.h"
#include "proxy/upstream/upstream_stream.h"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace weir::proxy {

class UpstreamConnection;
class UpstreamPool;
struct FunctionRoute;  // routing/routing_table.h
struct WorkerState;

enum class UpstreamProtocol : std::uint8_t { kHttp1, kHttp2, kInvocation };
// Whether a target tells by it which requests it did not process (RFC 9113 8.7).
[[nodiscard]] inline bool TellsUnprocessed(UpstreamProtocol protocol) {
  switch (protocol) {
    case UpstreamProtocol::kHttp1:
    case UpstreamProtocol::kInvocation:
      return false;
    case UpstreamProtocol::kHttp2:
      return true;
  }
  std::unreachable();
}

// What connections have to have in common to stand for each other.
struct UpstreamKey {
  Endpoint endpoint;
  UpstreamProtocol protocol = UpstreamProtocol::kHttp1;
  std::shared_ptr<net::TlsClient> tls;  // null: plain TCP
  std::string server_name;              // of TLS
  // Connections begin with a header about their one request. Absent: with the request, or TLS.
  std::optional<net::ProxyVersion> proxy_protocol;
  std::shared_ptr<const FunctionRoute> function = {};  // of kInvocation, which has no endpoint
  friend bool operator==(const UpstreamKey&, const UpstreamKey&) = default;
};

// One worker's connections of one key that have room for a further exchange, as a list through the connections
// themselves.
struct UpstreamEndpoint {
  std::uint32_t available_count = 0;
  std::uint32_t streams_max = 0;  // that its target allowed last, of HTTP/2; 0: it has not said
  UpstreamConnection* newest = nullptr;
  UpstreamConnection* oldest = nullptr;
  UpstreamKey key;
  net::TlsClientSessions tls_sessions;  // that connections to come resume
};

// A connection to a target as its pool sees it. Implemented for each protocol. Owned by the pool, which it tells when
// it has room for an exchange (UpstreamPool::PutAvailable), when it has no more (UpstreamPool::Withdraw; the pool sees
// for itself after Open) and when it has closed (UpstreamPool::Destroy).
// Thread: worker.
class UpstreamConnection : public net::Deferred {
 public:
  UpstreamConnection(const UpstreamConnection&) = delete;
  UpstreamConnection& operator=(const UpstreamConnection&) = delete;

  // Begins to connect, for one exchange. Null with an errno when the system refuses at once.
  [[nodiscard]] virtual UpstreamStream* Connect(UpstreamEvents& events, int& error) = 0;
  // A stream for a further exchange, over a connection that was available. Null when its target has closed it: the pool
  // closes it.
  [[nodiscard]] virtual UpstreamStream* Open(UpstreamEvents& events) = 0;
  // It can take one more exchange beside those that it has.
  [[nodiscard]] virtual bool has_room() const = 0;
  // It serves no exchange.
  [[nodiscard]] virtual bool is_idle() const = 0;
  // Nothing was answered over it yet: it is as good as a new one.
  [[nodiscard]] virtual bool is_fresh() const { return false; }
  // Leaves the pool. What exchanges it serves go on, and it closes when they are over.
  virtual void Close() = 0;

  [[nodiscard]] const UpstreamKey& key() const { return endpoint_->key; }
  // How long it may wait in the pool.
  [[nodiscard]] std::chrono::seconds idle_timeout() const { return idle_timeout_; }
  void set_idle_timeout(std::chrono::seconds timeout) { idle_timeout_ = timeout; }

 protected:
  explicit UpstreamConnection(std::shared_ptr<UpstreamEndpoint> endpoint) : endpoint_(std::move(endpoint)) {}
  [[nodiscard]] net::TlsClientSessions& tls_sessions() { return endpoint_->tls_sessions; }
  [[nodiscard]] UpstreamEndpoint& endpoint() const { return *endpoint_; }

 private:
  friend class UpstreamPool;

  std::shared_ptr<UpstreamEndpoint> endpoint_;
  UpstreamConnection* older_ = nullptr;  // of the available ones of endpoint_
  UpstreamConnection* newer_ = nullptr;
  bool available_ = false;
  std::size_t pool_index_ = 0;
  std::chrono::seconds idle_timeout_{60};
};

// A connection that speaks the protocol of `endpoint`.
[[nodiscard]] std::unique_ptr<UpstreamConnection> MakeUpstreamConnection(WorkerState& worker, UpstreamPool& pool,
                                                                         std::shared_ptr<UpstreamEndpoint> endpoint);

}  // namespace weir::proxy

template <>
struct std::hash<weir::proxy::UpstreamKey> {
  std::size_t operator()(const weir::proxy::UpstreamKey& key) const noexcept {
    const auto kind = static_cast<std::size_t>(std::to_underlying(key.protocol));
    return std::hash<weir::Endpoint>()(key.endpoint) + kind + std::hash<const void*>()(key.tls.get()) +
           std::hash<std::string>()(key.server_name) + std::hash<const void*>()(key.function.get());
  }
};
