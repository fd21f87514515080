#include "functions/event.h"

#include "base/base64.h"
#include "base/figures.h"
#include "functions/json_text.h"

#include <gtest/gtest.h>

#include <string>

namespace weir::functions {
namespace {

using Fields = std::vector<http::Field>;

constexpr std::string_view kArn =
    "arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/lambda-target/abcdefgh";

std::string EventOf(std::string_view target, const Fields& fields, std::string_view content, Values values) {
  return EncodeEvent(
      {.target_group_arn = kArn, .method = "POST", .target = target, .fields = fields, .content = content}, values);
}

// AWS's own example, spaces aside.
TEST(EventTest, OneValueOfEachAsAwsDocumentsIt) {
  const Fields fields{{.name = "User-Agent", .value = "curl/7.54.0"},
                      {.name = "Accept", .value = "*/*"},
                      {.name = "X-MyHeader", .value = "first"},
                      {.name = "x-myheader", .value = "123"},
                      {.name = "X-Forwarded-Port", .value = "80"}};
  EXPECT_EQ(
      EncodeEvent({.target_group_arn = kArn,
                   .method = "GET",
                   .target = "/a%20b?key=hello&key=w%20d&flag&e=",
                   .fields = fields,
                   .content = {}},
                  Values::kLast),
      std::string(R"({"requestContext":{"elb":{"targetGroupArn":")")
          .append(kArn)
          .append(R"("}},"httpMethod":"GET","path":"/a%20b",)"
                  R"("queryStringParameters":{"key":"w%20d","flag":"","e":""},)"
                  R"("headers":{"accept":"*/*","user-agent":"curl/7.54.0","x-forwarded-port":"80","x-myheader":"123"},)"
                  R"("body":"","isBase64Encoded":false})"));
}

TEST(EventTest, AllValuesOfEach) {
  const Fields fields{{.name = "Cookie", .value = "a=1"}, {.name = "cookie", .value = "b=2"}};
  const std::string event = EventOf("/?k=1&l=2&k=3", fields, {}, Values::kAll);
  EXPECT_NE(event.find(R"("multiValueQueryStringParameters":{"k":["1","3"],"l":["2"]})"), std::string::npos) << event;
  EXPECT_NE(event.find(R"("multiValueHeaders":{"cookie":["a=1","b=2"]})"), std::string::npos) << event;
  EXPECT_EQ(event.find("\"headers\""), std::string::npos);
}

TEST(EventTest, AQueryThatIsMissingOrEmptyIsAnEmptyObject) {
  for (const std::string_view target : {"/", "/?", "/?&"}) {
    EXPECT_NE(EventOf(target, {}, {}, Values::kLast).find(R"("path":"/","queryStringParameters":{},)"),
              std::string::npos)
        << target;
  }
}

struct BodyCase {
  const char* name;
  std::string_view type;
  std::string_view encoding;
  std::string_view content;
  std::string_view end;  // of the event
};
class BodyTest : public ::testing::TestWithParam<BodyCase> {};

TEST_P(BodyTest, IsTextOrBase64) {
  const BodyCase& row = GetParam();
  Fields fields;
  if (!row.type.empty()) fields.push_back({.name = "Content-Type", .value = row.type});
  if (!row.encoding.empty()) fields.push_back({.name = "Content-Encoding", .value = row.encoding});
  const std::string event = EventOf("/", fields, row.content, Values::kLast);
  EXPECT_TRUE(event.ends_with(row.end)) << event;
}

constexpr std::string_view kRawA = R"("body":"a\"b","isBase64Encoded":false})";
constexpr std::string_view kBase64A = R"("body":"YSJi","isBase64Encoded":true})";

INSTANTIATE_TEST_SUITE_P(
    Rules, BodyTest,
    ::testing::Values(
        BodyCase{"Text", "text/plain; charset=utf-8", "", "a\"b", kRawA},
        BodyCase{"Html", "TEXT/HTML", "", "a\"b", kRawA}, BodyCase{"Json", "application/json", "", "a\"b", kRawA},
        BodyCase{"JavaScript", "application/javascript;x=y", "", "a\"b", kRawA},
        BodyCase{"Xml", "application/xml", "", "a\"b", kRawA},
        BodyCase{"OtherJson", "application/problem+json", "", "a\"b", kBase64A},
        BodyCase{"Octets", "application/octet-stream", "", "a\"b", kBase64A},
        BodyCase{"NoType", "", "", "a\"b", kBase64A}, BodyCase{"EncodedText", "text/plain", "gzip", "a\"b", kBase64A},
        BodyCase{"TextThatIsNotUtf8", "text/plain", "", "\xff", R"("body":"/w==","isBase64Encoded":true})"},
        BodyCase{"Utf8", "text/plain", "", "\xc3\xa9\n", "\"body\":\"\xc3\xa9\\n\",\"isBase64Encoded\":false}"},
        BodyCase{"Nothing", "application/octet-stream", "", "", R"("body":"","isBase64Encoded":false})"}),
    [](const auto& row) { return row.param.name; });

TEST(EventTest, FieldsThatAreNotUtf8AreLatin1) {
  const Fields fields{{.name = "X-Name", .value = "caf\xe9"}};
  EXPECT_NE(EventOf("/", fields, {}, Values::kLast).find(R"("x-name":"caf\u00e9")"), std::string::npos);
}

TEST(EventTest, AHealthCheckIsARequestOfTheChecker) {
  EXPECT_EQ(EncodeHealthCheckEvent("arn", "/up?a=b", Values::kLast),
            R"({"requestContext":{"elb":{"targetGroupArn":"arn"}},"httpMethod":"GET","path":"/up",)"
            R"("queryStringParameters":{"a":"b"},"headers":{"user-agent":"ELB-HealthChecker/2.0"},)"
            R"("body":"","isBase64Encoded":false})");
}

TEST(EventTest, EveryByteSurvivesBase64) {
  std::string bytes;
  for (int i = 0; i < 256; ++i) bytes += static_cast<char>(i);
  for (std::size_t size = 0; size <= bytes.size(); ++size) {
    std::string text;
    AppendBase64(text, std::string_view(bytes).substr(0, size));
    EXPECT_EQ(DecodeBase64(text), bytes.substr(0, size));
  }
  for (const std::string_view wrong : {"a", "ab", "abc", "a===", "ab=c", "ab c", "====", "YQ==\n"}) {
    EXPECT_FALSE(DecodeBase64(wrong)) << wrong;
  }
}

TEST(EventTest, Utf8IsThatOfRfc3629) {
  for (const std::string_view good : {"", "a", "\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x98\x80", "\xf4\x8f\xbf\xbf"}) {
    EXPECT_TRUE(IsUtf8(good)) << good;
  }
  for (const std::string_view wrong : {"\x80", "\xc0\xaf", "\xc3", "\xe0\x80\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80",
                                       "\xf5\x80\x80\x80", "\xe2\x82"}) {
    EXPECT_FALSE(IsUtf8(wrong));
  }
}

// ---- responses

using Pairs = std::vector<std::pair<std::string, std::string>>;

TEST(EventResponseTest, AsAwsDocumentsIt) {
  const auto response = DecodeResponse(
      R"({"isBase64Encoded": false, "statusCode": 200, "statusDescription": "200 OK",
          "headers": {"Set-cookie": "cookies", "Content-Type": "application/json", "X-Count": 3, "X-On": true},
          "body": "Hello from Lambda"})",
      Values::kLast);
  ASSERT_TRUE(response);
  EXPECT_EQ(response->status, 200);
  EXPECT_EQ(response->reason, "OK");
  EXPECT_EQ(
      response->fields,
      (Pairs{{"Set-cookie", "cookies"}, {"Content-Type", "application/json"}, {"X-Count", "3"}, {"X-On", "true"}}));
  EXPECT_EQ(response->content, "Hello from Lambda");
}

TEST(EventResponseTest, SeveralValuesWhereTheyAreEnabled) {
  constexpr std::string_view kText =
      R"({"isBase64Encoded":true,"statusCode":418,"statusDescription":"Tea pot","headers":{"A":"1"},)"
      R"("multiValueHeaders":{"Set-Cookie":["a=1","b=2"]},"body":"/w=="})";
  const auto all = DecodeResponse(kText, Values::kAll);
  ASSERT_TRUE(all);
  EXPECT_EQ(all->reason, "Tea pot");
  EXPECT_EQ(all->fields, (Pairs{{"Set-Cookie", "a=1"}, {"Set-Cookie", "b=2"}}));
  EXPECT_EQ(all->content, "\xff");
  EXPECT_EQ(DecodeResponse(kText, Values::kLast)->fields, (Pairs{{"A", "1"}}));
}

TEST(EventResponseTest, HopByHopFieldsAndLengthsAreIgnored) {
  const auto response = DecodeResponse(
      R"({"isBase64Encoded":false,"statusCode":204,"headers":{"Connection":"close","Transfer-Encoding":"chunked",)"
      R"("Content-Length":"5","Keep-Alive":"1","Upgrade":"h2c","TE":"x","X":"y"}})",
      Values::kLast);
  ASSERT_TRUE(response);
  EXPECT_EQ(response->fields, (Pairs{{"X", "y"}}));
  EXPECT_EQ(response->content, "");
}

TEST(EventResponseTest, WhatAlbAnswersBadGateway) {
  for (const std::string_view wrong :
       {"",
        "null",
        "3",
        "\"text\"",
        "[]",
        "{",
        R"({"statusCode":200})",
        R"({"statusCode":200,"headers":{}})",                                   // no isBase64Encoded
        R"({"statusCode":200,"isBase64Encoded":false})",                        // no headers
        R"({"isBase64Encoded":false,"headers":{}})",                            // no statusCode
        R"({"statusCode":"200","isBase64Encoded":false,"headers":{}})",         // of another type
        R"({"statusCode":99,"isBase64Encoded":false,"headers":{}})",            //
        R"({"statusCode":101,"isBase64Encoded":false,"headers":{}})",           //
        R"({"statusCode":600,"isBase64Encoded":false,"headers":{}})",           //
        R"({"statusCode":200,"isBase64Encoded":"false","headers":{}})",         //
        R"({"statusCode":200,"isBase64Encoded":false,"headers":[]})",           //
        R"({"statusCode":200,"isBase64Encoded":false,"headers":{"A":null}})",   //
        R"({"statusCode":200,"isBase64Encoded":false,"headers":{"A b":"c"}})",  // no field name
        R"({"statusCode":200,"isBase64Encoded":false,"headers":{"A":"b\r\nSet-Cookie: c"}})",
        R"({"statusCode":200,"isBase64Encoded":false,"headers":{},"statusDescription":"a\r\nb"})",
        R"({"statusCode":200,"isBase64Encoded":false,"headers":{},"body":{}})",          //
        R"({"statusCode":200,"isBase64Encoded":true,"headers":{},"body":"no base64"})",  //
        R"({"statusCode":200,"isBase64Encoded":false,"headers":{},"body":"x"} trailing)"}) {
    EXPECT_FALSE(DecodeResponse(wrong, Values::kLast)) << wrong;
  }
  EXPECT_FALSE(
      DecodeResponse(R"({"statusCode":200,"isBase64Encoded":false,"multiValueHeaders":{"A":"b"}})", Values::kAll));
}

}  // namespace
}  // namespace weir::functions
