#include "net/cookie_cipher.h"

#include "net/key_secret.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace weir::net {
namespace {

using Bytes = std::vector<std::uint8_t>;

Bytes BytesOf(std::string_view text) { return {text.begin(), text.end()}; }

CookieKey KeyOf(std::uint8_t byte) {
  KeySecret secret{};
  secret.fill(byte);
  return CookieKey::From(secret);
}

Bytes Seal(CookieCipher& cipher, std::string_view purpose, std::string_view text) {
  Bytes sealed(text.size() + CookieCipher::kOverheadBytes);
  cipher.Seal(purpose, BytesOf(text), sealed);
  return sealed;
}

// What is opened; `refused` when nothing is.
std::string Open(CookieCipher& cipher, std::string_view purpose, const Bytes& sealed) {
  Bytes text(sealed.size() - CookieCipher::kOverheadBytes);
  if (!cipher.Open(purpose, sealed, text)) return "refused";
  return {text.begin(), text.end()};
}

// C2SP XAES-256-GCM, the second of its test vectors: the key 03…, additional data.
TEST(CookieCipherTest, IsXaes256Gcm) {
  CookieKey key{.name = {7, 8, 9}, .cipher_key = {}};
  key.cipher_key.fill(3);
  CookieCipher cipher({key});
  constexpr auto kCiphertext =
      std::to_array<std::uint8_t>({0x98, 0x6e, 0xc1, 0x83, 0x25, 0x93, 0xdf, 0x54, 0x43, 0xa1, 0x79, 0x43, 0x7f, 0xd0,
                                   0x83, 0xbf, 0x3f, 0xdb, 0x41, 0xab, 0xd7, 0x40, 0xa2, 0x1f, 0x71, 0xeb, 0x76, 0x9d});
  Bytes sealed = {7, 8, 9};
  for (const char c : std::string_view("ABCDEFGHIJKLMNOPQRSTUVWX")) sealed.push_back(static_cast<std::uint8_t>(c));
  sealed.insert(sealed.end(), kCiphertext.begin(), kCiphertext.end());
  EXPECT_EQ(Open(cipher, "c2sp.org/XAES-256-GCM", sealed), "XAES-256-GCM");
}

TEST(CookieCipherTest, OpensWhatItSealed) {
  CookieCipher cipher({KeyOf(1)});
  for (const std::string_view text : {"", "x", "a session of some length, longer than a block"}) {
    EXPECT_EQ(Open(cipher, "purpose", Seal(cipher, "purpose", text)), text);
  }
}

TEST(CookieCipherTest, NoTwoSealedValuesAreEqual) {
  CookieCipher cipher({KeyOf(1)});
  EXPECT_NE(Seal(cipher, "purpose", "text"), Seal(cipher, "purpose", "text"));
}

TEST(CookieCipherTest, AnotherPurposeIsRefused) {
  CookieCipher cipher({KeyOf(1)});
  EXPECT_EQ(Open(cipher, "another", Seal(cipher, "purpose", "text")), "refused");
}

TEST(CookieCipherTest, EveryBitCounts) {
  CookieCipher cipher({KeyOf(1)});
  const Bytes sealed = Seal(cipher, "purpose", "text");
  for (std::size_t i = 0; i < sealed.size() * 8; ++i) {
    Bytes changed = sealed;
    changed[i / 8] = static_cast<std::uint8_t>(changed[i / 8] ^ (1U << (i % 8)));
    EXPECT_EQ(Open(cipher, "purpose", changed), "refused") << "bit " << i;
  }
  EXPECT_EQ(Open(cipher, "purpose", sealed), "text") << "after all that was refused";
}

TEST(CookieCipherTest, TheFirstKeySealsAndAllOpen) {
  CookieCipher old_one({KeyOf(1)});
  CookieCipher both({KeyOf(2), KeyOf(1)});
  CookieCipher new_one({KeyOf(2)});
  EXPECT_EQ(Open(both, "purpose", Seal(old_one, "purpose", "text")), "text");
  EXPECT_EQ(Open(new_one, "purpose", Seal(both, "purpose", "text")), "text");
  EXPECT_EQ(Open(new_one, "purpose", Seal(old_one, "purpose", "text")), "refused");
}

TEST(CookieCipherTest, KeysOfOneNameAreAllTried) {
  CookieKey other = KeyOf(2);
  other.name = KeyOf(1).name;
  CookieCipher cipher({other, KeyOf(1)});
  CookieCipher first({KeyOf(1)});
  EXPECT_EQ(Open(cipher, "purpose", Seal(first, "purpose", "text")), "text");
}

TEST(CookieCipherTest, WhatIsShorterThanItsOverheadIsRefused) {
  CookieCipher cipher({KeyOf(1)});
  Bytes nothing;
  EXPECT_FALSE(cipher.Open("purpose", BytesOf("short"), nothing));
}

TEST(CookieKeyTest, AFileWithTheSameSecretGivesTheSameKey) {
  const std::string text = "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=";
  EXPECT_EQ(ParseCookieKey(" " + text + "\r\n").value(), KeyOf(1));
  EXPECT_NE(KeyOf(1), KeyOf(2));
}

TEST(CookieKeyTest, WhatIsNoKeyIsRefused) {
  for (const std::string_view text : {"", "AQEB", "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEB",
                                      "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQ==", "not a key at all"}) {
    const auto parsed = ParseCookieKey(text);
    ASSERT_FALSE(parsed) << text;
    EXPECT_EQ(parsed.error().message, "is not a stickiness key");
    EXPECT_EQ(parsed.error().hint, "32 random bytes in base64: openssl rand -base64 32");
  }
}

TEST(CookieKeyTest, AKeyOfOnesOwnIsKeptWholeOrNotAtAll) {
  const KeySecret secret = MakeKeySecret();
  const std::string kept = FormatOwnCookieKey(secret);
  ASSERT_TRUE(ParseOwnCookieKey(kept));
  EXPECT_EQ(*ParseOwnCookieKey(kept), secret);
  for (const std::string& bad : {std::string(), std::string("nonsense\n"), kept.substr(0, kept.size() - 1),
                                 kept.substr(0, kept.size() - 9) + "\n", FormatKeySecret(secret) + "\n", kept + kept}) {
    EXPECT_FALSE(ParseOwnCookieKey(bad)) << bad;
  }
}

TEST(KeySecretTest, ASecretIsReadAsItIsWritten) {
  const KeySecret secret = MakeKeySecret();
  EXPECT_EQ(ParseKeySecret(FormatKeySecret(secret)), secret);
}

TEST(KeySecretTest, NewSecretsDiffer) { EXPECT_NE(MakeKeySecret(), MakeKeySecret()); }

}  // namespace
}  // namespace weir::net
