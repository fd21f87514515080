#include "app/descriptor_budget.h"

#include "config/forwarding.h"
#include "control/admin_server.h"
#include "dns/responder.h"
#include "health/engine.h"

#include <algorithm>
#include <set>
#include <string>

namespace weir::app {
namespace {

// Standard input, output and error; the control thread's loop, signals and watched files; the loops of the health
// engine and of the admin API, its listening socket; the spawner.
constexpr std::size_t kProcess = 3 + 4 + 2 + 4 + 1;
// Of an instance of a function: a listening socket, two pipes, and two connections as a rule. And the loop of them all.
constexpr std::size_t kInstance = 5;
constexpr std::size_t kFunctions = 2;
// A worker's loop.
constexpr std::size_t kWorker = 2;
// UDP for receiving and sending, TCP for accepting.
constexpr std::size_t kDnsAddress = 3;
// A file that is read or reopened, a port that is tried, name resolution, a connection on its way in or out: open for
// moments. And of many descriptors some, for the sockets that a reload adds before it takes others away.
constexpr std::size_t kPassing = 6;
constexpr std::size_t kPassingShare = 64;
// A pipe is two descriptors for one transfer that would do without; few have none.
constexpr std::size_t kPipeShare = 32;

std::size_t ListeningSockets(const config::Model& model) {
  std::size_t out = 0;
  for (const auto& balancer : model.load_balancers) out += balancer.listeners.size() * balancer.addresses.size();
  return out;
}

std::size_t LogFiles(const config::Model& model) {
  std::set<std::string> paths;
  for (const auto& balancer : model.load_balancers) {
    config::EachLog(balancer, [&](const config::LogFile& log, std::string_view /*noun*/) { paths.insert(log.path); });
  }
  return paths.size();
}

// As many as can be in flight at once; a host may have any number of addresses.
std::size_t Probes(const config::Model& model, std::size_t most) {
  std::size_t out = model.health_checks.size();
  for (const auto& group : model.target_groups) {
    for (const auto& target : group.targets) out += target.address ? 1 : most;
  }
  return std::min(out, most);
}

// Of functions that are programs, as many as all may have at once, up to a quarter of what there is: most have few.
std::size_t Instances(const config::Model& model, std::size_t limit) {
  std::size_t out = 0;
  for (const auto& group : model.target_groups) {
    if (!group.function) continue;
    for (const auto& version : group.function->versions) {
      if (version.code.invoke.empty()) out += kInstance * version.code.concurrency;
    }
  }
  return out == 0 ? 0 : kFunctions + std::min(out, limit / 4);
}

std::size_t Less(std::size_t from, std::size_t what) { return from > what ? from - what : 0; }

}  // namespace

std::size_t AdminConnectionsMax(std::size_t limit) {
  return std::clamp(limit / 16, std::size_t{4}, control::AdminServer::kConnectionsMax);
}

std::size_t ProbesInFlightMax(std::size_t limit) {
  return std::clamp(limit / 4, std::size_t{4}, health::EngineOptions{}.probes_in_flight_max);
}

DescriptorBudget DivideDescriptors(std::size_t limit, std::size_t workers, const config::Model& model) {
  DescriptorBudget out;
  out.limit = limit;
  const std::size_t dns_addresses = model.dns ? model.dns->addresses.size() : 0;
  const std::size_t passing = kPassing + limit / kPassingShare;
  const std::size_t shared = kProcess + LogFiles(model) + AdminConnectionsMax(limit) +
                             Probes(model, ProbesInFlightMax(limit)) + Instances(model, limit) + passing;
  std::size_t share = Less(limit, shared) / workers;
  share = Less(share, kWorker + ListeningSockets(model) + dns_addresses * kDnsAddress);
  if (dns_addresses > 0) {
    out.dns_connections =
        std::clamp(limit / 8 / workers / dns_addresses, std::size_t{1}, dns::TcpLimits{}.connections_max);
    share = Less(share, out.dns_connections * dns_addresses);
  }
  out.per_worker.pipes = std::min(share / kPipeShare, net::PipePool::kOutMax);
  out.per_worker.clients = std::max(Less(share, 2 * out.per_worker.pipes) / 2, std::size_t{1});
  out.per_worker.targets = out.per_worker.clients;
  return out;
}

}  // namespace weir::app
