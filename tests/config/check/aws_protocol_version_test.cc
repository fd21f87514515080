// `--aws`: what AWS says of groups whose targets speak HTTP/2; spec: alb.md 7.1, 11.

#include "tests/config/load_text.h"

#include <gtest/gtest.h>

#include <string>

namespace weir::config {
namespace {

std::string FindingsFor(std::string_view group) {
  return FindingsOf(
      "load-balancers: [{name: a, listeners: [{port: 80, protocol: HTTP, default-actions: "
      "[{forward: {target-group: g}}]}]}]\ntarget-groups: [{name: g, " +
          std::string(group) + "}]\n",
      true);
}

TEST(CheckAwsProtocolVersionTest, GroupsOfHttp2StandBehindHttpsListeners) {
  constexpr std::string_view kWarning = "AWS: target group `g` of HTTP2 or GRPC behind an HTTP listener";
  EXPECT_NE(FindingsFor("protocol-version: HTTP2").find(kWarning), std::string::npos);
  EXPECT_NE(FindingsFor("protocol-version: GRPC").find(kWarning), std::string::npos);
  EXPECT_EQ(FindingsFor("protocol-version: HTTP1").find(kWarning), std::string::npos);
}

TEST(CheckAwsProtocolVersionTest, TakesAllCodesOfGrpc) {
  EXPECT_EQ(FindingsFor("protocol-version: GRPC, health-check: {matcher: 0-99}").find("a matcher with"),
            std::string::npos);
  EXPECT_NE(FindingsFor("protocol-version: HTTP2, health-check: {matcher: 500-599}").find("a matcher with"),
            std::string::npos);
}

TEST(CheckAwsProtocolVersionTest, KnowsNoHttp1RequestsToHttp2) {
  EXPECT_NE(FindingsFor("protocol-version: HTTP2, attributes: {weir.http1_requests.enabled: true}")
                .find("AWS: HTTP/1.x to a target group of HTTP2"),
            std::string::npos);
}

}  // namespace
}  // namespace weir::config
