#pragma once

#include <cstdint>
#include <string>

namespace weir {

// A fast generator for choices and identifiers (xoshiro256++), not for secrets. Thread: one owner.
class Random {
 public:
  // Seeded by the operating system.
  Random();
  // The same seed gives the same sequence, for tests.
  explicit Random(std::uint64_t seed);

  [[nodiscard]] std::uint64_t Next();
  // Uniform in [0, bound); bound is not 0.
  [[nodiscard]] std::uint64_t Below(std::uint64_t bound);
  // Uniform in [0, 1).
  [[nodiscard]] double Fraction();
  // Appends `digits` random lower-case hexadecimal digits.
  void AppendHex(std::string& out, int digits);

 private:
  std::uint64_t state_[4];
};

}  // namespace weir
