// Exchanges that become tunnels.
#include "net/pipe.h"
#include "proxy/exchange.h"
#include "proxy/upgrade.h"
#include "tests/proxy/exchange_fixture.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <memory>
#include <string>

namespace weir::proxy {
namespace {

const std::string kTunnelGet = "GET /chat HTTP/1.1\r\nHost: shop.test";
const std::string kOpening = kTunnelGet + "\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: a2V5";

Content TunnelPiece(std::string_view bytes, ContentEnd end = ContentEnd::kMore) {
  return {.bytes = bytes, .pipe = nullptr, .end = end, .trailers = nullptr};
}

// A tunnel that is open: the client's side of it, the target's, and what is between them.
struct Open {
  ExchangeFixture fixture;
  FakeDownstream downstream;
  Exchange* exchange;

  explicit Open(std::string_view first_bytes = {}) : exchange(&fixture.Begin(downstream, kOpening)) {
    target().Answer(101, first_bytes, ContentEnd::kMore);
    EXPECT_EQ(downstream.status, 101);
    EXPECT_TRUE(downstream.tunnel);
    EXPECT_EQ(active(), 1U);
  }
  [[nodiscard]] FakeUpstream& target() const { return fixture.upstreams.last(); }
  [[nodiscard]] std::uint64_t active() const { return fixture.listener().websockets_active.value(); }
  void ExpectOver() const {
    EXPECT_EQ(downstream.finished, 1);
    EXPECT_TRUE(target().released);
    EXPECT_TRUE(fixture.idle());
    EXPECT_EQ(fixture.active_requests(), 0U);
    EXPECT_EQ(active(), 0U);
    EXPECT_EQ(fixture.listener().websockets.value(), 1U);
    EXPECT_EQ(fixture.listener().responses.class_1xx.value(), 1U);
  }
  // Both sides got an end, and neither a break.
  void ExpectEnded() const {
    EXPECT_TRUE(target().complete);
    EXPECT_TRUE(downstream.complete);
    EXPECT_FALSE(downstream.aborted);
    ExpectOver();
  }
};

TEST(UpgradeTest, OnlyAGetWithoutContentAsksForAWebSocket) {
  struct Row {
    const char* name;
    std::string head;
    bool asks;
  };
  const std::string upgrade = "\r\nConnection: Upgrade\r\nUpgrade: ";
  const std::vector<Row> rows = {
      {"as browsers do", kOpening, true},
      {"in any case", kTunnelGet + "\r\nconnection: keep-alive, UPGRADE\r\nupgrade: WebSocket", true},
      {"among others", kTunnelGet + upgrade + "foo/2, websocket", true},
      {"in a further line", kTunnelGet + upgrade + "foo\r\nUpgrade: websocket", true},
      {"without Connection", kTunnelGet + "\r\nUpgrade: websocket", false},
      {"Connection names another", kTunnelGet + "\r\nConnection: close\r\nUpgrade: websocket", false},
      {"without Upgrade", kTunnelGet + "\r\nConnection: Upgrade", false},
      {"HTTP/1.0 (RFC 9110 7.8)", "GET / HTTP/1.0\r\nHost: shop.test" + upgrade + "websocket", false},
      {"another method", "POST /chat HTTP/1.1\r\nHost: shop.test\r\nContent-Length: 0" + upgrade + "websocket", false},
      {"a custom method", "FETCH /chat HTTP/1.1\r\nHost: shop.test" + upgrade + "websocket", false},
      {"h2c", kTunnelGet + upgrade + "h2c\r\nHTTP2-Settings: AAMAAABk", false},
      {"a version of it", kTunnelGet + upgrade + "websocket/13", false},
      {"a longer name", kTunnelGet + upgrade + "websockets", false},
  };
  for (const Row& row : rows) {
    ExchangeFixture fixture;
    FakeDownstream downstream;
    fixture.Begin(downstream, row.head);
    EXPECT_EQ(fixture.upstreams.last().asked_for_websocket, row.asks) << row.name;
    EXPECT_EQ(fixture.upstreams.last().fields.find("pgrade"), std::string::npos) << row.name;
    fixture.upstreams.last().Answer(426);
  }
}

TEST(UpgradeTest, ContentIsNoOpeningHandshake) {
  ExchangeFixture fixture;
  FakeDownstream downstream;
  fixture.Begin(downstream, kOpening + "\r\nContent-Length: 3", "abc");
  EXPECT_FALSE(fixture.upstreams.last().asked_for_websocket);
  EXPECT_EQ(fixture.upstreams.last().content, "abc");
  fixture.upstreams.last().Answer(200);
}

TEST(UpgradeTest, A101HasToNameTheProtocol) {
  const auto opens = [](std::vector<http::Field> fields) {
    http::ResponseHead head;
    head.status = 101;
    head.fields = std::move(fields);
    return OpensWebSocket(head);
  };
  EXPECT_TRUE(opens({{.name = "Connection", .value = "upgrade"}, {.name = "Upgrade", .value = "WebSocket"}}));
  EXPECT_FALSE(opens({{.name = "Connection", .value = "upgrade"}}));
  EXPECT_FALSE(opens({{.name = "Upgrade", .value = "websocket"}}));
  EXPECT_FALSE(opens({{.name = "Connection", .value = "upgrade"}, {.name = "Upgrade", .value = "h2c"}}));
  EXPECT_FALSE(opens({{.name = "Connection", .value = "upgrade"}, {.name = "Upgrade", .value = "websocket, h2c"}}));
}

TEST(TunnelTest, PassesBytesBothWaysUntilBothSidesHaveEnded) {
  Open open("hello");
  EXPECT_EQ(open.downstream.content, "hello");
  open.exchange->OnRequestContent(TunnelPiece("ping"));
  open.target().Say("pong");
  EXPECT_EQ(open.target().content, "ping");
  EXPECT_EQ(open.downstream.content, "hellopong");
  open.target().Say("bye", ContentEnd::kLast);
  EXPECT_TRUE(open.downstream.complete);
  EXPECT_FALSE(open.target().complete) << "the client goes on";
  open.exchange->OnRequestContent(TunnelPiece("more"));
  EXPECT_EQ(open.target().content, "pingmore");
  open.exchange->OnRequestContent(TunnelPiece("", ContentEnd::kLast));
  open.ExpectEnded();
  EXPECT_EQ(open.target().reusable, UpstreamStream::Reusable::kNever);
}

TEST(TunnelTest, TheClientMayEndFirst) {
  Open open;
  open.exchange->OnRequestContent(TunnelPiece("bye", ContentEnd::kLast));
  EXPECT_TRUE(open.target().complete);
  EXPECT_EQ(open.downstream.finished, 0);
  open.target().Say("still here");
  open.target().Say("", ContentEnd::kLast);
  EXPECT_EQ(open.downstream.content, "still here");
  open.ExpectEnded();
}

TEST(TunnelTest, IsCountedWhenItOpensAndNotAsALongResponse) {
  Open open;
  EXPECT_EQ(open.fixture.listener().responses.class_1xx.value(), 1U);
  EXPECT_EQ(open.fixture.group().responses.class_1xx.value(), 1U);
  EXPECT_EQ(open.fixture.active_requests(), 1U) << "its target has it as a request under way";
  open.exchange->Abort();
  EXPECT_EQ(open.fixture.listener().responses.class_1xx.value(), 1U);
}

TEST(TunnelTest, InterimResponsesMayComeFirst) {
  ExchangeFixture fixture;
  FakeDownstream downstream;
  Exchange& exchange = fixture.Begin(downstream, kOpening);
  fixture.upstreams.last().Answer(103);
  fixture.upstreams.last().Answer(101, {}, ContentEnd::kMore);
  EXPECT_TRUE(downstream.tunnel);
  exchange.Abort();
}

TEST(TunnelTest, AnyOtherAnswerIsAnAnswer) {
  for (const auto status : std::initializer_list<std::uint16_t>{200, 204, 400, 426, 503}) {
    ExchangeFixture fixture;
    FakeDownstream downstream;
    fixture.Begin(downstream, kOpening);
    fixture.upstreams.last().Answer(status, "no");
    EXPECT_EQ(downstream.status, status);
    EXPECT_FALSE(downstream.tunnel) << status;
    EXPECT_EQ(downstream.finished, 1);
    EXPECT_EQ(fixture.listener().websockets.value(), 0U);
    EXPECT_TRUE(fixture.idle());
  }
}

TEST(TunnelTest, A101ThatNobodyAskedForIs502) {
  ExchangeFixture fixture;
  FakeDownstream downstream;
  fixture.Begin(downstream, kTunnelGet);
  fixture.upstreams.last().Answer(101, "evil", ContentEnd::kMore);
  EXPECT_EQ(downstream.status, 502);
  EXPECT_EQ(fixture.errors(ErrorCode::kTargetResponseMalformed), 1U);
  EXPECT_TRUE(fixture.idle());
}

TEST(TunnelTest, ACongestedSidePausesTheOther) {
  Open open;
  open.target().is_congested = true;
  open.exchange->OnRequestContent(TunnelPiece("a"));
  EXPECT_TRUE(open.downstream.request_paused);
  open.target().is_congested = false;
  open.target().events->OnUpstreamDrained();
  EXPECT_FALSE(open.downstream.request_paused);
  open.downstream.is_congested = true;
  open.target().Say("b");
  EXPECT_TRUE(open.target().response_paused);
  open.downstream.is_congested = false;
  open.exchange->OnDownstreamDrained();
  EXPECT_FALSE(open.target().response_paused);
  open.exchange->Abort();
  open.ExpectEnded();
}

TEST(TunnelTest, AFirstPieceThatTheClientDoesNotTakePausesTheTarget) {
  ExchangeFixture fixture;
  FakeDownstream downstream;
  Exchange& exchange = fixture.Begin(downstream, kOpening);
  downstream.is_congested = true;
  fixture.upstreams.last().Answer(101, "much", ContentEnd::kMore);
  EXPECT_TRUE(fixture.upstreams.last().response_paused);
  exchange.Abort();
}

TEST(TunnelTest, WaitsUntilTheTargetHasTakenTheLastByte) {
  Open open;
  open.target().Say("", ContentEnd::kLast);
  open.target().is_congested = true;
  open.exchange->OnRequestContent(TunnelPiece("last words", ContentEnd::kLast));
  EXPECT_EQ(open.downstream.finished, 0);
  open.target().is_congested = false;
  open.target().events->OnUpstreamDrained();
  open.ExpectEnded();
}

TEST(TunnelTest, TakesPipesWhereTheOtherSideDoes) {
  Open open;
  EXPECT_FALSE(open.exchange->TakesRequestPipe());
  open.target().pipes = true;
  EXPECT_TRUE(open.exchange->TakesRequestPipe());
  net::PipePool pool;
  auto pipe = pool.Take();
  ASSERT_NE(pipe, nullptr);
  ASSERT_EQ(write(pipe->write_end(), "bulk", 4), 4);
  pipe->Filled(4);
  open.exchange->OnRequestContent({.bytes = {}, .pipe = &pipe, .end = ContentEnd::kMore, .trailers = nullptr});
  EXPECT_EQ(open.target().content, "bulk");
  open.exchange->Abort();
}

TEST(TunnelTest, AClientThatBreaksBreaksTheTargetsSide) {
  Open open;
  open.exchange->OnDownstreamFailed(ErrorCode::kClientClosed);
  EXPECT_FALSE(open.target().complete);
  EXPECT_TRUE(open.downstream.aborted);
  EXPECT_EQ(open.fixture.errors(ErrorCode::kClientClosed), 1U);
  open.ExpectOver();
}

TEST(TunnelTest, ATargetThatBreaksBreaksTheClientsSide) {
  for (const bool client_ended : {false, true}) {
    Open open;
    if (client_ended) open.exchange->OnRequestContent(TunnelPiece("", ContentEnd::kLast));
    open.target().Fail(ErrorCode::kTargetResponseIncomplete, true);
    EXPECT_TRUE(open.downstream.aborted);
    EXPECT_EQ(open.fixture.upstreams.streams.size(), 1U) << "no further attempt";
    EXPECT_EQ(open.fixture.errors(ErrorCode::kTargetResponseIncomplete), 1U);
    open.ExpectOver();
  }
}

TEST(TunnelTest, EndsPolitelyWhenItIsIdle) {
  Open open;
  open.exchange->OnIdleTimeout();
  EXPECT_EQ(open.fixture.errors(ErrorCode::kTunnelIdle), 1U);
  EXPECT_EQ(open.fixture.group().failures.value(), 0U);
  open.ExpectEnded();
}

TEST(TunnelTest, BreaksWhereASideTookNothingForTheIdleTimeout) {
  for (const bool client_stalled : {false, true}) {
    Open open;
    (client_stalled ? open.downstream.is_congested : open.target().is_congested) = true;
    open.exchange->OnIdleTimeout();
    EXPECT_TRUE(open.downstream.aborted);
    EXPECT_EQ(open.fixture.errors(client_stalled ? ErrorCode::kResponseStalled : ErrorCode::kTargetResponseIncomplete),
              1U);
    open.ExpectOver();
  }
}

TEST(TunnelTest, LivesThroughReloadsAndEndsWithItsTargetsDeregistrationDelay) {
  Open open;
  const health::GroupStatus& group = open.fixture.view->status->groups[0];
  open.fixture.Publish();
  open.exchange->EndIfDeregistered(*open.fixture.view);
  EXPECT_EQ(open.downstream.finished, 0);
  EXPECT_EQ(group.targets.size(), 2U);
  open.fixture.target_count = 0;
  open.fixture.Publish();
  open.exchange->EndIfDeregistered(*open.fixture.view);
  EXPECT_EQ(open.fixture.errors(ErrorCode::kTargetDeregistered), 1U);
  EXPECT_EQ(open.fixture.group().failures.value(), 0U);
  open.ExpectEnded();
}

TEST(TunnelTest, EndsPolitelyWhenTheProcessStops) {
  Open open;
  open.target().Say("", ContentEnd::kLast);
  open.exchange->Abort();
  EXPECT_EQ(open.fixture.errors(ErrorCode::kClientClosed), 0U);
  open.ExpectEnded();
}

TEST(TunnelTest, ARequestThatCouldHaveBeenRepeatedKeepsNothing) {
  ExchangeFixture fixture;
  fixture.upstreams.plans = {FakeUpstreams::Plan{.reused = true}};
  FakeDownstream downstream;
  Exchange& exchange = fixture.Begin(downstream, kOpening);
  fixture.upstreams.last().Answer(101, {}, ContentEnd::kMore);
  fixture.upstreams.last().pipes = true;
  EXPECT_TRUE(exchange.TakesRequestPipe()) << "nothing is held for another attempt";
  exchange.Abort();
  // What was a tunnel is a request again.
  FakeDownstream next;
  fixture.Begin(next, kTunnelGet);
  EXPECT_FALSE(fixture.upstreams.last().asked_for_websocket);
  fixture.upstreams.last().Answer(200);
  EXPECT_EQ(next.status, 200);
}

// ---- asked for by a stream of HTTP/2 (RFC 8441)

struct AskedByHttp2 {
  ExchangeFixture fixture;
  FakeDownstream downstream;
  Exchange* exchange = nullptr;

