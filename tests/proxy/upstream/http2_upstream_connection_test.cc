// Connections to targets by HTTP/2: who may use them, what ends them, and what their exchanges are told (RFC 9113).

#include "proxy/upstream/http2_upstream_connection.h"

#include "tests/proxy/upstream/http2_upstream_fixture.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <chrono>
#include <string>

namespace weir::proxy {
namespace {

using namespace http2_frames;
using namespace std::chrono_literals;
using http::Http2Error;
using net::Stream;

// ---- connecting

TEST(Http2UpstreamConnectionTest, TheRequestThatItWasMadeForDoesNotWaitForSettings) {
  Http2UpstreamFixture fixture;
  FakeExchange& exchange = fixture.Ask();
  ASSERT_EQ(fixture.targets.size(), 1U);
  EXPECT_FALSE(exchange.stream->connected());
  EXPECT_TRUE(exchange.stream->opens_connection());
  EXPECT_FALSE(exchange.stream->reused());
  fixture.target().Connect();
  fixture.Turn();
  ASSERT_EQ(fixture.target().requests(), 1U);
  EXPECT_EQ(fixture.target().Count(kSettings), 1U);
  fixture.target().Say(Settings());
  fixture.target().Answer(1);
  EXPECT_TRUE(exchange.complete);
  EXPECT_EQ(exchange.received, "ok");
}

TEST(Http2UpstreamConnectionTest, ThoseThatJoinWaitForSettings) {
  Http2UpstreamFixture fixture;
  const FakeExchange& first = fixture.Ask();
  const FakeExchange& second = fixture.Ask();
  ASSERT_EQ(fixture.targets.size(), 1U);
  EXPECT_FALSE(second.stream->opens_connection());
  fixture.target().Connect();
  fixture.Turn();
  EXPECT_TRUE(first.was_sent);
  EXPECT_FALSE(second.was_sent);
  const FakeExchange& third = fixture.Ask();  // joins the open connection
  EXPECT_FALSE(third.was_sent);
  fixture.target().Say(Settings());
  fixture.Turn();
  EXPECT_TRUE(second.was_sent && third.was_sent);
  EXPECT_EQ(fixture.target().requests(), 3U);
}

TEST(Http2UpstreamConnectionTest, ThoseForWhomSettingsLeaveNoRoomMayGoElsewhere) {
  Http2UpstreamFixture fixture;
  const FakeExchange& first = fixture.Ask();
  const FakeExchange& second = fixture.Ask();
  fixture.target().Settle(1);
  fixture.Turn();
  EXPECT_TRUE(first.was_sent && !first.failed);
  EXPECT_EQ(second.failed, ErrorCode::kTargetStreamRefused);
  EXPECT_FALSE(second.failed_after_begin || second.was_sent);
  EXPECT_EQ(fixture.target().requests(), 1U);
}

TEST(Http2UpstreamConnectionTest, WhatTheSystemOrTheTargetRefusesHasItsCode) {
  struct Row {
    int error;
    ErrorCode code;
  };
  for (const Row& row :
       {Row{ECONNREFUSED, ErrorCode::kConnectionRefused}, Row{ETIMEDOUT, ErrorCode::kConnectionTimeout},
        Row{EHOSTUNREACH, ErrorCode::kConnectionFailed}}) {
    Http2UpstreamFixture fixture;
    const FakeExchange& exchange = fixture.Ask();
    fixture.target().Connect(row.error);
    EXPECT_EQ(exchange.failed, row.code);
  }
  Http2UpstreamFixture fixture;
  fixture.refuses_with = EMFILE;
  EXPECT_EQ(fixture.Ask().stream, nullptr);
  EXPECT_TRUE(fixture.targets.empty());
}

TEST(Http2UpstreamConnectionTest, ConnectingTakesTenSecondsAtMost) {
  Http2UpstreamFixture fixture;
  const FakeExchange& exchange = fixture.Ask();
  fixture.Pass(9s);
  EXPECT_FALSE(exchange.failed);
  fixture.Pass(2s);
  EXPECT_EQ(exchange.failed, ErrorCode::kConnectionTimeout);
  EXPECT_EQ(fixture.target().closed(), Stream::CloseMode::kReset);
}

TEST(Http2UpstreamConnectionTest, ATargetThatSaysNoSettingsSpeaksNoHttp2) {
  Http2UpstreamFixture fixture;
  const FakeExchange& exchange = fixture.Ask();
  fixture.target().Connect();
  fixture.Pass(9s);
  EXPECT_FALSE(exchange.failed);
  fixture.Pass(2s);
  EXPECT_EQ(exchange.failed, ErrorCode::kTargetProtocolError);
}

TEST(Http2UpstreamConnectionTest, AnAnswerOfHttp1IsToldApart) {
  Http2UpstreamFixture fixture;
  const FakeExchange& exchange = fixture.Ask();
  fixture.target().Connect();
  fixture.target().Say("HTTP/1.1 400 Bad Request\r\n\r\n");
  EXPECT_EQ(exchange.failed, ErrorCode::kTargetSpeaksNoHttp2);
  EXPECT_EQ(fixture.target().closed(), Stream::CloseMode::kReset);
}

// ---- how many

TEST(Http2UpstreamConnectionTest, StreamsShareAConnectionUntilTheTargetAllowsNoMore) {
  Http2UpstreamFixture fixture;
  FakeExchange& first = fixture.AskSettled(2);
  FakeExchange& second = fixture.Ask();
  EXPECT_TRUE(second.was_sent);
  FakeExchange& third = fixture.Ask();
  ASSERT_EQ(fixture.targets.size(), 2U);
  EXPECT_TRUE(third.stream->opens_connection());
  fixture.target(1).Settle(2);
  fixture.Turn();
  EXPECT_EQ(fixture.target(0).requests(), 2U);
  EXPECT_EQ(fixture.target(1).requests(), 1U);
  // A stream that ends makes room for another one.
  fixture.target(0).Answer(1);
  fixture.target(1).Answer(1);
  EXPECT_TRUE(first.complete && third.complete);
  fixture.Turn();
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(fixture.Ask().was_sent);
  fixture.Turn();
  EXPECT_EQ(fixture.targets.size(), 2U);
  EXPECT_EQ(fixture.target(0).requests() + fixture.target(1).requests(), 6U);
  EXPECT_FALSE(second.failed);
}

TEST(Http2UpstreamConnectionTest, WhatTheTargetAllowedLastIsKnownToTheNextConnection) {
  Http2UpstreamFixture fixture;
  fixture.AskSettled(1);
  fixture.target().Answer(1);
  fixture.target().End();
  fixture.Turn();
  fixture.Ask();
  fixture.Ask();
  EXPECT_EQ(fixture.targets.size(), 3U);  // none of which has said anything
}

TEST(Http2UpstreamConnectionTest, FewerStreamsAreObeyedFromThenOn) {
  Http2UpstreamFixture fixture;
  fixture.AskSettled(3);
  fixture.Ask();
  fixture.target().Say(Settings({{3, 1}}));
  fixture.target().Answer(1);
  fixture.Turn();
  fixture.Ask();  // one is still open
  EXPECT_EQ(fixture.targets.size(), 2U);
}

TEST(Http2UpstreamConnectionTest, AConnectionThatTakesNoBytesTakesNoStreams) {
  Http2UpstreamFixture fixture;
  FakeExchange& stuck = fixture.AskSettled();
  fixture.target().SetRoom(0);
  const FakeExchange& waiting = fixture.Ask();
  fixture.Turn();
  EXPECT_EQ(fixture.targets.size(), 1U);
  fixture.Ask();
  EXPECT_EQ(fixture.targets.size(), 2U);
  fixture.target().SetRoom(1'000'000);
  fixture.Turn();
  EXPECT_EQ(fixture.target().requests(), 2U) << "nothing was lost";
  fixture.target().Answer(3);
  EXPECT_TRUE(waiting.complete && !stuck.failed);
}

TEST(Http2UpstreamConnectionTest, WhoComesAfterAnAnswerUsesItAgain) {
  Http2UpstreamFixture fixture;
  EXPECT_FALSE(fixture.AskSettled().complete);
  EXPECT_FALSE(fixture.Ask().stream->reused()) << "nothing was answered over it yet";
  fixture.target().Answer(1);
  EXPECT_TRUE(fixture.Ask().stream->reused());
}

// ---- GOAWAY

TEST(Http2UpstreamConnectionTest, GoAwayLetsTheProcessedEndAndTheOthersGoElsewhere) {
  Http2UpstreamFixture fixture;
  const FakeExchange& processed = fixture.AskSettled();
  const FakeExchange& late = fixture.Ask("POST", "content");
  fixture.Turn();
  fixture.target().GoAway(1);
  EXPECT_EQ(late.failed, ErrorCode::kTargetStreamRefused);
  EXPECT_FALSE(late.failed_after_begin);
  EXPECT_FALSE(processed.failed);
  fixture.Ask();
  EXPECT_EQ(fixture.targets.size(), 2U) << "no new stream for who is going";
  fixture.Turn();
  EXPECT_FALSE(fixture.target().closed());
  fixture.target().Answer(1);
  EXPECT_TRUE(processed.complete);
  fixture.Turn();
  EXPECT_EQ(fixture.target().closed(), Stream::CloseMode::kGraceful);
}

TEST(Http2UpstreamConnectionTest, AFirstNoticeOfGoAwayRefusesNobody) {
  Http2UpstreamFixture fixture;
  const FakeExchange& exchange = fixture.AskSettled();
  fixture.target().GoAway(0x7fffffff);
  fixture.target().GoAway(1);
  fixture.target().Answer(1);
  EXPECT_TRUE(exchange.complete);
  fixture.Turn();
  EXPECT_EQ(fixture.target().closed(), Stream::CloseMode::kGraceful);
}

TEST(Http2UpstreamConnectionTest, GoAwayBeforeSettingsSendsThoseThatWaitElsewhere) {
  Http2UpstreamFixture fixture;
  const FakeExchange& first = fixture.Ask();
  const FakeExchange& joined = fixture.Ask();
  fixture.target().Connect();
  fixture.Turn();
  fixture.target().Say(Settings() + Frame(kGoAway, 0, 0, Number(0, 4) + Number(0, 4)));
  fixture.Turn();
  EXPECT_EQ(first.failed, ErrorCode::kTargetStreamRefused);
  EXPECT_EQ(joined.failed, ErrorCode::kTargetStreamRefused);
  EXPECT_EQ(fixture.target().closed(), Stream::CloseMode::kGraceful);
}

// ---- the end

TEST(Http2UpstreamConnectionTest, ATargetThatClosesFailsWhatIsUnderWay) {
  Http2UpstreamFixture fixture;
  const FakeExchange& unanswered = fixture.AskSettled();
  const FakeExchange& began = fixture.Ask();
  fixture.Turn();
  fixture.target().Say(Headers(3, {{":status", "200"}}, 0));
  fixture.target().End();
  EXPECT_EQ(unanswered.failed, ErrorCode::kTargetReset);
  EXPECT_FALSE(unanswered.failed_after_begin);
  EXPECT_EQ(began.failed, ErrorCode::kTargetResponseIncomplete);
  EXPECT_TRUE(began.failed_after_begin);
  EXPECT_EQ(fixture.target().closed(), Stream::CloseMode::kReset);
  EXPECT_FALSE(fixture.Ask().was_sent);
  EXPECT_EQ(fixture.targets.size(), 2U);
}

TEST(Http2UpstreamConnectionTest, WhatCameWholeIsDeliveredAlthoughTheConnectionIsGone) {
  Http2UpstreamFixture fixture;
  FakeExchange& exchange = fixture.AskSettled();
  exchange.pauses = true;
  fixture.target().Say(Headers(1, {{":status", "200"}}, 0));
  fixture.target().Say(Frame(kData, kEndStream, 1, "whole"));
  fixture.target().End();
  fixture.Turn();
  EXPECT_FALSE(exchange.failed || exchange.complete);
  exchange.pauses = false;
  exchange.stream->ResumeResponse();
  fixture.Turn();
  EXPECT_TRUE(exchange.complete);
  EXPECT_EQ(exchange.received, "whole");
}

TEST(Http2UpstreamConnectionTest, ATargetThatBreaksTheRulesIsToldWhy) {
  Http2UpstreamFixture fixture;
  const FakeExchange& exchange = fixture.AskSettled();
  fixture.target().Say(Frame(kData, 0, 99, "x"));  // of a stream that nobody opened
  fixture.Turn();
  EXPECT_EQ(exchange.failed, ErrorCode::kTargetProtocolError);
  EXPECT_EQ(fixture.target().CodeFor(0), Http2Error::kProtocolError);
  EXPECT_EQ(fixture.target().closed(), Stream::CloseMode::kReset);
}

TEST(Http2UpstreamConnectionTest, ThePoolEndsWhatIsIdleAndLetsTheOthersEnd) {
  Http2UpstreamFixture fixture;
  const FakeExchange& exchange = fixture.AskSettled();
  fixture.pool.CloseIdle();
  fixture.Turn();
  EXPECT_FALSE(fixture.target().closed());
  fixture.target().Answer(1);
  EXPECT_TRUE(exchange.complete);
  fixture.Turn();
  fixture.pool.CloseIdle();
  fixture.Turn();
  EXPECT_EQ(fixture.target().CodeFor(0), Http2Error::kNoError);
  EXPECT_EQ(fixture.target().closed(), Stream::CloseMode::kGraceful);
}

TEST(Http2UpstreamConnectionTest, ADrainingWorkerEndsItWithItsLastStream) {
  Http2UpstreamFixture fixture;
  fixture.AskSettled();
  fixture.Ask();
  fixture.Turn();
  fixture.worker.draining = true;
  fixture.target().Answer(1);
  fixture.Turn();
  EXPECT_FALSE(fixture.target().closed());
  fixture.target().Answer(3);
  fixture.Turn();
  EXPECT_EQ(fixture.target().closed(), Stream::CloseMode::kGraceful);
}

// ---- time

TEST(Http2UpstreamConnectionTest, AnIdleConnectionSaysGoodbye) {
  Http2UpstreamFixture fixture;
  const FakeExchange& exchange = fixture.AskSettled();
  fixture.Pass(100s);
  EXPECT_FALSE(exchange.failed || fixture.target().closed()) << "its exchange has a timer of its own";
  fixture.target().Answer(1);
  fixture.Turn();
  fixture.Pass(59s);
  EXPECT_FALSE(fixture.target().closed());
  fixture.Pass(2s);
  EXPECT_EQ(fixture.target().CodeFor(0), Http2Error::kNoError);
  EXPECT_EQ(fixture.target().closed(), Stream::CloseMode::kGraceful);
}

TEST(Http2UpstreamConnectionTest, SilenceIsAskedAboutAndMeanwhileOthersGoElsewhere) {
  Http2UpstreamFixture fixture;
  FakeExchange& given_up = fixture.AskSettled();
  const FakeExchange& other = fixture.Ask();
  fixture.Turn();
  fixture.Pass(2s);
  given_up.LetGo();
  fixture.Turn();
  EXPECT_EQ(fixture.target().Count(kPing), 1U);
  EXPECT_EQ(fixture.target().CodeFor(1), Http2Error::kCancel);
  fixture.Ask();
  EXPECT_EQ(fixture.targets.size(), 2U);
  // Nobody is there.
  fixture.Pass(6s);
  EXPECT_EQ(other.failed, ErrorCode::kTargetReset);
  EXPECT_EQ(fixture.target().closed(), Stream::CloseMode::kReset);
}

TEST(Http2UpstreamConnectionTest, WhoAnswersThePingIsTrustedAgain) {
  Http2UpstreamFixture fixture;
  FakeExchange& given_up = fixture.AskSettled();
  fixture.Pass(2s);
  given_up.LetGo();
  fixture.Turn();
  ASSERT_EQ(fixture.target().Count(kPing), 1U);
  fixture.target().Say(Frame(kPing, kAck, 0, std::string(8, '\0')));
  fixture.Pass(6s);
  EXPECT_TRUE(fixture.Ask().was_sent);
  EXPECT_EQ(fixture.targets.size(), 1U);
}

TEST(Http2UpstreamConnectionTest, WhoHasJustSpokenIsNotAsked) {
  Http2UpstreamFixture fixture;
  FakeExchange& given_up = fixture.AskSettled();
  fixture.Ask();
  fixture.Turn();
  fixture.Pass(2s);
  fixture.target().Answer(3);
  given_up.LetGo();
  fixture.Turn();
  EXPECT_EQ(fixture.target().Count(kPing), 0U);
}

}  // namespace
}  // namespace weir::proxy
