#pragma once

#include "base/record_type.h"

#include <cstdint>
#include <string>

namespace weir::dns {

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

// EDNS options: IANA's numbers (RFC 5001, 7871, 7873, 7828).
inline constexpr std::uint16_t kOptionNsid = 3;
inline constexpr std::uint16_t kOptionClientSubnet = 8;
inline constexpr std::uint16_t kOptionCookie = 10;
inline constexpr std::uint16_t kOptionKeepalive = 11;

// `NOERROR`, `NXDOMAIN`, `RCODE11`.
[[nodiscard]] std::string RcodeName(Rcode rcode);

}  // namespace weir::dns
