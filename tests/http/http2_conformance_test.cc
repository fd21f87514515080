// What RFC 9113 sections 5 to 8 and RFC 7541 say must be refused, as frames of a hostile peer, against both roles.
#include "tests/http/http2_session_fixture.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace weir::http {
namespace {

using namespace http2_frames;
using enum Http2Error;

enum class Level { kConnection, kStream };

struct Refusal {
  std::string_view what;
  std::string bytes;
  Level level;
  std::vector<Http2Error> codes;  // any of them
};

// GOAWAY with one of the codes, or RST_STREAM with one of them while the session lives on.
void ExpectRefused(const Refusal& row, SessionRig& rig, const std::vector<Seen>& frames) {
  const std::uint8_t wanted = row.level == Level::kConnection ? kGoAway : kRstStream;
  const auto found = std::ranges::find(frames, wanted, &Seen::type);
  ASSERT_NE(found, frames.end()) << row.what << ": not refused";
  const auto code = static_cast<Http2Error>(found->code());
  EXPECT_NE(std::ranges::find(row.codes, code), row.codes.end()) << row.what << ": code " << found->code();
  EXPECT_EQ(rig.session.fault() == kNoError, row.level == Level::kStream) << row.what;
}

std::string Request(std::uint32_t stream, const Fields& more = {}, std::uint8_t flags = kEndStream) {
  return Headers(stream, With(Get(), more), flags);
}

std::vector<Refusal> ServerRefusals() {
  const std::string open = Request(1, {}, 0);
  const Fields get = Get();
  const auto without = [&](std::string_view name) {
    Fields fields = get;
    std::erase_if(fields, [&](const auto& field) { return field.first == name; });
    return fields;
  };
  const std::string upper = Request(1, {{"X-Upper", "1"}});
  return {
      // 4: frames
      {"4.2 a frame above the limit",
       Frame(kData, 0, 1, std::string(16'385, 'x')),
       Level::kConnection,
       {kFrameSizeError}},
      {"4.3 a header block that does not decode",
       Frame(kHeaders, kEndHeaders | kEndStream, 1, "\x40"),
       Level::kConnection,
       {kCompressionError}},
      {"4.3 frames within a header block",
       Frame(kHeaders, kEndStream, 1, Block(get)) + Frame(kPing, 0, 0, "12345678"),
       Level::kConnection,
       {kProtocolError}},
      {"4.3 another stream's frame within a header block",
       Frame(kHeaders, kEndStream, 1, Block(get)) + Frame(kContinuation, kEndHeaders, 3),
       Level::kConnection,
       {kProtocolError}},
      {"5.5 an unknown frame within a header block",
       Frame(kHeaders, kEndStream, 1, Block(get)) + Frame(0x77, 0, 1, "x"),
       Level::kConnection,
       {kProtocolError}},
      // 5: streams
      {"5.1 DATA on an idle stream", Frame(kData, 0, 1, "x"), Level::kConnection, {kProtocolError}},
      {"5.1 RST_STREAM on an idle stream", Frame(kRstStream, 0, 1, Number(8, 4)), Level::kConnection, {kProtocolError}},
      {"5.1 WINDOW_UPDATE on an idle stream",
       Frame(kWindowUpdate, 0, 1, Number(1, 4)),
       Level::kConnection,
       {kProtocolError}},
      {"5.1 CONTINUATION on an idle stream",
       Frame(kContinuation, kEndHeaders, 1),
       Level::kConnection,
       {kProtocolError}},
      {"5.1 DATA behind END_STREAM", Request(1) + Frame(kData, 0, 1, "x"), Level::kConnection, {kStreamClosed}},
      {"5.1 HEADERS behind END_STREAM", Request(1) + Request(1), Level::kConnection, {kStreamClosed}},
      {"5.1.1 an even stream", Request(2), Level::kConnection, {kProtocolError}},
      {"5.1.1 a smaller stream than before",
       Request(5) + Request(3),
       Level::kConnection,
       {kProtocolError, kStreamClosed}},
      {"5.3.1 a stream that depends on itself",
       Frame(kHeaders, kEndHeaders | kEndStream | 0x20, 1, Number(1, 4) + '\x10' + Block(get)),
       Level::kConnection,
       {kProtocolError}},
      // 6: frame definitions
      {"6.1 DATA on stream 0", Frame(kData, 0, 0, "x"), Level::kConnection, {kProtocolError}},
      {"6.1 padding as long as the frame",
       open + Frame(kData, kPadded, 1, "\x05xxx"),
       Level::kConnection,
       {kProtocolError}},
      {"6.2 HEADERS on stream 0", Headers(0, get), Level::kConnection, {kProtocolError}},
      {"6.2 padding as long as the header block",
       Frame(kHeaders, kEndHeaders | kPadded, 1, "\x7f" + Block(get).substr(0, 9)),
       Level::kConnection,
       {kProtocolError}},
      {"6.3 PRIORITY on stream 0", Frame(kPriority, 0, 0, std::string(5, '\0')), Level::kConnection, {kProtocolError}},
      {"6.3 PRIORITY of 4 bytes",
       open + Frame(kPriority, 0, 1, std::string(4, '\0')),
       Level::kConnection,
       {kFrameSizeError}},
      {"6.4 RST_STREAM on stream 0", Frame(kRstStream, 0, 0, Number(8, 4)), Level::kConnection, {kProtocolError}},
      {"6.4 RST_STREAM of 3 bytes", open + Frame(kRstStream, 0, 1, "abc"), Level::kConnection, {kFrameSizeError}},
      {"6.5 SETTINGS on a stream", Frame(kSettings, 0, 1), Level::kConnection, {kProtocolError}},
      {"6.5 SETTINGS of 5 bytes", Frame(kSettings, 0, 0, "12345"), Level::kConnection, {kFrameSizeError}},
      {"6.5 an acknowledgement with a payload",
       Frame(kSettings, kAck, 0, "123456"),
       Level::kConnection,
       {kFrameSizeError}},
      {"6.5.2 ENABLE_PUSH of 2", Settings({{2, 2}}), Level::kConnection, {kProtocolError}},
      {"6.5.2 a window above 2^31-1", Settings({{4, 0x80000000}}), Level::kConnection, {kFlowControlError}},
      {"6.5.2 a frame size below 2^14", Settings({{5, 16'383}}), Level::kConnection, {kProtocolError}},
      {"6.5.2 a frame size above 2^24-1", Settings({{5, 1 << 24}}), Level::kConnection, {kProtocolError}},
      {"6.6 PUSH_PROMISE of a client",
       open + Frame(kPushPromise, kEndHeaders, 1, Number(2, 4) + Block(get)),
       Level::kConnection,
       {kProtocolError}},
      {"6.7 PING on a stream", Frame(kPing, 0, 1, "12345678"), Level::kConnection, {kProtocolError}},
      {"6.7 PING of 6 bytes", Frame(kPing, 0, 0, "123456"), Level::kConnection, {kFrameSizeError}},
      {"6.8 GOAWAY on a stream", Frame(kGoAway, 0, 1, std::string(8, '\0')), Level::kConnection, {kProtocolError}},
      {"6.8 GOAWAY of 7 bytes", Frame(kGoAway, 0, 0, std::string(7, '\0')), Level::kConnection, {kFrameSizeError}},
      {"6.9 WINDOW_UPDATE of 0 for the connection",
       Frame(kWindowUpdate, 0, 0, Number(0, 4)),
       Level::kConnection,
       {kProtocolError}},
      {"6.9 WINDOW_UPDATE of 0 for a stream",
       open + Frame(kWindowUpdate, 0, 1, Number(0, 4)),
       Level::kConnection,
       {kProtocolError}},
      {"6.9 WINDOW_UPDATE of 3 bytes", open + Frame(kWindowUpdate, 0, 1, "abc"), Level::kConnection, {kFrameSizeError}},
      {"6.9.1 a connection's window above 2^31-1",
       Frame(kWindowUpdate, 0, 0, Number(0x7fffffff, 4)),
       Level::kConnection,
       {kFlowControlError}},
      {"6.9.1 a stream's window above 2^31-1",
       open + Frame(kWindowUpdate, 0, 1, Number(0x7fffffff, 4)),
       Level::kStream,
       {kFlowControlError}},
      {"6.9.2 a first window that overflows what streams have",
       open + Frame(kWindowUpdate, 0, 1, Number(0x7fffffff - 65'535, 4)) + Settings({{4, 65'536}}),
       Level::kConnection,
       {kFlowControlError}},
      {"6.10 CONTINUATION on stream 0", Frame(kContinuation, kEndHeaders, 0), Level::kConnection, {kProtocolError}},
      {"6.10 CONTINUATION behind the end of a header block",
       open + Frame(kContinuation, kEndHeaders, 1),
       Level::kConnection,
       {kProtocolError}},
      {"6.10 CONTINUATION behind DATA",
       open + Frame(kData, 0, 1, "x") + Frame(kContinuation, kEndHeaders, 1),
       Level::kConnection,
       {kProtocolError}},
      // 8: messages
      {"8.1 a second header section without END_STREAM",
       open + Headers(1, {{"x", "1"}}, 0),
       Level::kStream,
       {kProtocolError}},
      {"8.2.1 an upper-case name", upper, Level::kStream, {kProtocolError}},
      {"8.2.1 a space in a name", Request(1, {{"x y", "1"}}), Level::kStream, {kProtocolError}},
      {"8.2.1 a colon in a name", Request(1, {{"x:y", "1"}}), Level::kStream, {kProtocolError}},
      {"8.2.1 a name without bytes", Request(1, {{"", "1"}}), Level::kStream, {kProtocolError}},
      {"8.2.1 CR in a value", Request(1, {{"x", "a\rb"}}), Level::kStream, {kProtocolError}},
      {"8.2.1 LF in a value", Request(1, {{"x", "a\nTransfer-Encoding: chunked"}}), Level::kStream, {kProtocolError}},
      {"8.2.1 NUL in a value", Request(1, {{"x", std::string("a\0b", 3)}}), Level::kStream, {kProtocolError}},
      {"8.2.1 white space before a value", Request(1, {{"x", " a"}}), Level::kStream, {kProtocolError}},
      {"8.2.1 white space behind a value", Request(1, {{"x", "a\t"}}), Level::kStream, {kProtocolError}},
      {"8.2.2 Connection", Request(1, {{"connection", "close"}}), Level::kStream, {kProtocolError}},
      {"8.2.2 Keep-Alive", Request(1, {{"keep-alive", "1"}}), Level::kStream, {kProtocolError}},
      {"8.2.2 Proxy-Connection", Request(1, {{"proxy-connection", "close"}}), Level::kStream, {kProtocolError}},
      {"8.2.2 Transfer-Encoding", Request(1, {{"transfer-encoding", "chunked"}}, 0), Level::kStream, {kProtocolError}},
      {"8.2.2 Upgrade", Request(1, {{"upgrade", "h2c"}}), Level::kStream, {kProtocolError}},
      {"8.2.2 TE other than trailers", Request(1, {{"te", "gzip"}}), Level::kStream, {kProtocolError}},
      {"8.3 an unknown pseudo-header field", Headers(1, With({{":odd", "1"}}, get)), Level::kStream, {kProtocolError}},
      {"8.3 a response's pseudo-header field",
       Headers(1, With({{":status", "200"}}, get)),
       Level::kStream,
       {kProtocolError}},
      {"8.3 a pseudo-header field behind others",
       Headers(1, With({{"x", "1"}}, get)),
       Level::kStream,
       {kProtocolError}},
      {"8.3 a pseudo-header field in trailers", open + Headers(1, {{":path", "/"}}), Level::kStream, {kProtocolError}},
      {"8.3.1 no :method", Headers(1, without(":method")), Level::kStream, {kProtocolError}},
      {"8.3.1 no :scheme", Headers(1, without(":scheme")), Level::kStream, {kProtocolError}},
      {"8.3.1 no :path", Headers(1, without(":path")), Level::kStream, {kProtocolError}},
      {"8.3.1 no :authority and no Host", Headers(1, without(":authority")), Level::kStream, {kProtocolError}},
      {"8.3.1 :path without bytes", Headers(1, Get("")), Level::kStream, {kProtocolError}},
      {"8.3.1 :path that begins with no slash", Headers(1, Get("x")), Level::kStream, {kProtocolError}},
      {"8.3.1 * without OPTIONS", Headers(1, Get("*")), Level::kStream, {kProtocolError}},
      {"8.3.1 a space in :method", Headers(1, Get("/", "GET /")), Level::kStream, {kProtocolError}},
      {"8.3.1 :method twice", Headers(1, With(get, {{":method", "GET"}})), Level::kStream, {kProtocolError}},
      {"8.3.1 :path twice", Headers(1, With({{":path", "/"}}, get)), Level::kStream, {kProtocolError}},
      {"8.5 CONNECT with :path", Headers(1, Get("/", "CONNECT")), Level::kStream, {kProtocolError}},
      {"8.5 :protocol without its setting",
       Headers(1, With(Get("/", "CONNECT"), {{":protocol", "websocket"}})),
       Level::kStream,
       {kProtocolError}},
      {"8.1.1 a malformed Content-Length", Request(1, {{"content-length", "+1"}}, 0), Level::kStream, {kProtocolError}},
      {"8.1.1 two Content-Length fields",
       Request(1, {{"content-length", "1"}, {"content-length", "1"}}, 0),
       Level::kStream,
       {kProtocolError}},
      {"8.1.1 Content-Length without content", Request(1, {{"content-length", "1"}}), Level::kStream, {kProtocolError}},
      {"8.1.1 more content than Content-Length",
       Request(1, {{"content-length", "1"}}, 0) + Frame(kData, kEndStream, 1, "xx"),
       Level::kStream,
       {kProtocolError}},
      {"8.1.1 less content than Content-Length",
       Request(1, {{"content-length", "3"}}, 0) + Frame(kData, kEndStream, 1, "xx"),
       Level::kStream,
       {kProtocolError}},
      // RFC 7541
      {"7541 2.3.3 index 0",
       Frame(kHeaders, kEndHeaders | kEndStream, 1, "\x80"),
       Level::kConnection,
       {kCompressionError}},
      {"7541 2.3.3 an index behind the tables",
       Frame(kHeaders, kEndHeaders | kEndStream, 1, "\xff\x80\x01"),
       Level::kConnection,
       {kCompressionError}},
      {"7541 5.1 an integer without an end",
       Frame(kHeaders, kEndHeaders | kEndStream, 1, "\xff\xff\xff\xff\xff\xff\xff\xff"),
       Level::kConnection,
       {kCompressionError}},
      {"7541 5.2 padding of a Huffman text that is too long",
       Frame(kHeaders, kEndHeaders | kEndStream, 1,
             std::string("\x00\x85\xf2\xb2\x4a\x84\xff\x84\x49\x50\x9f\xff", 12)),
       Level::kConnection,
       {kCompressionError}},
      {"7541 5.2 a text beyond the block",
       Frame(kHeaders, kEndHeaders | kEndStream, 1, std::string("\x00\x7exx", 4)),
       Level::kConnection,
       {kCompressionError}},
      {"7541 5.2 EOS in a Huffman text",
       Frame(kHeaders, kEndHeaders | kEndStream, 1,
             std::string("\x00\x85\xf2\xb2\x4a\x84\xff\x87\x49\x51\xff\xff\xff\xfa\x7f", 15)),
       Level::kConnection,
       {kCompressionError}},
      {"7541 6.3 a table above what was allowed",
       Frame(kHeaders, kEndHeaders | kEndStream, 1, "\x3f\xe2\x1f" + Block(get)),
       Level::kConnection,
       {kCompressionError}},
      {"7541 4.2 a table size behind a field",
       Frame(kHeaders, kEndHeaders | kEndStream, 1, Block(get) + "\x20"),
       Level::kConnection,
       {kCompressionError}},
  };
}

TEST(Http2ConformanceTest, ServersRefuseWhatTheStandardForbids) {
  for (const Refusal& row : ServerRefusals()) {
    SessionRig rig(Http2Session::Role::kServer);
    ExpectRefused(row, rig, rig.Get(row.bytes));
  }
}

TEST(Http2ConformanceTest, ServersRefuseContentBeyondTheWindow) {
  SessionRig rig(Http2Session::Role::kServer);
  rig.takes = false;
  std::string bytes = Request(1, {}, 0);
  for (int i = 0; i < 4; ++i) bytes += Frame(kData, 0, 1, std::string(16'384, 'x'));
  ExpectRefused({"6.9.1 content beyond the stream's window", {}, Level::kStream, {kFlowControlError}}, rig,
                rig.Get(bytes));
}

TEST(Http2ConformanceTest, ServersRefuseABadPreface) {
  struct Silent final : Http2Events {
    void OnRequest(std::int32_t, const Http2FieldSection&, bool) override {}
    void OnMalformedRequest() override {}
    void OnResponse(Http2Stream&, const Http2FieldSection&, bool) override {}
    void OnContent(Http2Stream&, std::string_view, bool) override {}
    void OnTrailers(Http2Stream&, const Http2FieldSection&) override {}
    void OnDrained(Http2Stream&) override {}
    void OnStreamClosed(Http2Stream&, Http2Error, bool) override {}
  } events;
  for (const std::string_view bytes : {"GET / HTTP/1.1\r\n\r\n", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\x01"}) {
    Http2Session session(Http2Session::Role::kServer, events, SteadyTime());
    EXPECT_FALSE(session.Receive(bytes, SteadyTime()));
    EXPECT_EQ(session.fault(), kProtocolError);
  }
  // Something else than SETTINGS behind it (3.4).
  Http2Session session(Http2Session::Role::kServer, events, SteadyTime());
  static_cast<void>(session.Receive(std::string(kPreface) + Frame(kPing, 0, 0, "12345678"), SteadyTime()));
  std::string out;
  static_cast<void>(session.Output(out, 1'000));
  EXPECT_EQ(session.fault(), kProtocolError);
}

std::vector<Refusal> ClientRefusals() {
  const std::string head = Headers(1, {{":status", "200"}}, 0);
  return {
      {"5.1 DATA on a stream that was not opened", Frame(kData, 0, 3, "x"), Level::kConnection, {kProtocolError}},
      {"5.1 HEADERS on a stream that was not opened",
       Headers(3, {{":status", "200"}}),
       Level::kConnection,
       {kProtocolError, kStreamClosed}},
      {"5.1 HEADERS on an even stream", Headers(2, {{":status", "200"}}), Level::kConnection, {kProtocolError}},
      {"6.5.2 ENABLE_PUSH of a server", Settings({{2, 1}}), Level::kConnection, {kProtocolError}},
      {"6.5.2 a window above 2^31-1", Settings({{4, 0x80000000}}), Level::kConnection, {kFlowControlError}},
      {"6.6 PUSH_PROMISE although push is off",
       Frame(kPushPromise, kEndHeaders, 1, Number(2, 4) + Block(Get())),
       Level::kConnection,
       {kProtocolError}},
      {"6.9.2 a first window that overflows what streams have",
       Frame(kWindowUpdate, 0, 1, Number(0x7fffffff - 65'535, 4)) + Settings({{4, 65'536}}),
       Level::kConnection,
       {kFlowControlError}},
      {"6.9 WINDOW_UPDATE of 0 for the connection",
       Frame(kWindowUpdate, 0, 0, Number(0, 4)),
       Level::kConnection,
       {kProtocolError}},
      {"6.9 WINDOW_UPDATE of 0 for a stream",
       Frame(kWindowUpdate, 0, 1, Number(0, 4)),
       Level::kConnection,
       {kProtocolError}},
      {"8.1 DATA before the head", Frame(kData, 0, 1, "x"), Level::kConnection, {kProtocolError}},
      {"8.1 content behind an interim head",
       Headers(1, {{":status", "103"}}, 0) + Frame(kData, 0, 1, "x"),
       Level::kStream,
       {kProtocolError}},
      {"8.1 an interim head that ends the stream", Headers(1, {{":status", "103"}}), Level::kStream, {kProtocolError}},
      {"8.1 a second head without END_STREAM", head + Headers(1, {{"x", "1"}}, 0), Level::kStream, {kProtocolError}},
      {"8.2.1 an upper-case name", Headers(1, {{":status", "200"}, {"X", "1"}}), Level::kStream, {kProtocolError}},
      {"8.2.1 CR LF in a value",
       Headers(1, {{":status", "200"}, {"x", "a\r\nset-cookie: b"}}),
       Level::kStream,
       {kProtocolError}},
      {"8.2.2 Connection", Headers(1, {{":status", "200"}, {"connection", "close"}}), Level::kStream, {kProtocolError}},
      {"8.2.2 Transfer-Encoding",
       Headers(1, {{":status", "200"}, {"transfer-encoding", "chunked"}}, 0),
       Level::kStream,
       {kProtocolError}},
      {"8.3 a pseudo-header field behind others",
       Headers(1, {{"x", "1"}, {":status", "200"}}),
       Level::kStream,
       {kProtocolError}},
      {"8.3.2 no :status", Headers(1, {{"x", "1"}}), Level::kStream, {kProtocolError}},
      {"8.3.2 :status twice", Headers(1, {{":status", "200"}, {":status", "200"}}), Level::kStream, {kProtocolError}},
      {"8.3.2 a request's pseudo-header field",
       Headers(1, {{":status", "200"}, {":path", "/"}}),
       Level::kStream,
       {kProtocolError}},
      {"8.3.2 a status of two digits", Headers(1, {{":status", "20"}}), Level::kStream, {kProtocolError}},
      {"8.6 101 in HTTP/2", Headers(1, {{":status", "101"}}, 0), Level::kStream, {kProtocolError}},
      {"8.1.1 less content than Content-Length",
       Headers(1, {{":status", "200"}, {"content-length", "3"}}, 0) + Frame(kData, kEndStream, 1, "xx"),
       Level::kStream,
       {kProtocolError}},
      {"8.1.1 more content than Content-Length",
       Headers(1, {{":status", "200"}, {"content-length", "1"}}, 0) + Frame(kData, 0, 1, "xx"),
       Level::kStream,
       {kProtocolError}},
      {"7541 2.3.3 an index behind the tables",
       Frame(kHeaders, kEndHeaders, 1, "\xff\x80\x01"),
       Level::kConnection,
       {kCompressionError}},
  };
}

TEST(Http2ConformanceTest, ClientsRefuseWhatTheStandardForbids) {
  for (const Refusal& row : ClientRefusals()) {
    SessionRig rig(Http2Session::Role::kClient);
    SeenStream stream;
    std::vector<Field> fields;
    for (const auto& [name, value] :
         {std::pair{":method", "GET"}, {":scheme", "http"}, {":authority", "t"}, {":path", "/"}}) {
      fields.push_back({.name = name, .value = value});
    }
    ASSERT_TRUE(rig.session.Request(stream, fields, true));
    rig.Frames();
    ExpectRefused(row, rig, rig.Get(row.bytes));
    EXPECT_TRUE(stream.closed || rig.session.fault() != kNoError) << row.what;
  }
}

struct Flooding {
  std::string_view what;
  std::string before;
  std::string each;
  Http2Flood flood;
  int allowed_at_least;
};

TEST(Http2ConformanceTest, FloodsEndTheConnectionByName) {
  using enum Http2Flood;
  const std::string open = Request(1, {}, 0);
  const Flooding rows[] = {
      {"PING", "", Frame(kPing, 0, 0, "12345678"), kPings, 900},
      {"SETTINGS", "", Settings(), kSettings, 90},
      {"empty DATA", open, Frame(kData, 0, 1), kEmptyData, 100},
      {"padded DATA without content", open, Frame(kData, kPadded, 1, std::string("\x02\0\0", 3)), kEmptyData, 100},
      {"WINDOW_UPDATE by one", open, Frame(kWindowUpdate, 0, 1, Number(1, 4)), kWindowUpdates, 1'500},
      {"PRIORITY", "", Frame(kPriority, 0, 1, Number(3, 4) + '\x10'), kPriorities, 400},
      {"PRIORITY_UPDATE", "", Frame(0x10, 0, 0, Number(1, 4) + "u=1"), kPriorities, 400},
      {"unknown frames", "", Frame(0x77, 0, 0, "x"), kOtherFrames, 100},
  };
  for (const Flooding& row : rows) {
    SessionRig rig(Http2Session::Role::kServer);
    rig.Get(row.before);
    int sent = 0;
    std::vector<Seen> frames;
    for (; sent < 20'000 && rig.session.fault() == kNoError; ++sent) frames = rig.Get(row.each);
    EXPECT_GE(sent, row.allowed_at_least) << row.what;
    EXPECT_LT(sent, 20'000) << row.what;
    EXPECT_EQ(rig.session.flood(), row.flood) << row.what;
    const auto goaway = std::ranges::find(frames, kGoAway, &Seen::type);
    if (goaway == frames.end()) {
      ADD_FAILURE() << row.what << ": no GOAWAY";
      continue;
    }
    EXPECT_EQ(static_cast<Http2Error>(goaway->code()), kEnhanceYourCalm) << row.what;
  }
}

// Each byte of the answer is worth a frame of the client, and one of ours.
TEST(Http2ConformanceTest, AWindowOfOneByteAtATimeEndsTheConnection) {
  SessionRig rig(Http2Session::Role::kServer);
  rig.Get(Settings({{4, 1}}) + Request(1));
  SeenStream& stream = *rig.streams.at(1);
  rig.session.Respond(stream, 200, {}, false);
  rig.session.Send(stream, std::string(100'000, 'x'), true, {});
  rig.Frames();
  int sent = 0;
  for (; sent < 20'000 && rig.session.fault() == kNoError; ++sent) rig.Get(Frame(kWindowUpdate, 0, 1, Number(1, 4)));
  EXPECT_LT(sent, 3'000);
  EXPECT_EQ(rig.session.flood(), Http2Flood::kWindowUpdates);
}

TEST(Http2ConformanceTest, RapidResetEndsTheConnection) {
  SessionRig rig(Http2Session::Role::kServer);
  std::uint32_t id = 1;
  for (; id < 10'000 && rig.session.fault() == kNoError; id += 2) {
    rig.Get(Request(id, {}, 0) + Frame(kRstStream, 0, id, Number(8, 4)));
  }
  EXPECT_GT(id, 2 * 190U);
  EXPECT_LT(id, 2 * 220U);
  EXPECT_EQ(rig.session.flood(), Http2Flood::kResets);
}

TEST(Http2ConformanceTest, ResetsBesideWorkAreFree) {
  SessionRig rig(Http2Session::Role::kServer);
  for (std::uint32_t id = 1; id < 8'000; id += 4) {
    rig.answers = true;
    rig.Get(Request(id));
    rig.answers = false;
    rig.Get(Request(id + 2, {}, 0) + Frame(kRstStream, 0, id + 2, Number(8, 4)));
  }
  EXPECT_EQ(rig.session.fault(), kNoError);
}

// CVE-2025-8671: the client makes the server reset streams whose work goes on.
TEST(Http2ConformanceTest, ProvokedResetsEndTheConnection) {
  const auto row_of = [](std::string_view what, auto make) {
    return std::pair{what, std::function<std::string(std::uint32_t)>(make)};
  };
  const std::pair<std::string_view, std::function<std::string(std::uint32_t)>> rows[] = {
      row_of("a window that overflows",
             [](std::uint32_t id) { return Request(id, {}, 0) + Frame(kWindowUpdate, 0, id, Number(0x7fffffff, 4)); }),
      row_of("content beyond its length",
             [](std::uint32_t id) { return Request(id, {{"content-length", "1"}}, 0) + Frame(kData, 0, id, "xx"); }),
      row_of("a malformed head", [](std::uint32_t id) { return Request(id, {{"connection", "close"}}); }),
  };
  for (const auto& [what, make] : rows) {
    SessionRig rig(Http2Session::Role::kServer);
    std::uint32_t id = 1;
    for (; id < 10'000 && rig.session.fault() == kNoError; id += 2) rig.Get(make(id));
    EXPECT_LT(id, 2 * 120U) << what;
    EXPECT_EQ(rig.session.flood(), Http2Flood::kProvokedResets) << what;
  }
}

TEST(Http2ConformanceTest, ContinuationFloodsEndTheConnection) {
  SessionRig rig(Http2Session::Role::kServer);
  std::string bytes = Frame(kHeaders, kEndStream, 1, Block(Get()));
  for (int i = 0; i < 20; ++i) bytes += Frame(kContinuation, 0, 1);
  const auto frames = rig.Get(bytes);
  EXPECT_EQ(rig.session.flood(), Http2Flood::kContinuations);
  EXPECT_NE(std::ranges::find(frames, kGoAway, &Seen::type), frames.end());
}

// One byte of the block gives 4 KB of head.
TEST(Http2ConformanceTest, HpackBombsEndTheConnection) {
  SessionRig rig(Http2Session::Role::kServer);
  const std::string entry = "\x40" + Text("x") + Text(std::string(3'900, 'a'));
  const std::string bytes =
      Frame(kHeaders, kEndHeaders | kEndStream, 1, Block(Get()) + entry + std::string(8'000, '\xbe'));
  rig.Get(bytes);
  EXPECT_EQ(rig.session.flood(), Http2Flood::kHeaderBytes);
  EXPECT_TRUE(rig.streams.empty());
}

TEST(Http2ConformanceTest, AHeadAboveTheAnnouncedSizeIsGivenOnAsTooLarge) {
  SessionRig rig(Http2Session::Role::kServer);
  const std::string entry = "\x40" + Text("x") + Text(std::string(3'900, 'a'));
  rig.Get(Frame(kHeaders, kEndHeaders | kEndStream, 1, Block(Get()) + entry + std::string(20, '\xbe')));
  EXPECT_EQ(rig.session.fault(), kNoError);
  EXPECT_TRUE(rig.too_large);
}

TEST(Http2ConformanceTest, PingsThatAreNotReadEndTheConnection) {
  SessionRig rig(Http2Session::Role::kServer);
  std::string bytes;
  for (int i = 0; i < 990; ++i) bytes += Frame(kPing, 0, 0, "12345678") + Settings();
  // Nothing is pulled meanwhile.
  EXPECT_FALSE(rig.session.Receive(bytes, rig.now));
  EXPECT_TRUE(rig.session.flood().has_value());
}

TEST(Http2ConformanceTest, StreamsAboveTheLimitAreRefused) {
  SessionRig rig(Http2Session::Role::kServer);
  std::string bytes;
  for (std::uint32_t i = 0; i < Http2Session::kStreamsMax; ++i) bytes += Request(2 * i + 1, {}, 0);
  rig.Get(bytes);
  EXPECT_EQ(rig.session.fault(), kNoError);
  EXPECT_EQ(rig.streams.size(), Http2Session::kStreamsMax);
  const auto frames = rig.Get(Request(2 * Http2Session::kStreamsMax + 1, {}, 0));
  EXPECT_NE(std::ranges::find(frames, kGoAway, &Seen::type), frames.end());
  EXPECT_EQ(rig.streams.size(), Http2Session::kStreamsMax);
}

TEST(Http2ConformanceTest, ZeroWindowsEndTheConnectionWhenTheyComeAgainAndAgain) {
  SessionRig rig(Http2Session::Role::kServer);
  for (int i = 0; i < 16; ++i) rig.session.NoteZeroWindow(rig.now);
  EXPECT_EQ(rig.session.fault(), kNoError);
  rig.session.NoteZeroWindow(rig.now);
  EXPECT_EQ(rig.session.flood(), Http2Flood::kZeroWindows);
}

}  // namespace
}  // namespace weir::http
