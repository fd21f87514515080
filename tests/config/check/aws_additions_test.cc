#include "tests/config/load_text.h"

#include <gtest/gtest.h>

#include <string>

namespace weir::config {
namespace {

constexpr const char* kFile = R"(
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
  const std::string findings = FindingsOf(kFile, true);
  for (const char* expected :
       {":7:22: warning: AWS: `weir.http2.cleartext.enabled` is weir's own attribute; leave it out",
        ":11:53: warning: AWS: `weight` of a target; every target of a group takes the same",
        ":12:49: warning: AWS: `weir.consistent_hash` is weir's own value of `load_balancing.algorithm.type`; one of "
        "AWS's",
        ":12:71: warning: AWS: `weir.consistent_hash.key` is weir's own attribute; leave it out"}) {
    EXPECT_NE(findings.find(expected), std::string::npos) << expected << "\n" << findings;
  }
}

TEST(AwsAdditionsTest, WithoutTheQuestionNothingIsSaid) { EXPECT_EQ(FindingsOf(kFile), ""); }

}  // namespace
}  // namespace weir::config
