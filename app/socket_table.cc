#include "app/socket_table.h"

#include "net/socket.h"

#include <algorithm>
#include <optional>

namespace weir::app {
namespace {

// How often a free port that another address has in use is given back and another one is asked for.
constexpr int kFreePortAttemptsMax = 16;

Result<std::vector<UniqueFd>> BindForEach(std::size_t workers, const Endpoint& endpoint, net::SocketKind kind) {
  std::vector<UniqueFd> out;
  for (std::size_t i = 0; i < workers; ++i) {
    // A port of 0 is chosen by the first bind; the others join it.
    const Endpoint wanted = out.empty() ? endpoint : net::LocalEndpoint(out.front().get());
    auto fd = kind == net::SocketKind::kTcp ? net::ListenTcp(wanted) : net::BindUdp(wanted);
    if (!fd) return std::unexpected(fd.error());
    out.push_back(std::move(*fd));
  }
  return out;
}

std::string FreePortOwner(const std::string& load_balancer, std::uint32_t index) {
  return load_balancer + "/" + std::to_string(index);
}

}  // namespace

Result<std::vector<ListenerSockets>> SocketTable::BindListener(const std::vector<IpAddress>& addresses,
                                                               std::uint16_t port) const {
  std::vector<ListenerSockets> out;
  for (const auto& address : addresses) {
    const Endpoint wanted{address, out.empty() ? port : out.front().bound.port};
    // A listener's port moves between addresses by sharing: from a wildcard to one address, for example.
    const bool ours =
        std::ranges::any_of(listener_table_, [port](const auto& e) { return e.second.second.port == port; });
    if (port != 0 && !ours) {
      if (auto unshared = net::CheckUnshared(wanted, net::SocketKind::kTcp); !unshared) {
        return std::unexpected(unshared.error());
      }
    }
    auto sockets = BindForEach(workers_, wanted, net::SocketKind::kTcp);
    if (!sockets) return std::unexpected(sockets.error());
    const Endpoint bound = net::LocalEndpoint(sockets->front().get());
    out.push_back({.key = {}, .bound = bound, .per_worker = std::move(*sockets)});
  }
  return out;
}

Result<std::vector<DnsSockets>> SocketTable::BindDns(const std::vector<IpAddress>& addresses,
                                                     std::uint16_t port) const {
  std::vector<DnsSockets> out;
  for (const auto& address : addresses) {
    Endpoint wanted{address, out.empty() ? port : out.front().bound.port};
    const bool ours = std::ranges::any_of(dns_table_, [port](const auto& entry) { return entry.second.port == port; });
    if (port != 0 && !ours) {
      for (const auto kind : {net::SocketKind::kUdp, net::SocketKind::kTcp}) {
        if (auto unshared = net::CheckUnshared(wanted, kind); !unshared) return std::unexpected(unshared.error());
      }
    }
    auto udp = BindForEach(workers_, wanted, net::SocketKind::kUdp);
    if (!udp) return std::unexpected(udp.error());
    wanted = net::LocalEndpoint(udp->front().get());
    auto tcp = BindForEach(workers_, wanted, net::SocketKind::kTcp);
    if (!tcp) return std::unexpected(tcp.error());
    out.push_back({.bound = wanted, .udp = std::move(*udp), .tcp = std::move(*tcp)});
  }
  return out;
}

Result<void> SocketTable::PlanListener(const config::LoadBalancer& balancer, std::uint32_t index,
                                       SocketPlan& plan) const {
  const auto port = balancer.listeners[index].port;
  const proxy::ListenerKey key{balancer.name, index};
  const std::string owner = port == 0 ? FreePortOwner(balancer.name, index) : std::string();
  control::BoundListener bound{.load_balancer = balancer.name, .index = index, .endpoints = {}};

  std::vector<IpAddress> missing;
  std::uint16_t known_port = port;
  for (const auto& address : balancer.addresses) {
    const auto found = listener_table_.find({owner, {address, port}});
    if (found == listener_table_.end()) {
      missing.push_back(address);
      continue;
    }
    known_port = found->second.second.port;
    // A worker follows a listener to another place of its load balancer, not to another load balancer: then the address
    // is bound anew beside the old socket, which goes.
    if (found->second.first.load_balancer == key.load_balancer) {
      plan.listener_table_[found->first] = {key, found->second.second};
    } else {
      missing.push_back(address);
    }
  }
  auto added = BindListener(missing, known_port);
  for (int attempt = 1; !added && known_port == 0 && attempt < kFreePortAttemptsMax; ++attempt) {
    added = BindListener(missing, known_port);
  }
  if (!added) return std::unexpected(added.error());
  for (auto& sockets : *added) {
    sockets.key = key;
    plan.listener_table_[{owner, {sockets.bound.address, port}}] = {key, sockets.bound};
    plan.listeners_added.push_back(std::move(sockets));
  }
  for (const auto& address : balancer.addresses) {
    bound.endpoints.push_back(plan.listener_table_.at({owner, {address, port}}).second);
  }
  plan.listeners.push_back(std::move(bound));
  return {};
}

Result<void> SocketTable::PlanDns(const config::DnsListener& dns, SocketPlan& plan) const {
  std::vector<IpAddress> missing;
  std::uint16_t known_port = dns.port;
  for (const auto& address : dns.addresses) {
    const auto found = dns_table_.find({"", {address, dns.port}});
    if (found == dns_table_.end()) {
      missing.push_back(address);
    } else {
      known_port = found->second.port;
      plan.dns_table_[found->first] = found->second;
    }
  }
  auto added = BindDns(missing, known_port);
  for (int attempt = 1; !added && known_port == 0 && attempt < kFreePortAttemptsMax; ++attempt) {
    added = BindDns(missing, known_port);
  }
  if (!added) return std::unexpected(added.error());
  for (auto& sockets : *added) {
    plan.dns_table_[{"", {sockets.bound.address, dns.port}}] = sockets.bound;
    plan.dns_added.push_back(std::move(sockets));
  }
  for (const auto& address : dns.addresses) plan.dns.push_back(plan.dns_table_.at({"", {address, dns.port}}));
  return {};
}

Result<SocketPlan> SocketTable::Plan(const config::Model& model) const {
  SocketPlan plan;
  for (const auto& balancer : model.load_balancers) {
    for (std::uint32_t i = 0; i < balancer.listeners.size(); ++i) {
      if (auto planned = PlanListener(balancer, i, plan); !planned) return std::unexpected(planned.error());
    }
  }
  if (model.dns) {
    if (auto planned = PlanDns(*model.dns, plan); !planned) return std::unexpected(planned.error());
  }
  for (const auto& [key, entry] : listener_table_) {
    const auto kept = plan.listener_table_.find(key);
    const bool stays = kept != plan.listener_table_.end() && kept->second.second == entry.second &&
                       kept->second.first.load_balancer == entry.first.load_balancer;
    if (!stays) plan.listeners_removed.push_back(entry.second);
  }
  for (const auto& [key, bound] : dns_table_) {
    if (!plan.dns_table_.contains(key)) plan.dns_removed.push_back(bound);
  }
  return plan;
}

void SocketTable::Commit(SocketPlan& plan) {
  listener_table_ = std::move(plan.listener_table_);
  dns_table_ = std::move(plan.dns_table_);
}

std::shared_ptr<const config::Model> WithBoundPorts(std::shared_ptr<const config::Model> model,
                                                    const SocketPlan& plan) {
  bool free_ports = model->dns && model->dns->port == 0;
  for (const auto& balancer : model->load_balancers) {
    free_ports |= std::ranges::any_of(balancer.listeners, [](const auto& listener) { return listener.port == 0; });
  }
  if (!free_ports) return model;
  auto bound = std::make_shared<config::Model>(*model);
  if (bound->dns && !plan.dns.empty()) bound->dns->port = plan.dns.front().port;
  for (const auto& listener : plan.listeners) {
    const auto balancer = std::ranges::find(bound->load_balancers, listener.load_balancer, &config::LoadBalancer::name);
    if (balancer == bound->load_balancers.end() || listener.endpoints.empty()) continue;
    balancer->listeners[listener.index].port = listener.endpoints.front().port;
  }
  return bound;
}

}  // namespace weir::app
