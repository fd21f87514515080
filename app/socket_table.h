#pragma once

#include "base/ip_address.h"
#include "base/result.h"
#include "base/unique_fd.h"
#include "config/model.h"
#include "control/appliance.h"
#include "proxy/data_plane.h"

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace weir::app {

// One address of a listener: bound once for each worker by SO_REUSEPORT.
struct ListenerSockets {
  proxy::ListenerKey key;
  Endpoint bound;
  std::vector<UniqueFd> per_worker;
};
// One address of the DNS responder, UDP and TCP on the same port.
struct DnsSockets {
  Endpoint bound;
  std::vector<UniqueFd> udp;  // one for each worker
  std::vector<UniqueFd> tcp;
};

// What has to be opened and closed for a new model. Sockets to open are bound and listening already; when the plan is
// dropped they close, and nothing happened.
struct SocketPlan {
  std::vector<ListenerSockets> listeners_added;
  std::vector<Endpoint> listeners_removed;  // by bound address; before the added ones, which may have the same
  std::vector<DnsSockets> dns_added;
  std::vector<Endpoint> dns_removed;
  // Everything that is bound when the plan is carried out.
  std::vector<control::BoundListener> listeners;
  std::vector<Endpoint> dns;

 private:
  friend class SocketTable;
  // By configured address; the owner tells apart what asks for a free port.
  using Key = std::pair<std::string, Endpoint>;
  std::map<Key, std::pair<proxy::ListenerKey, Endpoint>> listener_table_;
  std::map<Key, Endpoint> dns_table_;
};

// Which sockets are bound. A socket is kept through reloads as long as its configured address and port stay; a port of
// 0 keeps the free port it was given. Thread: control.
class SocketTable {
 public:
  explicit SocketTable(std::size_t workers) : workers_(workers) {}

  // Binds what `model` asks for and is not bound yet. Fails with `cannot bind ADDRESS:PORT: REASON`; nothing is bound
  // then. A listener on port 0 gets the same free port on each of its addresses.
  [[nodiscard]] Result<SocketPlan> Plan(const config::Model& model) const;
  // Takes the plan for carried out.
  void Commit(SocketPlan& plan);

 private:
  using Key = SocketPlan::Key;
  [[nodiscard]] Result<void> PlanListener(const config::LoadBalancer& balancer, std::uint32_t index,
                                          SocketPlan& plan) const;
  [[nodiscard]] Result<void> PlanDns(const config::DnsListener& dns, SocketPlan& plan) const;
  [[nodiscard]] Result<std::vector<ListenerSockets>> BindListener(const std::vector<IpAddress>& addresses,
                                                                  std::uint16_t port) const;
  [[nodiscard]] Result<std::vector<DnsSockets>> BindDns(const std::vector<IpAddress>& addresses,
                                                        std::uint16_t port) const;

  std::size_t workers_;
  std::map<Key, std::pair<proxy::ListenerKey, Endpoint>> listener_table_;
  std::map<Key, Endpoint> dns_table_;
};

// `model` with every port of 0 replaced by the one that `plan` bound. Returns `model` itself when there is none.
[[nodiscard]] std::shared_ptr<const config::Model> WithBoundPorts(std::shared_ptr<const config::Model> model,
                                                                  const SocketPlan& plan);

}  // namespace weir::app
