#include "config/schema/conditions.h"
#include "config/schema/schema.h"
#include "tests/config/load_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

namespace weir::config {
namespace {

using ::testing::ElementsAre;

std::vector<std::string_view> KeysThatAwsHas(const Object& object) {
  std::vector<std::string_view> out;
  for (const Field& field : object.fields) {
    if (field.addition.empty()) out.push_back(field.key);
  }
  return out;
}

constexpr const char* kAdditionsFile = R"(
load-balancers:
  - name: shop
    listeners:
      - port: 80
        protocol: HTTP
        attributes: {weir.http2.cleartext.enabled: false}
        default-actions: [{forward: {target-group: blue}}]
target-groups:
  - name: blue
    targets: [{address: 127.0.0.1, port: 1, weight: 2}, {address: 127.0.0.1, port: 2}]
    attributes: {load_balancing.algorithm.type: weir.consistent_hash, weir.consistent_hash.key: uri}
)";

TEST(AwsAdditionsTest, EveryKeyAndValueOfOursIsToldOfAtItsPlace) {
  const std::string findings = FindingsOf(kAdditionsFile, true);
  for (const char* expected :
       {":7:22: warning: AWS: `weir.http2.cleartext.enabled` is weir's own attribute; leave it out",
        ":11:53: warning: AWS: `weight` is weir's own; every target of a group takes the same",
        ":12:49: warning: AWS: `weir.consistent_hash` is weir's own value of `load_balancing.algorithm.type`; one of "
        "AWS's",
        ":12:71: warning: AWS: `weir.consistent_hash.key` is weir's own attribute; leave it out"}) {
    EXPECT_NE(findings.find(expected), std::string::npos) << expected << "\n" << findings;
  }
}

TEST(AwsAdditionsTest, AKeyOfOursIsFoundHoweverDeepItStands) {
  const std::string findings = FindingsOf(R"(
load-balancers:
  - name: shop
    listeners:
      - port: 443
        protocol: HTTPS
        certificates: [{certificate: a.pem, key: a.key, ocsp-response: a.der}]
        default-actions: [{fixed-response: {status-code: 200}}]
)",
                                          true);
  EXPECT_NE(findings.find(":7:72: warning: AWS: `ocsp-response` is weir's own; leave it out"), std::string::npos)
      << findings;
}

// Whoever adds a condition or an action of our own says so in its row.
TEST(AwsAdditionsTest, ConditionsAndActionsAreAwsOrAdditions) {
  EXPECT_THAT(KeysThatAwsHas(kConditionObject), ElementsAre("host-header", "path-pattern", "http-header",
                                                            "http-request-method", "query-string", "source-ip"));
  EXPECT_THAT(KeysThatAwsHas(kActionObject), ElementsAre("forward", "redirect", "fixed-response", "authenticate-oidc",
                                                         "authenticate-cognito", "jwt-validation"));
}

TEST(AwsAdditionsTest, WithoutTheQuestionNothingIsSaid) { EXPECT_EQ(FindingsOf(kAdditionsFile), ""); }

}  // namespace
}  // namespace weir::config
