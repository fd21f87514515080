#pragma once

#include "base/enumerators.h"

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace weir::proxy {

// What became of the transforms of a rule, by AWS's names; spec: alb.md 6. Expressions that do not compile are errors
// of the configuration here, so that those of its names never come up.
enum class TransformStatus : std::uint8_t {
  kNone,  // no transform matched, or there is none: the request goes on as it is
  kSuccess,
  kBufferTooSmall,  // the result is longer than kTransformedBytesMax
  kInvalidHost,     // the result is no host
  kInvalidPath,     // the result is no path, with or without a query
  kReplaceError,    // the replacement names a group that the expression does not have
};
inline constexpr std::size_t kTransformStatuses = CountEnumerators<TransformStatus>();
// `TransformSuccess`; empty for kNone.
[[nodiscard]] std::string_view ToString(TransformStatus status);

}  // namespace weir::proxy
