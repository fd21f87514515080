#include "control/zonal_shift.h"

#include "control/status_json.h"
#include "tests/control/control_fixture.h"

#include <gtest/gtest.h>

#include <chrono>
#include <string>

namespace weir::control {
namespace {

using std::chrono::seconds;

// spec: resilience.md 6.2; seconds are ours.
TEST(ParseExpiryTest, ANumberAndAUnitUpToSeventyTwoHours) {
  EXPECT_EQ(ParseExpiry("1s"), seconds(1));
  EXPECT_EQ(ParseExpiry("90m"), seconds(5'400));
  EXPECT_EQ(ParseExpiry("72h"), kZonalShiftSecondsMax);
  EXPECT_EQ(ParseExpiry("259200s"), kZonalShiftSecondsMax);
  for (const char* const wrong : {"", "s", "1", "0s", "01h", "73h", "259201s", "1d", "1h30m", "-1h", "+1h", " 1h",
                                  "1 h", "1H", "18446744073709551616s", "99999999999999999999h"}) {
    EXPECT_FALSE(ParseExpiry(wrong)) << wrong;
  }
}

TEST(ZonalShiftTest, IsReadBackAsItWasKept) {
  const ZonalShift shift{.zone = "a\"\xC3\xA4",
                         .started = WallTime(seconds(1'700'000'000)),
                         .expires = WallTime(seconds(1'700'003'600)),
                         .comment = "power\n"};
  const auto read = ParseZonalShift(FormatZonalShift(shift));
  ASSERT_TRUE(read);
  EXPECT_EQ(read->zone, shift.zone);
  EXPECT_EQ(read->started, shift.started);
  EXPECT_EQ(read->expires, shift.expires);
  EXPECT_EQ(read->comment, shift.comment);
  EXPECT_TRUE(read->is_active());
}

TEST(ZonalShiftTest, AnotherTextIsNone) {
  for (const char* const text :
       {"", "x", "[]", "{}", R"({"zone": "a"})",
        R"({"zone": "", "started-unix-milliseconds": 1, "expires-unix-milliseconds": 2, "comment": ""})",
        R"({"zone": "a", "started-unix-milliseconds": "1", "expires-unix-milliseconds": 2, "comment": ""})"}) {
    EXPECT_FALSE(ParseZonalShift(text)) << text;
  }
}

TEST(ZonalShiftJsonTest, IsReadBack) {
  EXPECT_EQ(ZonalShiftJson(std::nullopt), R"({"zonal-shift":null})");
  EXPECT_EQ(ParseZonalShiftJson(R"({"zonal-shift":null})").value(), std::nullopt);
  EXPECT_FALSE(ParseZonalShiftJson("{}"));
  FakeAppliance appliance;
  appliance.view = MakeView(kShopYaml);
  appliance.runtime.state_directory = "/state";
  appliance.runtime.zonal_shift = ZonalShift{.zone = "a", .started = {}, .expires = {}, .comment = "why"};
  const auto report = DescribeZonalShift(*appliance.view, appliance.runtime);
  const auto read = ParseZonalShiftJson(ZonalShiftJson(report));
  ASSERT_TRUE(read && *read);
  EXPECT_EQ((*read)->zone, "a");
  EXPECT_EQ((*read)->status, "ACTIVE");
  EXPECT_EQ((*read)->comment, "why");
  EXPECT_TRUE((*read)->survives);
}

}  // namespace
}  // namespace weir::control
