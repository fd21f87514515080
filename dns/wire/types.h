#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace weir::dns {

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
inline constexpr std::uint16_t kHttps = 65;
inline constexpr std::uint16_t kSpf = 99;
inline constexpr std::uint16_t kTsig = 250;
inline constexpr std::uint16_t kIxfr = 251;
inline constexpr std::uint16_t kAxfr = 252;
inline constexpr std::uint16_t kAny = 255;
inline constexpr std::uint16_t kCaa = 257;
}  // namespace rr

inline constexpr std::uint16_t kClassIn = 1;
inline constexpr std::uint16_t kClassAny = 255;

enum class Rcode : std::uint16_t {
  kNoError = 0,
  kFormErr = 1,
  kServFail = 2,
  kNxDomain = 3,
  kNotImp = 4,
  kRefused = 5,
  kNotAuth = 9,
  kBadVers = 16,
};

// `A`, `CAA`, `TYPE666`.
[[nodiscard]] std::string TypeName(std::uint16_t type);
// Reads a mnemonic in any case, or TYPEnnn (RFC 3597). Absent for anything else.
[[nodiscard]] std::optional<std::uint16_t> ParseType(std::string_view text);
// `NOERROR`, `NXDOMAIN`, `RCODE11`.
[[nodiscard]] std::string RcodeName(Rcode rcode);

}  // namespace weir::dns
