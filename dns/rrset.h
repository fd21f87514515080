#pragma once

// What an answer is made of before it is written: RRsets, gathered section by section.

#include "base/check.h"
#include "dns/policy/selection.h"
#include "dns/zone/records.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace weir::dns {

// CNAMEs followed inside a zone before an answer ends as it is; our choice, resolvers follow 8 to 17.
inline constexpr std::size_t kCnameChainMax = 16;

// Values of an RRset, one after the other as NextValue reads them. They are put into a message from `first` on and go
// round.
struct RrsetValues {
  const std::uint8_t* begin;
  std::uint32_t count;
  std::uint32_t first;
};

// The records of one name and type that go into a message together (RFC 2181 section 5). Points into the zone set and
// into the query. Without initialisers, so that a list of them costs nothing before it is filled.
struct Rrset {
  const std::uint8_t* owner;  // a whole uncompressed name
  std::uint8_t owner_bytes;
  std::uint8_t part_count;
  std::uint16_t owner_at;  // where the message has the owner; 0: nowhere yet
  std::uint16_t type;
  std::uint32_t ttl_seconds;
  std::array<RrsetValues, kMultivalueMax> parts;  // the first part_count are set: one for each record set that answers

  // `wire` is a whole uncompressed name that outlives the RRset.
  void set_owner(std::span<const std::uint8_t> wire, std::uint16_t at) {
    owner = wire.data();
    owner_bytes = static_cast<std::uint8_t>(wire.size());
    owner_at = at;
  }
  void AddPart(const RrsetValues& values) { parts[part_count++] = values; }
  // The first of the values as they are stored, of an RRset that has some.
  [[nodiscard]] std::span<const std::uint8_t> first_value() const {
    const std::uint8_t* at = parts[0].begin;
    return NextValue(at);
  }
};

// RRsets of one section, at most `Capacity`. Allocates nothing.
template <std::size_t Capacity>
class RrsetList {
 public:
  [[nodiscard]] bool empty() const { return size_ == 0; }
  [[nodiscard]] bool full() const { return size_ == Capacity; }
  [[nodiscard]] std::span<const Rrset> view() const { return {rrsets_.data(), size_}; }
  void Clear() { size_ = 0; }
  // A place for one more, with a type, a TTL and no values; the list is not full.
  Rrset& Add(std::uint16_t type, std::uint32_t ttl_seconds) {
    WEIR_DCHECK(!full());
    Rrset& rrset = rrsets_[size_++];
    rrset.part_count = 0;
    rrset.type = type;
    rrset.ttl_seconds = ttl_seconds;
    return rrset;
  }

 private:
  std::array<Rrset, Capacity> rrsets_;  // the first size_ are set
  std::size_t size_ = 0;
};

// An answer as it was found and not written yet. Thread: worker.
struct AnswerSections {
  // Addresses of name servers: more than an answer over UDP has room for. Over TCP there may be more; what is gathered
  // is written when the list is full.
  static constexpr std::size_t kAdditionalMax = 40;

  RrsetList<kCnameChainMax + 1> answer;  // CNAMEs, and where they lead
  RrsetList<1> authority;                // the zone's SOA, or the servers of a delegation
  RrsetList<kAdditionalMax> additional;
  bool additional_is_needed = false;  // glue (RFC 9471): without room for all of it the answer is truncated

  void Clear() {
    answer.Clear();
    authority.Clear();
    additional.Clear();
    additional_is_needed = false;
  }
};

}  // namespace weir::dns
