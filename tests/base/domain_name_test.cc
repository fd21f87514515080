#include "base/domain_name.h"

#include <gtest/gtest.h>

#include <string>

namespace weir {
namespace {

std::string Read(std::string_view text) {
  const auto name = ParseDomainName(text);
  if (!name) return "error: " + name.error().message;
  std::string out;
  AppendDomainName(name->wire(), out);
  return out;
}

TEST(DomainNameTest, EscapesAreThreeOctalDigitsOrTheCharacterItself) {
  EXPECT_EQ(Read("q\\351"), "q\\351.");
  EXPECT_EQ(Read("\\001\\377"), "\\001\\377.");
  EXPECT_EQ(Read("a\\.b.c"), "a\\056b.c.");
  EXPECT_EQ(Read("\\141\\x\\\\"), "ax\\134.");
  for (const auto* text : {"\\199", "\\400", "\\999", "\\1", "\\12", "\\12a", "\\8", "a\\"})
    EXPECT_EQ(Read(text), "error: a bad escape") << text;
}

TEST(DomainNameTest, TextsOfOneNameBecomeTheSameText) {
  EXPECT_EQ(Read("\\052.A.Test"), "*.a.test.");
  EXPECT_EQ(Read("*.a.test."), "*.a.test.");
  EXPECT_EQ(Read("\\101.TEST"), "a.test.");
  EXPECT_EQ(Read("1/2._x-y"), "1/2._x-y.");
}

TEST(DomainNameTest, AnAsteriskIsACharacterWhereverItStands) {
  for (const auto* text : {"a.*.b.", "*a.", "*.*.", "a*b.", "*."}) EXPECT_EQ(Read(text), text);
}

TEST(DomainNameTest, LimitsAreThoseOfTheWire) {
  const std::string label(63, 'a');
  EXPECT_EQ(Read(label), label + ".");
  EXPECT_EQ(Read(label + "a"), "error: a label of more than 63 octets");
  const std::string three = label + "." + label + "." + label + ".";
  EXPECT_EQ(Read(three + std::string(61, 'b')), three + std::string(61, 'b') + ".");
  EXPECT_EQ(Read(three + std::string(61, 'b') + "."), three + std::string(61, 'b') + ".");
  for (const auto* end : {"", ".", ".c"}) {
    EXPECT_EQ(Read(three + std::string(62, 'b') + end), "error: more than 255 octets") << end;
  }
  for (const auto* text : {"..", ".a", "a..b", "a.."}) EXPECT_EQ(Read(text), "error: an empty label") << text;
  EXPECT_EQ(Read("a b"), "error: a space or a control character");
  EXPECT_EQ(Read(""), "error: it is empty");
}

TEST(DomainNameTest, ARelativeNameContinuesWithTheOrigin) {
  const auto origin = ParseDomainName("example.test.");
  const auto relative = ParseDomainName("a\\.", origin->wire());
  std::string out;
  AppendDomainName(relative->wire(), out);
  EXPECT_EQ(out, "a\\056.example.test.");
  EXPECT_FALSE(relative->is_absolute);
  EXPECT_TRUE(ParseDomainName("a.", origin->wire())->is_absolute);
  EXPECT_EQ(ParseDomainName("a.", origin->wire())->labels(), 1U);
  const std::string label(63, 'a');
  EXPECT_FALSE(ParseDomainName(label + "." + label + "." + label + "." + std::string(50, 'b'), origin->wire()));
  EXPECT_TRUE(ParseDomainName(".")->is_absolute);
  EXPECT_EQ(Read("."), ".");
}

TEST(DomainNameTest, ANameLiesWithinItselfAndItsAncestors) {
  const auto name = *ParseDomainName("www.example.test.");
  EXPECT_TRUE(IsNameWithin(name.wire(), name.wire()));
  for (const char* ancestor : {"example.test.", "test.", "."}) {
    EXPECT_TRUE(IsNameWithin(name.wire(), ParseDomainName(ancestor)->wire())) << ancestor;
  }
  for (const char* other : {"ww.example.test.", "ample.test.", "a.www.example.test.", "org."}) {
    EXPECT_FALSE(IsNameWithin(name.wire(), ParseDomainName(other)->wire())) << other;
  }
}

// The first three are of RFC 3492 7.1.
TEST(DomainNameTest, InternationalNamesHaveAPunycodeForm) {
  EXPECT_EQ(ToPunycode("他们为什么不说中文"), "xn--ihqwcrb4cv8a8dqg056pqjye");
  EXPECT_EQ(ToPunycode("Pročprostěnemluvíčesky"), "xn--proprostnemluvesky-uyb24dma41a");
  EXPECT_EQ(ToPunycode("почемужеонинеговорятпорусски"), "xn--b1abfaaepdrnnbgefbadotcwatmq2g4l");
  EXPECT_EQ(ToPunycode("www.BÜCHER.example."), "www.xn--bcher-kva.example.");
  EXPECT_EQ(ToPunycode("*.straße"), "*.xn--strae-oqa");
  for (const auto* text : {"plain", "\xC3", "\xC3\x28", "\xC0\x80", "\xED\xA0\x80", "u\xCC\x88"}) {
    EXPECT_EQ(ToPunycode(text), "") << text;
  }
}

}  // namespace
}  // namespace weir
