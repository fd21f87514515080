#pragma once

// Zone files (RFC 1035 section 5): the records of a zone as nearly every name server writes them.

#include "config/decode/decode.h"
#include "config/model.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace weir::config {

// What a file says of its zone. Names are absolute, as ParseDnsName gives them; values are in the presentation form
// that the records of a configuration have: names in them absolute, escapes octal.
struct ZoneFile {
  std::optional<Soa> soa;
  std::vector<std::string> name_servers;  // of the zone itself
  std::uint32_t ns_ttl_seconds = 0;
  std::vector<RecordSet> records;  // simple ones, without the SOA and the zone's NS, in the order of their first record
};

// Reads the file at `path`, a resolved path that stands at `named_at`, for the zone `name`. $ORIGIN, $TTL, $INCLUDE and
// $GENERATE are obeyed; TTLs may have units (`1h30m`); the class is IN. What is not in the zone is left out with a
// warning. Each file that is read becomes one of the configuration (`decoding.files`), so that findings have its name
// and line, and a change of it is noticed. Blocks on the file system.
[[nodiscard]] ZoneFile ReadZoneFile(const LocatedText& path, const std::string& name, Decoding& decoding);

}  // namespace weir::config
