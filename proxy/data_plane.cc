#include "proxy/data_plane.h"

#include "base/log.h"
#include "config/http_versions.h"
#include "net/acceptor.h"
#include "net/tls_client.h"
#include "outbound/http_client.h"
#include "proxy/downstream/client_gate.h"
#include "proxy/downstream/downstream_connection.h"
#include "proxy/downstream/proxy_preamble.h"
#include "proxy/exchange.h"
#include "proxy/tls/listener_tls.h"
#include "proxy/upstream/upstream_pool.h"
#include "proxy/worker_state.h"

#include <algorithm>
#include <utility>
#include <vector>

namespace weir::proxy {
namespace {

// How often a worker looks whether connections without a future have become idle.
constexpr std::chrono::milliseconds kDrainCheck{100};

std::optional<net::ProxyVersion> ProxyVersionOf(config::ProxyProtocol configured) {
  if (configured == config::ProxyProtocol::kOff) return std::nullopt;
  return configured == config::ProxyProtocol::kV1 ? net::ProxyVersion::kV1 : net::ProxyVersion::kV2;
}

// What weir is configured with, found again after a reload: by its port, or by its place where the port was left to the
// system.
const Listener* FindSlotListener(const RoutingTable& table, const ListenerSlot& slot) {
  const std::uint16_t configured_port = slot.listener->port;
  if (configured_port == 0) {
    const Listener* found = table.FindListener(slot.load_balancer, slot.index);
    return found != nullptr && found->port == 0 ? found : nullptr;
  }
  for (const auto& listener : table.listeners()) {
    if (listener->port == configured_port && listener->load_balancer == slot.load_balancer) return listener.get();
  }
  return nullptr;
}

}  // namespace

// One listening socket, and what becomes of its connections.
class ListenerSocket final : public net::Deferred, private net::AcceptorEvents {
 public:
  ListenerSocket(WorkerState& worker, DownstreamConnections& connections, ClientGate& gate,
                 std::shared_ptr<ListenerSlot> slot, UniqueFd fd)
      : worker_(worker),
        connections_(connections),
        gate_(gate),
        slot_(std::move(slot)),
        acceptor_(worker.loop, std::move(fd), *this) {
    if (!acceptor_.Start()) LogError("cannot watch listener " + slot_->bound.ToString());
  }

  [[nodiscard]] ListenerSlot& slot() { return *slot_; }
  // What waits for room is refused.
  void CloseAfterQueue() { acceptor_.CloseAfterQueue(); }
  void Close() { acceptor_.Close(); }
  void OnRoom() { acceptor_.Resume(); }

 private:
  bool MayAccept() override { return gate_.open(); }
  void OnMustWait() override { gate_.Wait(); }
  void OnAccepted(std::unique_ptr<net::TcpStream> stream) override {
    if (slot_->expects_proxy_header) {
      ProxyPreamble::Begin(worker_, connections_, slot_, std::move(stream));
    } else {
      BeginDownstreamConnection(worker_, connections_, slot_, std::move(stream));
    }
  }

  WorkerState& worker_;
  DownstreamConnections& connections_;
  ClientGate& gate_;
  std::shared_ptr<ListenerSlot> slot_;
  net::Acceptor acceptor_;
};

class DataPlane::Implementation {
 public:
  Implementation(net::EventLoop& loop, DataPlaneOptions options)
      : access_log_(options.access_logs, options.node_region),
        tls_(options.tls),
        http_client_(loop),
        worker_(loop, options.worker),
        pool_(worker_),
        gate_(worker_, connections_, options.client_crowd, [this] { OnRoom(); }),
        drain_timer_([this] { CloseIdleConnections(); }) {
    worker_.access_log = &access_log_;
    worker_.upstreams = &pool_;
    worker_.http_client = &http_client_;
  }

  ~Implementation() { CloseAll(); }

