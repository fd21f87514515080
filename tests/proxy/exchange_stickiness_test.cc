// Stickiness in the life of a request. spec: alb.md 9 and 5.1.

#include "proxy/exchange.h"
#include "tests/proxy/exchange_fixture.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>
#include <chrono>
#include <set>
#include <string>
#include <string_view>
#include <variant>

namespace weir::proxy {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using ::testing::Not;
using Plan = FakeUpstreams::Plan;

const std::string kStickyGet = "GET /a?b=c HTTP/1.1\r\nHost: shop.test";

// `name=value` of the cookie that is set.
std::string CookieOf(const std::string& fields, std::string_view name) {
  const auto at = fields.find(std::string("Set-Cookie: ").append(name).append("="));
  if (at == std::string::npos) return {};
  return fields.substr(at + 12, fields.find(';', at) - at - 12);
}

class ExchangeStickinessTest : public ::testing::Test {
 protected:
  ExchangeStickinessTest() {
    fixture_.model.target_groups[0].stickiness.enabled = true;
    fixture_.Publish();
  }
  // Sends a request with this Cookie field; the answer's fields are in `fields_`, who was asked in `port_`.
  void Get(const std::string& cookies = {}, const std::string& more = {}) {
    FakeDownstream downstream;
    fixture_.Begin(downstream, kStickyGet + (cookies.empty() ? "" : "\r\nCookie: " + cookies) + more);
    ASSERT_FALSE(fixture_.upstreams.streams.empty());
    port_ = fixture_.upstreams.last().endpoint.port;
    fixture_.upstreams.last().Answer(200, "ok");
    EXPECT_EQ(downstream.status, 200);
    EXPECT_EQ(downstream.finished, 1);
    fields_ = downstream.fields;
  }
  [[nodiscard]] std::uint64_t anew() const { return fixture_.group().non_sticky_requests.value(); }
  [[nodiscard]] std::uint64_t rejected(StickyVerdict verdict) const {
    return fixture_.group().cookies[std::to_underlying(verdict)].value();
  }
  // The status of the view that is current.
  [[nodiscard]] health::GroupStatus& status() {
    return const_cast<health::GroupStatus&>(fixture_.view->status->groups[0]);
  }

