// spec: alb.md 8.3; the thresholds are ours (docs/decisions.md, anomalies).

#include "health/anomaly.h"

#include "base/random.h"
#include "health/status_rules.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace weir::health {
namespace {

using namespace std::chrono_literals;

// Targets that answer with errors as often as they are told to, and are asked as often as their weights say.
class Group {
 public:
  explicit Group(std::size_t count) : records_(count), attempts_(count), errors_(count), error_shares_(count) {}

  // Five seconds with so many requests.
  bool Pass(int requests, bool mitigates = true) {
    std::uint32_t total = 0;
    for (const auto& record : records_) total += record.anomaly().parts;
    last_.assign(records_.size(), 0);
    for (int i = 0; i < requests; ++i) {
      std::uint64_t place = random_.Below(total);
      std::size_t target = 0;
      while (place >= records_[target].anomaly().parts) place -= records_[target++].anomaly().parts;
      ++attempts_[target];
      ++last_[target];
      if (random_.Fraction() < error_shares_[target]) ++errors_[target];
    }
    now_ += AnomalyDetector::kInterval;
    return Step(mitigates);
  }
  bool Step(bool mitigates) {
    std::vector<AnomalyDetector::Input> inputs;
    for (std::size_t i = 0; i < records_.size(); ++i) {
      inputs.push_back({.record = records_[i], .healthy = i != sick_, .attempts = attempts_[i], .errors = errors_[i]});
    }
    return detector_.Step(inputs, mitigates, now_);
  }
  void Fail(std::size_t target, double share) { error_shares_[target] = share; }
  void FailHealthChecks(std::size_t target) { sick_ = target; }
  [[nodiscard]] const Anomaly& At(std::size_t target) const { return records_[target].anomaly(); }
  // Of the last five seconds' requests.
  [[nodiscard]] double PercentOf(std::size_t target) const {
    std::uint64_t all = 0;
    for (const auto count : last_) all += count;
    return 100.0 * static_cast<double>(last_[target]) / static_cast<double>(all);
  }
  [[nodiscard]] std::size_t anomalous() const {
    return static_cast<std::size_t>(
        std::ranges::count_if(records_, [](const auto& record) { return record.anomaly().is_anomalous; }));
  }

