#include "http/http2_head.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace weir::http {
namespace {

using Pairs = std::vector<std::pair<std::string, std::string>>;

Http2FieldSection Section(const Pairs& fields) {
  Http2FieldSection section;
  for (const auto& [name, value] : fields) section.Add(name, value);
  return section;
}
Pairs GetPairs(Pairs more = {}) {
  Pairs fields = {{":method", "GET"}, {":scheme", "https"}, {":authority", "a.test"}, {":path", "/p?q"}};
  fields.insert(fields.end(), more.begin(), more.end());
  return fields;
}

struct Parsed {
  std::string text;
  RequestHead head;
  Http2FieldSection section;
  ParseOutcome outcome;
  explicit Parsed(const Pairs& fields, bool ends = true)
      : section(Section(fields)), outcome(ParseHttp2Request(section, ends, text, head)) {}
};

TEST(Http2HeadTest, ARequestIsWhatHttp1WouldSay) {
  const Parsed parsed(GetPairs({{"accept", "x"}, {"te", "trailers"}}));
  ASSERT_EQ(parsed.outcome.status, ParseStatus::kDone);
  EXPECT_EQ(parsed.text, "GET /p?q HTTP/1.1\r\nHost: a.test\r\naccept: x\r\nte: trailers\r\n\r\n");
  EXPECT_EQ(parsed.head.method, "GET");
  EXPECT_EQ(parsed.head.parts.path, "/p");
  EXPECT_EQ(parsed.head.authority.host, "a.test");
  EXPECT_EQ(parsed.head.version, Version::kHttp2);
  EXPECT_EQ(parsed.head.framing.kind, FramingKind::kNone);
}

TEST(Http2HeadTest, ContentWithoutLengthEndsWithTheStream) {
  EXPECT_EQ(Parsed(GetPairs(), false).head.framing.kind, FramingKind::kUnknown);
  const Parsed with_length(GetPairs({{"content-length", "5"}}), false);
  EXPECT_EQ(with_length.head.framing.kind, FramingKind::kContentLength);
  EXPECT_EQ(with_length.head.framing.content_length, 5U);
}

TEST(Http2HeadTest, CookieCrumbsAreJoined) {
  const Parsed parsed(GetPairs({{"cookie", "a=1"}, {"x", "y"}, {"cookie", "b=2"}, {"cookie", "c=3"}}));
  ASSERT_EQ(parsed.outcome.status, ParseStatus::kDone);
  const Field* const cookie = FindField(parsed.head.fields, "cookie");
  ASSERT_NE(cookie, nullptr);
  EXPECT_EQ(cookie->value, "a=1; b=2; c=3");
}

TEST(Http2HeadTest, HostStandsInForAuthorityAndMayNotDiffer) {
  const Parsed with_host({{":method", "GET"}, {":scheme", "http"}, {":path", "/"}, {"host", "h.test:81"}});
  ASSERT_EQ(with_host.outcome.status, ParseStatus::kDone);
  EXPECT_EQ(with_host.head.authority.host, "h.test");
  const Parsed same(GetPairs({{"host", "A.test"}}));
  EXPECT_EQ(same.outcome.status, ParseStatus::kDone);
  EXPECT_EQ(same.text.find("A.test"), std::string::npos);  // once
  EXPECT_EQ(Parsed(GetPairs({{"host", "b.test"}})).outcome.http_status, 400);
}

TEST(Http2HeadTest, WhatCouldMeanSomethingElseInHttp1IsRefused) {
  const std::pair<const char*, Pairs> rows[] = {
      {"a line end in a value", GetPairs({{"x", "a\r\nb: c"}})},
      {"LF in a value", GetPairs({{"x", "a\nb"}})},
      {"NUL in a value", GetPairs({{"x", std::string("a\0", 2)}})},
      {"a colon in a name", GetPairs({{"a:b", "c"}})},
      {"a line end in a name", GetPairs({{"a\r\nb", "c"}})},
      {"no name", GetPairs({{"", "c"}})},
      {"a coding", GetPairs({{"transfer-encoding", "chunked"}})},
      {"a disguised length beside a coding", GetPairs({{"content_length", "1"}, {"transfer-encoding", "chunked"}})},
      {"two lengths", GetPairs({{"content-length", "1"}, {"content-length", "2"}})},
      {"a signed length", GetPairs({{"content-length", "+1"}})},
      {"another scheme", {{":method", "GET"}, {":scheme", "ftp"}, {":authority", "a"}, {":path", "/"}}},
      {"a space in the path", {{":method", "GET"}, {":scheme", "http"}, {":authority", "a"}, {":path", "/ HTTP/1.1"}}},
      {"a line end in the path",
       {{":method", "GET"}, {":scheme", "http"}, {":authority", "a"}, {":path", "/\r\nx: y"}}},
      {"a space in the method", {{":method", "GET /"}, {":scheme", "http"}, {":authority", "a"}, {":path", "/"}}},
      {"user information", {{":method", "GET"}, {":scheme", "http"}, {":authority", "u@a"}, {":path", "/"}}},
      {"a malformed port", {{":method", "GET"}, {":scheme", "http"}, {":authority", "a:x"}, {":path", "/"}}},
      {"no authority", {{":method", "GET"}, {":scheme", "http"}, {":path", "/"}}},
      {"* without OPTIONS", {{":method", "GET"}, {":scheme", "http"}, {":authority", "a"}, {":path", "*"}}},
      {"no slash", {{":method", "GET"}, {":scheme", "http"}, {":authority", "a"}, {":path", "x"}}},
      {"an unknown pseudo-header field",
       {{":method", "GET"}, {":odd", "x"}, {":scheme", "http"}, {":authority", "a"}, {":path", "/"}}},
  };
  for (const auto& [what, fields] : rows) {
    const Parsed parsed(fields);
    EXPECT_EQ(parsed.outcome.status, ParseStatus::kRefused) << what;
    EXPECT_EQ(parsed.outcome.http_status, 400) << what;
  }
}

// RFC 8441 section 4.
Pairs Connect(const std::string& protocol, const Pairs& more = {}) {
  Pairs fields = {{":method", "CONNECT"},
                  {":protocol", protocol},
                  {":scheme", "https"},
                  {":path", "/chat?room=1"},
                  {":authority", "a.test"}};
  fields.insert(fields.end(), more.begin(), more.end());
  return fields;
}

TEST(Http2HeadTest, AnExtendedConnectIsTheOpeningHandshakeOfHttp1) {
  const Parsed parsed(Connect("websocket", {{"sec-websocket-version", "13"}}), false);
  ASSERT_EQ(parsed.outcome.status, ParseStatus::kDone) << parsed.outcome.why;
  EXPECT_EQ(parsed.text,
            "GET /chat?room=1 HTTP/1.1\r\nHost: a.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
            "sec-websocket-version: 13\r\n\r\n");
  EXPECT_TRUE(parsed.head.upgrade);
  EXPECT_EQ(parsed.head.framing.kind, FramingKind::kNone) << "what follows is no content of it";
  EXPECT_EQ(parsed.head.version, Version::kHttp2);
}

TEST(Http2HeadTest, OtherTunnelsAreRefused) {
  EXPECT_EQ(Parsed(Connect("connect-udp"), false).outcome.http_status, 400);
  EXPECT_EQ(Parsed(Connect("websocket"), true).outcome.http_status, 400) << "it has ended already";
  EXPECT_EQ(Parsed(Connect("websocket", {{"content-length", "5"}}), false).outcome.http_status, 400);
  Pairs get = Connect("websocket");
  get[0].second = "GET";
  EXPECT_EQ(Parsed(get, false).outcome.http_status, 400);
}

TEST(Http2HeadTest, SizesAreThoseOfHttp1) {
  EXPECT_EQ(Parsed(GetPairs({{"x", std::string(16'384, 'a')}})).outcome.too_large, true);
  EXPECT_EQ(Parsed(GetPairs({{"x", std::string(16'000, 'a')}})).outcome.status, ParseStatus::kDone);
  Pairs many;
  for (int i = 0; i < 5; ++i) many.emplace_back("x", std::string(15'000, 'a'));
  EXPECT_EQ(Parsed(GetPairs(many)).outcome.too_large, true);
  Pairs fields = GetPairs();
  fields[3].second = "/" + std::string(17'000, 'a');
  EXPECT_EQ(Parsed(fields).outcome.http_status, 414);
}

TEST(Http2HeadTest, DesyncClassesAreThoseOfHttp1) {
  EXPECT_EQ(Parsed(GetPairs({{"content-length", "0"}})).head.desync_class, DesyncClass::kAcceptable);
  EXPECT_EQ(Parsed(GetPairs({{"content-length", "3"}}), false).head.desync_class, DesyncClass::kAmbiguous);
  EXPECT_EQ(Parsed(GetPairs({{"content_length", "3"}})).head.desync_class, DesyncClass::kAmbiguous);
}

TEST(Http2HeadTest, WhatWasRefusedIsKnownToTheLog) {
  const Parsed parsed(GetPairs({{"host", "b.test"}}));
  EXPECT_EQ(parsed.head.method, "GET");
  EXPECT_EQ(parsed.head.parts.path, "/p");
  EXPECT_EQ(parsed.head.version, Version::kHttp2);
}

struct Answered {
  std::string text;
  ResponseHead head;
  ParseOutcome outcome;
  Answered(const Pairs& fields, bool ends, std::string_view method = "GET")
      : outcome(ParseHttp2Response(Section(fields), ends, method, text, head)) {}
};

TEST(Http2HeadTest, Responses) {
  const Answered plain({{":status", "404"}, {"x", "y"}}, false);
  ASSERT_EQ(plain.outcome.status, ParseStatus::kDone);
  EXPECT_EQ(plain.head.status, 404);
  EXPECT_EQ(plain.head.reason, "Not Found");
  EXPECT_EQ(plain.head.framing.kind, FramingKind::kUnknown);
  EXPECT_EQ(Answered({{":status", "200"}, {"content-length", "3"}}, false).head.framing.content_length, 3U);
  EXPECT_EQ(Answered({{":status", "204"}}, true).head.framing.kind, FramingKind::kNone);
  EXPECT_EQ(Answered({{":status", "200"}, {"content-length", "3"}}, true, "HEAD").head.framing.kind,
            FramingKind::kNone);
}

TEST(Http2HeadTest, ResponsesThatAreRefused) {
  const Pairs rows[] = {
      {{":status", "20x"}},
      {{":status", "2000"}},
      {{"x", "y"}},
      {{":status", "200"}, {"x", "a\r\nb: c"}},
      {{":status", "200"}, {"x", "\x01"}},
      {{":status", "200"}, {"transfer-encoding", "chunked"}},
      {{":status", "304"}, {"transfer-encoding", "chunked"}},
      {{":status", "200"}, {"content-length", "1"}, {"content-length", "2"}},
  };
  for (const Pairs& row : rows)
    EXPECT_EQ(Answered(row, false).outcome.status, ParseStatus::kRefused) << row.back().first;
  EXPECT_EQ(Answered({{":status", "200"},
                      {"x", std::string(15'000, 'a')},
                      {"y", std::string(15'000, 'a')},
                      {"z", std::string(15'000, 'a')}},
                     false)
                .outcome.too_large,
            true);
}

TEST(Http2HeadTest, TrailersAreThoseThatHttp1WouldForward) {
  std::string text;
  std::vector<Field> fields;
  ASSERT_TRUE(ReadHttp2Trailers(
      Section({{"grpc-status", "0"}, {"content-length", "1"}, {"x-amzn-trace-id", "x"}, {"grpc-message", ""}}), text,
      fields));
  ASSERT_EQ(fields.size(), 2U);
  EXPECT_EQ(fields[0].name, "grpc-status");
  EXPECT_EQ(fields[0].value, "0");
  EXPECT_EQ(fields[1].name, "grpc-message");
  EXPECT_FALSE(ReadHttp2Trailers(Section({{"x", "a\r\nb"}}), text, fields));
  EXPECT_FALSE(ReadHttp2Trailers(Section({{"x", std::string(17'000, 'a')}}), text, fields));
}

TEST(Http2HeadTest, AFieldBlockIsTakenApart) {
  std::vector<Field> fields;
  AppendFieldsOf("A: b\r\nC: \r\nLong-Name: with: colon\r\n", fields);
  ASSERT_EQ(fields.size(), 3U);
  EXPECT_EQ(fields[1].value, "");
  EXPECT_EQ(fields[2].name, "Long-Name");
  EXPECT_EQ(fields[2].value, "with: colon");
}

}  // namespace
}  // namespace weir::http