  void SetView(std::shared_ptr<const RoutingTable> routing, std::shared_ptr<const health::StatusTable> status) {
    const bool new_table = view_ == nullptr || view_->routing != routing;
    auto targets = MakeHandles(*routing, *status);
    view_ = std::make_shared<const DataView>(DataView{std::move(routing), std::move(status), std::move(targets)});
    if (new_table) {
      worker_.selector.Reset(*view_->routing, worker_.worker);
      worker_.stickiness.Reset(*view_->routing);
    }
    for (const auto& weak : slots_) {
      if (const auto slot = weak.lock()) UpdateSlot(*slot);
    }
    std::erase_if(slots_, [](const auto& weak) { return weak.expired(); });
    const std::vector<Exchange*> active = worker_.active;
    for (Exchange* exchange : active) exchange->EndIfDeregistered(*view_);
    if (new_table) CloseIdleConnections();
    pool_.ForgetUnused();
    tls_clients_.ForgetUnused();
  }

  void AddListener(const ListenerKey& key, const Endpoint& bound, UniqueFd fd) {
    const Listener* listener = view_ == nullptr ? nullptr : view_->routing->FindListener(key.load_balancer, key.index);
    if (listener == nullptr) {
      LogError("listener is not in the routing table load-balancer=" + key.load_balancer +
               " bound=" + bound.ToString());
      return;
    }
    auto slot = std::make_shared<ListenerSlot>();
    slot->load_balancer = key.load_balancer;
    slot->index = key.index;
    slot->bound = bound;
    slot->view = view_;
    slot->listener = listener;
    slot->counters = &listener->counters->At(bound.address, worker_.worker);
    UpdateTls(*slot);
    slot->expects_proxy_header = listener->listener_config->attributes.proxy_protocol;
    slots_.push_back(slot);
    sockets_.push_back(std::make_unique<ListenerSocket>(worker_, connections_, gate_, std::move(slot), std::move(fd)));
  }

  void RemoveListener(const Endpoint& bound) {
    const auto found =
        std::ranges::find_if(sockets_, [&](const auto& socket) { return socket->slot().bound == bound; });
    if (found == sockets_.end()) return;
    (*found)->CloseAfterQueue();
    worker_.loop.DestroyLater(std::move(*found));
    sockets_.erase(found);
  }

  void SetLimits(const ConnectionLimits& limits) {
    worker_.limits = limits;
    worker_.pipes.LimitTo(limits.pipes);
  }

  void Drain() {
    worker_.draining = true;
    for (auto& socket : sockets_) {
      socket->CloseAfterQueue();
      worker_.loop.DestroyLater(std::move(socket));
    }
    sockets_.clear();
    pool_.CloseIdle();
    CloseIdleConnections();
  }

  [[nodiscard]] bool idle() const { return connections_.all().empty(); }

  void CloseAll() {
    for (auto& socket : sockets_) {
      socket->Close();
      worker_.loop.DestroyLater(std::move(socket));
    }
    sockets_.clear();
    while (!connections_.all().empty()) connections_.all().back()->Abort();
    pool_.CloseIdle();
    access_log_.Flush();
  }

 private:
  void OnRoom() {
    for (const auto& socket : sockets_) socket->OnRoom();
  }

  [[nodiscard]] std::vector<std::vector<TargetHandle>> MakeHandles(const RoutingTable& routing,
                                                                   const health::StatusTable& status) {
    std::vector<std::vector<TargetHandle>> handles(status.groups.size());
    for (std::size_t group = 0; group < handles.size(); ++group) {
      const TargetGroupRoute& route = routing.groups()[group];
      const auto tls = route.is_https() ? tls_clients_.For(route.tls) : nullptr;
      const auto proxy_protocol = ProxyVersionOf(route.config->proxy_protocol);
      const auto protocol =
          config::SpeaksHttp2(route.config->protocol_version) ? UpstreamProtocol::kHttp2 : UpstreamProtocol::kHttp1;
      const auto& targets = status.groups[group].targets;
      handles[group].reserve(targets.size());
      for (const health::TargetStatus& target : targets) {
        auto* seen = target.observations == nullptr ? nullptr : &(*target.observations)[worker_.worker];
        UpstreamKey key{.endpoint = target.endpoint,
                        .protocol = protocol,
                        .tls = tls,
                        .server_name = {},
                        .proxy_protocol = proxy_protocol};
        if (tls != nullptr) key.server_name = tls->NameFor(target.host, target.endpoint.address);
        handles[group].push_back({.endpoint = target.endpoint,
                                  .seen = seen,
                                  .response_time = &route.response_times->At(target.zone, worker_.worker),
                                  .upstream = pool_.EndpointFor(key)});
      }
    }
    return handles;
  }

