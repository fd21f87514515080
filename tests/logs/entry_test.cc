#include "logs/entry.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace weir::logs {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using enum RequestField;

// spec: alb.md 16.1, the line as AWS documents it.
const std::string kH2Line =
    R"(h2 2026-11-02T10:15:30.123456Z app/edge/0123456789abcdef 198.51.100.7:40112 10.1.2.3:8080 0.001 0.012 0.000 200 200 412 1530 "GET https://shop.example.net:443/a?b=c HTTP/2.0" "curl/8.9.1" TLS_AES_128_GCM_SHA256 TLSv1.3 arn:aws:elasticloadbalancing:eu-west-1:111122223333:targetgroup/web/fedcba9876543210 "Root=1-69072f22-0123456789abcdef01234567" "shop.example.net" "arn:aws:acm:eu-west-1:111122223333:certificate/00000000-0000-0000-0000-000000000000" 10 2026-11-02T10:15:30.110000Z "forward" "-" "-" "10.1.2.3:8080" "200" "-" "-" TID_0123456789abcdef0123456789abcdef "-" "-" "-" 10.1.0.5 - -)";
// An older one: logs of before August 2019 end at field 25.
const std::string kOldLine =
    R"(http 2018-07-02T22:23:00.186641Z app/my-loadbalancer/50dc6c495c0c9188 192.168.131.39:2817 - -1 -1 -1 502 - 34 366 "GET http://www.example.com:80/ HTTP/1.1" "curl/7.46.0" - - arn:aws:elasticloadbalancing:us-east-2:123456789012:targetgroup/my-targets/73e2d6bc24d8a067 "Root=1-58337364-23a8c76965a2ef7629b185e3" "-" "-" 0 2018-07-02T22:22:48.364000Z "forward" "-" "-")";
const std::string kConnectionLine =
    R"(2023-10-04T17:05:15.514108Z 203.0.113.1 36280 443 TLSv1.2 ECDHE-RSA-AES128-GCM-SHA256 4.036 "CN=amazondomains.com,O=endEntity,L=Seattle,ST=Washington,C=US" NotBefore=2023-09-21T22:43:21Z;NotAfter=2026-06-17T22:43:21Z FEF257372D5C14D4 Failed:ClientCertUntrusted TID_3180a73013c8ca4bac2f731159d4b0fe)";

TEST(EntryTest, EveryFieldOfAnAlbLineIsRead) {
  EntryParser parser;
  const auto entry = parser.Parse(kH2Line);
  ASSERT_TRUE(entry) << entry.error().message;
  EXPECT_EQ(entry->kind, EntryKind::kRequest);
  EXPECT_EQ((*entry)[kType], "h2");
  EXPECT_EQ(FormatIso8601(entry->time), "2026-11-02T10:15:30.123456Z");
  EXPECT_EQ((*entry)[kTarget], "10.1.2.3:8080");
  EXPECT_EQ(entry->request_time, 1ms);
  EXPECT_EQ(entry->target_time, 12ms);
  EXPECT_EQ(entry->total_time(), 13ms);
  EXPECT_EQ(entry->status, 200);
  EXPECT_EQ(entry->target_status, 200);
  EXPECT_EQ(entry->received_bytes, 412U);
  EXPECT_EQ(entry->sent_bytes, 1530U);
  EXPECT_EQ(entry->target_group(), "web");
  EXPECT_EQ(entry->error_reason(), "");
  EXPECT_EQ((*entry)[kRulePriority], "10");
  EXPECT_EQ((*entry)[kIpAddress], "10.1.0.5");
  EXPECT_EQ((*entry)[kElbErrorCode], "-");
  const auto line = entry->request_line();
  EXPECT_EQ(line.method, "GET");
  EXPECT_EQ(line.scheme, "https");
  EXPECT_EQ(line.host, "shop.example.net:443");
  EXPECT_EQ(line.target, "/a?b=c");
  EXPECT_EQ(line.version, "HTTP/2.0");
}

TEST(EntryTest, OlderLinesAndThoseWithFurtherFieldsAreRead) {
  EntryParser parser;
  const auto old = parser.Parse(kOldLine);
  ASSERT_TRUE(old) << old.error().message;
  EXPECT_EQ(old->status, 502);
  EXPECT_EQ(old->target_status, 0);
  EXPECT_FALSE(old->total_time());
  EXPECT_EQ((*old)[kConnectionId], "-");
  EXPECT_TRUE(parser.Parse(kH2Line + R"( "something new" 7)"));
}

TEST(EntryTest, ConnectionLinesAreRead) {
  EntryParser parser;
  const auto entry = parser.Parse(kConnectionLine);
  ASSERT_TRUE(entry) << entry.error().message;
  EXPECT_EQ(entry->kind, EntryKind::kConnection);
  EXPECT_EQ((*entry)[ConnectionField::kClientPort], "36280");
  EXPECT_EQ((*entry)[ConnectionField::kVerifyStatus], "Failed:ClientCertUntrusted");
  EXPECT_EQ((*entry)[ConnectionField::kElb], "-");
}

TEST(EntryTest, WhatIsWrongIsSaid) {
  EntryParser parser;
  const auto why = [&](const std::string& line) {
    const auto entry = parser.Parse(line);
    return entry ? std::string() : entry.error().message;
  };
  EXPECT_THAT(why("127.0.0.1 - - [10/Oct/2000:13:55:36 -0700] \"GET / HTTP/1.0\" 200 2326"), HasSubstr("`127.0.0.1`"));
  EXPECT_THAT(why("http 2018-07-02T22:23:00.186641Z app/x/1"), HasSubstr("field 4"));
  EXPECT_THAT(why("{\"type\": \"http\""), HasSubstr("JSON"));
  EXPECT_THAT(why("{\"type\": \"http\"}"), HasSubstr("field 2 (time)"));
  std::string status = kOldLine;
  status.replace(status.find(" 502 "), 5, " 5x2 ");
  EXPECT_THAT(why(status), HasSubstr("field 9 (elb_status_code)"));
}

TEST(EntryTest, ALineOfEitherFormIsWrittenInTheOther) {
  EntryParser parser;
  for (const std::string& line : {kH2Line, kOldLine, kConnectionLine}) {
    const auto first = parser.Parse(line);
    ASSERT_TRUE(first);
    std::string json;
    AppendJsonLine(json, *first);
    EntryParser second_parser;
    const auto second = second_parser.Parse(json);
    ASSERT_TRUE(second) << second.error().message << json;
    std::string alb;
    AppendAlbLine(alb, *second);
    EntryParser third_parser;
    const auto third = third_parser.Parse(alb);
    ASSERT_TRUE(third) << third.error().message << alb;
    EXPECT_EQ(third->time, first->time);
    EXPECT_EQ(third->status, first->status);
    EXPECT_EQ(third->total_time(), first->total_time());
    EXPECT_EQ(third->target_group(), first->target_group());
    EXPECT_EQ((*third)[kRequest], (*first)[kRequest]);
    EXPECT_EQ((*third)[kUserAgent], (*first)[kUserAgent]);
  }
}

}  // namespace
}  // namespace weir::logs
