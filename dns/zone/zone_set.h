#pragma once

// The zones of one configuration, compiled for answering, and what they have in common: where clients are, and what
// load balancers answer. Finding the zone of a name allocates nothing and locks nothing.

#include "config/diagnostic.h"
#include "config/model.h"
#include "dns/counters.h"
#include "dns/server_cookie.h"
#include "dns/wire/name.h"
#include "dns/zone/records.h"
#include "dns/zone/zone.h"

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

// A zone in its set. The numbers of a zone's groups are its own; in the memory of a worker they begin at these.
struct ZonePlace {
  const Zone* zone = nullptr;
  std::span<const std::uint8_t> name = {};  // of its apex
  std::uint32_t first_draw = 0;
  std::uint32_t first_health_slot = 0;
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
  // from `registry`. Zones that `previous` has compiled, and the files of `latency` where they are named alike, are
  // taken over from it; null: nothing is. Thread: control.
  [[nodiscard]] static std::expected<std::shared_ptr<const ZoneSet>, std::vector<config::Diagnostic>> Build(
      std::shared_ptr<const config::Model> model, CounterRegistry& registry, const ZoneSet* previous = nullptr);

  // What is kept of the model.
  [[nodiscard]] const config::Model& model() const { return *model_; }
  [[nodiscard]] const std::shared_ptr<const config::Model>& shared_model() const { return model_; }
  [[nodiscard]] std::size_t zone_count() const { return zones_.size(); }
  [[nodiscard]] const Zone& zone(std::size_t index) const { return *zones_[index]; }
  [[nodiscard]] const std::shared_ptr<const Zone>& shared_zone(std::size_t index) const { return zones_[index]; }
  [[nodiscard]] const ZonePlace& place(std::size_t index) const { return places_[index]; }
  [[nodiscard]] const std::string& zone_name(std::size_t index) const { return zones_[index]->config()->name; }
  [[nodiscard]] ZoneCountersTable& zone_counters(std::size_t index) const { return zones_[index]->counters(); }
  [[nodiscard]] std::size_t record_count() const { return record_count_; }
  // Those of them that were compiled for this set, not taken over.
  [[nodiscard]] std::size_t compiled_record_count() const { return compiled_record_count_; }
  // Heap bytes that the compiled form takes, the model not included.
  [[nodiscard]] std::size_t memory_bytes() const;

  // The zone with the longest name that holds `name`. For `ds` a zone apex belongs to the parent zone, if that is
  // served too (RFC 4035 3.1.4.1). Absent: not ours, REFUSED.
  [[nodiscard]] std::optional<std::uint32_t> FindZone(const HashedName& name, bool ds) const;

  // What an alias to a load balancer answers for A and AAAA; empty for other types. In load_balancer_rdata().
  [[nodiscard]] RdataList load_balancer_values(std::uint32_t load_balancer, std::uint16_t type) const;
  // The same of one of its nodes, by config::LoadBalancer::nodes.
  [[nodiscard]] RdataList node_values(std::uint32_t load_balancer, std::size_t node, std::uint16_t type) const;
  [[nodiscard]] const std::uint8_t* load_balancer_rdata() const { return load_balancer_rdata_.data(); }

  // True when looking a name up usually waits for memory.
  [[nodiscard]] bool outgrows_caches() const { return outgrows_caches_; }

  // The collection of a CIDR group, by its policy_index.
  [[nodiscard]] const CidrTable& cidr_table(std::uint32_t index) const { return *cidr_tables_[index]; }
  [[nodiscard]] const CookieSecret& cookie_secret() const { return cookie_secret_; }
  [[nodiscard]] const LatencyTable* latency_table() const { return latency_.get(); }  // null: none configured
  [[nodiscard]] const GeoDatabase* geo_database() const { return geo_.get(); }        // null: none configured

  // Sizes that per-worker state is allocated by.
  [[nodiscard]] std::uint32_t draw_count() const { return draw_count_; }
  [[nodiscard]] std::uint32_t health_slot_count() const { return health_slot_count_; }
  [[nodiscard]] std::uint32_t group_members_max() const { return group_members_max_; }

 private:
  friend class ZoneSetBuilder;
  ZoneSet();

  std::shared_ptr<const config::Model> model_;
  std::vector<std::uint64_t> zone_slots_;  // open addressing: upper half of the hash, then zone index + 1
  std::vector<ZonePlace> places_;
  std::vector<std::shared_ptr<const Zone>> zones_;
  std::vector<std::array<RdataList, 2>> load_balancer_values_;      // IPv4, IPv6
  std::vector<std::vector<std::array<RdataList, 2>>> node_values_;  // parts of the above, by load balancer and node
  std::vector<std::uint8_t> load_balancer_rdata_;
  std::vector<std::shared_ptr<const CidrTable>> cidr_tables_;  // by collection; null where no record uses it
  std::shared_ptr<const LatencyTable> latency_;
  CookieSecret cookie_secret_ = OwnCookieSecret();
  std::shared_ptr<const GeoDatabase> geo_;
  std::size_t record_count_ = 0;
  std::size_t compiled_record_count_ = 0;
  std::uint32_t draw_count_ = 0;
  std::uint32_t health_slot_count_ = 0;
  std::uint32_t group_members_max_ = 0;
  bool outgrows_caches_ = false;
};

}  // namespace weir::dns
