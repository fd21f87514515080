#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace weir::testing {

// What a MaxMind database says of one network.
struct GeoNetwork {
  std::string block;  // `192.0.2.0/24`; no two overlap
  std::string continent = {};
  std::string country = {};
  std::string subdivision = {};
  std::optional<std::pair<double, double>> place = {};  // latitude and longitude, degrees
};

// A database of format 2.0 with an IPv6 tree, IPv4 networks at ::/96, as GeoLite2-City has it: its bytes.
[[nodiscard]] std::string WriteGeoDatabase(const std::vector<GeoNetwork>& networks);

}  // namespace weir::testing
