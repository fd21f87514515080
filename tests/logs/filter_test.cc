#include "logs/filter.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace weir::logs {
namespace {

using namespace std::chrono_literals;

TEST(StatusRangeTest, OneAHundredOrARange) {
  const auto range = [](std::string_view text) {
    const auto parsed = ParseStatusRange(text);
    return parsed ? fmt::format("{}-{}", parsed->first, parsed->last) : parsed.error().message;
  };
  EXPECT_EQ(range("404"), "404-404");
  EXPECT_EQ(range("5xx"), "500-599");
  EXPECT_EQ(range("5XX"), "500-599");
  EXPECT_EQ(range("500-504"), "500-504");
  EXPECT_EQ(range("000"), "0-0");
  for (const char* const wrong : {"", "5", "6xx", "0xx", "504-500", "40x", "4000", "400-", "-1"}) {
    EXPECT_EQ(range(wrong), fmt::format("`{}` is no status", wrong));
  }
}

TEST(MomentTest, ATimeADayOrHowLongAgo) {
  const WallTime now = *ParseLogTime("2026-11-02T10:15:30Z");
  EXPECT_EQ(ParseMoment("2026-11-02T10:00:00Z", now), now - 15min - 30s);
  EXPECT_EQ(ParseMoment("2026-11-02", now), *ParseLogTime("2026-11-02T00:00:00Z"));
  EXPECT_EQ(ParseMoment("15m", now), now - 15min);
  EXPECT_EQ(ParseMoment("2h", now), now - 2h);
  EXPECT_EQ(ParseMoment("1d", now), now - 24h);
  EXPECT_EQ(ParseMoment("30s", now), now - 30s);
  for (const char* const wrong : {"", "m", "15", "yesterday", "-5m", "1w"})
    EXPECT_FALSE(ParseMoment(wrong, now)) << wrong;
}

class FilterTest : public ::testing::Test {
 protected:
  bool Takes(const Filter& filter, std::string_view line) {
    const auto entry = parser_.Parse(line);
    EXPECT_TRUE(entry) << line;
    return entry && filter.Takes(*entry);
  }
  bool Takes(const Filter& filter) { return Takes(filter, kLine); }

  static constexpr std::string_view kLine =
      R"(https 2026-11-02T10:15:30.123456Z app/shop/1 198.51.100.7:40112 [2001:db8::7]:8080 0.001 0.512 0.000 502 500 412 1530 "POST https://Shop.example.net:443/cart/add?b=c HTTP/1.1" "curl" - - arn:aws:elasticloadbalancing:eu-west-1:1:targetgroup/web/fe "Root=1-69072f22-01" "-" "-" 0 2026-11-02T10:15:30.110000Z "forward" "-" "LambdaUnhandled" "10.1.2.3:8080" "200" "-" "-" TID_01)";
  static constexpr std::string_view kConnection =
      R"(2026-11-02T10:15:30Z 203.0.113.1 36280 443 TLSv1.2 X 4.036 "-" - - Success TID_318)";
  EntryParser parser_;
};

TEST_F(FilterTest, EachPartTakesWhatItNames) {
  EXPECT_TRUE(Takes({}));
  EXPECT_TRUE(Takes({.statuses = {{500, 599}}}));
  EXPECT_FALSE(Takes({.statuses = {{400, 499}}}));
  EXPECT_TRUE(Takes({.statuses = {{400, 499}, {502, 502}}})) << "one of several";
  EXPECT_TRUE(Takes({.target_statuses = {{500, 500}}}));
  EXPECT_FALSE(Takes({.target_statuses = {{502, 502}}}));
  EXPECT_TRUE(Takes({.rules = {"default"}}));
  EXPECT_TRUE(Takes({.rules = {"0"}}));
  EXPECT_FALSE(Takes({.rules = {"10"}}));
  EXPECT_TRUE(Takes({.targets = {"[2001:db8::7]:8080"}}));
  EXPECT_TRUE(Takes({.targets = {"2001:db8::7"}}));
  EXPECT_FALSE(Takes({.targets = {"2001:db8::8"}}));
  EXPECT_TRUE(Takes({.groups = {"web"}}));
  EXPECT_FALSE(Takes({.groups = {"we"}}));
  EXPECT_TRUE(Takes({.reasons = {"lambdaunhandled"}}));
  EXPECT_TRUE(Takes({.reasons = {"any"}}));
  EXPECT_FALSE(Takes({.reasons = {"LambdaInvalidResponse"}}));
  EXPECT_TRUE(Takes({.methods = {"POST"}}));
  EXPECT_FALSE(Takes({.methods = {"GET"}}));
  EXPECT_TRUE(Takes({.hosts = {"shop.EXAMPLE.net"}}));
  EXPECT_TRUE(Takes({.hosts = {"*.example.net"}}));
  EXPECT_TRUE(Takes({.hosts = {"shop.example.net:443"}}));
  EXPECT_FALSE(Takes({.hosts = {"example.net"}}));
  EXPECT_TRUE(Takes({.paths = {"/cart/*"}}));
  EXPECT_TRUE(Takes({.paths = {"*add"}})) << "the query is not part of it";
  EXPECT_FALSE(Takes({.paths = {"/Cart/*"}}));
  EXPECT_TRUE(Takes({.clients = {"198.51.100.7"}}));
  EXPECT_FALSE(Takes({.clients = {"198.51.100.70"}}));
  EXPECT_TRUE(Takes({.trace_ids = {"1-69072f22-01"}}));
  EXPECT_TRUE(Takes({.trace_ids = {"TID_01"}}));
  EXPECT_FALSE(Takes({.trace_ids = {"TID_02"}}));
  EXPECT_TRUE(Takes({.slower_than = 513ms}));
  EXPECT_FALSE(Takes({.slower_than = 514ms}));
  EXPECT_FALSE(Takes({.methods = {"POST"}, .clients = {"192.0.2.1"}})) << "all parts";
}

TEST_F(FilterTest, TimeBeginsAtSinceAndEndsBeforeUntil) {
  const WallTime time = *ParseLogTime("2026-11-02T10:15:30.123456Z");
  EXPECT_TRUE(Takes({.since = time}));
  EXPECT_FALSE(Takes({.since = time + 1us}));
  EXPECT_FALSE(Takes({.until = time}));
  EXPECT_TRUE(Takes({.until = time + 1us}));
}

TEST_F(FilterTest, AConnectionHasNothingOfARequest) {
  EXPECT_TRUE(Takes({}, kConnection));
  EXPECT_TRUE(Takes({.clients = {"203.0.113.1"}}, kConnection));
  EXPECT_TRUE(Takes({.trace_ids = {"TID_318"}}, kConnection));
  EXPECT_FALSE(Takes({.statuses = {{0, 999}}}, kConnection));
}

}  // namespace
}  // namespace weir::logs
