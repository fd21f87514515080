#pragma once

// DNS record types by name and number: one table for the configuration and for DNS.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace weir {

// Record types by number, as the IANA registry has them. A type is a plain number everywhere: unknown ones are served
// too (RFC 3597).
namespace rr {
inline constexpr std::uint16_t kA = 1;
inline constexpr std::uint16_t kNs = 2;
inline constexpr std::uint16_t kCname = 5;
inline constexpr std::uint16_t kSoa = 6;
inline constexpr std::uint16_t kPtr = 12;
inline constexpr std::uint16_t kHinfo = 13;
inline constexpr std::uint16_t kMx = 15;
inline constexpr std::uint16_t kTxt = 16;
inline constexpr std::uint16_t kAaaa = 28;
inline constexpr std::uint16_t kSrv = 33;
inline constexpr std::uint16_t kNaptr = 35;
inline constexpr std::uint16_t kOpt = 41;
inline constexpr std::uint16_t kDs = 43;
inline constexpr std::uint16_t kSshfp = 44;
inline constexpr std::uint16_t kTlsa = 52;
inline constexpr std::uint16_t kSvcb = 64;
inline constexpr std::uint16_t kHttps = 65;
inline constexpr std::uint16_t kSpf = 99;
inline constexpr std::uint16_t kTsig = 250;
inline constexpr std::uint16_t kIxfr = 251;
inline constexpr std::uint16_t kAxfr = 252;
inline constexpr std::uint16_t kAny = 255;
inline constexpr std::uint16_t kCaa = 257;
}  // namespace rr

// `A`, `CAA`, `TYPE666`.
[[nodiscard]] std::string RecordTypeName(std::uint16_t type);
// Reads a mnemonic in any case, or TYPEnnn (RFC 3597). Absent for anything else.
[[nodiscard]] std::optional<std::uint16_t> ParseRecordType(std::string_view text);

// The same for the type of a record in the configuration: absent, too, for what cannot be stored in a zone (ANY, AXFR,
// OPT), and for mnemonics of types that are written there as TYPEnnn.
[[nodiscard]] std::optional<std::uint16_t> ParseZoneRecordType(std::string_view text);
// The mnemonics that it takes.
[[nodiscard]] std::vector<std::string_view> ZoneRecordTypeNames();

}  // namespace weir
