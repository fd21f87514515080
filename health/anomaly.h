#pragma once

#include "base/clock.h"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace weir::health {

// What is known of one target beside its peers.
struct Anomaly {
  // Parts that a target keeps of its weight while nothing is wrong.
  static constexpr std::uint32_t kWhole = 16;

  bool is_anomalous = false;
  std::uint32_t parts = kWhole;  // of kWhole: how much of its weight it has; less only where that is mitigated
  // Errors in a hundred when it was judged last, its own and those of its peers.
  double error_percent = 0;
  double peers_percent = 0;

  [[nodiscard]] bool is_mitigated() const { return parts < kWhole; }
  friend bool operator==(const Anomaly&, const Anomaly&) = default;
};

// Finds the targets of one group that fail more often than their peers, and says how much of their weight they keep
// (ALB's automatic target weights; spec: alb.md 8.3, thresholds: docs/decisions.md, anomalies). A step function of what
// was counted and the time. Thread: one owner.
class AnomalyDetector {
 public:
  static constexpr std::chrono::seconds kInterval{5};
  // Fewer healthy targets have no peers to be compared with.
  static constexpr std::size_t kTargetsMin = 3;
  // Answers and failed connections that a judgement needs; fewer are added up over the intervals.
  static constexpr std::uint64_t kEvidence = 20;
  // What took more intervals to come together says nothing any more.
  static constexpr std::uint32_t kIntervalsMax = 12;

  // What is remembered of one target, by whoever has the target; a new one begins with a new one.
  class Record {
   public:
    [[nodiscard]] const Anomaly& anomaly() const { return anomaly_; }

   private:
    friend class AnomalyDetector;
    Anomaly anomaly_;
    std::uint64_t counted_ = 0;  // up to the last interval, as `Input` has it
    std::uint64_t counted_errors_ = 0;
    std::uint64_t evidence_ = 0;  // since it was judged last
    std::uint64_t errors_ = 0;
    std::uint32_t intervals_ = 0;        // that `evidence_` took
    std::uint32_t intervals_since_ = 0;  // the judgement
    std::optional<double> error_share_;  // by the last judgement
    bool is_judged_ = false;             // in this interval
  };
  struct Input {
    Record& record;
    bool healthy = false;
    std::uint64_t attempts = 0;  // answers and failed connections since the target was made
    std::uint64_t errors = 0;    // those of them that were 5xx, and failed connections
  };

  // One interval, when it is over at `now`: true when a target has become anomalous or normal, or keeps another part of
  // its weight. `mitigates`: anomalous
  // targets lose weight.
  [[nodiscard]] bool Step(const std::vector<Input>& targets, bool mitigates, SteadyTime now);

 private:
  static void Gather(const Input& target);
  [[nodiscard]] static bool IsAnomalous(const Record& record, double median);
  static void Judge(Record& record, std::optional<double> median, bool mitigates);

  SteadyTime next_;
};

// `anomalous: 30.0% errors, 0.4% of its peers, keeps 1/16 of its weight`; empty where nothing is wrong. Thread: any.
[[nodiscard]] std::string Describe(const Anomaly& anomaly);

}  // namespace weir::health
