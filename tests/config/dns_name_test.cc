#include "config/dns_name.h"

#include <gtest/gtest.h>

namespace weir::config {
namespace {

TEST(ConfigDnsNameTest, NamesAreRelativeUnlessTheyEndInADot) {
  EXPECT_EQ(*ParseDnsName("WWW", "example.test."), "www.example.test.");
  EXPECT_EQ(*ParseDnsName("@", "example.test."), "example.test.");
  EXPECT_EQ(*ParseDnsName("a.other.test.", "example.test."), "a.other.test.");
  EXPECT_EQ(*ParseDnsName("*", "example.test."), "*.example.test.");
  EXPECT_EQ(*ParseDnsName("_sip._tcp", "example.test."), "_sip._tcp.example.test.");
  EXPECT_EQ(*ParseDnsName("a\\.b", "t."), "a\\.b.t.");
}

TEST(ConfigDnsNameTest, NamesOutsideTheLimitsAreRefused) {
  const std::string label(63, 'a');
  EXPECT_TRUE(ParseDnsName(label, "t."));
  EXPECT_FALSE(ParseDnsName(label + "a", "t."));
  EXPECT_FALSE(ParseDnsName(label + "." + label + "." + label + "." + label + ".", "."));
  for (const auto* text : {"", "a..b", ".a", "a b", "a*", "a.*.b", "\\300", "\\1", "\xC3\xA9"})
    EXPECT_FALSE(ParseDnsName(text, "t.")) << text;
}

TEST(ConfigDnsNameTest, ANameIsInItsZoneAtLabelBoundariesOnly) {
  EXPECT_TRUE(IsInZone("a.example.test.", "example.test."));
  EXPECT_TRUE(IsInZone("example.test.", "example.test."));
  EXPECT_FALSE(IsInZone("badexample.test.", "example.test."));
  EXPECT_FALSE(IsInZone("a\\.example.test.", "example.test."));
}

TEST(ConfigDnsNameTest, TypesAreMnemonicsOrNumbersThatAZoneMayHold) {
  EXPECT_EQ(ParseRecordType("aaaa"), 28);
  EXPECT_EQ(ParseRecordType("TYPE65280"), 65'280);
  for (const auto* text : {"ANY", "AXFR", "TYPE0", "TYPE41", "TYPE255", "TYPE65536", "TYPE", "X"})
    EXPECT_FALSE(ParseRecordType(text)) << text;
}

}  // namespace
}  // namespace weir::config
