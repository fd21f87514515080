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
  const auto socket_address = net::SocketAddress::From({address, 0});
  int error = MMDB_SUCCESS;
  auto result = MMDB_lookup_sockaddr(&library_->database, socket_address.get(), &error);
  if (error != MMDB_SUCCESS) return match;
  match.scope_bits = result.netmask;
  if (address.is_v4() && library_->database.metadata.ip_version == 6) {
    match.scope_bits = result.netmask > kV4PrefixBits ? result.netmask - kV4PrefixBits : 0;
  }
  if (!result.found_entry) return match;
  const auto latitude = ReadDegrees(result.entry, "latitude", 90);
  const auto longitude = ReadDegrees(result.entry, "longitude", 180);
  if (latitude && longitude) match.place = Place{*latitude, *longitude};
  return match;
}

}  // namespace weir::dns
