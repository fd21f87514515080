#include "health/check_state.h"

#include "tests/support/manual_clock.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <chrono>
#include <string>
#include <vector>

namespace weir::health {
namespace {

constexpr ProbeResult kPass{.outcome = ProbeOutcome::kPassed, .code = 200};
constexpr ProbeResult k503{.outcome = ProbeOutcome::kCodeMismatch, .code = 503};
constexpr ProbeResult kSlow{.outcome = ProbeOutcome::kTimeout};
constexpr ProbeResult kRefused{.outcome = ProbeOutcome::kFailed, .error = ECONNREFUSED};
constexpr ProbeResult kOurFault{.outcome = ProbeOutcome::kInternalError, .error = EMFILE};

struct TargetRow {
  const char* name;
  TargetThresholds thresholds;
  std::vector<ProbeResult> results;
  HealthState state;
  HealthReason reason;
  const char* description;
};

class TargetStateTest : public ::testing::TestWithParam<TargetRow> {};

TEST_P(TargetStateTest, FollowsTheResults) {
  const TargetRow& row = GetParam();
  const testing::ManualClock clock;
  TargetCheckState state{.since = clock.WallNow()};
  for (const ProbeResult& result : row.results) state = Step(state, row.thresholds, result, clock.WallNow());
  EXPECT_EQ(ToString(state.state), ToString(row.state));
  EXPECT_EQ(ToString(state.reason), ToString(row.reason));
  EXPECT_EQ(Describe(state.reason, state.code), row.description);
}

using enum HealthState;
using enum HealthReason;
constexpr TargetThresholds kDefault{.healthy = 5, .unhealthy = 2};

// spec: alb.md section 11.
INSTANTIATE_TEST_SUITE_P(
    AlbSection11, TargetStateTest,
    ::testing::Values(
        TargetRow{"new_target", kDefault, {}, kInitial, kRegistrationInProgress, "Target registration is in progress"},
        TargetRow{"first_success_suffices_whatever_the_threshold", kDefault, {kPass}, kHealthy, kNone, ""},
        TargetRow{"one_failure_leaves_a_new_target_initial",
                  kDefault,
                  {k503},
                  kInitial,
                  kInitialHealthChecking,
                  "Initial health checks in progress"},
        TargetRow{"new_target_becomes_unhealthy_at_the_threshold",
                  kDefault,
                  {k503, k503},
                  kUnhealthy,
                  kResponseCodeMismatch,
                  "Health checks failed with these codes: [503]"},
        TargetRow{"success_after_a_failure_of_a_new_target", kDefault, {k503, kPass}, kHealthy, kNone, ""},
        TargetRow{"one_failure_of_two_keeps_healthy", kDefault, {kPass, k503}, kHealthy, kNone, ""},
        TargetRow{"failures_must_be_consecutive", kDefault, {kPass, k503, kPass, k503}, kHealthy, kNone, ""},
        TargetRow{"two_failures_take_out",
                  kDefault,
                  {kPass, k503, k503},
                  kUnhealthy,
                  kResponseCodeMismatch,
                  "Health checks failed with these codes: [503]"},
        TargetRow{"threshold_of_one",
                  {.healthy = 1, .unhealthy = 1},
                  {kPass, kSlow},
                  kUnhealthy,
                  kTimeout,
                  "Request timed out"},
        TargetRow{"four_successes_of_five_stay_out",
                  kDefault,
                  {k503, k503, kPass, kPass, kPass, kPass},
                  kUnhealthy,
                  kResponseCodeMismatch,
                  "Health checks failed with these codes: [503]"},
        TargetRow{"five_successes_bring_back",
                  kDefault,
                  {k503, k503, kPass, kPass, kPass, kPass, kPass},
                  kHealthy,
                  kNone,
                  ""},
        TargetRow{"successes_must_be_consecutive",
                  {.healthy = 2, .unhealthy = 2},
                  {k503, k503, kPass, kSlow, kPass},
                  kUnhealthy,
                  kTimeout,
                  "Request timed out"},
        TargetRow{"timeout", kDefault, {kSlow, kSlow}, kUnhealthy, kTimeout, "Request timed out"},
        TargetRow{"refused", kDefault, {kRefused, kRefused}, kUnhealthy, kFailedHealthChecks, "Health checks failed"},
        TargetRow{"mixed_failures_add_up_and_the_last_gives_the_reason",
                  kDefault,
                  {kSlow, kRefused},
                  kUnhealthy,
                  kFailedHealthChecks,
                  "Health checks failed"},
        TargetRow{"reason_follows_the_latest_failure",
                  kDefault,
                  {kSlow, kSlow, k503},
                  kUnhealthy,
                  kResponseCodeMismatch,
                  "Health checks failed with these codes: [503]"},
        TargetRow{"trouble_of_our_own_takes_nobody_out",
                  kDefault,
                  {kPass, kOurFault, kOurFault, kOurFault},
                  kHealthy,
                  kNone,
                  ""},
        TargetRow{"trouble_of_our_own_neither_counts_nor_resets",
                  kDefault,
                  {kPass, k503, kOurFault, k503},
                  kUnhealthy,
                  kResponseCodeMismatch,
                  "Health checks failed with these codes: [503]"},
        TargetRow{"trouble_of_our_own_shows_on_a_new_target",
                  kDefault,
                  {kOurFault},
                  kInitial,
                  kInternalError,
                  "Health checks failed due to an internal error"}),
    [](const auto& row) { return std::string(row.param.name); });

TEST(TargetStateSinceTest, IsTheMomentTheStateWasEntered) {
  testing::ManualClock clock;
  TargetCheckState state{.since = clock.WallNow()};
  clock.Advance(std::chrono::seconds(5));
  const WallTime entered = clock.WallNow();
  state = Step(state, kDefault, kPass, entered);
  clock.Advance(std::chrono::seconds(5));
  state = Step(state, kDefault, kPass, clock.WallNow());
  state = Step(state, kDefault, k503, clock.WallNow());
  EXPECT_EQ(state.since, entered);
  state = Step(state, kDefault, k503, clock.WallNow());
  const WallTime out = clock.WallNow();
  EXPECT_EQ(state.since, out);
  clock.Advance(std::chrono::seconds(5));
  state = Step(state, kDefault, kSlow, clock.WallNow());
  EXPECT_EQ(state.since, out) << "another reason is not another state";
}

struct EndpointRow {
  const char* name;
  std::uint32_t threshold;
  std::vector<ProbeResult> results;
  bool healthy;
};

class EndpointStateTest : public ::testing::TestWithParam<EndpointRow> {};

TEST_P(EndpointStateTest, FollowsTheResults) {
  const EndpointRow& row = GetParam();
  EndpointCheckState state;
  for (const ProbeResult& result : row.results) state = Step(state, row.threshold, result);
  EXPECT_EQ(state.healthy, row.healthy);
}

// spec: dns.md 2.2 (FailureThreshold) and 4.
INSTANTIATE_TEST_SUITE_P(
    DnsSections2And4, EndpointStateTest,
    ::testing::Values(EndpointRow{"new_check_is_healthy", 3, {}, true},
                      EndpointRow{"stays_until_there_is_enough_data", 3, {kSlow, kSlow}, true},
                      EndpointRow{"three_failures_flip", 3, {kSlow, kRefused, k503}, false},
                      EndpointRow{"a_success_between_starts_anew", 3, {kSlow, kSlow, kPass, kSlow, kSlow}, true},
                      EndpointRow{"two_successes_of_three_stay_out", 3, {kSlow, kSlow, kSlow, kPass, kPass}, false},
                      EndpointRow{"the_same_number_brings_back", 3, {kSlow, kSlow, kSlow, kPass, kPass, kPass}, true},
                      EndpointRow{"threshold_one_flips_at_once", 1, {kSlow}, false},
                      EndpointRow{"threshold_one_flips_back_at_once", 1, {kSlow, kPass}, true},
                      EndpointRow{"trouble_of_our_own_changes_nothing", 1, {kOurFault}, true}),
    [](const auto& row) { return std::string(row.param.name); });

struct EffectiveRow {
  const char* name;
  bool measured, disabled, inverted;
  AdminState admin;
  bool healthy;
};

class EffectiveHealthTest : public ::testing::TestWithParam<EffectiveRow> {};

TEST_P(EffectiveHealthTest, AppliesInOrder) {
  const EffectiveRow& row = GetParam();
  EXPECT_EQ(EffectiveHealthy(row.measured, row.disabled, row.inverted, row.admin), row.healthy);
}

// spec: dns.md 3.1: hc(x) = (disabled ? true : aggregate) XOR inverted.
INSTANTIATE_TEST_SUITE_P(
    DnsSection31, EffectiveHealthTest,
    ::testing::Values(EffectiveRow{"healthy", true, false, false, AdminState::kMeasured, true},
                      EffectiveRow{"unhealthy", false, false, false, AdminState::kMeasured, false},
                      EffectiveRow{"inverted", true, false, true, AdminState::kMeasured, false},
                      EffectiveRow{"inverted_unhealthy", false, false, true, AdminState::kMeasured, true},
                      EffectiveRow{"disabled", false, true, false, AdminState::kMeasured, true},
                      EffectiveRow{"disabled_and_inverted", false, true, true, AdminState::kMeasured, false},
                      EffectiveRow{"forced_healthy", false, false, true, AdminState::kHealthy, true},
                      EffectiveRow{"forced_unhealthy", true, true, false, AdminState::kUnhealthy, false}),
    [](const auto& row) { return std::string(row.param.name); });

TEST(DescribeTest, WhatWasSeenFollowsWhatAwsSays) {
  EXPECT_EQ(Describe(kFailedHealthChecks, 0), "Health checks failed");
  EXPECT_EQ(Describe(kFailedHealthChecks, 0, "connection refused"), "Health checks failed: connection refused");
  EXPECT_EQ(Describe(kTimeout, 0), "Request timed out");
  EXPECT_EQ(Describe(kTimeout, 0, "timed out while connecting"), "Request timed out while connecting");
  EXPECT_EQ(Describe(kTimeout, 0, "HTTP 200, timed out"), "Request timed out: HTTP 200, timed out");
  EXPECT_EQ(Describe(kResponseCodeMismatch, 503, "HTTP 503"), "Health checks failed with these codes: [503]");
}

TEST(DescribeSeenTest, SaysWhatTheProbeSaw) {
  EXPECT_EQ(DescribeSeen(kPass), "HTTP 200");
  EXPECT_EQ(DescribeSeen(k503), "HTTP 503");
  EXPECT_EQ(DescribeSeen(kSlow), "timed out");
  EXPECT_EQ(DescribeSeen({.outcome = ProbeOutcome::kFailed, .detail = "no status line", .received = "\x16\x03 ok"}),
            "malformed response (no status line), it began with \"\\x16\\x03 ok\"");
  const std::string junk(50, 'x');
  EXPECT_TRUE(DescribeSeen({.outcome = ProbeOutcome::kFailed, .detail = "no status line", .received = junk})
                  .ends_with(junk.substr(0, 40) + "...\""));
  EXPECT_EQ(DescribeSeen(kRefused), "connection refused");
  EXPECT_EQ(DescribeSeen({.outcome = ProbeOutcome::kPassed}), "connected");
  EXPECT_EQ(DescribeSeen({.outcome = ProbeOutcome::kFailed, .error = ELOOP}), "Too many levels of symbolic links");
  EXPECT_EQ(DescribeSeen({.outcome = ProbeOutcome::kStringMismatch, .code = 200, .detail = "search string not found"}),
            "HTTP 200, search string not found");
}

TEST(StatusWordsTest, AreSpelledAsTheApisSpellThem) {
  EXPECT_EQ(ToString(HealthState::kInitial), "initial");
  EXPECT_EQ(ToString(HealthState::kUnused), "unused");
  EXPECT_EQ(ToString(HealthState::kUnavailable), "unavailable");
  EXPECT_EQ(ToString(HealthReason::kNone), "");
  EXPECT_EQ(ToString(HealthReason::kTimeout), "Target.Timeout");
  EXPECT_EQ(ToString(HealthReason::kInitialHealthChecking), "Elb.InitialHealthChecking");
  EXPECT_EQ(ToString(AdminState::kDraining), "draining");
}

}  // namespace
}  // namespace weir::health
