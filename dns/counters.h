#pragma once

#include "base/counters.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

namespace weir::dns {

enum class Transport : std::uint8_t { kUdp, kTcp };

// Response codes that are told apart in numbers; every other one counts as kOther.
inline constexpr std::array<std::string_view, 9> kCountedRcodes = {
    "NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED", "NOTAUTH", "BADVERS", "other"};
// Question types that are told apart in numbers.
inline constexpr std::array<std::string_view, 14> kCountedTypes = {
    "A", "AAAA", "CNAME", "TXT", "MX", "NS", "SOA", "SRV", "CAA", "PTR", "HTTPS", "DS", "ANY", "other"};
// Indexes into the two arrays above.
[[nodiscard]] std::size_t RcodeSlot(std::uint16_t rcode);
[[nodiscard]] std::size_t TypeSlot(std::uint16_t type);

// What one worker's responders of one transport saw.
struct TransportCounters {
  Counter queries;    // messages that arrived, dropped ones included
  Counter responses;  // messages that were handed to the system
  Counter dropped;    // not answered: shorter than a header, a response itself, or no room to send
  Counter truncated;  // answered with TC
  Counter malformed;  // answered FORMERR
  std::array<Counter, kCountedRcodes.size()> rcodes;
  std::array<Counter, kCountedTypes.size()> types;  // of well-formed questions
  // TCP only.
  Counter connections_accepted;
  Counter connections_active;
  Counter connections_evicted;    // closed to make room: the longest idle one
  Counter connections_timed_out;  // idle, or too slow to send a message or to take an answer
};

struct ResponderCounters {
  TransportCounters udp;
  TransportCounters tcp;
  [[nodiscard]] TransportCounters& of(Transport transport) { return transport == Transport::kUdp ? udp : tcp; }
};

struct ZoneCounters {
  Counter queries;
  Counter answers;    // NOERROR with at least one record in the answer section
  Counter no_data;    // NOERROR without
  Counter referrals;  // delegations to a child zone
  Counter nxdomain;
};

using ResponderCountersTable = PerWorker<ResponderCounters>;
using ZoneCountersTable = PerWorker<ZoneCounters>;

// Hands out the same counters for the same zone, so that numbers go on through reloads. Thread: any.
class CounterRegistry {
 public:
  explicit CounterRegistry(std::size_t workers)
      : workers_(workers), responders_(std::make_shared<ResponderCountersTable>(workers)) {}
  [[nodiscard]] std::size_t workers() const { return workers_; }
  [[nodiscard]] const std::shared_ptr<ResponderCountersTable>& responders() const { return responders_; }
  // `name` is the zone's absolute name with the final dot.
  [[nodiscard]] std::shared_ptr<ZoneCountersTable> Zone(const std::string& name);

 private:
  std::size_t workers_;
  std::shared_ptr<ResponderCountersTable> responders_;
  std::mutex mutex_;
  std::map<std::string, std::shared_ptr<ZoneCountersTable>, std::less<>> zones_;
};

}  // namespace weir::dns
