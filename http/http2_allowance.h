#pragma once

#include "base/clock.h"
#include "base/enumerators.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>

namespace weir::http {

// What an HTTP/2 peer can do that costs it little and us work: each kind is counted by itself, and each has a metric.
// spec: l7.md 5.3 E.
enum class Http2Flood : std::uint8_t {
  kResets,          // requests opened and given up by RST_STREAM (rapid reset, CVE-2023-44487)
  kProvokedResets,  // violations that make us send RST_STREAM (CVE-2025-8671)
  kPings,
  kSettings,
  kEmptyData,  // DATA with nothing but padding, without END_STREAM
  kContinuations,
  kWindowUpdates,
  kPriorities,   // PRIORITY and PRIORITY_UPDATE
  kZeroWindows,  // streams that waited for a window until their time was over
  kHeaderBytes,  // decoded: one header section of a size that nobody accepts
  kOtherFrames,  // of unknown types, GOAWAY again and again
  kOutput,       // asks for more control frames than it reads
};
inline constexpr std::size_t kHttp2FloodCount = CountEnumerators<Http2Flood>();

// `rapid_reset`, `provoked_reset`, `ping`: as metrics and logs print it.
[[nodiscard]] std::string_view ToString(Http2Flood flood);

// What one connection's peer may still do of each kind: so much at once, so much more with each second, and more with
// the useful work that such frames go with. Pure: time comes in. Thread: one.
class Http2Allowance {
 public:
  explicit Http2Allowance(SteadyTime now);

  // One more of `flood` at `now`. False when that is too many.
  [[nodiscard]] bool Spend(Http2Flood flood, SteadyTime now);
  // A stream came to its end as it should.
  void EarnByStream();
  // A DATA frame with content went either way; of ours one that the peer's window did not cut short.
  void EarnByContent();

 private:
  void Earn(Http2Flood flood, float amount);

  struct Purse {
    float left = 0;
    std::int32_t filled_ms = 0;  // since began_
  };
  SteadyTime began_;
  std::array<Purse, kHttp2FloodCount> purses_;
};

}  // namespace weir::http
