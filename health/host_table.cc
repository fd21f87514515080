#include "health/host_table.h"

#include "base/log.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <utility>

namespace weir::health {
namespace {

constexpr std::chrono::seconds kTtlMin{1};       // a TTL of 0 must not become a flood of queries
constexpr std::chrono::seconds kTtlMax{86'400};  // a mistyped TTL must not freeze a target for weeks
constexpr std::chrono::seconds kTtlOfHostsFile{60};
constexpr std::chrono::seconds kRetry{5};  // after a look-up that gave no address

std::chrono::seconds Lifetime(std::chrono::seconds ttl) {
  if (ttl == net::Resolver::kTtlUnknown) return kTtlOfHostsFile;
  return std::clamp(ttl, kTtlMin, kTtlMax);
}

}  // namespace

struct HostTable::Entry {
  Entry(std::uint64_t entry_number, std::function<void()> look_up) : number(entry_number), timer(std::move(look_up)) {}
  std::uint64_t number;  // tells an answer for this entry from one for an earlier entry of the same name
  Host host;
  bool failing = false;
  net::CallbackTimer timer;
};

HostTable::HostTable(net::EventLoop& loop, std::span<const Endpoint> servers, Counter& failures,
                     std::function<void(const std::string&)> on_change)
    : loop_(loop), resolver_(loop, servers), failures_(failures), on_change_(std::move(on_change)) {}

HostTable::~HostTable() = default;

void HostTable::Use(const std::set<std::string>& names) {
  using_ = true;
  std::erase_if(entries_, [&](const auto& entry) { return !names.contains(entry.first); });
  for (const std::string& name : names) {
    if (entries_.contains(name)) continue;
    entries_.emplace(name, std::make_unique<Entry>(++entries_made_, [this, name] { LookUp(name); }));
    LookUp(name);
  }
  using_ = false;
}

const HostTable::Host* HostTable::Find(const std::string& name) const {
  const auto found = entries_.find(name);
  return found == entries_.end() ? nullptr : &found->second->host;
}

void HostTable::LookUp(const std::string& name) {
  const auto found = entries_.find(name);
  if (found == entries_.end()) return;
  // The name is copied: `name` may belong to the entry, and the entry may go while the look-up is under way.
  resolver_.Resolve(name, [this, name, number = found->second->number](const net::ResolveResult& result) {
    OnResolved(name, number, result);
  });
}

void HostTable::OnResolved(const std::string& name, std::uint64_t entry_number, const net::ResolveResult& result) {
  const auto found = entries_.find(name);
  if (found == entries_.end() || found->second->number != entry_number) return;
  Entry& entry = *found->second;
  Host& host = entry.host;
  const bool first = !std::exchange(host.answered, true);
  const bool was_not_found = std::exchange(host.not_found, result.status == net::ResolveStatus::kNotFound);
  const std::string before = std::exchange(host.failure, result.error);
  bool changed = first || was_not_found != host.not_found || before != host.failure;
  if (result.status == net::ResolveStatus::kFound) {
    if (std::exchange(entry.failing, false)) LogInfo(fmt::format("host resolves again host={}", name));
    if (host.addresses != result.addresses) {
      host.addresses = result.addresses;
      changed = true;
    }
    loop_.timers().Schedule(entry.timer, loop_.now() + Lifetime(result.ttl));
  } else {
    OnFailure(name, entry, result);
  }
  if (changed && !using_) on_change_(name);
}

void HostTable::OnFailure(const std::string& name, Entry& entry, const net::ResolveResult& result) {
  failures_.Add();
  loop_.timers().Schedule(entry.timer, loop_.now() + kRetry);
  if (std::exchange(entry.failing, true)) return;
  LogWarning(fmt::format("host does not resolve host={} reason=\"{}\" addresses-kept={}", name, result.error,
                         entry.host.addresses.size()));
}

}  // namespace weir::health
