#include "base/random.h"

#include "base/text.h"

#include <sys/random.h>

#include <algorithm>
#include <bit>
#include <chrono>
#include <cstddef>

namespace weir {
namespace {

std::uint64_t SplitMix(std::uint64_t& state) {
  state += 0x9e3779b97f4a7c15ULL;
  std::uint64_t z = state;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
  return z ^ (z >> 31);
}

std::uint64_t SystemSeed() {
  std::uint64_t seed = 0;
  if (getrandom(&seed, sizeof(seed), 0) != sizeof(seed)) {
    seed = static_cast<std::uint64_t>(std::chrono::steady_clock::now().time_since_epoch().count());
  }
  return seed;
}

}  // namespace

Random::Random() : Random(SystemSeed()) {}

Random::Random(std::uint64_t seed) {
  for (auto& word : state_) word = SplitMix(seed);
}

std::uint64_t Random::Next() {
  // xoshiro256++ by Blackman and Vigna.
  const std::uint64_t result = std::rotl(state_[0] + state_[3], 23) + state_[0];
  const std::uint64_t t = state_[1] << 17;
  state_[2] ^= state_[0];
  state_[3] ^= state_[1];
  state_[1] ^= state_[2];
  state_[0] ^= state_[3];
  state_[2] ^= t;
  state_[3] = std::rotl(state_[3], 45);
  return result;
}

std::uint64_t Random::Below(std::uint64_t bound) {
  // Multiply-shift; the bias is below bound / 2^64.
  __extension__ using Wide = unsigned __int128;
  return static_cast<std::uint64_t>((static_cast<Wide>(Next()) * bound) >> 64);
}

double Random::Fraction() { return static_cast<double>(Next() >> 11) * 0x1.0p-53; }

void Random::AppendHex(std::string& out, int digits) {
  for (; digits > 0; digits -= 16) weir::AppendHex(out, Next(), static_cast<unsigned>(std::min(digits, 16)));
}

}  // namespace weir
