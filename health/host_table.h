#pragma once

#include "base/counters.h"
#include "base/ip_address.h"
#include "net/event_loop.h"
#include "net/resolver.h"
#include "net/timer_wheel.h"

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <vector>

namespace weir::health {

// The addresses of the host names that targets and DNS health checks are given by. Each name is looked up when it is
// first used and again when its TTL ends. When that fails the last addresses stay (fail static); it is logged once.
// Thread: the engine's.
class HostTable {
 public:
  struct Host {
    std::vector<IpAddress> addresses;  // the last that were found, sorted
    bool answered = false;             // some look-up has ended, well or not
    bool not_found = false;            // the last look-up said that there is no such name or address
    std::string failure;               // why the last look-up gave no address; empty when it gave some
  };
  // `on_change` is called when addresses, `not_found` or `failure` of a name changed, and when its first look-up ended.
  HostTable(net::EventLoop& loop, std::span<const Endpoint> servers, Counter& failures,
            std::function<void(const std::string&)> on_change);
  ~HostTable();

  // Keeps exactly `names`: new ones are looked up, the others go on as they are or are forgotten.
  void Use(const std::set<std::string>& names);
  // Null for a name that is not in use.
  [[nodiscard]] const Host* Find(const std::string& name) const;

 private:
  struct Entry;
  void LookUp(const std::string& name);
  void OnResolved(const std::string& name, std::uint64_t entry_number, const net::ResolveResult& result);
  void OnFailure(const std::string& name, Entry& entry, const net::ResolveResult& result);

  net::EventLoop& loop_;
  net::Resolver resolver_;
  Counter& failures_;
  std::function<void(const std::string&)> on_change_;
  std::map<std::string, std::unique_ptr<Entry>, std::less<>> entries_;
  std::uint64_t entries_made_ = 0;
  bool using_ = false;  // inside Use: whoever called it looks at all names anyway
};

}  // namespace weir::health
