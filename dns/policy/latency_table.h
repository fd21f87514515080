#pragma once

#include "base/ip_address.h"
#include "base/result.h"

#include <array>
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

  // The row of `region` (an index into `regions`) that counts for a client block: the longest prefix that holds all of
  // it. Families never mix.
  [[nodiscard]] std::optional<Match> Find(const IpAddress& address, unsigned prefix_bits, std::uint32_t region) const;

  // Where a client's rows are, found once for all regions.
  struct Place {
    std::size_t interval = 0;
  };
  // Absent in a table without rows of the address's family.
  [[nodiscard]] std::optional<Place> Locate(const IpAddress& address) const;
  // As Find and ScopeBits without a place; `place` is that of `address`.
  [[nodiscard]] std::optional<Match> Find(const Place& place, const IpAddress& address, unsigned prefix_bits,
                                          std::uint32_t region) const;
  [[nodiscard]] unsigned ScopeBits(const Place& place, const IpAddress& address) const;

  // Bits of the widest block around `address` in which every address has the same rows: for no two clients do such
  // blocks overlap without being equal (RFC 7871 7.2.1).
  [[nodiscard]] unsigned ScopeBits(const IpAddress& address) const;

  [[nodiscard]] std::size_t row_count() const { return rows_.size(); }

 private:
  friend class LatencyTableBuilder;
  using Key = std::array<std::uint8_t, 16>;  // an IPv4 address is its first four bytes
  // A distinct prefix of the file, its rows and the next shorter prefix that holds it.
  struct Prefix {
    std::uint32_t parent = 0;
    std::uint32_t first_row = 0;
    std::uint32_t row_count = 0;
    unsigned bits = 0;
  };
  struct Row {
    std::uint32_t region = 0;
    double milliseconds = 0;
  };
  // From `start` to the next interval's start the longest prefix is `prefix`.
  struct Interval {
    Key start{};
    std::uint32_t prefix = 0;
  };

  [[nodiscard]] static Key KeyOf(const IpAddress& address);
  [[nodiscard]] const std::vector<Interval>& intervals(const IpAddress& address) const {
    return address.is_v4() ? v4_ : v6_;
  }
  std::vector<Prefix> prefixes_;
  std::vector<Row> rows_;
  std::vector<Interval> v4_;
  std::vector<Interval> v6_;
};

}  // namespace weir::dns
