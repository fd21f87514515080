#include "net/tls_self_signed.h"

#include "net/tls_credentials.h"
#include "tests/app/temporary_folder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>

namespace weir::net {
namespace {

using ::testing::ElementsAre;

TEST(TlsSelfSignedTest, WhatIsMadeCanBeServed) {
  const auto now = std::chrono::system_clock::now();
  const auto made = MakeSelfSigned(
      {.names = {"localhost", "*.example.test", "127.0.0.1", "::1"}, .lifetime = std::chrono::days(30), .now = now});
  ASSERT_TRUE(made);
  const app::TemporaryFolder folder;
  const auto loaded = TlsCredential::Load({.certificate = folder.Write("a.pem", made->certificate),
                                           .key = folder.Write("a.key", made->key),
                                           .passphrase = {}});
  ASSERT_TRUE(loaded) << loaded.error().error.message;
  const auto& facts = (*loaded)->facts();
  EXPECT_THAT(facts.names, ElementsAre("localhost", "*.example.test"));
  EXPECT_EQ(facts.subject, "CN=localhost");
  EXPECT_TRUE(facts.valid(now));
  EXPECT_TRUE(facts.valid(now - std::chrono::minutes(59)));
  EXPECT_FALSE(facts.valid(now + std::chrono::days(31)));
  EXPECT_TRUE((*loaded)->Doubts(now).empty());
}

TEST(TlsSelfSignedTest, WhatIsNoNameIsRefused) {
  for (const char* name : {"", "a b", "https://a", "*.", "a..b", ".a", "a,DNS:b", "m\xC3\xBCnchen.test"}) {
    const auto made = MakeSelfSigned({.names = {name}, .now = std::chrono::system_clock::now()});
    ASSERT_FALSE(made) << name;
    EXPECT_NE(made.error().hint.find("a host name"), std::string::npos);
  }
}

}  // namespace
}  // namespace weir::net
