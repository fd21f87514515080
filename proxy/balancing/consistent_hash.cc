#include "proxy/balancing/consistent_hash.h"

#include "proxy/balancing/algorithm.h"
#include "proxy/balancing/hash_key.h"
#include "proxy/balancing/least_outstanding.h"
#include "proxy/balancing/weights.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>

namespace weir::proxy {
namespace {

// 1.25, in quarters.
constexpr std::uint64_t kBoundQuarters = 5;
// With fewer under way a target is not full, whatever its part: a client's requests side by side are no load.
constexpr std::uint64_t kNeverFull = 4;

std::uint64_t HashOf(const Endpoint& endpoint) {
  std::array<std::uint64_t, 2> words{};
  const auto bytes = endpoint.address.bytes();
  std::memcpy(words.data(), bytes.data(), bytes.size());
  return MixHash(words[0] ^ MixHash(words[1] + endpoint.port));
}

// The higher the better. Of equal weights the order of the hashes alone counts; of others that of their logarithms by
// weight gives each its part.
double Score(const health::GroupStatus& status, std::uint32_t position, std::uint64_t key) {
  const std::uint64_t hash = MixHash(key ^ HashOf(status.targets[status.routable[position]].endpoint));
  constexpr double kUnit = 1.0 / (std::uint64_t{1} << 53U);
  const double fraction = (static_cast<double>(hash >> 11U) + 0.5) * kUnit;
  if (status.weight_sums.empty()) return fraction;
  return static_cast<double>(WeightAt(status, position)) / -std::log(fraction);
}

// With one more it would have more than its part allows, in whole requests.
bool IsFull(const health::GroupStatus& status, std::uint32_t position, std::uint64_t under_way, std::uint64_t all) {
  const std::uint64_t part = kBoundQuarters * (all + 1) * WeightAt(status, position);
  const std::uint64_t whole = 4 * TotalWeight(status);
  return under_way >= std::max((part + whole - 1) / whole, kNeverFull);
}

}  // namespace

HashedChoice ChooseByHash(const health::GroupStatus& status, std::uint64_t key) {
  const auto count = static_cast<std::uint32_t>(status.routable.size());
  std::uint64_t all = 0;
  double best = -1;
  HashedChoice out;
  for (std::uint32_t i = 0; i < count; ++i) {
    all += OutstandingRequests(status.targets[status.routable[i]]);
    const double score = Score(status, i, key);
    if (score <= best) continue;
    best = score;
    out.preferred = i;
  }
  out.position = out.preferred;
  const auto is_full = [&](std::uint32_t position) {
    return IsFull(status, position, OutstandingRequests(status.targets[status.routable[position]]), all);
  };
  if (!is_full(out.preferred)) return out;
  best = -1;
  for (std::uint32_t i = 0; i < count; ++i) {
    if (i == out.preferred) continue;
    const double score = Score(status, i, key);
    if (score <= best || is_full(i)) continue;
    best = score;
    out.position = i;
  }
  return out;
}

// What has no key has no target of its own: in turn.
std::uint32_t ConsistentHash(const TargetChoice& choice) {
  return choice.key ? ChooseByHash(choice.status, *choice.key).position : RoundRobin(choice);
}

}  // namespace weir::proxy
