#pragma once

// Which records of a group answer a client: spec: dns.md section 3, in its order. Health first (a group without a
// healthy member counts as wholly healthy), then the policy, then through the alias that was chosen.

#include "base/ip_address.h"
#include "base/random.h"
#include "dns/zone/records.h"
#include "dns/zone/zone_set.h"
#include "health/status.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace weir::dns {

// Multivalue answers hold at most this many records (spec: dns.md 3.3).
inline constexpr std::size_t kMultivalueMax = 8;

// Whose network an answer is for: the EDNS Client Subnet, else the resolver's address with all its bits.
struct ClientPlace {
  bool known = false;
  IpAddress address;
  unsigned prefix_bits = 0;
};

// How a latency or geoproximity candidate is ranked: measured before computed before unknown (docs: configuration,
// latency).
enum class LatencyRank : std::uint8_t { kMeasured, kDistance, kUnknown };

// One member of a group as the selection saw it.
struct Candidate {
  bool healthy = true;
  bool eligible = true;
  bool chosen = false;
  bool holds_client = false;  // CIDR: one of its blocks does; geolocation: its place does; or it is `*`
  LatencyRank rank = LatencyRank::kUnknown;
  double distance = 0;  // latency: milliseconds or kilometres, by rank; geoproximity: kilometres with the bias
  unsigned matched_bits =
      0;                     // latency: prefix length of the row that counted; CIDR: of the block that holds the client
  std::uint64_t weight = 0;  // weighted: what it is drawn by; 0 when not in the draw
};

// What one group decided.
struct Decision {
  const ZonePlace& place;
  const Group& group;
  std::span<const Candidate> candidates;  // by member
  bool fail_open = false;
  std::uint64_t weight_total = 0;  // weighted
};

// Is told each decision, from the top of the tree down.
class SelectionTrace {
 public:
  virtual void OnDecision(const Decision& decision) = 0;

 protected:
  ~SelectionTrace() = default;
};

// What answers: values of one record set, or of up to eight for multivalue. No list: NODATA, which is tailored to the
// client when a CIDR group has no record for it.
struct Selection {
  std::array<RdataList, kMultivalueMax> lists{};
  const std::uint8_t* rdata = nullptr;  // the bytes behind all lists
  std::size_t list_count = 0;
  std::uint32_t ttl_seconds = 0;
  unsigned scope_bits = 0;  // the answer holds for all clients that share this many bits (RFC 7871)
};

// The TTL of an answer from `member`, which is no alias to a record: the configured one, and 60 s for a load balancer
// unless configured; health does not shorten it (spec: dns.md 3.3, TTL advice). Several multivalue members: the
// smallest, because an RRset has one TTL (RFC 2181 5.2). An alias to a record never gets here: it has its target's.
[[nodiscard]] std::uint32_t AnswerTtlSeconds(const Member& member);

// One worker's choices. Shares by weight are exact: smooth weighted round robin over the eligible members, where the
// first draw of each cycle is random, so that resolvers that ask in turns do not always get the same member.
// Allocates only in SetView. Thread: worker.
class RecordSelector {
 public:
  explicit RecordSelector(std::uint64_t seed) : random_(seed) {}

  // Both outlive the next call. Where `zones` is another object (`zones_changed`), draws go on in the zones that it
  // shares with the one before, at their places, and start over in the others.
  void SetView(const ZoneSet& zones, const health::StatusTable& status, bool zones_changed);
  void set_deterministic() { deterministic_ = true; }
  [[nodiscard]] bool deterministic() const { return deterministic_; }

  // `group` is one of the zone at `place`; so below.
  [[nodiscard]] Selection Select(const ZonePlace& place, const Group& group, const ClientPlace& client,
                                 SelectionTrace* trace);

  // healthy(r) of spec: dns.md 3.1. An index that the status table does not have counts as healthy.
  [[nodiscard]] bool IsHealthy(const ZonePlace& place, const Member& member);
  // healthyGroup(g) of the same: at least one member is healthy.
  [[nodiscard]] bool IsGroupHealthy(const ZonePlace& place, const Group& group);

