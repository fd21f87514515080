#include "app/worker.h"

#include "base/log.h"
#include "base/random.h"

#include <algorithm>
#include <string>
#include <utility>

namespace weir::app {
namespace {

// std::function wants what it holds to be copyable; a descriptor is not.
template <class T>
std::shared_ptr<T> Shared(T value) {
  return std::make_shared<T>(std::move(value));
}

}  // namespace

Worker::Worker(WorkerOptions options, const Published<control::View>& views)
    : options_(std::move(options)),
      reader_(views),
      data_plane_(loop_, {.worker = options_.index,
                          .node_region = options_.node_region,
                          .access_logs = options_.access_logs,
                          .client_crowd = options_.client_crowd,
                          .tls = options_.tls}) {
  loop_.SetTurnStart([this] { OnTurnStart(); });
  loop_.SetTurnEnd([this] { OnTurnEnd(); });
  thread_ = std::thread([this] { loop_.Run(); });
}

Worker::~Worker() { Stop(); }

void Worker::OnTurnStart() {
  if (!reader_.Refresh()) return;
  const auto& view = *reader_.value();
  data_plane_.SetView(view.routing, view.health);
  for (auto& responder : responders_) SetView(responder);
  for (auto& responder : leaving_) SetView(responder);
}

void Worker::OnTurnEnd() {
  std::erase_if(leaving_, [](const Responder& responder) { return responder.tcp->connections() == 0; });
  if (!draining_) return;
  const bool dns_idle = std::ranges::all_of(responders_, [](const auto& r) { return r.tcp->connections() == 0; });
  idle_.store(data_plane_.idle() && dns_idle, std::memory_order_release);
}

void Worker::SetView(Responder& responder) const {
  const auto& view = reader_.value();
  if (!view) return;
  responder.udp->SetView(view->zones, view->health);
  responder.tcp->SetView(view->zones, view->health);
}

void Worker::Wake() {
  // An empty task is enough: the turn it begins reads the view.
  loop_.Post([] {});
}

void Worker::SetLimits(const proxy::ConnectionLimits& limits, std::size_t dns_connections) {
  loop_.Post([this, limits, dns_connections] {
    data_plane_.SetLimits(limits);
    dns_limits_.connections_max = dns_connections;
    for (auto& responder : responders_) responder.tcp->SetConnectionsMax(dns_connections);
    for (auto& responder : leaving_) responder.tcp->SetConnectionsMax(dns_connections);
  });
}

void Worker::AddListener(const proxy::ListenerKey& key, const Endpoint& bound, UniqueFd fd) {
  loop_.Post([this, key, bound, fd = Shared(std::move(fd))] {
    // The view that has the listener may have been published after this turn began.
    OnTurnStart();
    data_plane_.AddListener(key, bound, std::move(*fd));
  });
}

void Worker::RemoveListener(const Endpoint& bound) {
  loop_.Post([this, bound] { data_plane_.RemoveListener(bound); });
}

void Worker::AddDns(const Endpoint& bound, UniqueFd udp, UniqueFd tcp) {
  loop_.Post([this, bound, udp = Shared(std::move(udp)), tcp = Shared(std::move(tcp))] {
    Random random;
    Responder added{
        .bound = bound,
        .udp = std::make_unique<dns::UdpResponder>(loop_, std::move(*udp), *options_.dns_counters, options_.index,
                                                   random.Next()),
        .tcp = std::make_unique<dns::TcpResponder>(loop_, std::move(*tcp), dns_budget_, *options_.dns_counters,
                                                   options_.index, random.Next(), dns_limits_)};
    SetView(added);
    if (!added.udp->Start() || !added.tcp->Start())
      LogError("the event loop refuses a DNS socket at " + bound.ToString());
    responders_.push_back(std::move(added));
  });
}

void Worker::RemoveDns(const Endpoint& bound) {
  loop_.Post([this, bound] {
    const auto found = std::ranges::find(responders_, bound, &Responder::bound);
    if (found == responders_.end()) return;
    found->udp->Drain();
    found->tcp->Drain();
    leaving_.push_back(std::move(*found));
    responders_.erase(found);
  });
}

void Worker::Drain() {
  loop_.Post([this] {
    draining_ = true;
    data_plane_.Drain();
    for (auto& responder : responders_) responder.tcp->Drain();
  });
}

void Worker::Stop() {
  if (!thread_.joinable()) return;
  loop_.Post([this] {
    for (auto& responder : responders_) responder.udp->Drain();
    responders_.clear();
    leaving_.clear();
    data_plane_.CloseAll();
  });
  loop_.Stop();
  thread_.join();
}

}  // namespace weir::app
