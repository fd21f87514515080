// One exchange over an HTTP/2 connection to a target: what goes each way, what resets mean, and who waits for whom.

#include "proxy/upstream/http2_upstream_stream.h"

#include "proxy/upstream/http2_upstream_connection.h"
#include "tests/proxy/upstream/http2_upstream_fixture.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace weir::proxy {
namespace {

using namespace http2_frames;
using http::Http2Error;
using http::Http2Session;

constexpr std::uint32_t kFirstWindow = 65'535;  // of a target that says nothing else

// ---- the request

TEST(Http2UpstreamStreamTest, ARequestHasItsPseudoFieldsAndFields) {
  Http2UpstreamFixture fixture;
  fixture.AskSettled();
  ASSERT_EQ(fixture.target().requests(), 1U);
  http::SeenStream& seen = fixture.target().Request(1);
  const decltype(seen.head) expected = {{":method", "GET"}, {":scheme", "http"}, {":authority", "shop.test"},
                                        {":path", "/"},     {"x-own", "1"},      {"te", "trailers"}};
  EXPECT_EQ(seen.head, expected);
  EXPECT_TRUE(seen.last);
}

TEST(Http2UpstreamStreamTest, ContentAndTrailersFollow) {
  Http2UpstreamFixture fixture;
  fixture.AskSettled();
  FakeExchange& exchange = fixture.Ask("POST", "begin ", ContentEnd::kMore);
  fixture.Turn();
  http::SeenStream& seen = fixture.target().Request(3);
  EXPECT_EQ(seen.content, "begin ");
  EXPECT_FALSE(seen.last);
  const std::vector<http::Field> trailers = {{.name = "x-sum", .value = "9"}};
  exchange.SendContent("end", ContentEnd::kLast, &trailers);
  fixture.Turn();
  EXPECT_EQ(seen.content, "begin end");
  EXPECT_TRUE(seen.last);
  EXPECT_EQ(seen.trailers["x-sum"], "9");
}

TEST(Http2UpstreamStreamTest, AFullWindowMakesTheClientWait) {
  Http2UpstreamFixture fixture;
  fixture.AskSettled();
  FakeExchange& exchange = fixture.Ask("POST", std::string(kFirstWindow, 'x'), ContentEnd::kMore);
  fixture.Turn();
  EXPECT_EQ(fixture.target().Request(3).content.size(), kFirstWindow);
  EXPECT_FALSE(exchange.stream->congested());
  const int drained = exchange.drained;
  exchange.SendContent(std::string(Http2Session::kPendingBytesLow, 'y'));
  fixture.Turn();
  EXPECT_TRUE(exchange.stream->congested());
  EXPECT_EQ(fixture.target().Request(3).content.size(), kFirstWindow);
  // Requests without content go on beside it.
  const FakeExchange& other = fixture.Ask();
  fixture.Turn();
  fixture.target().Answer(5);
  EXPECT_TRUE(other.complete);
  fixture.target().GiveWindow(0, 100'000);
  fixture.target().GiveWindow(3, 100'000);
  fixture.Turn();
  EXPECT_EQ(exchange.drained, drained + 1);
  EXPECT_FALSE(exchange.stream->congested());
  EXPECT_EQ(fixture.target().Request(3).content.size(), kFirstWindow + Http2Session::kPendingBytesLow);
}

// ---- the response

TEST(Http2UpstreamStreamTest, AResponseComesWithContentAndTrailers) {
  Http2UpstreamFixture fixture;
  const FakeExchange& exchange = fixture.AskSettled();
  fixture.target().Say(Headers(1, {{":status", "103"}, {"link", "</a>"}}, 0));
  fixture.target().Say(Headers(1, {{":status", "200"}, {"x-target", "blue"}}, 0));
  EXPECT_EQ(exchange.heads, (std::vector<std::uint16_t>{103, 200}));
  EXPECT_EQ(exchange.fields.at("x-target"), "blue");
  fixture.target().Say(Frame(kData, 0, 1, "con") + Frame(kData, 0, 1, "tent"));
  fixture.target().Say(Headers(1, {{"grpc-status", "0"}}));
  EXPECT_TRUE(exchange.complete);
  EXPECT_EQ(exchange.received, "content");
  EXPECT_EQ(exchange.trailers.at("grpc-status"), "0");
  fixture.Turn();
  EXPECT_EQ(fixture.target().CodeFor(1), std::nullopt);
}

TEST(Http2UpstreamStreamTest, ATrailersOnlyAnswerIsAHeadWithoutContent) {
  Http2UpstreamFixture fixture;
  const FakeExchange& exchange = fixture.AskSettled();
  fixture.target().Say(Headers(1, {{":status", "200"}, {"grpc-status", "12"}}));
  EXPECT_TRUE(exchange.complete);
  EXPECT_EQ(exchange.fields.at("grpc-status"), "12");
}

TEST(Http2UpstreamStreamTest, WhatIsTakenIsGivenBackToTheWindow) {
  Http2UpstreamFixture fixture;
  const FakeExchange& exchange = fixture.AskSettled();
  fixture.target().Say(Headers(1, {{":status", "200"}}, 0));
  const std::string piece(16'384, 'x');
  for (int i = 0; i < 12; ++i) fixture.target().Say(Frame(kData, 0, 1, piece));
  fixture.Turn();
  EXPECT_EQ(exchange.received.size(), 12 * piece.size());
  EXPECT_GT(fixture.target().WindowGiven(1), 6 * piece.size());
}

TEST(Http2UpstreamStreamTest, ASlowReaderGetsNoMoreThanItsWindowAndHoldsNobody) {
  Http2UpstreamFixture fixture;
  FakeExchange& slow = fixture.AskSettled();
  slow.pauses = true;
  FakeExchange& fast = fixture.Ask();
  fixture.Turn();
  fixture.target().Say(Headers(1, {{":status", "200"}}, 0));
  fixture.target().Say(Headers(3, {{":status", "200"}}, 0));
  const std::string piece(16'384, 'x');
  for (int i = 0; i < 16; ++i) {
    fixture.target().Say(Frame(kData, 0, 1, piece));
    fixture.target().Say(Frame(kData, 0, 3, piece));
  }
  fixture.Turn();
  EXPECT_EQ(slow.received.size(), 0U) << "its head was more than it wanted";
  EXPECT_EQ(fixture.target().WindowGiven(1), 0U);
  EXPECT_EQ(fast.received.size(), 16 * piece.size());
  EXPECT_GT(fixture.target().WindowGiven(3), 0U);
  EXPECT_FALSE(fixture.target().closed()) << "the connection's window is given back by whoever has read";
  // It goes on: all that was held, in order, and its window.
  slow.pauses = false;
  slow.stream->ResumeResponse();
  fixture.Turn();
  EXPECT_EQ(slow.received.size(), 16 * piece.size());
  EXPECT_GT(fixture.target().WindowGiven(1), 0U);
  fixture.target().Say(Frame(kData, kEndStream, 1, "end"));
  EXPECT_TRUE(slow.complete);
  EXPECT_TRUE(slow.received.ends_with("xend"));
  EXPECT_FALSE(fast.failed);
}

// ---- who ends it

TEST(Http2UpstreamStreamTest, AnAnswerBeforeTheRequestsEndCancelsTheRest) {
  Http2UpstreamFixture fixture;
  fixture.AskSettled();
  const FakeExchange& exchange = fixture.Ask("POST", "some", ContentEnd::kMore);
  fixture.Turn();
  fixture.target().Answer(3, "no");
  EXPECT_TRUE(exchange.complete);
  EXPECT_EQ(exchange.received, "no");
  fixture.Turn();
  EXPECT_EQ(fixture.target().CodeFor(3), Http2Error::kCancel);
  EXPECT_TRUE(fixture.Ask().was_sent);
  EXPECT_EQ(fixture.targets.size(), 1U);
}

// RFC 9113 section 8.1: NO_ERROR asks for no more of the request, behind a response that is whole.
TEST(Http2UpstreamStreamTest, AnAnswerMayBeFollowedByAResetWithoutError) {
  Http2UpstreamFixture fixture;
  fixture.AskSettled();
  FakeExchange& exchange = fixture.Ask("POST", "some", ContentEnd::kMore);
  exchange.pauses = true;
  fixture.Turn();
  fixture.target().Say(Headers(3, {{":status", "403"}}, 0));
  fixture.target().Say(Frame(kData, kEndStream, 3, "no"));
  fixture.target().Reset(3, Http2Error::kNoError);
  exchange.SendContent("more", ContentEnd::kLast);
  exchange.pauses = false;
  exchange.stream->ResumeResponse();
  fixture.Turn();
  EXPECT_TRUE(exchange.complete);
  EXPECT_EQ(exchange.received, "no");
  EXPECT_FALSE(exchange.failed);
}

TEST(Http2UpstreamStreamTest, AClientThatIsGoneCancels) {
  Http2UpstreamFixture fixture;
  FakeExchange& exchange = fixture.AskSettled();
  exchange.LetGo();
  fixture.Turn();
  EXPECT_EQ(fixture.target().CodeFor(1), Http2Error::kCancel);
  EXPECT_EQ(fixture.target().Count(kPing), 0U) << "nobody has waited long";
  // What was on its way is nobody's.
  fixture.target().Answer(1);
  fixture.Turn();
  EXPECT_FALSE(fixture.target().closed());
  EXPECT_TRUE(fixture.Ask().was_sent);
}

struct ResetRow {
  const char* name;
  Http2Error code;
  enum class When { kBefore, kAfterInterim, kAfterHead } when;
  ErrorCode expected;
  bool began;
};
void PrintTo(const ResetRow& row, std::ostream* out) { *out << row.name; }
class Http2UpstreamResetTest : public ::testing::TestWithParam<ResetRow> {};

TEST_P(Http2UpstreamResetTest, HasItsErrorCode) {
  const ResetRow& row = GetParam();
  Http2UpstreamFixture fixture;
  const FakeExchange& exchange = fixture.AskSettled();
  if (row.when == ResetRow::When::kAfterInterim) fixture.target().Say(Headers(1, {{":status", "103"}}, 0));
  if (row.when == ResetRow::When::kAfterHead) fixture.target().Say(Headers(1, {{":status", "200"}}, 0));
  fixture.target().Reset(1, row.code);
  EXPECT_EQ(exchange.failed, row.expected);
  EXPECT_EQ(exchange.failed_after_begin, row.began);
  EXPECT_EQ(exchange.reset_code, std::to_underlying(row.code));
  fixture.Turn();
  EXPECT_EQ(fixture.target().CodeFor(1), std::nullopt) << "a reset is not answered with another";
  EXPECT_TRUE(fixture.Ask().was_sent);
  EXPECT_EQ(fixture.targets.size(), 1U) << "the connection goes on";
}

using When = ResetRow::When;
INSTANTIATE_TEST_SUITE_P(
    All, Http2UpstreamResetTest,
    ::testing::Values(
        ResetRow{"Refused", Http2Error::kRefusedStream, When::kBefore, ErrorCode::kTargetStreamRefused, false},
        ResetRow{"RefusedTooLate", Http2Error::kRefusedStream, When::kAfterInterim, ErrorCode::kTargetStreamReset,
                 true},
        ResetRow{"Cancel", Http2Error::kCancel, When::kBefore, ErrorCode::kTargetStreamReset, false},
        ResetRow{"InternalError", Http2Error::kInternalError, When::kBefore, ErrorCode::kTargetStreamReset, false},
        ResetRow{"ProtocolError", Http2Error::kProtocolError, When::kBefore, ErrorCode::kTargetStreamReset, false},
        ResetRow{"EnhanceYourCalm", Http2Error::kEnhanceYourCalm, When::kBefore, ErrorCode::kTargetStreamReset, false},
        ResetRow{"NoErrorWithoutAnswer", Http2Error::kNoError, When::kBefore, ErrorCode::kTargetStreamReset, false},
        ResetRow{"AfterTheHead", Http2Error::kCancel, When::kAfterHead, ErrorCode::kTargetResponseIncomplete, true},
        ResetRow{"RefusedAfterTheHead", Http2Error::kRefusedStream, When::kAfterHead,
                 ErrorCode::kTargetResponseIncomplete, true}),
    [](const auto& row) { return std::string(row.param.name); });

// ---- answers that are none

struct MalformedRow {
  const char* name;
  std::string frames;
  ErrorCode expected;
};
void PrintTo(const MalformedRow& row, std::ostream* out) { *out << row.name; }
class Http2UpstreamMalformedTest : public ::testing::TestWithParam<MalformedRow> {};

TEST_P(Http2UpstreamMalformedTest, EndsItsStreamAlone) {
  const MalformedRow& row = GetParam();
  Http2UpstreamFixture fixture;
  const FakeExchange& exchange = fixture.AskSettled();
  const FakeExchange& other = fixture.Ask();
  fixture.Turn();
  fixture.target().Say(row.frames);
  fixture.Turn();
  EXPECT_EQ(exchange.failed, row.expected);
  EXPECT_EQ(exchange.reset_code, std::nullopt) << "it was no reset of the target's";
  EXPECT_EQ(fixture.target().CodeFor(1), Http2Error::kProtocolError);
  fixture.target().Answer(3);
  EXPECT_TRUE(other.complete);
}

std::string Interims(std::size_t count) {
  std::string out;
  for (std::size_t i = 0; i < count; ++i) out += Headers(1, {{":status", "103"}}, 0);
  return out;
}

INSTANTIATE_TEST_SUITE_P(
    All, Http2UpstreamMalformedTest,
    ::testing::Values(
        MalformedRow{"SwitchingProtocols", Headers(1, {{":status", "101"}}, 0), ErrorCode::kTargetResponseMalformed},
        MalformedRow{"EndsWithAnInterim", Headers(1, {{":status", "103"}}), ErrorCode::kTargetResponseMalformed},
        MalformedRow{"NoStatus", Headers(1, {{"x", "1"}}), ErrorCode::kTargetResponseMalformed},
        MalformedRow{"ConnectionField", Headers(1, {{":status", "200"}, {"connection", "close"}}),
                     ErrorCode::kTargetResponseMalformed},
        MalformedRow{"TooManyInterims", Interims(101), ErrorCode::kTooManyInterimResponses},
        MalformedRow{"ContentLengthThatIsNotKept", Headers(1, {{":status", "200"}, {"content-length", "9"}}),
                     ErrorCode::kTargetResponseMalformed}),
    [](const auto& row) { return std::string(row.param.name); });

}  // namespace
}  // namespace weir::proxy
