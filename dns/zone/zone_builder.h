#pragma once

#include "config/diagnostic.h"
#include "config/model.h"
#include "dns/counters.h"
#include "dns/wire/name.h"
#include "dns/zone/zone.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace weir::dns {

// A name of a checked model, in which all names can be read.
[[nodiscard]] Name CheckedName(std::string_view text);

// Compiles one configured zone of a checked model; used once. How names, types, policies and aliases go together was
// checked with the configuration (config/check/records.cc); what is wrong with the values and sizes that only this
// folder can read is noted here, all of it. Aliases are in zone_aliases.cc, what a message can hold in zone_sizes.cc.
class ZoneBuilder {
 public:
  // `zone` has all its records.
  ZoneBuilder(std::shared_ptr<const config::Zone> zone, std::shared_ptr<ZoneCountersTable> counters);

  // Null when there are findings.
  [[nodiscard]] std::shared_ptr<const Zone> Build();
  [[nodiscard]] std::vector<config::Diagnostic>& findings() { return findings_; }

 private:
  // A record set on its way into a group: sorted by node, then type, then its place in the file.
  struct Entry {
    std::uint32_t node = 0;
    std::uint16_t type = 0;
    std::uint32_t record = kNoIndex;
    Member member;
  };

  void Fail(const config::Position& position, std::string message, std::string hint);
  void ReserveTables();
  void AddApex();
  void AddApexRecords(std::vector<Entry>& entries);
  void AddRecord(std::uint32_t record, std::vector<Entry>& entries);
  [[nodiscard]] RdataList AddValues(const config::RecordSet& record);
  // The node of a name inside the zone; makes it, and the empty non-terminals above it, when they are new.
  std::uint32_t PutNode(const HashedName& name);
  void BuildGroups(std::vector<Entry>& entries);
  void ResolveAliases();
  void ResolveAlias(const Group& group, Member& member);
  // Weighted groups that lead to answers which depend on who asks: Group::draws_by_client.
  void MarkDrawsByClient();
  enum class ClientUse : std::uint8_t { kUnknown, kNo, kYes };
  bool DependsOnClient(std::uint32_t index, std::uint32_t depth, std::span<ClientUse> uses);
  bool TargetDependsOnClient(const Member& member, std::uint32_t depth, std::span<ClientUse> uses);
  // Refuses record sets that no message can hold.
  void CheckMessageSizes();
  void CheckMessageSize(const Group& group, const Member& first, std::vector<RdataList>& lists);
  // Lets go of what answering, status and explanations do not need, once nothing can be found wrong with it.
  void ReleasePlainRecords();
  void FitTables();
  RdataList PutRdata(std::span<const std::uint8_t> rdata);

  std::shared_ptr<const config::Zone> configured_;
  Name name_;
  std::shared_ptr<Zone> zone_;
  std::vector<config::Diagnostic> findings_;
  std::vector<std::uint8_t> scratch_;
};

}  // namespace weir::dns
