#include "base/record_type.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>

namespace weir {
namespace {

TEST(RecordTypeTest, NamesAndNumbersLeadToEachOther) {
  EXPECT_EQ(RecordTypeName(rr::kAaaa), "AAAA");
  EXPECT_EQ(RecordTypeName(666), "TYPE666");
  EXPECT_EQ(ParseRecordType("aAaA"), rr::kAaaa);
  EXPECT_EQ(ParseRecordType("ANY"), rr::kAny);
  EXPECT_EQ(ParseRecordType("type666"), 666);
  EXPECT_EQ(ParseRecordType("TYPE1"), rr::kA);
  for (const char* text : {"", "AA", "TYPE", "TYPE65536", "TYPE-1", "TYPEA"}) {
    EXPECT_EQ(ParseRecordType(text), std::nullopt) << text;
  }
}

TEST(RecordTypeTest, ZonesHoldNoTypeOfQueries) {
  EXPECT_EQ(ParseZoneRecordType("caa"), rr::kCaa);
  EXPECT_EQ(ParseZoneRecordType("TYPE65280"), 65'280);
  EXPECT_EQ(ParseZoneRecordType("TYPE13"), rr::kHinfo);
  for (const char* text :
       {"ANY", "AXFR", "OPT", "HINFO", "TYPE0", "TYPE41", "TYPE128", "TYPE255", "TYPE65536", "NOPE"}) {
    EXPECT_EQ(ParseZoneRecordType(text), std::nullopt) << text;
  }
}

TEST(RecordTypeTest, EachNameOfZonesIsRead) {
  const auto names = ZoneRecordTypeNames();
  EXPECT_EQ(names.size(), 17U);
  for (const auto name : names) {
    const auto type = ParseZoneRecordType(name);
    ASSERT_TRUE(type) << name;
    EXPECT_EQ(RecordTypeName(*type), name);
  }
}

}  // namespace
}  // namespace weir
