// Requests that were seen elsewhere, as questions.

#include "app/seen_request.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>

namespace weir::app {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Pair;

control::HttpQuestion Curl(std::string_view command) {
  auto question = QuestionOfCurl(command);
  EXPECT_TRUE(question) << question.error().message;
  return question ? std::move(*question) : control::HttpQuestion{};
}

TEST(CurlTest, APlainCommandIsAGet) {
  const auto question = Curl("curl https://shop.test/a?b=c");
  EXPECT_EQ(question.method, "GET");
  EXPECT_EQ(question.url, "https://shop.test/a?b=c");
  EXPECT_THAT(question.headers, Contains(Pair("User-Agent", "curl")));
}

TEST(CurlTest, WhatABrowserCopiesIsUnderstood) {
  const auto question = Curl(
      "curl 'https://shop.test/cart' \\\n  -H 'accept: text/html' \\\n  -H $'x-name: it\\'s \\u00e9' \\\n"
      "  -b 'a=b; c=d' \\\n  --data-raw '{\"n\":1}' \\\n  --compressed");
  EXPECT_EQ(question.method, "POST");
  EXPECT_EQ(question.url, "https://shop.test/cart");
  EXPECT_THAT(question.headers, Contains(Pair("accept", "text/html")));
  EXPECT_THAT(question.headers, Contains(Pair("x-name", "it's \xC3\xA9")));
  EXPECT_THAT(question.headers, Contains(Pair("Cookie", "a=b; c=d")));
  EXPECT_THAT(question.headers, Contains(Pair("Content-Type", "application/x-www-form-urlencoded")));
}

TEST(CurlTest, OptionsAreReadAsCurlReadsThem) {
  EXPECT_EQ(Curl("curl -sSkIL http://a.test/").method, "HEAD");
  EXPECT_EQ(Curl("curl -XPUT -d x http://a.test/").method, "PUT");
  EXPECT_EQ(Curl("curl --request=DELETE --url http://a.test/x").url, "http://a.test/x");
  EXPECT_EQ(Curl("curl -o /dev/null --max-time 3 a.test").url, "http://a.test");
  EXPECT_EQ(Curl("curl -G -d a=b -d c=d http://a.test/x").url, "http://a.test/x?a=b&c=d");
  EXPECT_EQ(Curl("curl -G -d a=b http://a.test/x").method, "GET");
  EXPECT_EQ(Curl("curl -T file http://a.test/x").method, "PUT");
  EXPECT_EQ(Curl("curl --http1.0 http://a.test/").http_version, "1.0");
  EXPECT_THAT(Curl("curl -u me:secret http://a.test/").headers, Contains(Pair("Authorization", "Basic bWU6c2VjcmV0")));
  EXPECT_THAT(Curl("curl -H \"X-A: \\\"b\\\"\" http://a.test/").headers, Contains(Pair("X-A", "\"b\"")));
  EXPECT_THAT(Curl("curl -A me http://a.test/").headers, Contains(Pair("User-Agent", "me")));
}

TEST(CurlTest, WhatIsNoCommandIsSaidToBeNone) {
  EXPECT_EQ(QuestionOfCurl("wget http://a.test/").error().message, "that is no curl command");
  EXPECT_EQ(QuestionOfCurl("").error().message, "that is no curl command");
  EXPECT_EQ(QuestionOfCurl("curl -s").error().message, "the curl command names no URL");
  EXPECT_EQ(QuestionOfCurl("curl 'http://a.test/").error().message, "a quote of the command does not end");
  EXPECT_EQ(QuestionOfCurl("curl http://a.test/ -H").error().message, "`-H` of the curl command has no value");
}

TEST(HarTest, EachRequestIsAQuestion) {
  const auto questions = QuestionsOfHar(
      R"({"log":{"entries":[{"request":{"method":"GET","url":"https://a.test/","headers":[{"name":":path","value":"/"},)"
      R"({"name":"Cookie","value":"a=b"}]}},{"request":{"method":"POST","url":"https://b.test/x"}}]}})");
  ASSERT_TRUE(questions) << questions.error().message;
  ASSERT_EQ(questions->size(), 2U);
  EXPECT_EQ((*questions)[0].headers, (std::vector<std::pair<std::string, std::string>>{{"Cookie", "a=b"}}));
  EXPECT_EQ((*questions)[1].method, "POST");
}

TEST(HarTest, SaysWhatItLacks) {
  EXPECT_THAT(QuestionsOfHar("GET /").error().message, HasSubstr("that is no JSON"));
  EXPECT_EQ(QuestionsOfHar("{}").error().message, "that is no HAR file: it has no `log.entries`");
  EXPECT_EQ(QuestionsOfHar(R"({"log":{"entries":[1]}})").error().message, "an entry of the HAR file has no `request`");
  EXPECT_THAT(QuestionsOfHar(R"({"log":{"entries":[{"request":{}}]}})").error().message, HasSubstr("no `method`"));
}

constexpr std::string_view kLine =
    R"(https 2026-11-02T10:15:30.123456Z app/shop/50dc6c495c0c9188 [2001:db8::1]:2817 10.0.0.1:80 0.086 0.048 0.037 )"
    R"(200 200 0 57 "GET https://www.shop.test:443/a?b=\x22 HTTP/1.1" "curl/7.46.0" X TLSv1.2 )"
    R"(arn:aws:elasticloadbalancing:local:000000000000:targetgroup/blue/73e2d6bc24d8a067 "Root=1-58337281-1d84f3d73c47ec4e58577259" )"
    R"("www.shop.test" "-" 10 2026-11-02T10:15:30.000000Z "forward" "-" "-" "10.0.0.1:80" "200" "-" "-" TID_1)";

TEST(LogQuestionTest, ALineAsksWhatItsClientAsked) {
  logs::EntryParser parser;
  const auto entry = parser.Parse(kLine);
  ASSERT_TRUE(entry) << entry.error().message;
  const auto question = QuestionOfLog(*entry);
  ASSERT_TRUE(question) << question.error().message;
  EXPECT_EQ(question->method, "GET");
  EXPECT_EQ(question->url, "https://www.shop.test:443/a?b=\"");
  EXPECT_EQ(question->from, "2001:db8::1");
  EXPECT_EQ(question->load_balancer, "shop");
  EXPECT_EQ(question->http_version, "1.1");
  EXPECT_THAT(question->headers, Contains(Pair("User-Agent", "curl/7.46.0")));
  EXPECT_EQ(RuleOfLog(*entry), "10");
}

TEST(LogQuestionTest, WhatIsOtherNowIsNamed) {
  logs::EntryParser parser;
  const auto entry = parser.Parse(kLine);
  ASSERT_TRUE(entry);
  proxy::RequestExplanation now;
  auto& rule = now.rules.emplace_back();
  rule.priority = 10;
  rule.name = "beta";
  auto& group = now.groups.emplace_back();
  group.name = "blue";
  group.weight = 1;
  EXPECT_TRUE(DifferencesFromLog(*entry, now).empty());
  group.name = "green";
  rule.priority = 20;
  const auto differences = DifferencesFromLog(*entry, now);
  ASSERT_EQ(differences.size(), 2U);
  EXPECT_EQ(differences[0].what + differences[0].expected + differences[0].got, "rule1020 (beta)");
  EXPECT_EQ(differences[1].what + differences[1].expected + differences[1].got, "target-groupbluegreen");
  now.action = proxy::ActionKind::kRedirect;
  EXPECT_EQ(DifferencesFromLog(*entry, now).back().what, "action");
}

}  // namespace
}  // namespace weir::app
