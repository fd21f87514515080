#include "bench/load/http/replay_log.h"

#include "proxy/log/access_log.h"

#include <gtest/gtest.h>

#include <chrono>
#include <sstream>
#include <string>

namespace weir::bench {
namespace {

using std::chrono::microseconds;

std::string Line(const std::string& request, const std::string& created = "2026-11-02T10:15:30.110000Z",
                 const std::string& type = "https", const std::string& agent = "curl/8.9.1") {
  return type +
         " 2026-11-02T10:15:30.123456Z app/edge/0123456789abcdef 198.51.100.7:40112 10.1.2.3:8080 0.001 0.012 0.000 "
         "200 "
         "200 412 1530 \"" +
         request + "\" \"" + agent +
         "\" TLS_AES_128_GCM_SHA256 TLSv1.3 arn:aws:elasticloadbalancing:eu-west-1:111122223333:targetgroup/web/f "
         "\"Root=1\" "
         "\"shop.example.net\" \"arn:aws:acm:eu-west-1:1:certificate/0\" 10 " +
         created +
         " \"forward\" \"-\" \"-\" \"10.1.2.3:8080\" \"200\" \"-\" \"-\" TID_0 \"-\" \"-\" \"-\" 10.1.0.5 - -";
}

std::string WhyNot(const std::string& line) {
  const auto request = ParseAccessLogLine(line);
  return request ? "accepted" : request.error().message;
}

TEST(ReplayLogTest, TakesMethodHostTargetAndTime) {
  const auto request = ParseAccessLogLine(Line("GET https://shop.example.net:443/a?b=c HTTP/2.0"));
  ASSERT_TRUE(request) << request.error().message;
  EXPECT_EQ(request->method, "GET");
  EXPECT_EQ(request->authority, "shop.example.net") << "the default port is not part of the Host field";
  EXPECT_EQ(request->target, "/a?b=c");
  EXPECT_EQ(request->user_agent, "curl/8.9.1");
  const auto time = std::chrono::sys_days(std::chrono::year(2026) / 11 / 2) + std::chrono::hours(10) +
                    std::chrono::minutes(15) + std::chrono::seconds(30) + std::chrono::milliseconds(110);
  EXPECT_EQ(request->at, time.time_since_epoch());
}

TEST(ReplayLogTest, OtherPortsStayInTheHost) {
  EXPECT_EQ(ParseAccessLogLine(Line("GET http://a.test:8080/ HTTP/1.1"))->authority, "a.test:8080");
  EXPECT_EQ(ParseAccessLogLine(Line("GET http://a.test:443/ HTTP/1.1"))->authority, "a.test:443");
  EXPECT_EQ(ParseAccessLogLine(Line("GET http://[2001:db8::1]:80/ HTTP/1.1"))->authority, "[2001:db8::1]");
}

TEST(ReplayLogTest, EscapesAreUndone) {
  const auto request = ParseAccessLogLine(Line("GET http://a.test:80/say\\x22hi\\x22 HTTP/1.1"));
  ASSERT_TRUE(request);
  EXPECT_EQ(request->target, "/say\"hi\"");
}

TEST(ReplayLogTest, WithoutACreationTimeTheEndOfTheRequestCounts) {
  const auto with = ParseAccessLogLine(Line("GET http://a.test:80/ HTTP/1.1"));
  const auto without = ParseAccessLogLine(Line("GET http://a.test:80/ HTTP/1.1", "-"));
  ASSERT_TRUE(with && without);
  EXPECT_EQ(without->at - with->at, microseconds(13'456));
}

TEST(ReplayLogTest, SaysWhatIsWrongWithALine) {
  const std::string whole = Line("GET http://a.test:80/ HTTP/1.1");
  EXPECT_EQ(WhyNot("hello"), "field 2 is missing, or its quote does not end");
  EXPECT_EQ(WhyNot(whole.substr(0, whole.find(" HTTP/1.1\""))), "field 13 is missing, or its quote does not end");
  EXPECT_EQ(WhyNot(Line("GET http://a.test:80/ HTTP/1.1", "yesterday")),
            "field 22 is no time like 2026-11-02T10:15:30Z");
  EXPECT_EQ(WhyNot(Line("GET http://a.test:80/ HTTP/1.1", "2026-02-30T10:15:30Z")),
            "field 22 is no time like 2026-11-02T10:15:30Z");
  EXPECT_EQ(WhyNot(Line("- http://a.test:80- -")), "field 13 has no method");
  EXPECT_EQ(WhyNot(Line("GET")), "field 13 is no request line");
  EXPECT_EQ(WhyNot(Line("GET / HTTP/1.1")).substr(0, 13), "field 13: `/`");
  EXPECT_EQ(WhyNot(Line("GET http://a.test:80/a\\x0ab HTTP/1.1")).substr(0, 8), "field 13");
  EXPECT_EQ(WhyNot(Line("GET http://a.test:80/ HTTP/1.1", "2026-11-02T10:15:30Z", "wss")),
            "a WebSocket cannot be replayed");
  EXPECT_EQ(WhyNot(Line("GET http://a.test:80/ HTTP/1.1", "2026-11-02T10:15:30Z", "smtp")),
            "field 1 is none of http, https, h2, grpcs, ws, wss");
  EXPECT_EQ(WhyNot(Line("GET http://a.test:80/ HTTP/1.1", "2026-11-02T10:15:30Z", "http", "a\\x0d\\x0ab")),
            "field 14 has a NUL, CR or LF");
}

TEST(ReplayLogTest, ALogIsSortedByArrivalAndStartsAtZero) {
  std::istringstream in(Line("GET http://a.test:80/late HTTP/1.1", "2026-11-02T10:15:31.5Z") + "\n\n" +
                        Line("GET http://a.test:80/early HTTP/1.1", "2026-11-02T10:15:30.5Z") + "\r\n");
  const auto log = ReadReplayLog(in, "access.log");
  ASSERT_TRUE(log);
  ASSERT_EQ(log->requests.size(), 2U);
  EXPECT_EQ(log->requests[0].target, "/early");
  EXPECT_EQ(log->requests[0].at.count(), 0);
  EXPECT_EQ(log->requests[1].at, std::chrono::seconds(1));
  EXPECT_EQ(log->skipped_count, 0U);
}

TEST(ReplayLogTest, BadLinesAreSkippedCountedAndTheFirstOnesNamed) {
  std::string text = Line("GET http://a.test:80/ HTTP/1.1") + "\n";
  for (int i = 0; i < 8; ++i) text += "rubbish\n";
  std::istringstream in(text);
  const auto log = ReadReplayLog(in, "access.log");
  ASSERT_TRUE(log);
  EXPECT_EQ(log->requests.size(), 1U);
  EXPECT_EQ(log->skipped_count, 8U);
  ASSERT_EQ(log->skipped.size(), ReplayLog::kSkippedKept);
  EXPECT_EQ(log->skipped.front().line, 2U);
}

TEST(ReplayLogTest, ALogWithoutAUsableLineIsRefusedWithItsPlace) {
  std::istringstream rubbish("\nrubbish\n");
  EXPECT_EQ(ReadReplayLog(rubbish, "x.log").error().message, "x.log:2: field 2 is missing, or its quote does not end");
  std::istringstream empty("");
  EXPECT_EQ(ReadReplayLog(empty, "x.log").error().message, "x.log is empty");
  std::istringstream zipped("\x1f\x8b\x08");
  EXPECT_EQ(ReadReplayLog(zipped, "x.log").error().message, "x.log is compressed");
}

TEST(ReplayLogTest, ReadsWhatTheApplianceWrites) {
  proxy::AccessLogRecord record;
  record.time = WallTime(std::chrono::seconds(1'793'000'000));
  record.creation_time = record.time - std::chrono::milliseconds(5);
  record.request_line = "POST http://shop.test:8080/cart?x=\"1\" HTTP/1.1";
  record.user_agent = "a \"quoted\" agent";
  std::string line;
  Iso8601Writer times;
  proxy::AppendAlbLine(line, record, "", times);
  line.pop_back();
  const auto request = ParseAccessLogLine(line);
  ASSERT_TRUE(request) << request.error().message << "\n" << line;
  EXPECT_EQ(request->method, "POST");
  EXPECT_EQ(request->authority, "shop.test:8080");
  EXPECT_EQ(request->target, "/cart?x=\"1\"");
  EXPECT_EQ(request->user_agent, record.user_agent);
  EXPECT_EQ(request->at, record.creation_time.time_since_epoch());
}

// What the appliance writes of a request with these texts, read again.
Result<LoggedRequest> WrittenAndRead(const std::string& request_line, const std::string& user_agent) {
  proxy::AccessLogRecord record;
  record.time = record.creation_time = WallTime(std::chrono::seconds(1'793'000'000));
  record.request_line = request_line;
  record.user_agent = user_agent;
  std::string line;
  Iso8601Writer times;
  proxy::AppendAlbLine(line, record, "", times);
  line.pop_back();
  return ParseAccessLogLine(line);
}

TEST(ReplayTabTest, EveryUserAgentThatIsLoggedIsSentAgain) {
  for (const std::string agent : {"a\tb", "quote \" and backslash \\", "\\x09 is not a tab", "\x01\x1f\x7f",
                                  "gr\xC3\xBC\xC3\x9F", "\xFF\xFE", "\"", "\\", "a\\\"b"}) {
    const auto request = WrittenAndRead("GET http://shop.test:80/ HTTP/1.1", agent);
    ASSERT_TRUE(request) << request.error().message << ": " << agent;
    EXPECT_EQ(request->user_agent, agent);
  }
}

TEST(ReplayTabTest, EveryTargetThatIsLoggedIsSentAgain) {
  struct Case {
    std::string method, logged, authority, target;
  };
  for (const auto& [method, logged, authority, target] :
       {Case{"GET", "http://shop.test:80/a\\b\"c?d=\\", "shop.test", "/a\\b\"c?d=\\"},
        Case{"GET", "http://shop.test:80/gr\xC3\xBC\xC3\x9F", "shop.test", "/gr\xC3\xBC\xC3\x9F"},
        Case{"GET", "http://shop.test:80/a#b", "shop.test", "/a#b"},
        Case{"GET", "http://shop.test:80/a@b:c", "shop.test", "/a@b:c"},
        Case{"GET", "http://shop.test:8080/a b\tc", "shop.test:8080", "/a%20b%09c"},
        Case{"GET", "http://shop.test?q=me@home", "shop.test", "/?q=me@home"},
        Case{"GET", "HTTP://Shop.test", "Shop.test", "/"},
        Case{"GET", "http://[2001:db8::1]:8080//x", "[2001:db8::1]:8080", "//x"},
        Case{"OPTIONS", "http://shop.test:80*", "shop.test", "*"}}) {
    const auto request = WrittenAndRead(method + " " + logged + " HTTP/1.1", "agent");
    ASSERT_TRUE(request) << request.error().message << ": " << logged;
    EXPECT_EQ(request->authority, authority) << logged;
    EXPECT_EQ(request->target, target) << logged;
  }
}

TEST(ReplayTabTest, BytesThatAreNotAsciiMayBeEscapedInBothCases) {
  const auto request = ParseAccessLogLine(Line("GET https://a.test:443/caf\\xC3\\xa9 HTTP/2.0", "2026-11-02T10:15:30Z",
                                               "h2", "Mozilla\\x2f5.0 \\xE2\\x9C\\x93\\x09\\x22\\x5C\\x22"));
  ASSERT_TRUE(request) << request.error().message;
  EXPECT_EQ(request->target, "/caf\xC3\xA9");
  EXPECT_EQ(request->user_agent, "Mozilla/5.0 \xE2\x9C\x93\t\"\\\"");
}

TEST(ReplayTabTest, WhatIsNoEscapeStaysAsItIs) {
  const auto request =
      ParseAccessLogLine(Line("GET http://a.test:80/ HTTP/1.1", "2026-11-02T10:15:30Z", "http", "a\\xZZ \\x4"));
  ASSERT_TRUE(request);
  EXPECT_EQ(request->user_agent, "a\\xZZ \\x4");
}

TEST(ReplayTabTest, WhatNoRequestMayHaveIsStillSkipped) {
  for (const std::string byte : {"\\x00", "\\x0a", "\\x0D"}) {
    EXPECT_EQ(WhyNot(Line("GET http://a.test:80/a" + byte + "b HTTP/1.1")), "field 13 has a NUL, CR or LF");
    EXPECT_EQ(WhyNot(Line("GET http://a.test:80/ HTTP/1.1", "2026-11-02T10:15:30Z", "http", "a" + byte + "b")),
              "field 14 has a NUL, CR or LF");
  }
}

}  // namespace
}  // namespace weir::bench
