#pragma once

#include "base/ip_address.h"
#include "base/result.h"
#include "dns/policy/prefix_table.h"

#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace weir::dns {

// How far client networks are from regions, as measured: rows `client-cidr,region,milliseconds`. For each region the
// row with the longest prefix that holds the client counts. Immutable once built. Thread: any (const).
class LatencyTable {
 public:
  // One row that holds a client.
  struct Match {
    double milliseconds = 0;
    unsigned prefix_bits = 0;
  };

  // Reads CSV text: `#` comments, empty lines and a header row are passed over. `regions` are the configured names, in
  // their order. Fails with every wrong line, as `line 3: …`.
  [[nodiscard]] static std::expected<LatencyTable, std::vector<Error>> Parse(std::string_view text,
                                                                             std::span<const std::string> regions);

  // Where a client's rows are, found once for all regions.
  [[nodiscard]] PrefixTable::Place Locate(const IpAddress& address) const { return prefixes_.Locate(address); }
  // The row of `region` (an index into `regions`) that counts for a client block: the longest prefix that holds all of
  // it. Families never mix. `place` is that of `address`.
  [[nodiscard]] std::optional<Match> Find(const IpAddress& address, const PrefixTable::Place& place,
                                          unsigned prefix_bits, std::uint32_t region) const;
  // Bits of the widest block around `address` in which every address has the same rows; see PrefixTable.
  [[nodiscard]] unsigned ScopeBits(const IpAddress& address, const PrefixTable::Place& place) const {
    return prefixes_.ScopeBits(address, place);
  }

 private:
  friend class LatencyTableBuilder;
  struct Row {
    std::uint32_t region = 0;
    double milliseconds = 0;
  };

  PrefixTable prefixes_;                   // the distinct prefixes of the file
  std::vector<std::uint32_t> first_rows_;  // by prefix: where its rows begin; at the end their number
  std::vector<Row> rows_;
};

}  // namespace weir::dns
