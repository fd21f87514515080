#include "tests/http/http2_session_fixture.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <string>
#include <vector>

namespace weir::http {
namespace {

using namespace http2_frames;

std::string StreamRequest(std::uint32_t stream, std::uint8_t flags = kEndStream) {
  return Headers(stream, Get(), flags);
}

std::string ContentOf(const std::vector<Seen>& frames, std::uint32_t stream) {
  std::string content;
  for (const Seen& frame : frames) {
    if (frame.type == kData && frame.stream == stream) content += frame.payload;
  }
  return content;
}
const Seen* Find(const std::vector<Seen>& frames, std::uint8_t type) {
  const auto found = std::ranges::find(frames, type, &Seen::type);
  return found == frames.end() ? nullptr : &*found;
}

struct AsServer : ::testing::Test {
  SessionRig rig{Http2Session::Role::kServer};
};

TEST_F(AsServer, AnnouncesItsLimits) {
  SessionRig fresh(Http2Session::Role::kClient);
  Http2Session server(Http2Session::Role::kServer, fresh, fresh.now);
  std::string out;
  ASSERT_TRUE(server.Output(out, 1'000));
  const auto frames = Split(out);
  ASSERT_FALSE(frames.empty());
  EXPECT_EQ(frames[0].type, kSettings);
  EXPECT_NE(frames[0].payload.find(Number(3, 2) + Number(128, 4)), std::string::npos);
  EXPECT_NE(frames[0].payload.find(Number(6, 2) + Number(65'536, 4)), std::string::npos);
  EXPECT_NE(frames[0].payload.find(Number(9, 2) + Number(1, 4)), std::string::npos);
}

TEST_F(AsServer, AnnouncesExtendedConnectWhereItIsTaken) {
  const std::string setting = Number(8, 2) + Number(1, 4);
  const Fields connect = {{":method", "CONNECT"},
                          {":protocol", "websocket"},
                          {":scheme", "https"},
                          {":authority", "a.test"},
                          {":path", "/"}};
  for (const bool taken : {false, true}) {
    SessionRig fresh(Http2Session::Role::kClient);
    Http2Session server(Http2Session::Role::kServer, fresh, fresh.now, taken);
    std::string out;
    ASSERT_TRUE(server.Output(out, 1'000));
    EXPECT_EQ(Split(out)[0].payload.contains(setting), taken);
    ASSERT_TRUE(server.Receive(std::string(kPreface) + Settings() + Headers(1, connect, 0), fresh.now));
    EXPECT_EQ(fresh.streams.contains(1), taken);
    EXPECT_EQ(fresh.malformed, taken ? 0 : 1);
  }
}

TEST_F(AsServer, RequestsAndResponsesWithContentAndTrailers) {
  rig.Get(StreamRequest(1, 0) + Frame(kData, 0, 1, "ab") + Frame(kData, 0, 1, "cd") + Headers(1, {{"x-sum", "4"}}));
  SeenStream& stream = rig.Of(1);
  EXPECT_EQ(stream.head[":path"], "/");
  EXPECT_EQ(stream.content, "abcd");
  EXPECT_EQ(stream.trailers["x-sum"], "4");
  EXPECT_TRUE(stream.last);

  const std::array<Field, 1> fields = {{{.name = "X-Name", .value = "v"}}};
  rig.session.Respond(stream, 103, fields, false);
  rig.session.Respond(stream, 200, fields, false);
  rig.session.Send(stream, "answer", true, fields);
  const auto frames = rig.Frames();
  ASSERT_EQ(std::ranges::count(frames, kHeaders, &Seen::type), 3);
  EXPECT_EQ(ContentOf(frames, 1), "answer");
  EXPECT_EQ(frames.back().flags & kEndStream, kEndStream);
  EXPECT_TRUE(stream.closed);
  EXPECT_EQ(stream.code, Http2Error::kNoError);
}

TEST_F(AsServer, ContentAndItsEndAreGivenOnTogether) {
  rig.Get(StreamRequest(1, 0) + Frame(kData, kEndStream, 1, "all"));
  EXPECT_EQ(rig.Of(1).content, "all");
  EXPECT_TRUE(rig.Of(1).last);
}

TEST_F(AsServer, NothingIsFramedBeforeThereIsRoom) {
  rig.Get(Settings({{4, 1 << 20}}) + Frame(kWindowUpdate, 0, 0, Number(1 << 20, 4)) + StreamRequest(1) +
          StreamRequest(3));
  const std::string much(200'000, 'x');
  for (const int id : {1, 3}) {
    rig.session.Respond(rig.Of(id), 200, {}, false);
    rig.session.Send(rig.Of(id), much, true, {});
  }
  // Only as much as there is room for, and streams take turns.
  const auto frames = rig.Frames(70'000);
  EXPECT_GT(ContentOf(frames, 1).size(), 16'000U);
  EXPECT_GT(ContentOf(frames, 3).size(), 16'000U);
  EXPECT_LT(ContentOf(frames, 1).size() + ContentOf(frames, 3).size(), 90'000U);
  EXPECT_EQ(rig.Of(1).drained, 0);
  const auto rest = rig.Frames();
  EXPECT_EQ(ContentOf(frames, 1).size() + ContentOf(rest, 1).size(), much.size());
  EXPECT_EQ(rig.Of(1).drained, 1);
}

TEST_F(AsServer, ASlowStreamHoldsNoOther) {
  rig.Get(Frame(kWindowUpdate, 0, 0, Number(1 << 24, 4)) + StreamRequest(1) + StreamRequest(3));
  const std::string much(500'000, 'x');
  rig.session.Respond(rig.Of(1), 200, {}, false);
  rig.session.Send(rig.Of(1), much, true, {});
  EXPECT_EQ(ContentOf(rig.Frames(), 1).size(), 65'535U);
  EXPECT_TRUE(rig.session.is_window_closed(rig.Of(1)));
  rig.session.Respond(rig.Of(3), 200, {}, false);
  rig.session.Send(rig.Of(3), "fast", true, {});
  EXPECT_EQ(ContentOf(rig.Frames(), 3), "fast");
}

TEST_F(AsServer, TheStreamsWindowIsGivenBackOnlyWhenItsContentWasTaken) {
  rig.takes = false;
  rig.Get(StreamRequest(1, 0));
  std::string content;
  for (int i = 0; i < 3; ++i) content += Frame(kData, 0, 1, std::string(16'000, 'x'));
  for (const Seen& frame : rig.Get(content)) EXPECT_FALSE(frame.type == kWindowUpdate && frame.stream == 1);
  rig.session.Consume(rig.Of(1), 48'000);
  const auto frames = rig.Frames();
  ASSERT_NE(Find(frames, kWindowUpdate), nullptr);
  EXPECT_EQ(Find(frames, kWindowUpdate)->stream, 1U);
  EXPECT_EQ(Find(frames, kWindowUpdate)->first(), 48'000U);
}

TEST_F(AsServer, ContentBeyondTheWindowIsRefused) {
  rig.takes = false;
  rig.Get(StreamRequest(1, 0));
  std::string content;
  for (int i = 0; i < 5; ++i) content += Frame(kData, 0, 1, std::string(16'000, 'x'));
  rig.Get(content);
  EXPECT_TRUE(rig.Of(1).closed || rig.session.fault() == Http2Error::kFlowControlError);
}

TEST_F(AsServer, AnEarlyResponseEndsTheRequestWithoutAnError) {
  rig.Get(StreamRequest(1, 0));
  rig.session.Respond(rig.Of(1), 413, {}, true);
  const auto frames = rig.Frames();
  ASSERT_NE(Find(frames, kRstStream), nullptr);
  EXPECT_EQ(Find(frames, kRstStream)->code(), 0U);
  EXPECT_TRUE(rig.Of(1).closed);
  EXPECT_EQ(rig.early_ends, 1);
  // What was on its way is dropped.
  rig.Get(Frame(kData, kEndStream, 1, "late"));
  EXPECT_EQ(rig.session.fault(), Http2Error::kNoError);
}

TEST_F(AsServer, GoesAwayInTwoStepsWithTheLastStreamThatIsServed) {
  rig.Get(StreamRequest(1));
  rig.session.AnnounceGoAway();
  auto frames = rig.Frames();
  ASSERT_NE(Find(frames, kGoAway), nullptr);
  EXPECT_EQ(Find(frames, kGoAway)->first(), 0x7fffffffU);
  ASSERT_NE(Find(frames, kPing), nullptr);
  // A request that was on its way is served.
  rig.Get(StreamRequest(3) + Frame(kPing, kAck, 0, Find(frames, kPing)->payload));
  EXPECT_EQ(rig.pings_answered, 1);
  EXPECT_EQ(rig.streams.size(), 2U);
  rig.session.GoAway();
  frames = rig.Frames();
  EXPECT_EQ(Find(frames, kGoAway)->first(), 3U);
  EXPECT_EQ(Find(frames, kGoAway)->code(), 0U);
  rig.Get(StreamRequest(5));
  EXPECT_EQ(rig.streams.size(), 2U);
  for (const int id : {1, 3}) rig.session.Respond(rig.Of(id), 200, {}, true);
  rig.Frames();
  EXPECT_TRUE(rig.Of(1).closed && rig.Of(3).closed);
  EXPECT_EQ(rig.session.streams(), 0U);
}

TEST_F(AsServer, AClientsResetClosesTheStream) {
  rig.Get(StreamRequest(1) + Frame(kRstStream, 0, 1, Number(8, 4)));
  EXPECT_TRUE(rig.Of(1).closed);
  EXPECT_EQ(rig.Of(1).code, Http2Error::kCancel);
  EXPECT_TRUE(rig.Of(1).by_peer);
}

TEST_F(AsServer, OurResetClosesTheStream) {
  rig.Get(StreamRequest(1));
  rig.session.Reset(rig.Of(1), Http2Error::kInternalError);
  EXPECT_EQ(Find(rig.Frames(), kRstStream)->code(), 2U);
  EXPECT_TRUE(rig.Of(1).closed);
  EXPECT_FALSE(rig.Of(1).by_peer);
}

TEST_F(AsServer, RequestsThatNobodyServesAreRefused) {
  rig.refuses = true;
  const auto frames = rig.Get(StreamRequest(1));
  ASSERT_NE(Find(frames, kRstStream), nullptr);
  EXPECT_EQ(static_cast<Http2Error>(Find(frames, kRstStream)->code()), Http2Error::kRefusedStream);
}

TEST_F(AsServer, MalformedRequestsAreToldOf) {
  rig.Get(Headers(1, With(Get(), {{"connection", "close"}})));
  EXPECT_EQ(rig.malformed, 1);
  EXPECT_TRUE(rig.streams.empty());
}

TEST_F(AsServer, TrailersOfAStreamThatIsClosedAreNoErrorWhateverWasPassedOver) {
  rig.Get(StreamRequest(1) + StreamRequest(5, 0) + StreamRequest(9));
  rig.session.Reset(rig.Of(5), Http2Error::kCancel);
  rig.Frames();
  rig.Get(Headers(5, {{"x", "1"}}));
  EXPECT_EQ(rig.session.fault(), Http2Error::kNoError);
}

TEST_F(AsServer, FramesOfAnyCutAreTheSame) {
  const std::string bytes = StreamRequest(1, 0) + Frame(kData, 0, 1, "content") + Frame(kData, kEndStream, 1, "!");
  for (const char byte : bytes) rig.Get({&byte, 1});
  EXPECT_EQ(rig.Of(1).content, "content!");
  EXPECT_TRUE(rig.Of(1).last);
}

struct AsClient : ::testing::Test {
  SeenStream stream;
  SessionRig rig{Http2Session::Role::kClient};
  std::vector<Field> fields = {{.name = ":method", .value = "POST"},
                               {.name = ":scheme", .value = "http"},
                               {.name = ":authority", .value = "t"},
                               {.name = ":path", .value = "/"}};
};

TEST_F(AsClient, RequestsAndResponses) {
  ASSERT_TRUE(rig.session.Request(stream, fields, false));
  rig.session.Send(stream, "content", true, {});
  const auto frames = rig.Frames();
  EXPECT_EQ(ContentOf(frames, 1), "content");
  EXPECT_TRUE(stream.ended());
  rig.Get(Headers(1, {{":status", "103"}, {"link", "x"}}, 0) + Headers(1, {{":status", "200"}}, 0) +
          Frame(kData, 0, 1, "answer") + Headers(1, {{"grpc-status", "0"}}));
  EXPECT_EQ(stream.heads, 2);
  EXPECT_EQ(stream.head[":status"], "200");
  EXPECT_EQ(stream.content, "answer");
  EXPECT_EQ(stream.trailers["grpc-status"], "0");
  EXPECT_TRUE(stream.closed);
  EXPECT_EQ(stream.code, Http2Error::kNoError);
}

TEST_F(AsClient, StreamsBehindAGoAwayWereRefused) {
  SeenStream second;
  ASSERT_TRUE(rig.session.Request(stream, fields, true));
  ASSERT_TRUE(rig.session.Request(second, fields, true));
  rig.Frames();
  rig.Get(Frame(kGoAway, 0, 0, Number(1, 4) + Number(0, 4)));
  EXPECT_TRUE(rig.goaway);
  EXPECT_FALSE(stream.closed);
  EXPECT_TRUE(second.closed);
  EXPECT_EQ(second.code, Http2Error::kRefusedStream);
  EXPECT_FALSE(rig.session.accepts_requests());
  rig.Get(Headers(1, {{":status", "200"}}));
  EXPECT_TRUE(stream.closed);
  EXPECT_EQ(stream.code, Http2Error::kNoError);
}

TEST_F(AsClient, AGoAwayWithoutStreamsIsNoFault) {
  rig.Get(Frame(kGoAway, 0, 0, Number(0, 4) + Number(0, 4)));
  EXPECT_TRUE(rig.goaway);
  EXPECT_FALSE(rig.broken);
  EXPECT_EQ(rig.session.fault(), Http2Error::kNoError);
}

TEST_F(AsClient, RequestsThatWereNotFramedBeforeAGoAwayWereRefused) {
  ASSERT_TRUE(rig.session.Request(stream, fields, true));
  rig.Get(Frame(kGoAway, 0, 0, Number(0, 4) + Number(0, 4)));
  rig.Frames();
  EXPECT_TRUE(stream.closed);
  EXPECT_EQ(stream.code, Http2Error::kRefusedStream);
  EXPECT_EQ(rig.session.streams(), 0U);
}

TEST_F(AsClient, StreamsMaxIsTheServersUpToOurOwn) {
  EXPECT_EQ(rig.session.streams_max(), Http2Session::kStreamsMax);
  rig.Get(Settings({{3, 7}}));
  EXPECT_EQ(rig.session.streams_max(), 7U);
}

// Each ends a request of ours; whoever answers badly may answer all of them so.
TEST_F(AsClient, ResetsOfItsOwnStreamsAreNoFlood) {
  for (std::uint32_t id = 1; id < 2'001; id += 2) {
    SeenStream reset;
    ASSERT_TRUE(rig.session.Request(reset, fields, true));
    rig.Frames();
    rig.Get(Frame(kRstStream, 0, id, Number(0x7, 4)));
    ASSERT_TRUE(reset.closed);
    EXPECT_TRUE(reset.by_peer);
    EXPECT_TRUE(reset.reset_by_peer());
  }
  EXPECT_EQ(rig.session.fault(), Http2Error::kNoError);
}

TEST_F(AsClient, AsksWhetherThePeerIsThere) {
  rig.session.Ping();
  const auto frames = rig.Frames();
  const Seen* const ping = Find(frames, kPing);
  ASSERT_NE(ping, nullptr);
  EXPECT_EQ(rig.pings_answered, 0);
  rig.Get(Frame(kPing, kAck, 0, ping->payload));
  EXPECT_EQ(rig.pings_answered, 1);
}

TEST_F(AsClient, AHeadAsLargeAsIsTakenFromClientsIsSent) {
  std::vector<std::string> values(8, std::string(15 * 1024, 'v'));
  for (const std::string& value : values) fields.push_back({.name = "x", .value = value});
  ASSERT_TRUE(rig.session.Request(stream, fields, true));
  std::size_t bytes = 0;
  for (const Seen& frame : rig.Frames()) bytes += frame.payload.size();
  EXPECT_GT(bytes, 64U * 1024);
  EXPECT_TRUE(stream.open());
}

TEST_F(AsClient, AResetBeforeTheRequestWasFramedClosesTheStream) {
  ASSERT_TRUE(rig.session.Request(stream, fields, false));
  rig.session.Reset(stream, Http2Error::kCancel);
  rig.Frames();
  EXPECT_TRUE(stream.closed);
}

}  // namespace
}  // namespace weir::http
