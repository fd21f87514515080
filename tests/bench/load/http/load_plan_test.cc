#include "bench/load/http/load_plan.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>

namespace weir::bench {
namespace {

Url UrlOf(const std::string& text) { return ParseUrl(text).value(); }

LoggedRequest Logged(std::string method, std::string target, std::string agent = "") {
  return {.at = {},
          .method = std::move(method),
          .authority = "log.test",
          .target = std::move(target),
          .user_agent = std::move(agent)};
}

TEST(LoadPlanTest, ARequestIsWrittenOnceAndWhole) {
  LoadPlan plan({});
  plan.Add(UrlOf("http://a.test:81/x?y"));
  EXPECT_EQ(plan.requests()[0].head, "GET /x?y HTTP/1.1\r\nHost: a.test:81\r\nUser-Agent: weir-bench\r\n\r\n");
  EXPECT_EQ(plan.requests()[0].content, "");
}

TEST(LoadPlanTest, ContentHasItsLength) {
  LoadPlan plan({.method = "POST", .headers = {}, .content = "hello", .has_content = true});
  plan.Add(UrlOf("http://a.test/"));
  EXPECT_NE(plan.requests()[0].head.find("\r\nContent-Length: 5\r\n"), std::string::npos);
  EXPECT_EQ(plan.requests()[0].content, "hello");
  const LoadPlan moved = std::move(plan);
  EXPECT_EQ(moved.requests()[0].content, "hello");
}

TEST(LoadPlanTest, APostWithoutContentSaysSo) {
  LoadPlan plan({.method = "POST", .headers = {}, .content = {}});
  plan.Add(UrlOf("http://a.test/"));
  EXPECT_NE(plan.requests()[0].head.find("\r\nContent-Length: 0\r\n"), std::string::npos);
}

TEST(LoadPlanTest, TheUsersHostAndUserAgentReplaceOurs) {
  LoadPlan plan({.method = "GET", .headers = {{"host", "b.test"}, {"USER-AGENT", "me"}, {"X-A", ""}}, .content = {}});
  plan.Add(UrlOf("http://a.test/"));
  EXPECT_EQ(plan.requests()[0].head, "GET / HTTP/1.1\r\nHost: b.test\r\nUSER-AGENT: me\r\nX-A: \r\n\r\n");
}

TEST(LoadPlanTest, AConnectionPerRequestIsAskedFor) {
  LoadPlan plan({.method = "GET", .headers = {}, .content = {}, .has_content = false, .closes = true});
  plan.Add(UrlOf("http://a.test/"));
  EXPECT_TRUE(plan.requests()[0].head.ends_with("\r\nConnection: close\r\n\r\n"));
}

TEST(LoadPlanTest, Http2HasPseudoFieldsFirstAndNamesInLowerCase) {
  LoadPlan plan({.method = "PUT",
                 .headers = {{"X-Key", "V"}, {"Host", "b.test"}},
                 .content = "c",
                 .has_content = true,
                 .closes = false,
                 .http2 = true});
  plan.Add(UrlOf("https://a.test/p"));
  EXPECT_EQ(plan.requests()[0].fields, (std::vector<HeaderField>{{":method", "PUT"},
                                                                 {":scheme", "https"},
                                                                 {":authority", "b.test"},
                                                                 {":path", "/p"},
                                                                 {"user-agent", "weir-bench"},
                                                                 {"x-key", "V"},
                                                                 {"content-length", "1"}}));
}

TEST(LoadPlanTest, CallsOfGrpcTakeTrailers) {
  LoadPlan plan({.method = "POST",
                 .headers = {{"Content-Type", "application/grpc+proto"}},
                 .content = "c",
                 .has_content = true,
                 .closes = false,
                 .http2 = true});
  plan.Add(UrlOf("https://a.test/service/Method"));
  EXPECT_EQ(plan.requests()[0].fields.back(), (HeaderField{"te", "trailers"}));
}

TEST(LoadPlanTest, OriginsAreSharedByWhatConnectsAlike) {
  LoadPlan plan({});
  plan.Add(UrlOf("http://a.test/1"));
  plan.Add(UrlOf("http://A.test:80/2"));
  plan.Add(UrlOf("https://a.test/"));
  plan.Add(UrlOf("http://a.test:81/"));
  ASSERT_EQ(plan.origins().size(), 3U);
  EXPECT_EQ(plan.requests()[1].origin, 0U);
  EXPECT_TRUE(plan.origins()[1].tls);
}

TEST(LoadPlanTest, LoggedRequestsGoToTheUrlWithTheHostOfTheLog) {
  LoadPlan plan({.method = "GET", .headers = {}, .content = "body", .has_content = true});
  const Url to = UrlOf("http://127.0.0.1:8080/ignored");
  EXPECT_EQ(plan.Add(Logged("GET", "/a", "agent"), to), 0U);
  EXPECT_EQ(plan.Add(Logged("POST", "/a"), to), 1U);
  EXPECT_EQ(plan.Add(Logged("GET", "/a", "agent"), to), 0U) << "equal requests are kept once";
  EXPECT_EQ(plan.requests()[0].head, "GET /a HTTP/1.1\r\nHost: log.test\r\nUser-Agent: agent\r\n\r\n");
  EXPECT_EQ(plan.requests()[0].content, "") << "a GET is sent without the content that is given for a POST";
  EXPECT_EQ(plan.requests()[1].content, "body");
}

TEST(LoadPlanTest, HeadersOfTheFramingAreRefused) {
  EXPECT_EQ(ParseHeader("X-A:  b c ").value(), (HeaderField{"X-A", "b c"}));
  EXPECT_EQ(ParseHeader("X-A:").value(), (HeaderField{"X-A", ""}));
  for (const char* text : {"", "X-A", ": v", "X A: v", "X-A: a\r\nB: c", "content-length: 3", "Connection: close",
                           "Transfer-Encoding: chunked", "Expect: 100-continue"}) {
    EXPECT_FALSE(ParseHeader(text)) << text;
  }
}

}  // namespace
}  // namespace weir::bench
