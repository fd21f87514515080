#pragma once

#include "base/ip_address.h"
#include "base/result.h"

#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace weir::dns {

// A place on the earth, in degrees.
struct Place {
  double latitude = 0;
  double longitude = 0;
};

// Great-circle distance (haversine, mean earth radius 6,371 km).
[[nodiscard]] double Kilometres(const Place& a, const Place& b);

// A MaxMind database (GeoLite2-City or alike) that says where addresses are. Mapped into memory: replace the file by
// renaming a new one over it, never by writing into it. Thread: any (const).
class GeoDatabase {
 public:
  // What the database says about the network around an address.
  struct Match {
    std::optional<Place> place;  // absent: the address, or its place, is not in the database
    unsigned scope_bits = 0;     // prefix length of the network for which this holds
  };

  // Where an address is, in the codes that records use (spec: dns.md 2, GeoLocation); empty: not known. Continents are
  // Route 53's, which differ from the database's for a few countries (spec: dns.md 3.3). Views into the database.
  struct Codes {
    std::string_view continent;    // EU
    std::string_view country;      // DE
    std::string_view subdivision;  // BY
    unsigned scope_bits = 0;       // as above
  };

  // Blocks on the file system. Fails when it is no MaxMind database.
  [[nodiscard]] static Result<std::unique_ptr<const GeoDatabase>> Open(const std::string& path);
  ~GeoDatabase();
  GeoDatabase(const GeoDatabase&) = delete;
  GeoDatabase& operator=(const GeoDatabase&) = delete;

  // Both allocate nothing.
  [[nodiscard]] Match Find(const IpAddress& address) const;
  [[nodiscard]] Codes FindCodes(const IpAddress& address) const;

 private:
  struct Library;
  explicit GeoDatabase(std::unique_ptr<Library> library);
  std::unique_ptr<Library> library_;
};

}  // namespace weir::dns
