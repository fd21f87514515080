#pragma once

// One zone, compiled for answering: its names in wire form in one arena behind one hash table, record data in wire form
// in another. Looking a name up allocates nothing and locks nothing. It depends on nothing but its configured zone, so
// that zone sets which follow each other share the zones that did not change.

#include "config/model.h"
#include "dns/counters.h"
#include "dns/wire/name.h"
#include "dns/wire/types.h"
#include "dns/zone/records.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

namespace weir::dns {

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

// Immutable once built, by ZoneBuilder. Thread: any (const).
class Zone {
 public:
  Zone(const Zone&) = delete;
  Zone& operator=(const Zone&) = delete;

  // What it was compiled from, without its plain records.
  [[nodiscard]] const std::shared_ptr<const config::Zone>& config() const { return config_; }
  [[nodiscard]] ZoneCountersTable& counters() const { return *counters_; }
  [[nodiscard]] std::size_t record_count() const { return members_.size(); }
  // Heap bytes that the compiled form takes, the configured zone not included.
  [[nodiscard]] std::size_t memory_bytes() const;

  // ---- the lookups that answering is made of

  // `ds`: a question that is answered at the parent's side of a zone cut.
  [[nodiscard]] NodeMatch FindNode(const HashedName& name, bool ds) const;
  // The node of exactly this name; absent when there is none.
  [[nodiscard]] std::optional<std::uint32_t> FindExact(const HashedName& name) const {
    return FindHashed(name.suffix_hash(name.labels()), name.wire());
  }
  // The CNAME at a node, which stands alone there (RFC 1034 3.6.2; the configuration is checked); null without one.
  [[nodiscard]] const Group* FindCname(std::uint32_t node) const {
    const Node& at = nodes_[node];
    if (at.group_count != 1) return nullptr;
    const Group& only = groups_[at.first_group];
    return only.type == rr::kCname ? &only : nullptr;
  }
  // The records of one type at a node; null when there are none.
  [[nodiscard]] const Group* FindGroup(std::uint32_t node, std::uint16_t type) const;

  [[nodiscard]] const ZoneApex& apex() const { return apex_; }
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
  [[nodiscard]] std::span<const std::uint8_t> apex_name() const { return name_of(nodes_[apex_.node]); }
  // The bytes behind RdataList; NextValue reads them.
  [[nodiscard]] const std::uint8_t* rdata() const { return rdata_.data(); }

  // ---- for reading ahead: hints, never wrong to leave out

  // Begins to fetch the slot that the hash of a name leads to.
  void PrefetchSlot(std::uint64_t name_hash) const {
    __builtin_prefetch(&node_slots_[name_hash & (node_slots_.size() - 1)]);
  }
  // The node that most probably has the name with this hash: its name is not compared.
  [[nodiscard]] std::optional<std::uint32_t> LikelyNode(std::uint64_t name_hash) const;

  // The configured record set behind a member; null for plain records, the SOA and the apex NS.
  [[nodiscard]] const config::RecordSet* record_of(const Member& member) const {
    return member.record == kNoIndex ? nullptr : &config_->records[member.record];
  }

  // Sizes that per-worker state is allocated by.
  [[nodiscard]] std::uint32_t draw_count() const { return draw_count_; }
  [[nodiscard]] std::uint32_t health_slot_count() const { return health_slot_count_; }
  [[nodiscard]] std::uint32_t group_members_max() const { return group_members_max_; }
  // Which CIDR collections its groups use, each once.
  [[nodiscard]] std::span<const std::uint32_t> cidr_collections() const { return cidr_collections_; }

 private:
  friend class ZoneBuilder;
  Zone() = default;
  [[nodiscard]] std::optional<std::uint32_t> FindHashed(std::uint64_t hash, std::span<const std::uint8_t> name) const;
  [[nodiscard]] std::optional<std::uint32_t> FindWildcard(const HashedName& name, std::size_t depth) const;

  std::vector<std::uint64_t> node_slots_;  // open addressing: upper half of the hash, then node index + 1
  std::vector<Node> nodes_;
  std::vector<std::uint8_t> names_;
  std::vector<Group> groups_;
  std::vector<Member> members_;
  std::vector<std::uint8_t> rdata_;
  ZoneApex apex_;
  std::uint32_t draw_count_ = 0;
  std::uint32_t health_slot_count_ = 0;
  std::uint32_t group_members_max_ = 0;
  std::vector<std::uint32_t> cidr_collections_;
  std::shared_ptr<ZoneCountersTable> counters_;
  std::shared_ptr<const config::Zone> config_;
};

}  // namespace weir::dns