  ExchangeFixture fixture_{5};
  std::string fields_;
  std::uint16_t port_ = 0;
};

TEST_F(ExchangeStickinessTest, AGroupThatIsNotStickySetsNoCookies) {
  ExchangeFixture plain;
  FakeDownstream downstream;
  plain.Begin(downstream, kStickyGet + "\r\nCookie: AWSALB=1");
  plain.upstreams.last().Answer(200);
  EXPECT_THAT(downstream.fields, Not(HasSubstr("Set-Cookie")));
  EXPECT_EQ(plain.group().non_sticky_requests.value(), 0U);
}

TEST_F(ExchangeStickinessTest, AClientStaysWhereItWasSentFirst) {
  Get();
  const std::uint16_t first = port_;
  EXPECT_EQ(anew(), 1U);
  for (int i = 0; i < 20; ++i) {
    Get(CookieOf(fields_, i % 2 == 0 ? "AWSALB" : "AWSALBCORS"));
    EXPECT_EQ(port_, first);
    EXPECT_NE(CookieOf(fields_, "AWSALB"), "");
    EXPECT_NE(CookieOf(fields_, "AWSALBCORS"), "");
  }
  EXPECT_EQ(anew(), 1U);
}

TEST_F(ExchangeStickinessTest, ClientsWithoutCookiesAreSpread) {
  std::set<std::uint16_t> ports;
  for (int i = 0; i < 5; ++i) {
    Get("theme=dark");
    ports.insert(port_);
  }
  EXPECT_EQ(ports.size(), 5U);
  EXPECT_EQ(anew(), 5U);
}

TEST_F(ExchangeStickinessTest, AStickyRequestLeavesTheTurnsAlone) {
  Get();
  const std::string cookie = CookieOf(fields_, "AWSALB");
  std::set<std::uint16_t> ports = {port_};
  for (int i = 0; i < 4; ++i) {
    for (int j = 0; j < 3; ++j) Get(cookie);
    Get();
    ports.insert(port_);
  }
  EXPECT_EQ(ports.size(), 5U);
}

TEST_F(ExchangeStickinessTest, ACookieThatIsNoneOfOursNeverFailsARequest) {
  for (const std::string& value : {std::string(), std::string("x"), std::string(104, 'A'), std::string(16'000, '%')}) {
    Get("AWSALB=" + value);
    EXPECT_NE(CookieOf(fields_, "AWSALB"), "") << "a new one";
  }
  EXPECT_EQ(rejected(StickyVerdict::kInvalid), 4U);
  EXPECT_EQ(anew(), 4U);
}

TEST_F(ExchangeStickinessTest, AnUnhealthyTargetIsLeftForGood) {
  Get();
  const std::uint16_t first = port_;
  const std::string old_cookie = CookieOf(fields_, "AWSALB");
  const auto index = static_cast<std::uint32_t>(first - 9001);
  std::erase(status().routable, index);
  Get(old_cookie);
  EXPECT_NE(port_, first);
  const std::uint16_t second = port_;
  const std::string cookie = CookieOf(fields_, "AWSALB");
  EXPECT_EQ(rejected(StickyVerdict::kUnhealthy), 1U);
  status().routable = {0, 1, 2, 3, 4};
  for (int i = 0; i < 5; ++i) {
    Get(cookie);
    EXPECT_EQ(port_, second) << "although the first one is back";
  }
}

TEST_F(ExchangeStickinessTest, ATargetThatRefusesIsLeftForTheNext) {
  Get();
  const std::uint16_t first = port_;
  fixture_.upstreams.plans = {Plan{.error = ECONNREFUSED}};
  Get(CookieOf(fields_, "AWSALB"));
  EXPECT_NE(port_, first);
  const std::uint16_t second = port_;
  Get(CookieOf(fields_, "AWSALB"));
  EXPECT_EQ(port_, second) << "the cookie names who answered";
}

TEST_F(ExchangeStickinessTest, AStaleConnectionIsNoReasonToLeave) {
  Get();
  const std::uint16_t first = port_;
  fixture_.upstreams.plans = {Plan{.reused = true, .fails_to_send = true}, Plan{}};
  Get(CookieOf(fields_, "AWSALB"));
  EXPECT_EQ(port_, first);
}

TEST_F(ExchangeStickinessTest, AnAnswerOfWeirsOwnSetsNoCookie) {
  FakeDownstream downstream;
  fixture_.Begin(downstream, kStickyGet);
  fixture_.upstreams.last().Fail(ErrorCode::kTargetReset);
  EXPECT_EQ(downstream.status, 502);
  EXPECT_THAT(downstream.fields, Not(HasSubstr("AWSALB")));
}

TEST_F(ExchangeStickinessTest, TheApplicationsCookieMakesASession) {
  auto& stickiness = fixture_.model.target_groups[0].stickiness;
  stickiness.type = config::StickinessType::kAppCookie;
  stickiness.cookie_name = "sid";
  fixture_.Publish();
  Get();
  EXPECT_THAT(fields_, Not(HasSubstr("AWSALB")));
  FakeDownstream downstream;
  fixture_.Begin(downstream, kStickyGet + "\r\nOrigin: https://a.test\r\nUser-Agent: Chrome/120.0");
  const std::uint16_t first = fixture_.upstreams.last().endpoint.port;
  http::ResponseHead answer;
  answer.status = 200;
  answer.fields = {{.name = "Set-Cookie", .value = "sid=1; Path=/"}};
  fixture_.upstreams.last().events->OnResponse(
      answer, {.bytes = {}, .pipe = nullptr, .end = ContentEnd::kLast, .trailers = nullptr});
  EXPECT_THAT(downstream.fields, HasSubstr("Path=/; SameSite=None; Secure\r\n"));
  const std::string cookie = CookieOf(downstream.fields, "AWSALBAPP-0");
  ASSERT_NE(cookie, "");
  EXPECT_EQ(fixture_.group().app_cookie_non_sticky_requests.value(), 2U);
  for (int i = 0; i < 5; ++i) {
    Get("sid=1; " + cookie);
    EXPECT_EQ(port_, first);
  }
  EXPECT_EQ(fixture_.group().app_cookie_non_sticky_requests.value(), 2U);
  Get(cookie);
  EXPECT_EQ(fixture_.group().app_cookie_non_sticky_requests.value(), 3U) << "without the application's own";
  EXPECT_EQ(anew(), 0U);
}

// ---- groups: blue has the targets, green has none

class ExchangeGroupStickinessTest : public ExchangeStickinessTest {
 protected:
  ExchangeGroupStickinessTest() {
    config::TargetGroup green;
    green.name = "green";
    fixture_.model.target_groups[0].stickiness.enabled = false;
    fixture_.model.target_groups.push_back(green);
    SetWeights(1, 0);
  }
  void SetWeights(std::uint16_t blue, std::uint16_t green) {
    config::ForwardAction action;
    action.target_groups = {{.target_group = 0, .weight = blue}, {.target_group = 1, .weight = green}};
    action.stickiness = 3600s;
    fixture_.model.load_balancers[0].listeners[0].default_rule.action = action;
    fixture_.Publish();
  }
  [[nodiscard]] std::uint64_t rejected_group(StickyVerdict verdict) const {
    const Listener& listener = *fixture_.view->routing->listeners().front();
    return listener.counters->At(IpAddress(), 0).group_cookies[std::to_underlying(verdict)].value();
  }
};

TEST_F(ExchangeGroupStickinessTest, EveryResponseNamesTheGroup) {
  Get();
  const std::string cookie = CookieOf(fields_, "AWSALBTG");
  EXPECT_NE(cookie, "");
  EXPECT_NE(CookieOf(fields_, "AWSALBTGCORS"), "");
  EXPECT_EQ(CookieOf(fields_, "AWSALB"), "") << "the group itself is not sticky";
  Get(cookie);
  EXPECT_NE(CookieOf(fields_, "AWSALBTG"), "");
}

TEST_F(ExchangeGroupStickinessTest, ACookieThatIsNoneOfOursIsDrawnFor) {
  for (const char* const value : {"", "%2B%2F", "AAAA"}) Get(std::string("AWSALBTG=") + value);
  EXPECT_EQ(rejected_group(StickyVerdict::kInvalid), 3U);
}

TEST_F(ExchangeGroupStickinessTest, AnEmptyGroupThatIsDrawnIsStill503) {
  SetWeights(0, 1);
  FakeDownstream downstream;
  fixture_.Begin(downstream, kStickyGet);
  EXPECT_EQ(downstream.status, 503);
}

}  // namespace
}  // namespace weir::proxy
