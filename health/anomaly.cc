#include "health/anomaly.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <utility>

namespace weir::health {
namespace {

// How many more errors than its peers a target has to have, in parts of 1: at least this,
constexpr double kExcess = 0.10;
// and, once it is anomalous, this for staying so;
constexpr double kExcessToStay = 0.05;
// and more than chance makes of so few answers (standard deviations).
constexpr double kDeviations = 4;
// What is left of its weight each time that it is found anomalous, and what it gets back when it is not.
constexpr std::uint32_t kCut = 4;
constexpr std::uint32_t kGrowth = 2;

double MedianOf(std::vector<double>& values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::ranges::nth_element(values, middle);
  return *middle;
}

}  // namespace

// What was counted since the last time, added to what did not suffice then.
void AnomalyDetector::Gather(const Input& target) {
  Record& record = target.record;
  record.evidence_ += target.attempts - std::exchange(record.counted_, target.attempts);
  record.errors_ += target.errors - std::exchange(record.counted_errors_, target.errors);
  ++record.intervals_;
  ++record.intervals_since_;
  record.is_judged_ = target.healthy && record.evidence_ >= kEvidence;
  if (record.is_judged_) {
    record.error_share_ = static_cast<double>(record.errors_) / static_cast<double>(record.evidence_);
    record.intervals_since_ = 0;
  } else if (record.intervals_since_ >= kIntervalsMax) {
    record.error_share_.reset();
  }
}

void AnomalyDetector::Judge(Record& record, std::optional<double> median, bool mitigates) {
  Anomaly& anomaly = record.anomaly_;
  if (!mitigates) anomaly.parts = Anomaly::kWhole;
  // Without evidence for long a target is tried again.
  const bool is_judged = record.is_judged_ && median;
  if (!is_judged && record.intervals_ < kIntervalsMax) return;
  anomaly.is_anomalous = is_judged && IsAnomalous(record, *median);
  if (is_judged) {
    anomaly.error_percent = 100 * *record.error_share_;
    anomaly.peers_percent = 100 * *median;
  }
  if (mitigates) {
    anomaly.parts =
        anomaly.is_anomalous ? std::max(anomaly.parts / kCut, 1U) : std::min(anomaly.parts * kGrowth, Anomaly::kWhole);
  }
  record.evidence_ = record.errors_ = record.intervals_ = 0;
}

bool AnomalyDetector::IsAnomalous(const Record& record, double median) {
  const auto evidence = static_cast<double>(record.evidence_);
  const double excess = *record.error_share_ - median;
  if (record.anomaly_.is_anomalous) return excess >= kExcessToStay;
  const double expected = std::max(median, 1 / evidence);
  return excess >= kExcess && excess >= kDeviations * std::sqrt(expected * (1 - expected) / evidence);
}

bool AnomalyDetector::Step(const std::vector<Input>& targets, bool mitigates, SteadyTime now) {
  if (now < next_) return false;
  next_ = now + kInterval;
  std::vector<double> shares;
  std::size_t healthy = 0;
  for (const Input& target : targets) {
    Gather(target);
    if (!target.healthy) continue;
    ++healthy;
    if (target.record.error_share_) shares.push_back(*target.record.error_share_);
  }
  // Without enough to compare with nobody is anomalous; with enough targets, but too few that were asked enough, what
  // was found holds until it is too old.
  const std::optional<double> median = shares.size() >= kTargetsMin ? std::optional(MedianOf(shares)) : std::nullopt;
  bool changed = false;
  for (const Input& target : targets) {
    Record& record = target.record;
    const bool was_anomalous = record.anomaly_.is_anomalous;
    const std::uint32_t parts = record.anomaly_.parts;
    if (healthy >= kTargetsMin && target.healthy) {
      Judge(record, median, mitigates);
    } else {
      record.anomaly_ = {};
      record.evidence_ = record.errors_ = record.intervals_ = 0;
    }
    changed = changed || record.anomaly_.is_anomalous != was_anomalous || record.anomaly_.parts != parts;
  }
  return changed;
}

std::string Describe(const Anomaly& anomaly) {
  if (!anomaly.is_anomalous && !anomaly.is_mitigated()) return {};
  std::string out =
      fmt::format("{}: {:.1f}% errors, {:.1f}% of its peers", anomaly.is_anomalous ? "anomalous" : "recovering",
                  anomaly.error_percent, anomaly.peers_percent);
  if (anomaly.is_mitigated()) out += fmt::format(", keeps {}/{} of its weight", anomaly.parts, Anomaly::kWhole);
  return out;
}

}  // namespace weir::health
