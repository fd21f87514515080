#include "net/tls_ticket_keys.h"

#include "net/tls_session_cache.h"

#include <gtest/gtest.h>

#include <chrono>
#include <string>

namespace weir::net {
namespace {

using std::chrono::hours;
using std::chrono::seconds;

const WallTime kStart{std::chrono::sys_days{std::chrono::year{2026} / 11 / 2}};

TEST(TlsTicketKeysTest, AKeyServesItsTimeAndIsThenKeptForItsTickets) {
  TlsTicketKeys keys(kStart);
  const auto first = keys.published().Load()->front().name;
  EXPECT_FALSE(keys.Rotate(kStart + TlsTicketKeys::kRotation - seconds(1)));
  EXPECT_TRUE(keys.Rotate(kStart + TlsTicketKeys::kRotation));
  const auto two = keys.published().Load();
  ASSERT_EQ(two->size(), 2U);
  EXPECT_NE(two->front().name, first);
  EXPECT_EQ(two->back().name, first);
  EXPECT_TRUE(keys.Rotate(kStart + 2 * TlsTicketKeys::kRotation));
  EXPECT_EQ(keys.published().Load()->size(), 2U);
  EXPECT_EQ(keys.published().Load()->back().name, two->front().name);
}

TEST(TlsTicketKeysTest, AfterALongPauseNothingOldIsKept) {
  TlsTicketKeys keys(kStart);
  EXPECT_TRUE(keys.Rotate(kStart + hours(48)));
  EXPECT_EQ(keys.published().Load()->size(), 1U);
}

TEST(TlsTicketKeysTest, AClockThatIsSetBackRotates) {
  TlsTicketKeys keys(kStart);
  EXPECT_TRUE(keys.Rotate(kStart - hours(1)));
}

TEST(TlsTicketKeysTest, FixedKeysStayUntilTheyAreTakenAway) {
  TlsTicketKeys keys(kStart);
  const TlsTicketKey own = TlsTicketKey::From(TlsOwnTicketKey::Make(kStart).secret);
  keys.Fix({own}, kStart);
  EXPECT_FALSE(keys.Rotate(kStart + hours(100)));
  EXPECT_EQ(keys.published().Load()->front().name, own.name);
  keys.Fix({}, kStart + hours(100));
  EXPECT_NE(keys.published().Load()->front().name, own.name);
  EXPECT_TRUE(keys.Rotate(kStart + hours(112)));
}

TEST(TlsTicketKeysTest, TheKeysOfAnEarlierRunServeOn) {
  TlsTicketKeys before(kStart);
  EXPECT_TRUE(before.Rotate(kStart + hours(12)));
  const std::string kept = FormatOwnTicketKeys(before.own());
  TlsTicketKeys keys(kStart + hours(14));
  keys.Restore(ParseOwnTicketKeys(kept).value(), kStart + hours(14));
  ASSERT_EQ(keys.own().size(), 2U);
  EXPECT_EQ(keys.published().Load()->front().name, before.published().Load()->front().name);
  EXPECT_EQ(keys.published().Load()->back().mac_key, before.published().Load()->back().mac_key);
  EXPECT_FALSE(keys.Rotate(kStart + hours(24) - seconds(1))) << "its time goes on";
  EXPECT_TRUE(keys.Rotate(kStart + hours(24)));
  EXPECT_EQ(keys.published().Load()->back().name, before.published().Load()->front().name);
}

TEST(TlsTicketKeysTest, KeptKeysThatNoTicketCanBeFromAreLeftOut) {
  TlsTicketKeys before(kStart);
  EXPECT_TRUE(before.Rotate(kStart + hours(12)));
  TlsTicketKeys keys(kStart);
  keys.Restore(before.own(), kStart + hours(25));
  EXPECT_EQ(keys.own().size(), 1U);
  EXPECT_EQ(keys.published().Load()->front().name, before.published().Load()->front().name);
  TlsTicketKeys late(kStart + hours(48));
  const auto made = late.published().Load()->front().name;
  late.Restore(before.own(), kStart + hours(48));
  EXPECT_EQ(late.published().Load()->front().name, made);
  TlsTicketKeys early(kStart - hours(1));
  early.Restore(before.own(), kStart - hours(1));
  EXPECT_EQ(early.own().front().made_at, kStart - hours(1)) << "the clock was set back";
}

TEST(TlsTicketKeysTest, FixedKeysAreNobodysOwn) {
  TlsTicketKeys keys(kStart);
  EXPECT_EQ(keys.own().size(), 1U);
  keys.Fix({TlsTicketKey::From(TlsOwnTicketKey::Make(kStart).secret)}, kStart);
  EXPECT_TRUE(keys.own().empty());
  keys.Fix({}, kStart);
  EXPECT_EQ(keys.own().size(), 1U);
}

TEST(TlsTicketKeysTest, WhatHoldsNoKeptKeysIsRefused) {
  const std::string good = FormatOwnTicketKeys(TlsTicketKeys(kStart).own());
  EXPECT_TRUE(ParseOwnTicketKeys(good));
  EXPECT_EQ(ParseOwnTicketKeys(good)->front().made_at, kStart);
  const std::string line = good.substr(good.find('\n') + 1);
  for (const std::string& bad : {std::string(), std::string("nonsense\n"), good.substr(0, good.size() - 1),
                                 good.substr(0, good.size() - 9) + "\n", good + "x " + line, good + "\n",
                                 good + "99999999999 " + line.substr(line.find(' ') + 1)}) {
    EXPECT_FALSE(ParseOwnTicketKeys(bad)) << bad;
  }
}

TEST(TlsTicketKeysTest, AFileWithTheSameSecretGivesTheSameKey) {
  const std::string text = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n";
  const auto one = ParseTicketKey(text);
  const auto two = ParseTicketKey("  " + text);
  ASSERT_TRUE(one && two);
  EXPECT_EQ(one->name, two->name);
  EXPECT_EQ(one->cipher_key, two->cipher_key);
  EXPECT_NE(one->cipher_key, one->mac_key);
}

TEST(TlsTicketKeysTest, WhatIsNoKeyIsRefused) {
  for (const char* text :
       {"", "short", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh==",
        "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwd!h8=", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISI="}) {
    const auto parsed = ParseTicketKey(text);
    ASSERT_FALSE(parsed) << text;
    EXPECT_NE(parsed.error().hint.find("openssl rand -base64 32"), std::string::npos);
  }
}

TEST(TlsSessionCacheTest, TheOldestSessionsGo) {
  TlsSessionCache cache;
  const auto id = [](std::size_t number) { return std::string("a") + std::to_string(number); };  // of one shard
  for (std::size_t i = 0; i <= TlsSessionCache::kSessionsPerShardMax; ++i) cache.Put(id(i), "session");
  EXPECT_FALSE(cache.Find(id(0)));
  EXPECT_EQ(cache.Find(id(1)), "session");
  cache.Remove(id(1));
  EXPECT_FALSE(cache.Find(id(1)));
  cache.Put(id(2), "another");
  EXPECT_EQ(cache.Find(id(2)), "another");
}

}  // namespace
}  // namespace weir::net
