#include "config/decode/dns_name.h"

#include "base/record_type.h"

#include <gtest/gtest.h>

namespace weir::config {
namespace {

TEST(ConfigDnsNameTest, NamesAreRelativeUnlessTheyEndInADot) {
  EXPECT_EQ(*ParseDnsName("WWW", "example.test."), "www.example.test.");
  EXPECT_EQ(*ParseDnsName("@", "example.test."), "example.test.");
  EXPECT_EQ(*ParseDnsName("a.other.test.", "example.test."), "a.other.test.");
  EXPECT_EQ(*ParseDnsName("*", "example.test."), "*.example.test.");
  EXPECT_EQ(*ParseDnsName("_sip._tcp", "example.test."), "_sip._tcp.example.test.");
  EXPECT_EQ(*ParseDnsName("a\\.b", "t."), "a\\056b.t.");
}

TEST(ConfigDnsNameTest, NamesOutsideTheLimitsAreRefused) {
  const std::string label(63, 'a');
  EXPECT_TRUE(ParseDnsName(label, "t."));
  EXPECT_FALSE(ParseDnsName(label + "a", "t."));
  EXPECT_FALSE(ParseDnsName(label + "." + label + "." + label + "." + label + ".", "."));
  for (const auto* text : {"", "a..b", ".a", "a b", "\\400", "\\199", "\\1", "\xC3\xA9"})
    EXPECT_FALSE(ParseDnsName(text, "t.")) << text;
}

TEST(ConfigDnsNameTest, EscapesAreOctalAndOneNameHasOneText) {
  EXPECT_EQ(*ParseDnsName("q\\351", "t."), "q\\351.t.");
  EXPECT_EQ(*ParseDnsName("\\052", "t."), "*.t.");
  EXPECT_EQ(*ParseDnsName("\\127", "t."), "w.t.") << "a capital W";
  const auto decimal = ParseDnsName("\\199", "t.");
  ASSERT_FALSE(decimal);
  EXPECT_EQ(decimal.error().message, "`\\199` is no domain name: a bad escape");
  EXPECT_NE(decimal.error().hint.find("three octal digits"), std::string::npos);
}

TEST(ConfigDnsNameTest, AsterisksAreCharactersEverywhere) {
  for (const auto* text : {"a.*.b", "*a", "*.*", "a*"}) {
    EXPECT_EQ(*ParseDnsName(text, "t."), std::string(text) + ".t.");
  }
}

TEST(ConfigDnsNameTest, ANameInUtf8IsRefusedWithItsPunycode) {
  const auto name = ParseDnsName(
      "b\xC3\xBC"
      "cher",
      "t.");
  ASSERT_FALSE(name);
  EXPECT_EQ(name.error().hint, "in DNS it is xn--bcher-kva");
}

TEST(ConfigDnsNameTest, ARelativeNameThatEndsInTheZonesNameIsNoticed) {
  EXPECT_TRUE(RepeatsZone("www.Example.test", "example.test."));
  EXPECT_TRUE(RepeatsZone("example.test", "example.test."));
  for (const auto* text : {"www", "www.example.test.", "badexample.test", "test"})
    EXPECT_FALSE(RepeatsZone(text, "example.test.")) << text;
  EXPECT_FALSE(RepeatsZone("www", "."));
}

TEST(ConfigDnsNameTest, TheQuotationMarksOfTextsAreRead) {
  for (const auto* value : {R"("a b")", R"("a" "b")", R"("a\" b")", R"(  "a"  )", R"(\# 2 0141)"})
    EXPECT_EQ(TextFormOf(value), TextForm::kQuoted) << value;
  for (const auto* value : {"a", " a ", R"(a\ b)", R"(a"b)"})
    EXPECT_EQ(TextFormOf(value), TextForm::kUnquoted) << value;
  for (const auto* value : {"v=spf1 -all", R"("a" b)", R"(a "b")"})
    EXPECT_EQ(TextFormOf(value), TextForm::kUnquotedWords) << value;
}

TEST(ConfigDnsNameTest, ANameIsInItsZoneAtLabelBoundariesOnly) {
  EXPECT_TRUE(IsInZone("a.example.test.", "example.test."));
  EXPECT_TRUE(IsInZone("example.test.", "example.test."));
  EXPECT_FALSE(IsInZone("badexample.test.", "example.test."));
  EXPECT_FALSE(IsInZone("a\\056example.test.", "example.test."));
  EXPECT_TRUE(IsInZone("a.", "."));
}

TEST(ConfigDnsNameTest, TypesAreMnemonicsOrNumbersThatAZoneMayHold) {
  EXPECT_EQ(ParseZoneRecordType("aaaa"), 28);
  EXPECT_EQ(ParseZoneRecordType("TYPE65280"), 65'280);
  for (const auto* text : {"ANY", "AXFR", "TYPE0", "TYPE41", "TYPE255", "TYPE65536", "TYPE", "X"})
    EXPECT_FALSE(ParseZoneRecordType(text)) << text;
}

}  // namespace
}  // namespace weir::config
