#pragma once

#include "base/ip_address.h"
#include "net/event_loop.h"

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace weir::net {

enum class ResolveStatus : std::uint8_t {
  kFound,
  kNotFound,  // the name does not exist or has no address: an answer, not a fault
  kFailed,    // nobody answered, or not properly: nothing is known
};

struct ResolveResult {
  ResolveStatus status = ResolveStatus::kFailed;
  // Every A and AAAA address, each once, sorted (IPv4 first), so that a rotating answer is the same answer.
  std::vector<IpAddress> addresses;
  // The smallest TTL of the answer, 0 included. kTtlUnknown for addresses from /etc/hosts and for literals.
  std::chrono::seconds ttl{0};
  std::string error;  // why there are no addresses: `Domain name not found`; empty when found
};

// Looks up host names without blocking, through c-ares on the loop it is given: /etc/hosts first, then the name servers
// of the system. Keeps nothing: whoever asks decides how long an answer is good for. Thread: that of its loop.
class Resolver {
 public:
  static constexpr std::chrono::seconds kTtlUnknown{-1};
  using OnResolved = std::function<void(const ResolveResult&)>;

  // `servers` replaces the name servers of the system when it is not empty.
  explicit Resolver(EventLoop& loop, std::span<const Endpoint> servers = {});
  // Forgets the look-ups that are under way: their callbacks are not called.
  ~Resolver();
  Resolver(const Resolver&) = delete;
  Resolver& operator=(const Resolver&) = delete;

  // Looks up the addresses of `host`. `done` is called once, maybe before this returns (/etc/hosts, literals), and may
  // start another look-up, but not destroy the resolver. Gives up after about six seconds.
  void Resolve(const std::string& host, OnResolved done);

 private:
  class Channel;
  std::unique_ptr<Channel> channel_;
};

}  // namespace weir::net
