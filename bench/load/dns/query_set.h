#pragma once

#include "base/ip_address.h"
#include "dns/wire/name.h"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace weir::bench {

// Room that any query of a QuerySet fits in: header, longest name, type and class, OPT with a client subnet.
inline constexpr std::size_t kQueryBytesMax = 12 + dns::kNameBytesMax + 4 + 11 + 8 + 16;

// What is asked: a name (escapes are those of the configuration file) and a type.
struct Question {
  dns::Name name;
  std::uint16_t type = 0;
};

// How every query of a run is written.
struct QueryOptions {
  bool recursion_desired = false;
  bool edns = false;  // an OPT record; implied by client subnets
  bool dnssec_ok = false;
  std::uint16_t bufsize = 1232;  // the UDP payload size that OPT offers
};

// The queries of a run as messages, built once; sending one copies its bytes and puts the identifier in. Questions and
// client subnets rotate so that every question meets every subnet. Immutable. Thread: any (const).
class QuerySet {
 public:
  // `questions` is not empty.
  QuerySet(std::span<const Question> questions, std::span<const CidrBlock> subnets, const QueryOptions& options);

  [[nodiscard]] std::size_t size() const { return questions_.size(); }
  // Which question turn number `turn` asks.
  [[nodiscard]] std::uint32_t QuestionOf(std::uint64_t turn) const {
    return static_cast<std::uint32_t>(turn % questions_.size());
  }
  // Writes turn number `turn` with identifier `id`; returns its size. `out` has kQueryBytesMax.
  std::size_t Put(std::uint64_t turn, std::uint16_t id, std::span<std::uint8_t> out) const;
  // Name, type and class of question `index`, as a response repeats them.
  [[nodiscard]] std::span<const std::uint8_t> question(std::uint32_t index) const;
  [[nodiscard]] std::uint16_t type(std::uint32_t index) const;

 private:
  struct Piece {
    std::uint32_t offset = 0;
    std::uint32_t bytes = 0;
  };
  Piece Append(std::span<const std::uint8_t> bytes);

  std::vector<std::uint8_t> bytes_;
  std::vector<Piece> questions_;  // header and question
  std::vector<Piece> options_;    // OPT records, one for each subnet; one or none without subnets
  std::uint64_t round_ = 1;       // turns after which questions and subnets would meet again in the same pairs
};

}  // namespace weir::bench
