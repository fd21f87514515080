#pragma once

// What a configuration gives as text and only this folder can read: record data and the files that say where clients
// are. Building a zone set reads them; so does a check of a file that has other errors.

#include "config/diagnostic.h"
#include "config/model.h"
#include "dns/policy/geo_database.h"
#include "dns/policy/latency_table.h"
#include "dns/server_cookie.h"
#include "dns/wire/name.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

namespace weir::dns {

// Appends the wire form of a record's value to `out`; the finding when it has none. A name in it is relative to `zone`.
[[nodiscard]] std::optional<config::Diagnostic> ReadValue(std::uint16_t type, const config::LocatedText& value,
                                                          const Name& zone, std::vector<std::uint8_t>& out);

// Null where the configuration names no file, or one that is wrong.
struct Places {
  std::unique_ptr<const LatencyTable> latency;
  std::unique_ptr<const GeoDatabase> geo;
};

// Reads the latency table and opens the MaxMind database that `model` names. Appends what is wrong to `findings`; rows
// that name no region are not wrong where a part of the configuration could not be read. Blocks on the file system.
[[nodiscard]] Places ReadPlaces(const config::Model& model, std::vector<config::Diagnostic>& findings);

// The configured secret of cookies; absent where there is none, or it is wrong, which is appended to `findings`. Blocks
// on the file system.
[[nodiscard]] std::optional<CookieSecret> ReadCookieSecret(const config::Model& model,
                                                           std::vector<config::Diagnostic>& findings);

// The findings about values and files of a model that has errors of other kinds, and that cannot be compiled therefore.
// Blocks on the file system. Thread: any.
[[nodiscard]] std::vector<config::Diagnostic> CheckValues(const config::Model& model);

}  // namespace weir::dns
