#include "http/http2_allowance.h"

#include <algorithm>
#include <chrono>

namespace weir::http {
namespace {

// Our choice throughout: what browsers, gRPC libraries and load generators send stays far below.
struct Terms {
  std::string_view name;
  float at_once;
  float per_second;
};

constexpr Terms TermsOf(Http2Flood flood) {
  using enum Http2Flood;
  switch (flood) {
    case kResets:
      return {"rapid_reset", 200, 20};
    case kProvokedResets:
      return {"provoked_reset", 100, 5};
    case kPings:
      return {"ping", 1'000, 100};
    case kSettings:
      return {"settings", 100, 10};
    case kEmptyData:
      return {"empty_data", 200, 20};
    case kContinuations:
      return {"continuation", 100, 20};
    case kWindowUpdates:
      return {"window_update", 2'000, 200};
    case kPriorities:
      return {"priority", 500, 50};
    case kZeroWindows:
      return {"zero_window", 16, 0.05F};
    case kHeaderBytes:
      return {"header_bytes", 0, 0};
    case kOtherFrames:
      return {"other_frame", 200, 20};
    case kOutput:
      return {"output", 0, 0};
  }
  std::unreachable();
}

}  // namespace

std::string_view ToString(Http2Flood flood) { return TermsOf(flood).name; }

Http2Allowance::Http2Allowance(SteadyTime now) : began_(now) {
  for (std::size_t i = 0; i < purses_.size(); ++i) purses_[i].left = TermsOf(static_cast<Http2Flood>(i)).at_once;
}

bool Http2Allowance::Spend(Http2Flood flood, SteadyTime now) {
  const Terms terms = TermsOf(flood);
  Purse& purse = purses_[std::to_underlying(flood)];
  const auto passed = std::chrono::duration_cast<std::chrono::milliseconds>(now - began_).count();
  const auto now_ms = static_cast<std::int32_t>(std::min<std::int64_t>(passed, INT32_MAX));
  const float grown = static_cast<float>(now_ms - purse.filled_ms) * terms.per_second / 1'000;
  purse.filled_ms = now_ms;
  purse.left = std::min(purse.left + grown, std::max(purse.left, terms.at_once));
  if (purse.left < 1) return false;
  purse.left -= 1;
  return true;
}

void Http2Allowance::EarnByStream() {
  Earn(Http2Flood::kResets, 1);
  Earn(Http2Flood::kWindowUpdates, 2);
  Earn(Http2Flood::kPriorities, 2);
  Earn(Http2Flood::kContinuations, 4);
}

void Http2Allowance::EarnByContent() {
  Earn(Http2Flood::kPings, 1);
  Earn(Http2Flood::kWindowUpdates, 4);
}

// Up to twice what may be spent at once: work done long ago is no licence for a flood now.
void Http2Allowance::Earn(Http2Flood flood, float amount) {
  Purse& purse = purses_[std::to_underlying(flood)];
  purse.left = std::min(purse.left + amount, std::max(purse.left, 2 * TermsOf(flood).at_once));
}

}  // namespace weir::http
