#pragma once

// The life of a query (answer.cc): ParseQuery -> FindZone -> AnswerFromZone, which gathers RRsets section by section;
// then AnswerWriter puts them into the response.

#include "base/ip_address.h"
#include "dns/counters.h"
#include "dns/policy/selection.h"
#include "dns/rrset.h"
#include "dns/wire/query.h"
#include "dns/wire/types.h"
#include "dns/zone/zone_set.h"
#include "health/status.h"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>

namespace weir::dns {

struct ClientQuery {
  std::span<const std::uint8_t> message;  // without the length that TCP puts in front
  IpAddress client;                       // the resolver's address
  Transport transport = Transport::kUdp;
};

// What was answered, for counters and explanations.
struct AnswerReport {
  std::size_t size = 0;  // bytes written; 0: drop the query without a word
  Rcode rcode = Rcode::kNoError;
  std::uint16_t type = 0;  // of the question; 0 when it could not be read
  bool truncated = false;
  bool referral = false;
  std::uint16_t answer_count = 0;
  std::optional<std::uint32_t> zone;
};

[[nodiscard]] std::uint32_t SystemUnixSeconds();

// One worker's answers from one view of zones and health. Allocates only in SetView. Thread: worker.
class Answerer {
 public:
  // `seed` starts the random choices (order of values, multivalue, first weighted draw of a cycle).
  explicit Answerer(std::uint64_t seed);

  // Takes over newer zones, newer health, or both; neither is null. Weighted draws go on when the zones are the same.
  void SetView(std::shared_ptr<const ZoneSet> zones, std::shared_ptr<const health::StatusTable> status);
  [[nodiscard]] const std::shared_ptr<const ZoneSet>& zones() const { return zones_; }

  // Writes the response to `query` into `out`, at most min(out.size(), what the transport and the client allow) bytes;
  // `out` must hold 512. Before the first SetView everything is REFUSED. `trace`, when given, is told every decision.
  [[nodiscard]] AnswerReport Answer(const ClientQuery& query, std::span<std::uint8_t> out,
                                    SelectionTrace* trace = nullptr);

  // Reads ahead for messages that are about to be answered, where that pays: their waits for memory overlap. Changes no
  // answer.
  void Expect(std::span<const std::span<const std::uint8_t>> messages) const;

  // Timeout told to TCP clients that ask for edns-tcp-keepalive (RFC 7828); 0 (default) tells nothing.
  void set_tcp_idle_timeout(std::chrono::milliseconds timeout) { tcp_idle_timeout_ = timeout; }
  // Where the time in cookies comes from, in seconds since 1970; default: the system's clock.
  void set_unix_seconds(std::uint32_t (*now)()) { unix_seconds_ = now; }
  // Fixed choices instead of random ones: the heaviest member, values in the order of the file.
  void set_deterministic() { selector_.set_deterministic(); }

 private:
  friend class AnswerSearch;

  std::shared_ptr<const ZoneSet> zones_;
  std::shared_ptr<const health::StatusTable> status_;
  RecordSelector selector_;
  Query query_;
  HashedName name_;
  HashedName server_;  // whose addresses are looked for
  AnswerSections sections_;
  std::chrono::milliseconds tcp_idle_timeout_{0};
  std::uint32_t (*unix_seconds_)() = &SystemUnixSeconds;
};

}  // namespace weir::dns