  AskedByHttp2() {
    fixture.version = http::Version::kHttp2;
    exchange = &fixture.Begin(downstream, kTunnelGet + "\r\nConnection: Upgrade\r\nUpgrade: websocket");
  }
  [[nodiscard]] FakeUpstream& target() const { return fixture.upstreams.last(); }
};

TEST(Http2TunnelTest, TheTargetGetsAKeyAndTheClient200) {
  AskedByHttp2 asked;
  EXPECT_TRUE(asked.target().asked_for_websocket);
  const std::string name = "Sec-WebSocket-Key: ";
  const auto at = asked.target().fields.find(name);
  ASSERT_NE(at, std::string::npos) << asked.target().fields;
  const std::string key = asked.target().fields.substr(at + name.size(), 26);
  EXPECT_EQ(key.substr(22), "==\r\n");
  EXPECT_EQ(key.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"), 22U);
  asked.target().Answer(101, {}, ContentEnd::kMore);
  EXPECT_TRUE(asked.downstream.tunnel);
  EXPECT_EQ(asked.fixture.listener().responses.class_2xx.value(), 1U) << "what the client gets is 200";
  asked.exchange->OnRequestContent(TunnelPiece("ping"));
  EXPECT_EQ(asked.target().content, "ping");
  asked.target().Say("pong");
  EXPECT_EQ(asked.downstream.content, "pong");
  asked.exchange->OnRequestContent(TunnelPiece({}, ContentEnd::kLast));
  asked.target().Say({}, ContentEnd::kLast);
  EXPECT_EQ(asked.downstream.finished, 1);
  EXPECT_TRUE(asked.fixture.idle());
}

TEST(Http2TunnelTest, A2xxOfTheTargetWouldSayThatTheTunnelIsOpen) {
  AskedByHttp2 asked;
  asked.target().Answer(200, "no tunnel");
  EXPECT_EQ(asked.downstream.status, 502);
  EXPECT_TRUE(asked.fixture.idle());
}

TEST(Http2TunnelTest, ARefusalIsPassedOn) {
  AskedByHttp2 asked;
  asked.target().Answer(403, "not for you");
  EXPECT_EQ(asked.downstream.status, 403);
  EXPECT_TRUE(asked.downstream.complete);
  EXPECT_TRUE(asked.fixture.idle());
}

}  // namespace
}  // namespace weir::proxy
