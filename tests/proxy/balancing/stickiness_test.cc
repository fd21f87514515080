// spec: alb.md 9 and 5.1.

#include "proxy/balancing/stickiness.h"

#include "proxy/actions/forward.h"
#include "tests/proxy/routing/routing_models.h"

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace weir::proxy {
namespace {

using namespace std::chrono_literals;
using namespace weir::proxy::testing;
using Verdict = StickyVerdict;

// Sun, 06 Nov 1994 08:49:37 GMT.
constexpr WallTime kStickinessNow{std::chrono::seconds(784'111'777)};

std::shared_ptr<config::Model> StickyModel() {
  config::ForwardAction action;
  action.target_groups = {{.target_group = 0, .weight = 1}, {.target_group = 1, .weight = 1}};
  action.stickiness = 3600s;
  auto model = MakeModel({}, action);
  for (auto& group : model->target_groups) {
    group.stickiness.enabled = true;
    group.stickiness.duration = 600s;
  }
  return model;
}

// A group of three targets, and the table that it is of.
class StickinessTest : public ::testing::Test {
 protected:
  StickinessTest() { Build(); }

  void Build() {
    table_ = BuildTable(model_);
    stickiness_.Reset(*table_);
    status_.groups.assign(3, {});
    for (std::size_t i = 0; i < 3; ++i) {
      for (std::uint32_t j = 0; j < 3; ++j) {
        health::TargetStatus target;
        target.endpoint = Endpoint::Parse("192.0.2." + std::to_string(j + 1) + ":80").value();
        target.state = health::HealthState::kHealthy;
        status_.groups[i].targets.push_back(target);
        status_.groups[i].routable.push_back(j);
      }
    }
  }
  const Forward& forward() const { return std::get<Forward>(table_->listeners().front()->rules.back().action); }
  const TargetGroupRoute& route(std::size_t group = 0) const { return table_->groups()[group]; }

  // The value of the first cookie of that name among Set-Cookie lines.
  static std::string ValueOf(const std::string& lines, const std::string& name) {
    const std::string mark = "Set-Cookie: " + name + "=";
    const auto begin = lines.find(mark);
    if (begin == std::string::npos) return {};
    return lines.substr(begin + mark.size(), lines.find(';', begin) - begin - mark.size());
  }
  // The value of AWSALB for a target of a group.
  std::string TargetCookie(std::uint32_t target, WallTime now = kStickinessNow, std::size_t group = 0) {
    std::string lines;
    stickiness_.AppendTargetCookies(route(group), status_.groups[group].targets[target].endpoint, target, {}, false,
                                    now, lines);
    return ValueOf(lines, "AWSALB");
  }
  std::string GroupCookie(std::uint32_t group, WallTime now = kStickinessNow) {
    std::string lines;
    stickiness_.AppendGroupCookies(forward(), *table_, group, now, lines);
    return ValueOf(lines, "AWSALBTG");
  }
  StickyChoice FindTarget(const std::string& cookies, WallTime now = kStickinessNow, std::size_t group = 0) {
    return stickiness_.FindTarget(route(group), status_.groups[group], {{.name = "Cookie", .value = cookies}}, now);
  }
  StickyChoice FindGroup(const std::string& cookies, WallTime now = kStickinessNow) {
    return stickiness_.FindGroup(forward(), *table_, &status_, {{.name = "Cookie", .value = cookies}}, now);
  }
  void Remove(std::uint32_t target) { std::erase(status_.groups[0].routable, target); }

  std::shared_ptr<config::Model> model_ = StickyModel();
  std::shared_ptr<const RoutingTable> table_;
  Stickiness stickiness_;
  health::StatusTable status_;
};

TEST_F(StickinessTest, CookiesAreWrittenAsAlbWritesThem) {
  std::string lines;
  stickiness_.AppendTargetCookies(route(), status_.groups[0].targets[1].endpoint, 1, {}, false, kStickinessNow, lines);
  const std::string value = ValueOf(lines, "AWSALB");
  EXPECT_EQ(lines, "Set-Cookie: AWSALB=" + value +
                       "; Expires=Sun, 13 Nov 1994 08:49:37 GMT; Path=/\r\n"
                       "Set-Cookie: AWSALBCORS=" +
                       value + "; Expires=Sun, 13 Nov 1994 08:49:37 GMT; Path=/; SameSite=None; Secure\r\n");
  lines.clear();
  stickiness_.AppendGroupCookies(forward(), *table_, 1, kStickinessNow, lines);
  const std::string group = ValueOf(lines, "AWSALBTG");
  EXPECT_EQ(lines, "Set-Cookie: AWSALBTG=" + group +
                       "; Expires=Sun, 13 Nov 1994 08:49:37 GMT; Path=/\r\n"
                       "Set-Cookie: AWSALBTGCORS=" +
                       group + "; Expires=Sun, 13 Nov 1994 08:49:37 GMT; Path=/; SameSite=None; Secure\r\n");
}

TEST_F(StickinessTest, AClientStaysAtItsTarget) {
  for (std::uint32_t target = 0; target < 3; ++target) {
    const auto found = FindTarget("a=b; AWSALB=" + TargetCookie(target));
    EXPECT_EQ(found.verdict, Verdict::kHolds);
    EXPECT_EQ(found.chosen, target);
  }
  EXPECT_EQ(FindTarget("a=b").verdict, Verdict::kNoCookie);
  EXPECT_EQ(FindTarget("AWSALB=" + TargetCookie(0) + "; AWSALBCORS=" + TargetCookie(2)).chosen, 2U);
}

TEST_F(StickinessTest, TheDurationIsCountedFromTheLastResponse) {
  const std::string cookie = "AWSALB=" + TargetCookie(1);
  EXPECT_EQ(FindTarget(cookie, kStickinessNow + 599s).chosen, 1U);
  EXPECT_EQ(FindTarget(cookie, kStickinessNow + 600s).verdict, Verdict::kExpired);
  EXPECT_EQ(FindTarget(cookie, kStickinessNow + 600s).chosen, std::nullopt);
  EXPECT_EQ(FindTarget("AWSALB=" + TargetCookie(1, kStickinessNow + 300s), kStickinessNow + 600s).chosen, 1U);
}

TEST_F(StickinessTest, ATargetThatTakesNoRequestsIsLeft) {
  const std::string cookie = "AWSALB=" + TargetCookie(1);
  Remove(1);
  status_.groups[0].targets[1].state = health::HealthState::kUnhealthy;
  EXPECT_EQ(FindTarget(cookie).verdict, Verdict::kUnhealthy);
  status_.groups[0].targets[1].state = health::HealthState::kDraining;
  EXPECT_EQ(FindTarget(cookie).verdict, Verdict::kDraining);
  EXPECT_EQ(FindTarget(cookie).chosen, std::nullopt);
  status_.groups[0].routable = {0, 1, 2};
  status_.groups[0].targets[1].state = health::HealthState::kUnhealthy;
  EXPECT_EQ(FindTarget(cookie).chosen, 1U) << "the group fails open";
}

TEST_F(StickinessTest, ATargetIsFoundWhereverItStandsNow) {
  const std::string cookie = "AWSALB=" + TargetCookie(2);
  auto& group = status_.groups[0];
  std::swap(group.targets[0], group.targets[2]);
  EXPECT_EQ(FindTarget(cookie).chosen, 0U);
  group.targets.resize(1);
  group.routable = {0};
  EXPECT_EQ(FindTarget(cookie).chosen, 0U);
  group.targets[0].endpoint.port = 81;
  EXPECT_EQ(FindTarget(cookie).verdict, Verdict::kGone);
}

TEST_F(StickinessTest, ACookieOfAnotherGroupChoosesNothing) {
  const std::string cookie = "AWSALB=" + TargetCookie(1);
  EXPECT_EQ(FindTarget(cookie, kStickinessNow, 1).verdict, Verdict::kElsewhere);
}

TEST_F(StickinessTest, WhatWasMadeForAGroupIsNoTarget) {
  EXPECT_EQ(FindTarget("AWSALB=" + GroupCookie(0)).verdict, Verdict::kInvalid);
  EXPECT_EQ(FindGroup("AWSALBTG=" + TargetCookie(0)).verdict, Verdict::kInvalid);
}

TEST_F(StickinessTest, ClientsOfOneSecondShareAValue) {
  EXPECT_EQ(TargetCookie(1), TargetCookie(1, kStickinessNow + 999ms));
  EXPECT_NE(TargetCookie(1), TargetCookie(1, kStickinessNow + 1s));
  EXPECT_NE(TargetCookie(1), TargetCookie(2));
  EXPECT_NE(TargetCookie(1), TargetCookie(1, kStickinessNow, 1));
}

TEST_F(StickinessTest, MoreTargetsThanAreRememberedHaveTheirOwnValues) {
  auto& group = status_.groups[0];
  group.targets.resize(200);
  group.routable.clear();
  for (std::uint32_t i = 0; i < 200; ++i) {
    group.targets[i].endpoint = Endpoint::Parse("198.51.100." + std::to_string(i) + ":80").value();
    group.routable.push_back(i);
  }
  for (std::uint32_t i = 0; i < 200; ++i) EXPECT_EQ(FindTarget("AWSALB=" + TargetCookie(i)).chosen, i);
}

TEST_F(StickinessTest, WhatWasOpenedOnceIsNoMoreThanWhatItSays) {
  const std::string good = TargetCookie(1);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(FindTarget("AWSALB=" + good).chosen, 1U);
  for (std::size_t i = 0; i < good.size(); ++i) {
    std::string changed = good;
    changed[i] = good[i] == 'A' ? 'B' : 'A';
    EXPECT_EQ(FindTarget("AWSALB=" + changed).verdict, Verdict::kInvalid) << i;
  }
  EXPECT_EQ(FindTarget("AWSALB=" + good.substr(0, 103)).verdict, Verdict::kInvalid);
  EXPECT_EQ(FindGroup("AWSALBTG=" + good).verdict, Verdict::kInvalid) << "made for another purpose";
  EXPECT_EQ(FindTarget("AWSALB=" + good, kStickinessNow + 600s).verdict, Verdict::kExpired);
  EXPECT_EQ(FindTarget("AWSALB=" + good).chosen, 1U);
}

TEST_F(StickinessTest, AnotherApplianceWithTheSameKeyAgrees) {
  Stickiness other;
  other.Reset(*table_);
  const std::string cookie = "AWSALB=" + TargetCookie(2);
  EXPECT_EQ(other.FindTarget(route(), status_.groups[0], {{.name = "cookie", .value = cookie}}, kStickinessNow).chosen,
            2U);
}

TEST_F(StickinessTest, OtherKeysForgetEverybody) {
  const std::string cookie = "AWSALB=" + TargetCookie(2);
  stickiness_.Reset(*table_);
  EXPECT_EQ(FindTarget(cookie).chosen, 2U) << "the same keys";
  Build();  // makes a key of its own
  EXPECT_EQ(FindTarget(cookie).verdict, Verdict::kInvalid);
  EXPECT_EQ(FindTarget("AWSALB=" + TargetCookie(2)).chosen, 2U);
}

TEST_F(StickinessTest, AnApplicationsCookieIsNeededBesideOurs) {
  model_->target_groups[0].stickiness.type = config::StickinessType::kAppCookie;
  model_->target_groups[0].stickiness.cookie_name = "sid";
  Build();
  std::string lines;
  const Endpoint target = status_.groups[0].targets[1].endpoint;
  stickiness_.AppendTargetCookies(route(), target, 1, {{.name = "Set-Cookie", .value = "other=1"}}, false,
                                  kStickinessNow, lines);
  EXPECT_EQ(lines, "") << "the response does not set it";
  stickiness_.AppendTargetCookies(route(), target, 1, {{.name = "Set-Cookie", .value = "sid=1"}}, true, kStickinessNow,
                                  lines);
  const std::string value = ValueOf(lines, "AWSALBAPP-0");
  EXPECT_EQ(lines, "Set-Cookie: AWSALBAPP-0=" + value +
                       "; Expires=Sun, 13 Nov 1994 08:49:37 GMT; Path=/; SameSite=None; Secure\r\n");
  EXPECT_EQ(FindTarget("sid=1; AWSALBAPP-0=" + value).chosen, 1U);
  EXPECT_EQ(FindTarget("AWSALBAPP-0=" + value).verdict, Verdict::kNoApplicationCookie);
  EXPECT_EQ(FindTarget("sid=1").verdict, Verdict::kNoCookie);
  EXPECT_EQ(FindTarget("sid=1; AWSALBAPP-0=" + value, kStickinessNow + 600s).verdict, Verdict::kExpired);
  EXPECT_EQ(FindTarget("sid=1; AWSALB=" + value).verdict, Verdict::kNoCookie);
}

TEST_F(StickinessTest, AClientStaysWithItsGroupWhateverTheWeights) {
  const std::string blue = "AWSALBTG=" + GroupCookie(0);
  const std::string green = "AWSALBTG=" + GroupCookie(1);
  EXPECT_EQ(FindGroup(blue).chosen, 0U);
  EXPECT_EQ(FindGroup(green).chosen, 1U);
  Forward shifted = forward();
  shifted.choices[0].weight = 0;
  shifted.SumWeights();
  const auto found =
      stickiness_.FindGroup(shifted, *table_, &status_, {{.name = "Cookie", .value = blue}}, kStickinessNow);
  EXPECT_EQ(found.chosen, 0U) << "what is there may stay";
  std::string lines;
  stickiness_.AppendGroupCookies(shifted, *table_, 0, kStickinessNow, lines);
  EXPECT_EQ(lines, "") << "but is not renewed";
  stickiness_.AppendGroupCookies(shifted, *table_, 1, kStickinessNow, lines);
  EXPECT_NE(lines, "");
}

TEST_F(StickinessTest, AGroupIsLeftWhenItsTimeIsOverOrItHasNoTarget) {
  const std::string blue = "AWSALBTG=" + GroupCookie(0);
  EXPECT_EQ(FindGroup(blue, kStickinessNow + 3599s).chosen, 0U);
  EXPECT_EQ(FindGroup(blue, kStickinessNow + 3600s).verdict, Verdict::kExpired);
  status_.groups[0].routable.clear();
  EXPECT_EQ(FindGroup(blue).verdict, Verdict::kGone);
  EXPECT_EQ(
      stickiness_.FindGroup(forward(), *table_, nullptr, {{.name = "Cookie", .value = blue}}, kStickinessNow).chosen,
      0U);
}

TEST_F(StickinessTest, AGroupThatTheRuleDoesNotForwardToIsLeft) {
  Forward other = forward();
  const std::string blue = "AWSALBTG=" + GroupCookie(0);
  other.choices.erase(other.choices.begin());
  EXPECT_EQ(
      stickiness_.FindGroup(other, *table_, &status_, {{.name = "Cookie", .value = blue}}, kStickinessNow).verdict,
      Verdict::kElsewhere);
}

TEST(StickyVerdictTest, FaultsHaveAReasonForTheLog) {
  EXPECT_EQ(LogReasonOf(CookiePurpose::kGroup, Verdict::kInvalid), "AWSALBTGCookieInvalid");
  EXPECT_EQ(LogReasonOf(CookiePurpose::kGroup, Verdict::kGone), "AWSALBTGTargetGroupEmpty");
  EXPECT_EQ(LogReasonOf(CookiePurpose::kTarget, Verdict::kExpired), "AWSALBCookieExpired");
  EXPECT_EQ(LogReasonOf(CookiePurpose::kApplication, Verdict::kDraining), "AWSALBAPPTargetDraining");
  for (const Verdict verdict : {Verdict::kHolds, Verdict::kNoCookie, Verdict::kNoApplicationCookie}) {
    EXPECT_EQ(LogReasonOf(CookiePurpose::kTarget, verdict), "");
    EXPECT_EQ(ToString(verdict), "");
  }
}

}  // namespace
}  // namespace weir::proxy
