#include "tests/config/load_text.h"

#include <gtest/gtest.h>

#include <string>
#include <variant>
#include <vector>

namespace weir::config {
namespace {

std::string File(const std::string& action,
                 const std::string& listener = "protocol: HTTPS, certificates: [{certificate: a, key: b}]") {
  return "load-balancers: [{name: a, listeners: [{port: 1, " + listener + ", default-actions: [" + action +
         ", {fixed-response: {status-code: 200}}]}]}]\n";
}
std::string Jwt(const std::string& more = "", const std::string& endpoint = "https://id.test/jwks") {
  return "{jwt-validation: {jwks-endpoint: \"" + endpoint + "\", issuer: i" + more + "}}";
}
std::string Claim(const std::string& text) { return Jwt(", additional-claims: [{" + text + "}]"); }
std::string Repeat(const std::string& item, int count) {
  std::string list;
  for (int i = 0; i < count; ++i) list += (i == 0 ? "" : ", ") + item;
  return list;
}

TEST(JwtValidationDecodeTest, ReadsWhatAwsHasAndWhatIsOurs) {
  const LoadResult loaded = LoadFor(File(
      Jwt(", additional-claims: [{name: scope, values: [read, write], format: space-separated-values}, {name: sub, "
          "values: [me], format: single-string}], weir.jwt.algorithms: [es256, RS256], weir.ca-bundle: ca.pem")));
  ASSERT_NE(loaded.model, nullptr) << loaded.diagnostics.FormatAll();
  const auto& rule = loaded.model->load_balancers[0].listeners[0].default_rule;
  ASSERT_EQ(rule.leading_actions.size(), 1U);
  const auto& jwt = std::get<JwtValidationAction>(rule.leading_actions[0]);
  EXPECT_EQ(jwt.jwks_endpoint.text, "https://id.test/jwks");
  EXPECT_EQ(jwt.issuer, "i");
  ASSERT_EQ(jwt.additional_claims.size(), 2U);
  EXPECT_EQ(jwt.additional_claims[0].name, "scope");
  EXPECT_EQ(jwt.additional_claims[0].format, JwtClaimFormat::kSpaceSeparatedValues);
  EXPECT_EQ(jwt.additional_claims[0].values, (std::vector<std::string>{"read", "write"}));
  EXPECT_EQ(jwt.additional_claims[1].format, JwtClaimFormat::kSingleString);
  EXPECT_EQ(jwt.algorithms, (std::vector<std::string>{"ES256", "RS256"}));
  EXPECT_TRUE(jwt.ca_bundle.text.ends_with("ca.pem"));
}

struct JwtValidationCase {
  std::string action;
  std::string expected;
};

TEST(JwtValidationDecodeTest, WhatItCannotBeIsReported) {
  const std::string long_text(257, 'x');
  const std::vector<JwtValidationCase> cases = {
      {"{jwt-validation: {issuer: i}}", "`jwks-endpoint`"},
      {"{jwt-validation: {jwks-endpoint: \"https://a/\"}}", "`issuer`"},
      {Jwt("", "http://id.test/jwks"), "is no https URL"},
      {Jwt("", "id.test"), "is no https URL"},
      {Jwt("", "https://id.test/" + long_text), "`jwks-endpoint` is longer than 256 characters"},
      {"{jwt-validation: {jwks-endpoint: \"https://a/\", issuer: " + long_text + "}}",
       "`issuer` is longer than 256 characters"},
      {Claim("name: exp, values: [a], format: single-string"), "`exp` is checked of every token"},
      {Claim("name: iat, values: [a], format: single-string"), "`iat` is checked of every token"},
      {Claim("name: a, values: [], format: single-string"), "`values`"},
      {Claim("name: a, values: [a, b], format: single-string"), "2 values of the claim `a`, which is a single string"},
      {Claim("name: a, values: [" + Repeat("x", 11) + "], format: string-array"),
       "more than 10 values of the claim `a`"},
      {Claim("name: a, values: [" + long_text + "], format: string-array"), "longer than 256 characters"},
      {Claim("name: a, values: [a b], format: space-separated-values"), "has a space, which separates the values"},
      {Claim("name: a, values: [a], format: number"), "`format` cannot be `number`"},
      {Claim("name: a, values: [a]"), "`format`"},
      {Jwt(", additional-claims: [" + Repeat("{name: a, values: [a], format: single-string}", 11) + "]"),
       "more than 10 additional claims"},
      {Jwt(", weir.jwt.algorithms: [HS256]"), "cannot be `HS256`"},
      {Jwt(", weir.jwt.algorithms: []"), "`weir.jwt.algorithms`"},
      {Jwt() + ", " + Jwt(), "`jwt-validation` behind another action of its kind"}};
  for (const JwtValidationCase& each : cases) {
    const std::string findings = FindingsOf(File(each.action), false);
    EXPECT_NE(findings.find(each.expected), std::string::npos) << each.action << "\n" << findings;
  }
}

TEST(JwtValidationDecodeTest, ItsLimitsAreReachable) {
  const std::string claim = "{name: a, values: [" + Repeat(std::string(256, 'x'), 10) + "], format: string-array}";
  const std::string findings = FindingsOf(
      File(Jwt(", additional-claims: [" + Repeat(claim, 10) + "]", "https://id.test/" + std::string(240, 'x'))), false);
  EXPECT_EQ(findings.find("error"), std::string::npos) << findings;
}

TEST(JwtValidationDecodeTest, BelongsOnHttpsAndBeforeTheActionThatAnswers) {
  EXPECT_NE(FindingsOf(File(Jwt(), "protocol: HTTP"), false).find("`jwt-validation` on an HTTP listener"),
            std::string::npos);
  const std::string rule =
      "load-balancers: [{name: a, listeners: [{port: 1, protocol: HTTP, default-actions: [{fixed-response: "
      "{status-code: 200}}], rules: [{priority: 1, actions: [" +
      Jwt() + ", {fixed-response: {status-code: 200}}]}]}]}]\n";
  EXPECT_NE(FindingsOf(rule, false).find("`jwt-validation` on an HTTP listener"), std::string::npos);
  const std::string behind =
      "load-balancers: [{name: a, listeners: [{port: 1, protocol: HTTPS, certificates: [{certificate: a, key: "
      "b}], default-actions: [{fixed-response: {status-code: 200}}, " +
      Jwt() + "]}]}]\n";
  EXPECT_NE(FindingsOf(behind, false).find("`jwt-validation` behind the action that answers"), std::string::npos);
}

TEST(JwtValidationDecodeTest, WhatAwsDoesNotHaveIsTold) {
  const std::string findings = FindingsOf(File(Jwt(", weir.jwt.algorithms: [ES256], weir.ca-bundle: ca.pem")), true);
  EXPECT_NE(findings.find("AWS: `weir.jwt.algorithms` is weir's own"), std::string::npos) << findings;
  EXPECT_NE(findings.find("AWS: `weir.ca-bundle` is weir's own"), std::string::npos) << findings;
}

}  // namespace
}  // namespace weir::config
