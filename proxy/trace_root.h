#pragma once

#include <cstddef>
#include <string_view>

namespace weir::proxy {

// `1-65f0a1b2-0123456789abcdef01234567` of the value `Self=…;Root=1-…;Sampled=1` of X-Amzn-Trace-Id: what names the
// trace; empty when there is none. Thread: any.
[[nodiscard]] inline std::string_view RootOfTrace(std::string_view trace_id) {
  constexpr std::string_view kRoot = "Root=";
  const std::size_t at = trace_id.find(kRoot);
  if (at == std::string_view::npos) return {};
  trace_id.remove_prefix(at + kRoot.size());
  return trace_id.substr(0, trace_id.find(';'));
}

}  // namespace weir::proxy
