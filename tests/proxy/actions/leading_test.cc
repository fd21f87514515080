#include "proxy/actions/leading.h"

#include "proxy/actions/authenticate/plan.h"
#include "proxy/actions/jwt/jwks_endpoint.h"
#include "proxy/actions/jwt_validation.h"
#include "proxy/tls/credential_store.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

namespace weir::proxy {
namespace {

config::JwtValidationAction Action(const std::string& endpoint) {
  config::JwtValidationAction action;
  action.jwks_endpoint = {.text = endpoint, .position = {.file = 0, .line = 7, .column = 3}};
  action.issuer = "https://id.test";
  return action;
}

class LeadingActionTest : public ::testing::Test {
 protected:
  std::shared_ptr<const LeadingAction> Build(const config::JwtValidationAction& action, JwksEndpoints& endpoints) {
    actions_.push_back(std::make_unique<config::LeadingAction>(action));
    return BuildLeadingAction(*actions_.back(),
                              {.jwks_endpoints = endpoints, .credentials = credentials_, .findings = findings_});
  }
  static const JwksEndpoint* EndpointOf(const std::shared_ptr<const LeadingAction>& action) {
    return &dynamic_cast<const JwtValidation&>(*action).endpoint();
  }

  TlsCredentialStore credentials_;
  std::vector<config::Diagnostic> findings_;
  std::vector<std::unique_ptr<config::LeadingAction>> actions_;  // what a model owns
};

TEST_F(LeadingActionTest, RulesThatNameOneEndpointShareItsKeysAndTheNextTableTakesThemOver) {
  JwksEndpoints first(2, {});
  const auto one = Build(Action("https://id.test/jwks"), first);
  const auto two = Build(Action("https://id.test/jwks"), first);
  const auto other = Build(Action("https://id.test/other"), first);
  ASSERT_TRUE(one != nullptr && two != nullptr && other != nullptr);
  EXPECT_EQ(EndpointOf(one), EndpointOf(two));
  EXPECT_NE(EndpointOf(one), EndpointOf(other));
  EXPECT_EQ(first.used().size(), 2U);
  JwksEndpoints next(2, first.used());
  const auto again = Build(Action("https://id.test/jwks"), next);
  EXPECT_EQ(EndpointOf(again), EndpointOf(one));
  EXPECT_EQ(next.used().size(), 1U) << "what nobody names any more goes";
  EXPECT_TRUE(findings_.empty());
}

TEST_F(LeadingActionTest, WhatIsNoUrlIsAFindingAtItsPlace) {
  JwksEndpoints endpoints(1, {});
  EXPECT_EQ(Build(Action("https://id.test:99999/jwks"), endpoints), nullptr);
  ASSERT_EQ(findings_.size(), 1U);
  EXPECT_EQ(findings_[0].severity, config::Severity::kError);
  EXPECT_EQ(findings_[0].position.line, 7U);
  EXPECT_NE(findings_[0].message.find("`https://id.test:99999/jwks` is no URL"), std::string::npos);
}

TEST_F(LeadingActionTest, AuthoritiesThatCannotBeReadAreAFindingAtTheirPlace) {
  JwksEndpoints endpoints(1, {});
  auto action = Action("https://id.test/jwks");
  action.ca_bundle = {.text = "/nonexistent/ca.pem", .position = {.file = 0, .line = 9, .column = 1}};
  EXPECT_EQ(Build(action, endpoints), nullptr);
  ASSERT_EQ(findings_.size(), 1U);
  EXPECT_EQ(findings_[0].position.line, 9U);
  EXPECT_NE(findings_[0].message.find("/nonexistent/ca.pem"), std::string::npos);
}

config::AuthenticateOidcAction Login(const std::string& secret_file) {
  config::AuthenticateOidcAction action;
  action.issuer.text = "https://id.test";
  action.token_endpoint.text = "https://id.test:8443/token?a=b";
  action.user_info_endpoint.text = "https://id.test/me";
  action.client_id = "weir";
  action.client_secret = config::Secret{.text = secret_file.empty() ? "secret" : "",
                                        .file = secret_file,
                                        .position = {.file = 0, .line = 9, .column = 1}};
  return action;
}

TEST_F(LeadingActionTest, ALoginHasWhatItsProviderIsAskedWith) {
  const auto plan = BuildAuthenticationPlan(Login(""), "shop", "eu-west-1", credentials_, findings_);
  ASSERT_NE(plan, nullptr);
  EXPECT_EQ(plan->client_secret, "secret");
  EXPECT_EQ(plan->token_endpoint.port, 8443);
  EXPECT_EQ(plan->token_endpoint.target, "/token?a=b");
  EXPECT_TRUE(plan->signer.starts_with("arn:aws:elasticloadbalancing:eu-west-1:000000000000:loadbalancer/app/shop/"));
  EXPECT_NE(plan->authorities, nullptr);
  auto other = Login("");
  other.scope = "openid email";
  EXPECT_NE(BuildAuthenticationPlan(other, "shop", "", credentials_, findings_)->id, plan->id);
  EXPECT_TRUE(findings_.empty());
}

TEST_F(LeadingActionTest, ASecretThatIsNotThereIsAFindingAtItsPlace) {
  EXPECT_EQ(BuildAuthenticationPlan(Login("/nowhere/secret"), "shop", "", credentials_, findings_), nullptr);
  ASSERT_EQ(findings_.size(), 1U);
  EXPECT_EQ(findings_[0].severity, config::Severity::kError);
  EXPECT_EQ(findings_[0].position.line, 9U);
}

}  // namespace
}  // namespace weir::proxy
