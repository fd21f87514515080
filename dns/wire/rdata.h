#pragma once

#include "base/result.h"
#include "dns/wire/name.h"
#include "dns/wire/types.h"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace weir::dns {

inline constexpr std::size_t kRdataBytesMax = 65'535;

// Reads one value in presentation form (RFC 1035 5.1 and the RFC of each type) and appends its wire form to `out`.
// `\# LENGTH HEX` is taken for every type and is the only form for types without one of their own (RFC 3597). Names end
// in a dot, or have several labels, as Route 53 has them, to be absolute; one label, or `@`, is relative to `zone`.
// Fails with what is wrong and what would be right; `out` may then hold a part.
[[nodiscard]] Result<void> ParseRdata(std::uint16_t type, std::string_view text, const Name& zone,
                                      std::vector<std::uint8_t>& out);

// The presentation form of wire data that ParseRdata made. Names are uncompressed.
[[nodiscard]] std::string RdataText(std::uint16_t type, std::span<const std::uint8_t> rdata);

}  // namespace weir::dns