  [[nodiscard]] Random& random() { return random_; }

 private:
  void TakeCredits(const ZoneSet& zones);
  // What an alias to a load balancer answers: with zones, the addresses of those nodes that the status table says;
  // those of all nodes that no zonal shift leads away from where these have none of the type. spec: alb.md 10.2.
  void AddLoadBalancer(std::uint32_t balancer, std::uint16_t type, Selection& selection) const;
  // Nobody is chosen when a CIDR group has no record for the client.
  struct Choice {
    std::array<std::uint32_t, kMultivalueMax> members{};
    std::size_t count = 0;
  };
  // Fills candidates_ for the members.
  void JudgeHealth(const ZonePlace& place, std::span<const Member> members);
  Choice Choose(const ZonePlace& place, const Group& group, std::span<const Member> members, const ClientPlace& client,
                Selection& selection);
  Choice ChooseFirst(std::span<const Member> members) const;
  Choice ChooseFailover(std::span<const Member> members) const;
  Choice ChooseWeighted(const ZonePlace& place, const Group& group, std::span<const Member> members,
                        const ClientPlace& client, Selection& selection);
  Choice ChooseLatency(std::span<const Member> members, const ClientPlace& client, Selection& selection);
  Choice ChooseCidr(const Group& group, std::span<const Member> members, const ClientPlace& client,
                    Selection& selection);
  Choice ChooseGeolocation(const ZonePlace& place, std::span<const Member> members, const ClientPlace& client,
                           Selection& selection);
  Choice ChooseGeoproximity(const ZonePlace& place, std::span<const Member> members, const ClientPlace& client,
                            Selection& selection);
  // The eligible member of the best rank and the least distance; the first of several.
  [[nodiscard]] Choice ChooseNearest(std::span<const Member> members) const;
  // Of members that hold the client, narrowest first: `healthy`, else `first` (fail-open); kNoIndex: there is none.
  Choice ChooseHolder(std::span<const Member> members, std::uint32_t first, std::uint32_t healthy);
  // The members of `location` hold the client; the first of them, kNoIndex without one.
  std::uint32_t MarkLocation(std::span<const Member> members, std::uint32_t location, unsigned matched_bits);
  Choice ChooseMultivalue(std::span<const Member> members);
  void RankByTable(std::span<const Member> members, const ClientPlace& client, Selection& selection);
  void RankByDistance(std::span<const Member> members, const ClientPlace& client, Selection& selection);
  // The narrowest scope of all answers that the client's network could get from the group, whatever is drawn: scopes of
  // one name that overlap would let a cache keep the wider answer for everybody (RFC 7871 7.2.1).
  [[nodiscard]] unsigned ScopeBits(const ZonePlace& place, const Group& group, const ClientPlace& client);
  [[nodiscard]] unsigned DrawScopeBits(const ZonePlace& place, const Group& group, const ClientPlace& client);
  [[nodiscard]] std::uint32_t Draw(std::span<std::int64_t> credits, std::uint64_t weight_total);

  const ZoneSet* zones_ = nullptr;
  const health::StatusTable* status_ = nullptr;
  Random random_;
  bool deterministic_ = false;
  std::vector<std::int64_t> credits_;        // by ZonePlace::first_draw + Group::policy_index
  std::vector<std::uint32_t> group_health_;  // by first_health_slot + Group::health_slot: epoch * 2 + healthy
  std::uint32_t epoch_ = 0;
  std::vector<Candidate> candidates_;
  // DrawScopeBits: another place for candidates, and what one walk found, by first_draw + Group::policy_index. Branches
  // may meet again.
  struct FoundScope {
    std::uint64_t walk = 0;
    unsigned bits = 0;
  };
  std::vector<Candidate> spare_candidates_;
  std::vector<FoundScope> found_scopes_;
  std::uint64_t walk_ = 0;
};

}  // namespace weir::dns
