#include "dns/policy/geo_database.h"

#include "net/socket.h"

#include <maxminddb.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <numbers>
#include <utility>

namespace weir::dns {
namespace {

constexpr double kEarthRadiusKilometres = 6'371;
// Bits that stand before an IPv4 address in a database of IPv6 networks.
constexpr unsigned kV4PrefixBits = 96;

double Radians(double degrees) { return degrees * std::numbers::pi / 180; }

// A path of keys ends with a null pointer.
template <std::size_t kLength>
std::string_view ReadCode(MMDB_entry_s& entry, const std::array<const char*, kLength>& path) {
  MMDB_entry_data_s value;
  if (MMDB_aget_value(&entry, &value, path.data()) != MMDB_SUCCESS || !value.has_data) return {};
  return value.type == MMDB_DATA_TYPE_UTF8_STRING ? std::string_view(value.utf8_string, value.data_size)
                                                  : std::string_view();
}

// Where Route 53 differs from MaxMind's continents (spec: dns.md 3.3).
struct CountryContinent {
  std::string_view country;
  std::string_view continent;
};
constexpr auto kContinents = std::to_array<CountryContinent>(
    {{"AQ", "AN"}, {"CY", "EU"}, {"GE", "AS"}, {"GS", "AN"}, {"TF", "AN"}, {"TR", "EU"}, {"UM", "OC"}});

std::optional<double> ReadDegrees(MMDB_entry_s& entry, const char* key, double max) {
  const std::array<const char*, 3> path = {"location", key, nullptr};
  MMDB_entry_data_s value;
  if (MMDB_aget_value(&entry, &value, path.data()) != MMDB_SUCCESS || !value.has_data) return std::nullopt;
  double degrees = 0;
  if (value.type == MMDB_DATA_TYPE_DOUBLE) {
    degrees = value.double_value;
  } else if (value.type == MMDB_DATA_TYPE_FLOAT) {
    degrees = static_cast<double>(value.float_value);
  } else {
    return std::nullopt;
  }
  return std::isfinite(degrees) && std::abs(degrees) <= max ? std::optional(degrees) : std::nullopt;
}

}  // namespace

double Kilometres(const Place& a, const Place& b) {
  const double latitude = std::sin(Radians(b.latitude - a.latitude) / 2);
  const double longitude = std::sin(Radians(b.longitude - a.longitude) / 2);
  const double h =
      latitude * latitude + std::cos(Radians(a.latitude)) * std::cos(Radians(b.latitude)) * longitude * longitude;
  return 2 * kEarthRadiusKilometres * std::asin(std::min(1.0, std::sqrt(h)));
}

struct GeoDatabase::Library {
  MMDB_s database{};
  bool open = false;
  Library() = default;
  Library(const Library&) = delete;
  Library& operator=(const Library&) = delete;
  ~Library() {
    if (open) MMDB_close(&database);
  }

  // What is said of the network of `scope_bits` bits around an address; absent: nothing.
  [[nodiscard]] std::optional<MMDB_entry_s> Find(const IpAddress& address, unsigned& scope_bits) const {
    const auto socket_address = net::SocketAddress::From({address, 0});
    int error = MMDB_SUCCESS;
    const auto result = MMDB_lookup_sockaddr(&database, socket_address.get(), &error);
    if (error != MMDB_SUCCESS) {
      // A database of the other family: there are caches that take 0 as good for both (see PrefixTable).
      scope_bits = 1;
      return std::nullopt;
    }
    scope_bits = result.netmask;
    if (address.is_v4() && database.metadata.ip_version == 6) {
      scope_bits = result.netmask > kV4PrefixBits ? result.netmask - kV4PrefixBits : 0;
    }
    return result.found_entry ? std::optional(result.entry) : std::nullopt;
  }
};

GeoDatabase::GeoDatabase(std::unique_ptr<Library> library) : library_(std::move(library)) {}
GeoDatabase::~GeoDatabase() = default;

Result<std::unique_ptr<const GeoDatabase>> GeoDatabase::Open(const std::string& path) {
  auto library = std::make_unique<Library>();
  const int status = MMDB_open(path.c_str(), MMDB_MODE_MMAP, &library->database);
  if (status == MMDB_FILE_OPEN_ERROR || status == MMDB_IO_ERROR) {
    return Failure("cannot read " + path + ": " + std::strerror(errno));
  }
  if (status != MMDB_SUCCESS) {
    return Failure("cannot read " + path + ": " + MMDB_strerror(status),
                   "give a MaxMind database with places, such as GeoLite2-City.mmdb");
  }
  library->open = true;
  return std::unique_ptr<const GeoDatabase>(new GeoDatabase(std::move(library)));
}

GeoDatabase::Match GeoDatabase::Find(const IpAddress& address) const {
  Match match;
  auto entry = library_->Find(address, match.scope_bits);
  if (!entry) return match;
  const auto latitude = ReadDegrees(*entry, "latitude", 90);
  const auto longitude = ReadDegrees(*entry, "longitude", 180);
  if (latitude && longitude) match.place = Place{*latitude, *longitude};
  return match;
}

GeoDatabase::Codes GeoDatabase::FindCodes(const IpAddress& address) const {
  Codes codes;
  auto entry = library_->Find(address, codes.scope_bits);
  if (!entry) return codes;
  codes.country = ReadCode(*entry, std::array<const char*, 3>{"country", "iso_code", nullptr});
  codes.subdivision = ReadCode(*entry, std::array<const char*, 4>{"subdivisions", "0", "iso_code", nullptr});
  const auto known = std::ranges::find(kContinents, codes.country, &CountryContinent::country);
  codes.continent = known != kContinents.end()
                        ? known->continent
                        : ReadCode(*entry, std::array<const char*, 3>{"continent", "code", nullptr});
  return codes;
}

}  // namespace weir::dns
