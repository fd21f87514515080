#pragma once

// A rule's forward to two target groups seen as a stage with a canary, as API Gateway has them: a thin view over
// weights that are edited in the document. spec: resilience.md 4.1. Pure. Thread: any.

#include "base/result.h"
#include "control/rule_name.h"
#include "control/view.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace weir::control {

// What is to become of it.
struct CanaryStep {
  enum class Kind : std::uint8_t {
    kSet,      // the canary gets `percent` of the requests, the stage the rest
    kPromote,  // the canary's group becomes the stage's and gets all; the group that was the stage's is the next canary
    kDisable,  // the stage gets all, and there is no canary any more
  } kind = Kind::kSet;
  double percent = 0;      // of kSet: 0.0-100.0, in tenths; finer ones are rounded
  std::string group = {};  // of kSet: the canary; empty: the one that there is
};

// Weights for a share of `percent`: tenths of a percent are exact, since of 1,000 parts each side has at most 999, or
// both have a divisor.
struct CanaryWeights {
  std::uint16_t stage = 0;
  std::uint16_t canary = 0;
};
[[nodiscard]] CanaryWeights WeightsForPercent(double percent);

// How it stands. `canary` is empty where there is none.
struct CanaryReport {
  std::string stage;
  std::string canary;
  double percent = 0;       // that the canary gets, by the weights that serve
  bool overridden = false;  // by weights that `weir weights` set
  std::string access_log;   // of the canary's requests; empty: they are where the others are
};
// Fails for a rule that does not forward to one group, or to two.
[[nodiscard]] Result<CanaryReport> DescribeCanary(const View& view, const FoundRule& rule);
[[nodiscard]] std::string CanaryJson(const CanaryReport& report);

// The JSON Patch that does `step`. `document` is the live document as JSON. Fails, with what would be right, where the
// rule forwards to other groups than a stage's and a canary's, or its weights are overridden.
[[nodiscard]] Result<std::string> CanaryPatch(const View& view, const FoundRule& rule, const CanaryStep& step,
                                              std::string_view document);

}  // namespace weir::control