 private:
  std::vector<AnomalyDetector::Record> records_;
  std::vector<std::uint64_t> attempts_;
  std::vector<std::uint64_t> errors_;
  std::vector<double> error_shares_;
  std::vector<std::uint64_t> last_;
  std::size_t sick_ = ~std::size_t{0};
  Random random_{11};
  AnomalyDetector detector_;
  SteadyTime now_{1h};
};

TEST(AnomalyTest, OneOfTenThatFailsAThirdFallsBelow2PercentWithin30SecondsAndComesBack) {
  Group group(10);
  for (int i = 0; i < 12; ++i) EXPECT_FALSE(group.Pass(5'000)) << "nothing is wrong";
  group.Fail(3, 0.3);
  for (int i = 0; i < 5; ++i) static_cast<void>(group.Pass(5'000));
  // The sixth five seconds, and the minutes after it.
  for (int i = 0; i < 60; ++i) {
    static_cast<void>(group.Pass(5'000));
    EXPECT_LT(group.PercentOf(3), 2);
    EXPECT_EQ(group.anomalous(), 1U);
  }
  EXPECT_GT(group.PercentOf(3), 0) << "how else would it show that it is well";
  group.Fail(3, 0);
  for (int i = 0; i < 5; ++i) static_cast<void>(group.Pass(5'000));
  EXPECT_FALSE(group.At(3).is_anomalous);
  EXPECT_FALSE(group.At(3).is_mitigated());
  static_cast<void>(group.Pass(5'000));
  EXPECT_NEAR(group.PercentOf(3), 10, 2);
}

TEST(AnomalyTest, TheWeightIsCutAndComesBackStepByStep) {
  Group group(4);
  group.Fail(0, 1);
  std::vector<std::uint32_t> parts;
  for (int i = 0; i < 3; ++i) {
    static_cast<void>(group.Pass(2'000));
    parts.push_back(group.At(0).parts);
  }
  group.Fail(0, 0);
  for (int i = 0; i < 4; ++i) {
    static_cast<void>(group.Pass(2'000));
    parts.push_back(group.At(0).parts);
  }
  EXPECT_EQ(parts, (std::vector<std::uint32_t>{4, 1, 1, 2, 4, 8, 16}));
}

TEST(AnomalyTest, WithoutMitigationItIsFoundAndKeepsItsWeight) {
  Group group(5);
  group.Fail(2, 0.5);
  EXPECT_TRUE(group.Pass(1'000, false));
  EXPECT_TRUE(group.At(2).is_anomalous);
  EXPECT_FALSE(group.At(2).is_mitigated());
  EXPECT_NEAR(group.At(2).error_percent, 50, 12);
  EXPECT_EQ(group.At(2).peers_percent, 0);
}

TEST(AnomalyTest, WhereAllFailNobodyIsAnomalous) {
  Group group(6);
  for (std::size_t i = 0; i < 6; ++i) group.Fail(i, 0.4);
  for (int i = 0; i < 20; ++i) EXPECT_FALSE(group.Pass(6'000));
}

TEST(AnomalyTest, ChanceAloneMakesNobodyAnomalous) {
  Group group(10);
  for (std::size_t i = 0; i < 10; ++i) group.Fail(i, 0.03);
  int found = 0;
  for (int i = 0; i < 200; ++i) {
    static_cast<void>(group.Pass(300));
    found += static_cast<int>(group.anomalous());
  }
  EXPECT_LE(found, 60) << "of 2,000 judgements";
}

TEST(AnomalyTest, TwoHealthyTargetsHaveNoPeers) {
  Group group(3);
  group.Fail(0, 1);
  group.FailHealthChecks(1);
  for (int i = 0; i < 5; ++i) EXPECT_FALSE(group.Pass(300));
  EXPECT_FALSE(group.At(0).is_anomalous);
}

TEST(AnomalyTest, WhenHealthChecksFindItItsRecordIsClean) {
  Group group(4);
  group.Fail(0, 1);
  EXPECT_TRUE(group.Pass(400));
  group.FailHealthChecks(0);
  EXPECT_TRUE(group.Pass(400));
  EXPECT_EQ(group.At(0), Anomaly());
}

TEST(AnomalyTest, FewRequestsAreAddedUpUntilTheySayEnough) {
  Group group(4);
  group.Fail(0, 1);
  int passes = 0;
  while (!group.Pass(20) && passes < 20) ++passes;
  EXPECT_TRUE(group.At(0).is_anomalous);
  EXPECT_GE(passes, 2);
  EXPECT_LE(passes, 6);
}

TEST(AnomalyTest, WithoutRequestsATargetIsTriedAgain) {
  Group group(4);
  group.Fail(0, 1);
  static_cast<void>(group.Pass(400));
  EXPECT_TRUE(group.At(0).is_mitigated());
  for (std::uint32_t i = 0; i < 4 * AnomalyDetector::kIntervalsMax; ++i) static_cast<void>(group.Pass(0));
  EXPECT_FALSE(group.At(0).is_mitigated());
}

TEST(AnomalyTest, BetweenTheStepsNothingIsJudged) {
  Group group(4);
  group.Fail(0, 1);
  static_cast<void>(group.Pass(400));
  const Anomaly before = group.At(0);
  EXPECT_FALSE(group.Step(true));
  EXPECT_EQ(group.At(0), before);
}

TEST(AnomalyTest, SaysItInWords) {
  EXPECT_EQ(Describe(Anomaly{}), "");
  EXPECT_EQ(Describe({.is_anomalous = true, .parts = 1, .error_percent = 30, .peers_percent = 0.4}),
            "anomalous: 30.0% errors, 0.4% of its peers, keeps 1/16 of its weight");
  EXPECT_EQ(Describe({.is_anomalous = true, .parts = 16, .error_percent = 30, .peers_percent = 0}),
            "anomalous: 30.0% errors, 0.0% of its peers");
  EXPECT_EQ(Describe({.is_anomalous = false, .parts = 8, .error_percent = 0, .peers_percent = 0}),
            "recovering: 0.0% errors, 0.0% of its peers, keeps 8/16 of its weight");
}

TEST(AnomalyTest, WhatATargetKeepsIsItsWeight) {
  config::TargetGroup group;
  group.in_use = true;
  GroupStatus status;
  status.targets.resize(3);
  for (auto& target : status.targets) target.state = HealthState::kHealthy;
  SummarizeGroup(group, status);
  EXPECT_TRUE(status.weight_sums.empty());
  status.targets[1].anomaly.parts = 4;
  status.targets[2].weight = 2;
  SummarizeGroup(group, status);
  EXPECT_EQ(status.weight_sums, (std::vector<std::uint32_t>{16, 20, 52}));
}

}  // namespace
}  // namespace weir::health
