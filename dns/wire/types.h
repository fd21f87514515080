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

// `NOERROR`, `NXDOMAIN`, `RCODE11`.
[[nodiscard]] std::string RcodeName(Rcode rcode);

}  // namespace weir::dns
