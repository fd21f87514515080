#include "net/resolver.h"

#include "tests/support/fake_dns_server.h"

#include <gtest/gtest.h>

#include <chrono>
#include <optional>
#include <string>
#include <vector>

namespace weir::net {
namespace {

using weir::testing::FakeDnsServer;

class ResolverTest : public ::testing::Test {
 protected:
  ResolveResult Resolve(const std::string& host) {
    std::optional<ResolveResult> result;
    resolver_.Resolve(host, [&](const ResolveResult& got) { result = got; });
    answered_at_once_ = result.has_value();
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(15);
    while (!result && std::chrono::steady_clock::now() < deadline) loop_.RunOnce(std::chrono::milliseconds(100));
    EXPECT_TRUE(result) << "no answer at all";
    return result.value_or(ResolveResult{});
  }
  FakeDnsServer dns_;
  EventLoop loop_;
  Endpoint server_ = dns_.endpoint();
  Resolver resolver_{loop_, {&server_, 1}};
  bool answered_at_once_ = false;
};

TEST_F(ResolverTest, FindsBothFamiliesSortedAndTheSmallestTtl) {
  dns_.Set("app.internal.test",
           {*IpAddress::Parse("2001:db8::1"), *IpAddress::Parse("192.0.2.9"), *IpAddress::Parse("192.0.2.1")}, 17);
  const ResolveResult result = Resolve("app.internal.test");
  EXPECT_EQ(result.status, ResolveStatus::kFound);
  ASSERT_EQ(result.addresses.size(), 3U);
  EXPECT_EQ(result.addresses[0].ToString(), "192.0.2.1");
  EXPECT_EQ(result.addresses[1].ToString(), "192.0.2.9");
  EXPECT_EQ(result.addresses[2].ToString(), "2001:db8::1");
  EXPECT_EQ(result.ttl, std::chrono::seconds(17));
}

TEST_F(ResolverTest, OneFamilyIsEnough) {
  dns_.Set("v6.internal.test", {*IpAddress::Parse("2001:db8::1")}, 0);
  const ResolveResult result = Resolve("v6.internal.test");
  EXPECT_EQ(result.status, ResolveStatus::kFound);
  EXPECT_EQ(result.addresses.size(), 1U);
  EXPECT_EQ(result.ttl, std::chrono::seconds(0));
}

TEST_F(ResolverTest, TellsAnUnknownNameFromAFault) {
  EXPECT_EQ(Resolve("nothing.internal.test").status, ResolveStatus::kNotFound);
  dns_.Set("empty.internal.test", {}, 60);
  EXPECT_EQ(Resolve("empty.internal.test").status, ResolveStatus::kNotFound);
  dns_.SetMode(FakeDnsServer::Mode::kServerFailure);
  const ResolveResult failed = Resolve("app.internal.test");
  EXPECT_EQ(failed.status, ResolveStatus::kFailed);
  EXPECT_FALSE(failed.error.empty());
}

TEST_F(ResolverTest, GivesUpOnASilentServer) {
  dns_.SetMode(FakeDnsServer::Mode::kSilent);
  EXPECT_EQ(Resolve("app.internal.test").status, ResolveStatus::kFailed);
}

TEST_F(ResolverTest, LiteralsAndTheHostsFileHaveNoTtl) {
  const ResolveResult literal = Resolve("127.0.0.3");
  ASSERT_EQ(literal.addresses.size(), 1U);
  EXPECT_EQ(literal.ttl, Resolver::kTtlUnknown);
  EXPECT_TRUE(answered_at_once_);
  const ResolveResult local = Resolve("localhost");
  EXPECT_EQ(local.status, ResolveStatus::kFound);
  EXPECT_EQ(local.ttl, Resolver::kTtlUnknown);
}

TEST_F(ResolverTest, ACallbackMayLookUpAgain) {
  dns_.Set("a.internal.test", {IpAddress::V4({192, 0, 2, 1})}, 1);
  dns_.Set("b.internal.test", {IpAddress::V4({192, 0, 2, 2})}, 1);
  std::string seen;
  resolver_.Resolve("a.internal.test", [&](const ResolveResult& first) {
    seen += first.addresses.at(0).ToString();
    resolver_.Resolve("b.internal.test",
                      [&](const ResolveResult& second) { seen += " " + second.addresses.at(0).ToString(); });
  });
  for (int i = 0; i < 200 && seen.size() < 19; ++i) loop_.RunOnce(std::chrono::milliseconds(50));
  EXPECT_EQ(seen, "192.0.2.1 192.0.2.2");
}

TEST_F(ResolverTest, DestructionForgetsLookUpsUnderWay) {
  dns_.SetMode(FakeDnsServer::Mode::kSilent);
  bool called = false;
  {
    Resolver short_lived(loop_, {&server_, 1});
    short_lived.Resolve("app.internal.test", [&](const ResolveResult&) { called = true; });
    loop_.RunOnce(std::chrono::milliseconds(10));
  }
  loop_.RunOnce(std::chrono::milliseconds(10));
  EXPECT_FALSE(called);
}

}  // namespace
}  // namespace weir::net
