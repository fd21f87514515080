#include "proxy/tls/target_tls.h"

#include "net/tls_client.h"
#include "proxy/tls/credential_store.h"
#include "tests/proxy/tls/tls_fixture.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace weir::proxy {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class TargetTlsTest : public TlsFixture {
 protected:
  TargetTlsTest() {
    model_.target_groups.resize(2);
    settings().protocol = config::TargetProtocol::kHttps;
    settings().tls.position = {0, 1, 1};
  }
  config::TargetGroup& settings() { return model_.target_groups[0]; }
  // A load balancer whose listeners have these policies (empty: HTTP); the first one forwards to `group`.
  void AddBalancer(const std::vector<std::string>& policies, std::uint32_t group) {
    config::LoadBalancer balancer;
    for (const std::string& policy : policies) {
      config::Listener listener;
      listener.protocol = policy.empty() ? config::ListenerProtocol::kHttp : config::ListenerProtocol::kHttps;
      listener.ssl_policy.text = policy;
      listener.default_rule.action = config::FixedResponseAction{};
      balancer.listeners.push_back(listener);
    }
    config::Rule rule;
    rule.action = config::ForwardAction{{{.target_group = group, .weight = 1}}};
    balancer.listeners.front().rules.push_back(std::make_shared<const config::Rule>(rule));
    model_.load_balancers.push_back(balancer);
  }
  std::shared_ptr<const net::TlsClientPlan> Build() {
    findings_.clear();
    return BuildTargetTls(model_, 0, store_, std::chrono::system_clock::now(), findings_);
  }
};

TEST_F(TargetTlsTest, OnlyWhatIsByHttpsHasAPlan) {
  EXPECT_NE(Build(), nullptr);
  settings().protocol = config::TargetProtocol::kHttp;
  EXPECT_EQ(Build(), nullptr);
  settings().health_check.protocol = config::ProbeProtocol::kHttps;
  EXPECT_NE(Build(), nullptr);
}

TEST_F(TargetTlsTest, ThePolicyFollowsFromTheListenersOfTheLoadBalancersThatForward) {
  const auto policy = [this] { return std::string(TargetPolicyOf(model_, 0).name).substr(18); };
  EXPECT_EQ(policy(), "2016-08");
  AddBalancer({"", "ELBSecurityPolicy-TLS-1-2-2017-01"}, 0);
  EXPECT_EQ(policy(), "2016-08");
  AddBalancer({"ELBSecurityPolicy-TLS13-1-2-RFC9151-FIPS-2023-07"}, 1);
  EXPECT_EQ(policy(), "2016-08") << "that one forwards elsewhere";
  AddBalancer({"", "ELBSecurityPolicy-TLS-1-2-2017-01", "ELBSecurityPolicy-TLS13-1-3-2021-06"}, 0);
  EXPECT_EQ(policy(), "TLS13-1-0-2021-06") << "any listener of the load balancer counts";
  AddBalancer({"ELBSecurityPolicy-TLS13-1-2-PQ-2025-09"}, 0);
  EXPECT_EQ(policy(), "TLS13-1-0-PQ-2025-09");
  AddBalancer({"ELBSecurityPolicy-TLS13-1-2-FIPS-2023-04"}, 0);
  EXPECT_EQ(policy(), "TLS13-1-0-FIPS-2023-04");
  AddBalancer({"ELBSecurityPolicy-TLS13-1-2-FIPS-PQ-2025-09"}, 0);
  EXPECT_EQ(policy(), "TLS13-1-0-FIPS-PQ-2025-09");
  AddBalancer({"ELBSecurityPolicy-TLS13-1-2-RFC9151-INTEROP1-FIPS-2023-07"}, 0);
  EXPECT_EQ(policy(), "TLS13-1-2-RFC9151-INTEROP4-FIPS-2023-07");
}

TEST_F(TargetTlsTest, WhatDidNotChangeIsTheSamePlan) {
  const Made authority = Made::Make({.is_authority = true});
  settings().tls.verify = true;
  settings().tls.ca_bundle = {.text = folder_.Write("ca.pem", authority.Pem()), .position = {0, 2, 1}};
  const auto first = Build();
  ASSERT_NE(first, nullptr);
  EXPECT_NE(first->authorities, nullptr);
  EXPECT_TRUE(*first == *Build());
  folder_.Replace("ca.pem", Made::Make({.is_authority = true}).Pem());
  EXPECT_FALSE(*first == *Build());
  const auto second = Build();
  settings().tls.server_name = "app.internal";
  EXPECT_FALSE(*second == *Build());
}

TEST_F(TargetTlsTest, AuthoritiesThatCannotBeReadAreAnErrorAtFirstAndAWarningLater) {
  settings().tls.verify = true;
  settings().tls.ca_bundle = {.text = folder_.Path("ca.pem"), .position = {0, 2, 1}};
  EXPECT_EQ(Build(), nullptr);
  EXPECT_THAT(Messages(), ElementsAre(HasSubstr("error 2 cannot read ")));
  folder_.Write("ca.pem", Made::Make({.is_authority = true}).Pem());
  const auto good = Build();
  ASSERT_NE(good, nullptr);
  EXPECT_THAT(Messages(), IsEmpty());
  folder_.Replace("ca.pem", "nonsense");
  const auto kept = Build();
  ASSERT_NE(kept, nullptr);
  EXPECT_TRUE(*kept == *good);
  EXPECT_THAT(Messages(), ElementsAre(::testing::AllOf(HasSubstr("warning 2 "), HasSubstr("trusted on"))));
}

TEST_F(TargetTlsTest, TheSystemsAuthoritiesAreTrustedWhereNoneAreNamed) {
  settings().tls.verify = true;
  const auto plan = Build();
  ASSERT_NE(plan, nullptr);
  EXPECT_NE(plan->authorities, nullptr);
  EXPECT_TRUE(*plan == *Build());
}

TEST_F(TargetTlsTest, ACertificateThatCannotBeUsedIsAnErrorAtItsPlace) {
  const Made own = Made::Make({});
  settings().tls.certificate = config::CertificateFiles{
      .certificate = {.text = folder_.Write("own.pem", own.Pem()), .position = {0, 3, 1}},
      .key = {.text = folder_.Write("own.key", Made::Make({}).KeyPem()), .position = {0, 4, 1}},
      .passphrase = std::nullopt};
  EXPECT_EQ(Build(), nullptr);
  EXPECT_THAT(Messages(), ElementsAre(HasSubstr("error 4 the key in ")));
  folder_.Replace("own.key", own.KeyPem());
  const auto plan = Build();
  ASSERT_NE(plan, nullptr);
  EXPECT_NE(plan->credential, nullptr);
}

}  // namespace
}  // namespace weir::proxy
