#pragma once

#include "health/status.h"

#include <cstdint>

namespace weir::proxy {

// What a hash chose, for those who explain it.
struct HashedChoice {
  std::uint32_t position = 0;   // in `status.routable`: who takes the request
  std::uint32_t preferred = 0;  // who would without the bound of loads
};

// Of the targets that take requests the one that `key` prefers (rendezvous hashing: each has a score of its own for
// each key, and the highest wins), but none that has more than 1.25 times its part of all requests under way, this one
// counted, and at least four: then the one that the key prefers next. So a target that goes away moves its own keys and
// no others, and a key that everybody asks for spills over. The same on every appliance. Its cost grows with the number
// of targets. `status.routable` is not empty. Allocates nothing. Thread: any.
[[nodiscard]] HashedChoice ChooseByHash(const health::GroupStatus& status, std::uint64_t key);

}  // namespace weir::proxy
