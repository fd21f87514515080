#pragma once

// The zones of one configuration, compiled for answering: names in wire form in one arena behind one hash table, record
// data in wire form in another. Looking a name up allocates nothing and locks nothing.

#include "base/ip_address.h"
#include "config/diagnostic.h"
#include "config/model.h"
#include "dns/counters.h"
#include "dns/wire/name.h"
#include "dns/wire/types.h"
#include "dns/zone/records.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace weir::dns {

class CidrTable;
class GeoDatabase;
class LatencyTable;

// Where a question leads inside one zone (RFC 1034 4.3.2, RFC 4592).
struct NodeMatch {
  enum class Kind : std::uint8_t {
    kFound,  // `node` is the name itself, or the wildcard that stands for it; it may hold no record (RFC 4592 2.2.2)
    kDelegation,  // `node` is a zone cut at or above the name
    kNone,        // NXDOMAIN
  };
  Kind kind = Kind::kNone;
  bool wildcard = false;
  std::uint32_t node = 0;
};

// Immutable once built. Thread: any (const).
class ZoneSet {
 public:
  ~ZoneSet();
  ZoneSet(const ZoneSet&) = delete;
  ZoneSet& operator=(const ZoneSet&) = delete;

  // Compiles the zones of `model`, which config::Load made without an error and which is kept without its plain
  // records. Reads the latency table and opens the MaxMind database that it names: blocks on the file system. Every
  // wrong value and table row comes back, at the position of its text, in the order of the file. Zone counters come
  // from `registry`. Thread: control.
  [[nodiscard]] static std::expected<std::shared_ptr<const ZoneSet>, std::vector<config::Diagnostic>> Build(
      std::shared_ptr<const config::Model> model, CounterRegistry& registry);

  // What is kept of the model.
  [[nodiscard]] const config::Model& model() const { return *model_; }
  [[nodiscard]] const std::shared_ptr<const config::Model>& shared_model() const { return model_; }
  [[nodiscard]] std::size_t zone_count() const { return zones_.size(); }
  [[nodiscard]] const std::string& zone_name(std::size_t zone) const { return model_->zones[zone].name; }
  [[nodiscard]] ZoneCountersTable& zone_counters(std::size_t zone) const { return *zones_[zone].counters; }
  [[nodiscard]] std::size_t record_count() const { return members_.size(); }
  // Heap bytes that the compiled form takes, the model not included.
  [[nodiscard]] std::size_t memory_bytes() const;

  // ---- the lookups that answering is made of

  // The zone with the longest name that holds `name`. For `ds` a zone apex belongs to the parent zone, if that is
  // served too (RFC 4035 3.1.4.1). Absent: not ours, REFUSED.
  [[nodiscard]] std::optional<std::uint32_t> FindZone(const HashedName& name, bool ds) const;
  // `ds`: a question that is answered at the parent's side of a zone cut.
  [[nodiscard]] NodeMatch FindNode(std::uint32_t zone, const HashedName& name, bool ds) const;
  // The node of exactly this name; absent when there is none.
  [[nodiscard]] std::optional<std::uint32_t> FindExact(std::uint32_t zone, const HashedName& name) const;
  // The CNAME at a node, which stands alone there (RFC 1034 3.6.2; the configuration is checked); null without one.
  [[nodiscard]] const Group* FindCname(std::uint32_t node) const {
    const Node& at = nodes_[node];
    if (at.group_count != 1) return nullptr;
    const Group& only = groups_[at.first_group];
    return only.type == rr::kCname ? &only : nullptr;
  }
  // The records of one type at a node; null when there are none.
  [[nodiscard]] const Group* FindGroup(std::uint32_t node, std::uint16_t type) const;

  [[nodiscard]] const ZoneApex& zone(std::size_t index) const { return zones_[index]; }
  [[nodiscard]] const Node& node(std::size_t index) const { return nodes_[index]; }
  [[nodiscard]] std::span<const Group> groups() const { return groups_; }
  [[nodiscard]] std::span<const Group> groups_of(const Node& node) const {
    return std::span(groups_).subspan(node.first_group, node.group_count);
  }
  [[nodiscard]] std::span<const Member> members_of(const Group& group) const {
    return std::span(members_).subspan(group.first_member, group.member_count);
  }
  // The owner name in lower-case wire form.
  [[nodiscard]] std::span<const std::uint8_t> name_of(const Node& node) const {
    return std::span(names_).subspan(node.name, node.name_bytes);
  }
  // The bytes behind RdataList; NextValue reads them.
  [[nodiscard]] std::span<const std::uint8_t> rdata() const { return rdata_; }
  // What an alias to a load balancer answers for A and AAAA; empty for other types.
  [[nodiscard]] RdataList load_balancer_values(std::uint32_t load_balancer, std::uint16_t type) const;
  // ---- for reading ahead: hints, never wrong to leave out

  // True when looking a name up usually waits for memory.
  [[nodiscard]] bool outgrows_caches() const { return outgrows_caches_; }
  // Begins to fetch the slot that a NodeHash leads to.
  void PrefetchSlot(std::uint64_t node_hash) const;
  // The node that most probably has this NodeHash: its name is not compared.
  [[nodiscard]] std::optional<std::uint32_t> LikelyNode(std::uint64_t node_hash) const;

  // The configured record set behind a member; null for plain records, the SOA and the apex NS.
  [[nodiscard]] const config::RecordSet* record_of(const Group& group, const Member& member) const;

  // The collection of a CIDR group, by its policy_index.
  [[nodiscard]] const CidrTable& cidr_table(std::uint32_t index) const { return *cidr_tables_[index]; }
  [[nodiscard]] const LatencyTable* latency_table() const { return latency_.get(); }  // null: none configured
  [[nodiscard]] const GeoDatabase* geo_database() const { return geo_.get(); }        // null: none configured

  // Sizes that per-worker state is allocated by.
  [[nodiscard]] std::uint32_t draw_count() const { return draw_count_; }
  [[nodiscard]] std::uint32_t health_slot_count() const { return health_slot_count_; }
  [[nodiscard]] std::uint32_t group_members_max() const { return group_members_max_; }

 private:
  friend class ZoneSetBuilder;
  ZoneSet();
  [[nodiscard]] std::optional<std::uint32_t> FindHashed(std::uint32_t zone, std::uint64_t hash,
                                                        std::span<const std::uint8_t> name) const;
  [[nodiscard]] std::optional<std::uint32_t> FindWildcard(std::uint32_t zone, const HashedName& name,
                                                          std::size_t depth) const;

  std::shared_ptr<const config::Model> model_;
  std::vector<ZoneApex> zones_;
  std::vector<std::uint64_t> zone_slots_;  // open addressing: upper half of the hash, then zone index + 1
  std::vector<std::uint64_t> node_slots_;  // the same for nodes
  std::vector<Node> nodes_;
  std::vector<Group> groups_;
  std::vector<Member> members_;
  std::vector<std::uint8_t> names_;
  std::vector<std::uint8_t> rdata_;
  std::vector<std::array<RdataList, 2>> load_balancer_values_;  // IPv4, IPv6
  std::vector<std::unique_ptr<const CidrTable>> cidr_tables_;   // by collection; null where no record uses it
  std::unique_ptr<const LatencyTable> latency_;
  std::unique_ptr<const GeoDatabase> geo_;
  std::uint32_t draw_count_ = 0;
  std::uint32_t health_slot_count_ = 0;
  std::uint32_t group_members_max_ = 0;
  bool outgrows_caches_ = false;
};

}  // namespace weir::dns