  void UpdateSlot(ListenerSlot& slot) const {
    const Listener* listener = FindSlotListener(*view_->routing, slot);
    slot.removed = listener == nullptr;
    if (slot.removed) return;  // connections that are left finish by the rules they know
    slot.view = view_;
    slot.listener = listener;
    slot.counters = &listener->counters->At(slot.bound.address, worker_.worker);
    slot.index = listener->index;
    slot.expects_proxy_header = listener->listener_config->attributes.proxy_protocol;
    UpdateTls(slot);
  }

  // Connections that are there go on with the server they began with.
  void UpdateTls(ListenerSlot& slot) const {
    const auto& plan = slot.listener->tls;
    if (plan == nullptr) {
      slot.tls = nullptr;
    } else if (slot.tls == nullptr || !SameTlsPlan(slot.tls->plan(), *plan)) {
      slot.tls = net::TlsServer::Make(plan, tls_);
    }
  }

  // Those that have no future close as soon as they are idle: all while draining, else those of removed listeners.
  void CloseIdleConnections() {
    bool some_are_left = false;
    // Closing takes a connection out of the list and puts the last one in its place: backwards, none is missed.
    for (std::size_t i = connections_.all().size(); i-- > 0;) {
      DownstreamConnection& connection = *connections_.all()[i];
      if (!worker_.draining && !connection.slot().removed) continue;
      some_are_left = true;
      connection.CloseWhenIdle();
    }
    if (some_are_left) worker_.loop.timers().Schedule(drain_timer_, worker_.loop.now() + kDrainCheck);
  }

  AccessLog access_log_;
  net::TlsSharedState tls_;
  net::TlsClients tls_clients_;
  outbound::HttpClient http_client_;
  WorkerState worker_;
  UpstreamPool pool_;
  DownstreamConnections connections_;
  ClientGate gate_;
  std::shared_ptr<const DataView> view_;
  std::vector<std::unique_ptr<ListenerSocket>> sockets_;
  std::vector<std::weak_ptr<ListenerSlot>> slots_;  // of sockets and of connections that outlived theirs
  net::CallbackTimer drain_timer_;
};

DataPlane::DataPlane(net::EventLoop& loop, DataPlaneOptions options)
    : implementation_(std::make_unique<Implementation>(loop, std::move(options))) {}
DataPlane::~DataPlane() = default;

void DataPlane::SetView(std::shared_ptr<const RoutingTable> routing,
                        std::shared_ptr<const health::StatusTable> status) {
  implementation_->SetView(std::move(routing), std::move(status));
}
void DataPlane::AddListener(const ListenerKey& key, const Endpoint& bound, UniqueFd fd) {
  implementation_->AddListener(key, bound, std::move(fd));
}
void DataPlane::RemoveListener(const Endpoint& bound) { implementation_->RemoveListener(bound); }
void DataPlane::SetLimits(const ConnectionLimits& limits) { implementation_->SetLimits(limits); }
void DataPlane::Drain() { implementation_->Drain(); }
bool DataPlane::idle() const { return implementation_->idle(); }
void DataPlane::CloseAll() { implementation_->CloseAll(); }

}  // namespace weir::proxy
