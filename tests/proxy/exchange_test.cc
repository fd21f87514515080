#include "proxy/exchange.h"

#include "net/pipe.h"
#include "net/tls_facts.h"
#include "tests/proxy/exchange_fixture.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <memory>
#include <string>
#include <utility>

namespace weir::proxy {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using Mode = UpstreamSource::Mode;
using Plan = FakeUpstreams::Plan;

const std::string kGet = "GET /a?b=c HTTP/1.1\r\nHost: shop.test";
const std::string kPost = "POST /a HTTP/1.1\r\nHost: shop.test\r\nContent-Length: 6";
const std::string kPut = "PUT /a HTTP/1.1\r\nHost: shop.test\r\nContent-Length: 6";

Content Piece(std::string_view bytes, ContentEnd end = ContentEnd::kMore) {
  return {.bytes = bytes, .pipe = nullptr, .end = end, .trailers = nullptr};
}

// What holds at the end of every exchange, however it went.
void ExpectOver(const ExchangeFixture& fixture, const FakeDownstream& downstream) {
  EXPECT_EQ(downstream.finished, 1);
  EXPECT_TRUE(fixture.idle());
  EXPECT_EQ(fixture.active_requests(), 0U);
  for (const auto& stream : fixture.upstreams.streams) EXPECT_TRUE(stream->released);
}

// ---- phases

TEST(ExchangeTest, ForwardsARequestAndItsResponse) {
  ExchangeFixture fixture;
  FakeDownstream downstream;
  fixture.Begin(downstream, kGet);
  FakeUpstream& target = fixture.upstreams.last();
  EXPECT_EQ(target.head, "GET /a?b=c");
  EXPECT_TRUE(target.complete);
  EXPECT_EQ(downstream.finished, 0);
  target.Answer(200, "hel", ContentEnd::kMore);
  target.Say("lo", ContentEnd::kLast);
  EXPECT_EQ(downstream.status, 200);
  EXPECT_EQ(downstream.content, "hello");
  EXPECT_EQ(target.reusable, UpstreamStream::Reusable::kWhenComplete);
  EXPECT_EQ(fixture.group().responses.class_2xx.value(), 1U);
  ExpectOver(fixture, downstream);
}

TEST(ExchangeTest, TakesTheTargetsInTurn) {
  ExchangeFixture fixture(3);
  std::vector<std::uint16_t> ports;
  for (int i = 0; i < 6; ++i) {
    FakeDownstream downstream;
    fixture.Begin(downstream, kGet);
    ports.push_back(fixture.upstreams.last().endpoint.port);
    fixture.upstreams.last().Answer(204);
    ExpectOver(fixture, downstream);
  }
  std::sort(ports.begin(), ports.end());
  EXPECT_THAT(ports, ElementsAre(9001, 9001, 9002, 9002, 9003, 9003));
}

// spec: alb.md 6.
TEST(ExchangeTest, SendsWhatTransformsMakeOfARequest) {
  ExchangeFixture fixture;
  config::Transform transform;
  transform.regex.text = "^/old/(.*)$";
  transform.replace.text = "/$1";
  fixture.model.load_balancers[0].listeners[0].default_rule.transforms = std::vector{transform};
  fixture.Publish();
  FakeDownstream downstream;
  fixture.Begin(downstream, "GET /old/x?y HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_EQ(fixture.upstreams.last().head, "GET /x?y");
  fixture.upstreams.last().Answer(200);
  ExpectOver(fixture, downstream);
  FakeDownstream other;
  fixture.Begin(other, "GET /x HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_EQ(fixture.upstreams.last().head, "GET /x") << "nothing is left of the one before";
  fixture.upstreams.last().Answer(200);
  ExpectOver(fixture, other);
}

TEST(ExchangeTest, AnswersFiveHundredWhereTransformsFail) {
  ExchangeFixture fixture;
  config::Transform transform;
  transform.regex.text = "^/";
  fixture.model.load_balancers[0].listeners[0].default_rule.transforms = std::vector{transform};
  fixture.Publish();
  FakeDownstream downstream;
  fixture.Begin(downstream, kGet);
  EXPECT_TRUE(fixture.upstreams.streams.empty());
  EXPECT_EQ(fixture.errors(ErrorCode::kTransformFailed), 1U);
  ExpectOver(fixture, downstream);
}

TEST(ExchangeTest, PassesTrailersOn) {
  ExchangeFixture fixture;
  FakeDownstream downstream;
  Exchange& exchange = fixture.Begin(downstream, kPost, "abc", ContentEnd::kMore);
  const std::vector<http::Field> trailers = {{.name = "Digest", .value = "x"}};
  exchange.OnRequestContent({.bytes = "d", .end = ContentEnd::kLast, .trailers = &trailers});
  EXPECT_EQ(fixture.upstreams.last().content, "abcd");
  EXPECT_TRUE(fixture.upstreams.last().complete);
  fixture.upstreams.last().Answer(200);
  ExpectOver(fixture, downstream);
}

TEST(ExchangeTest, WaitsForAConnectionAndHoldsTheContentMeanwhile) {
  ExchangeFixture fixture;
  fixture.upstreams.plans = {Plan{.connected = false}};
  FakeDownstream downstream;
  Exchange& exchange = fixture.Begin(downstream, kPost, "abc", ContentEnd::kMore);
  EXPECT_TRUE(downstream.request_paused);
  EXPECT_FALSE(exchange.TakesRequestPipe());
  exchange.OnRequestContent(Piece("d"));  // was on its way when the pause was asked for
  fixture.upstreams.last().Connect();
  EXPECT_FALSE(downstream.request_paused);
  EXPECT_EQ(fixture.upstreams.last().content, "abcd");
  exchange.OnRequestContent(Piece("ef", ContentEnd::kLast));
  EXPECT_EQ(fixture.upstreams.last().content, "abcdef");
  fixture.upstreams.last().Answer(200);
  ExpectOver(fixture, downstream);
}

TEST(ExchangeTest, AnswersExpectContinueBeforeTheTargetIsThere) {
  ExchangeFixture fixture;
  fixture.upstreams.plans = {Plan{.connected = false}};
  FakeDownstream downstream;
  Exchange& exchange = fixture.Begin(downstream, kPost + "\r\nExpect: 100-continue", "", ContentEnd::kMore);
  EXPECT_THAT(downstream.interim, ElementsAre(100));
  exchange.Abort();
  ExpectOver(fixture, downstream);
}

TEST(ExchangeTest, PassesInterimResponsesOnButForContinue) {
  ExchangeFixture fixture;
  FakeDownstream downstream;
  fixture.Begin(downstream, kGet);
  fixture.upstreams.last().Answer(100);
  fixture.upstreams.last().Answer(103);
  EXPECT_THAT(downstream.interim, ElementsAre(103));
  fixture.upstreams.last().Answer(200);
  EXPECT_EQ(downstream.status, 200);
  ExpectOver(fixture, downstream);
}

TEST(ExchangeTest, AnnouncesTheLengthOfAResponseToHead) {
  ExchangeFixture fixture;
  FakeDownstream downstream;
  fixture.Begin(downstream, "HEAD / HTTP/1.1\r\nHost: shop.test");
  http::ResponseHead head;
  head.status = 200;
  head.fields = {{.name = "Content-Length", .value = "42"}};
  fixture.upstreams.last().events->OnResponse(head, Piece("", ContentEnd::kLast));
  EXPECT_EQ(downstream.announced_length, 42U);
  EXPECT_THAT(downstream.content, IsEmpty());
  ExpectOver(fixture, downstream);
}

TEST(ExchangeTest, CountsResponsesByClass) {
  ExchangeFixture fixture(1);
  for (const auto status : std::initializer_list<std::uint16_t>{204, 302, 404, 503, 999}) {
    FakeDownstream downstream;
    fixture.Begin(downstream, kGet);
    fixture.upstreams.last().Answer(status);
    EXPECT_EQ(downstream.status, status);
    ExpectOver(fixture, downstream);
  }
  const auto& seen = *fixture.view->targets[0][0].seen;
  EXPECT_EQ(seen.responses_2xx.value(), 1U);
  EXPECT_EQ(seen.responses_3xx.value(), 1U);
  EXPECT_EQ(seen.responses_4xx.value(), 1U);
  EXPECT_EQ(seen.responses_5xx.value(), 1U);
}

TEST(ExchangeTest, MarksAnAmbiguousRequestsConnectionAsNotReusable) {
  ExchangeFixture fixture;
  fixture.model.load_balancers[0].attributes.desync_mitigation_mode = config::DesyncMitigationMode::kMonitor;
  fixture.Publish();
  FakeDownstream downstream;
  fixture.Begin(downstream, "GET /a#b HTTP/1.1\r\nHost: shop.test");
  fixture.upstreams.last().Answer(200);
  EXPECT_EQ(fixture.upstreams.last().reusable, UpstreamStream::Reusable::kNever);
  ExpectOver(fixture, downstream);
}

TEST(ExchangeTest, WritesOneLineWhereThereIsALog) {
  ExchangeFixture fixture;
  FakeDownstream silent;
  fixture.Begin(silent, kGet);
  fixture.upstreams.last().Answer(200);
  EXPECT_FALSE(fixture.worker.log_flush_timer.scheduled());
  fixture.model.load_balancers[0].access_log = config::LogFile{.path = "-"};
  fixture.Publish();
  for (int i = 0; i < 2; ++i) {  // an id of the connection that is made, and one that is there
    FakeDownstream downstream;
    fixture.Begin(downstream, kGet + "\r\nUser-Agent: t");
    fixture.upstreams.last().Answer(200);
    EXPECT_TRUE(fixture.worker.log_flush_timer.scheduled());
    fixture.worker.log_flush_timer.Cancel();
    ExpectOver(fixture, downstream);
  }
  FakeDownstream refused;
  fixture.BeginRefused(refused, "GET", ErrorCode::kMalformedRequest);
  ExpectOver(fixture, refused);
}

// ---- answers of its own

TEST(ExchangeTest, AnswersWhatARuleAnswers) {
  ExchangeFixture fixture;
  auto& rule = fixture.model.load_balancers[0].listeners[0].default_rule;
  rule.action = config::FixedResponseAction{.status_code = 202, .content_type = "text/plain", .message_body = "pong"};
  fixture.Publish();
  FakeDownstream fixed;
  fixture.Begin(fixed, kGet);
  EXPECT_EQ(fixed.status, 202);
  EXPECT_EQ(fixed.content, "pong");
  ExpectOver(fixture, fixed);

  FakeDownstream head;
  fixture.Begin(head, "HEAD / HTTP/1.1\r\nHost: shop.test");
  EXPECT_EQ(head.announced_length, 4U);
  EXPECT_THAT(head.content, IsEmpty());
  ExpectOver(fixture, head);

  rule.action = config::FixedResponseAction{.status_code = 204, .content_type = {}, .message_body = {}};
  fixture.Publish();
  FakeDownstream empty;
  fixture.Begin(empty, kGet);
  EXPECT_EQ(empty.status, 204);
  EXPECT_EQ(empty.framing.kind, http::FramingKind::kNone);
  ExpectOver(fixture, empty);

  rule.action = config::RedirectAction{.path = "/new"};
  fixture.Publish();
  FakeDownstream redirected;
  fixture.Begin(redirected, kGet);
  EXPECT_EQ(redirected.status, 301);
  EXPECT_THAT(redirected.fields, HasSubstr("Location: http://shop.test:8080/new?b=c\r\n"));
  ExpectOver(fixture, redirected);

  FakeDownstream nameless;
  fixture.Begin(nameless, "GET / HTTP/1.0");
  EXPECT_THAT(nameless.fields, HasSubstr("Location: http://0.0.0.0:8080/new\r\n"));
  ExpectOver(fixture, nameless);

  rule.action = config::RedirectAction{.query = "#{query}#{query}#{query}#{query}"};
  fixture.Publish();
  FakeDownstream too_long;
  fixture.Begin(too_long, "GET /?" + std::string(4'000, 'q') + " HTTP/1.1\r\nHost: shop.test");
  EXPECT_EQ(too_long.status, 507);
  ExpectOver(fixture, too_long);
}

TEST(ExchangeTest, RefusesWhatTheListenerDoesNotTake) {
  ExchangeFixture fixture;
  FakeDownstream trace;
  fixture.Begin(trace, "TRACE / HTTP/1.1\r\nHost: shop.test");
  EXPECT_EQ(trace.status, 405);
  ExpectOver(fixture, trace);

  FakeDownstream connect;
  fixture.Begin(connect, "CONNECT shop.test:443 HTTP/1.1\r\nHost: shop.test");
  EXPECT_EQ(connect.status, 405);
  ExpectOver(fixture, connect);

  std::string addresses = "192.0.2.1";
  for (int i = 0; i < 30; ++i) addresses += ", 192.0.2.1";
  FakeDownstream forwarded;
  fixture.Begin(forwarded, kGet + "\r\nX-Forwarded-For: " + addresses);
  EXPECT_EQ(forwarded.status, 463);
  ExpectOver(fixture, forwarded);

  fixture.model.load_balancers[0].attributes.desync_mitigation_mode = config::DesyncMitigationMode::kStrictest;
  fixture.Publish();
  FakeDownstream strict;
  fixture.Begin(strict, "GET /a#b HTTP/1.1\r\nHost: shop.test");
  EXPECT_EQ(strict.status, 400);
  EXPECT_EQ(fixture.errors(ErrorCode::kDesyncBlocked), 1U);
  EXPECT_EQ(fixture.listener().desync_requests.value(), 1U);
  ExpectOver(fixture, strict);

  FakeDownstream late;
  fixture.BeginRefused(late, "", ErrorCode::kRequestTimeout);
  EXPECT_EQ(late.status, 408);
  EXPECT_EQ(fixture.errors(ErrorCode::kRequestTimeout), 1U);
  ExpectOver(fixture, late);
}

TEST(ExchangeTest, Answers503WithoutATargetOrAWeight) {
  ExchangeFixture fixture(0);
  FakeDownstream downstream;
  fixture.Begin(downstream, kGet);
  EXPECT_EQ(downstream.status, 503);
  EXPECT_EQ(fixture.group().no_target.value(), 1U);
  ExpectOver(fixture, downstream);

  fixture.model.load_balancers[0].listeners[0].default_rule.action =
      config::ForwardAction{{{.target_group = 0, .weight = 0}}};
  fixture.Publish();
  FakeDownstream weightless;
  fixture.Begin(weightless, kGet);
  EXPECT_EQ(weightless.status, 503);
  EXPECT_EQ(fixture.errors(ErrorCode::kNoTarget), 2U);
  ExpectOver(fixture, weightless);
}

// spec: alb.md 17.
TEST(ExchangeTest, CountsWhatCloudWatchCounts) {
  ExchangeFixture fixture;
  const auto begin = [&fixture](const std::string& head) {
    FakeDownstream downstream;
    fixture.Begin(downstream, head);
    if (downstream.finished == 0) fixture.upstreams.last().Fail(ErrorCode::kTargetProtocolError);
    return downstream.status;
  };
  auto& listener = fixture.model.load_balancers[0].listeners[0];
  const auto rule = [&listener](std::uint32_t priority, const std::string& path, config::Action action) {
    config::Rule made;
    made.priority = priority;
    made.conditions = {{.kind = config::ConditionKind::kPathPattern, .values = {{.text = path, .position = {}}}}};
    made.action = std::move(action);
    listener.rules.push_back(std::make_shared<const config::Rule>(std::move(made)));
  };
  rule(1, "/fixed", config::FixedResponseAction{.status_code = 503, .content_type = {}, .message_body = {}});
  rule(2, "/moved", config::RedirectAction{.path = "/new"});
  rule(3, "/long", config::RedirectAction{.query = "#{query}#{query}#{query}#{query}"});
  fixture.Publish();
  EXPECT_EQ(begin("GET /fixed HTTP/1.1\r\nHost: a"), 503);
  EXPECT_EQ(begin("GET /moved HTTP/1.1\r\nHost: a"), 301);
  EXPECT_EQ(begin("POST /other HTTP/1.1\r\nHost: a\r\nX_Under: 1"), 502);
  const ListenerCounters& seen = fixture.listener();
  EXPECT_EQ(seen.fixed_responses.value(), 1U);
  EXPECT_EQ(seen.redirects.value(), 1U);
  EXPECT_EQ(seen.rule_evaluations.value(), 1U + 2U + 3U) << "the default rule is not counted";
  EXPECT_EQ(seen.server_errors[1].value(), 1U) << "502";
  EXPECT_EQ(seen.server_errors[2].value(), 1U) << "503, of which the fixed response is one";
  EXPECT_EQ(seen.forwarded_invalid_field_names.value(), 1U);
  EXPECT_EQ(seen.dropped_invalid_field_names.value(), 0U);
  EXPECT_EQ(begin("GET /long?" + std::string(4'000, 'q') + " HTTP/1.1\r\nHost: a"), 507);
  EXPECT_EQ(fixture.listener().redirects.value(), 1U) << "one that cannot be sent is none";
}

TEST(ExchangeTest, RequestsThatNoTargetIsChosenForHaveNoInvalidFields) {
  ExchangeFixture fixture(0);
  FakeDownstream downstream;
  fixture.Begin(downstream, kGet + "\r\nX_One: 1");
  EXPECT_EQ(downstream.status, 503);
  EXPECT_EQ(fixture.listener().forwarded_invalid_field_names.value(), 0U);
}

TEST(ExchangeTest, CountsRequestsWithFieldsThatAreDroppedForTheirNames) {
  ExchangeFixture fixture;
  fixture.model.load_balancers[0].attributes.drop_invalid_header_fields = true;
  fixture.Publish();
  FakeDownstream downstream;
  fixture.Begin(downstream, kGet + "\r\nX_One: 1\r\nX.Two: 2");
  EXPECT_EQ(fixture.listener().dropped_invalid_field_names.value(), 1U) << "a request is counted once";
  EXPECT_EQ(fixture.listener().forwarded_invalid_field_names.value(), 0U);
  fixture.upstreams.last().Fail(ErrorCode::kTargetProtocolError);
  FakeDownstream other;
  fixture.Begin(other, kGet + "\r\nX-Three: 3");
  EXPECT_EQ(fixture.listener().dropped_invalid_field_names.value(), 1U);
  fixture.upstreams.last().Fail(ErrorCode::kTargetProtocolError);
}

// ---- retries

TEST(ExchangeTest, ARefusedConnectionGoesToEachOtherTargetOnce) {
  ExchangeFixture fixture(5);
  fixture.upstreams.plans = {Plan{.error = ECONNREFUSED}, Plan{.connected = false}, Plan{.connected = false}};
  FakeDownstream downstream;
  fixture.Begin(downstream, kPost, "abcdef");
  fixture.upstreams.last().Fail(ErrorCode::kConnectionRefused);
  const std::uint16_t second = fixture.upstreams.streams[0]->endpoint.port;
  const std::uint16_t third = fixture.upstreams.streams[1]->endpoint.port;
  EXPECT_NE(second, third);
  EXPECT_THAT(fixture.upstreams.modes, ElementsAre(Mode::kReuse, Mode::kFresh, Mode::kFresh));
  fixture.upstreams.last().Fail(ErrorCode::kConnectionRefused);
  EXPECT_EQ(downstream.status, 502);
  EXPECT_EQ(fixture.group().retries.value(), 2U);
  EXPECT_EQ(fixture.group().requests.value(), 1U);
  ExpectOver(fixture, downstream);
}

TEST(ExchangeTest, ARetrySendsTheContentThatWasHeld) {
  ExchangeFixture fixture;
  fixture.upstreams.plans = {Plan{.connected = false}, Plan{.connected = false}};
  FakeDownstream downstream;
  Exchange& exchange = fixture.Begin(downstream, kPost, "abc", ContentEnd::kMore);
  fixture.upstreams.last().Fail(ErrorCode::kConnectionFailed);
  exchange.OnRequestContent(Piece("def", ContentEnd::kLast));
  fixture.upstreams.last().Connect();
  EXPECT_EQ(fixture.upstreams.last().content, "abcdef");
  EXPECT_TRUE(fixture.upstreams.last().complete);
  fixture.upstreams.last().Answer(200);
  ExpectOver(fixture, downstream);
}

TEST(ExchangeTest, AConnectionThatTimesOutIsNotTriedAgain) {
  ExchangeFixture fixture;
  fixture.upstreams.plans = {Plan{.connected = false}};
  FakeDownstream downstream;
  fixture.Begin(downstream, kGet);
  fixture.upstreams.last().Fail(ErrorCode::kConnectionTimeout);
  EXPECT_EQ(downstream.status, 504);
  ExpectOver(fixture, downstream);
}

TEST(ExchangeTest, AHandshakeThatFailsGoesToAnotherTarget) {
  ExchangeFixture fixture(2);
  fixture.model.target_groups[0].protocol = config::TargetProtocol::kHttps;
  fixture.Publish();
  fixture.upstreams.plans = {Plan{.connected = false}, Plan{.connected = false}};
  FakeDownstream downstream;
  fixture.Begin(downstream, kPost, "abcdef");
  const net::TlsFailure failure{.reason = "wrong version number", .alert_sent = {}, .alert_received = {}};
  fixture.upstreams.last().tls_failed = &failure;
  fixture.upstreams.last().Fail(ErrorCode::kTlsHandshakeFailed);
  ASSERT_EQ(fixture.upstreams.streams.size(), 2U);
  net::TlsFacts agreed;
  agreed.version = net::TlsVersion::k13;
  agreed.is_resumed = true;
  fixture.upstreams.last().agreed = &agreed;
  fixture.upstreams.last().Connect();
  EXPECT_EQ(fixture.upstreams.last().content, "abcdef");
  fixture.upstreams.last().Answer(200);
  EXPECT_EQ(downstream.status, 200);
  const TlsCounters& counted = (*fixture.view->routing->groups()[0].tls_counters)[0];
  EXPECT_EQ(counted.failed_without_alert.value(), 1U);
  EXPECT_EQ(counted.handshakes[3][1].value(), 1U);
  EXPECT_EQ(fixture.group().retries.value(), 1U);
  ExpectOver(fixture, downstream);
}

TEST(ExchangeTest, AHandshakeThatFailsEverywhereIs502AndOneThatHangsIs504) {
  for (const auto& [code, status] :
       {std::pair(ErrorCode::kTlsHandshakeFailed, 502), {ErrorCode::kTlsHandshakeTimeout, 504}}) {
    ExchangeFixture fixture(1);
    fixture.model.target_groups[0].protocol = config::TargetProtocol::kHttps;
    fixture.Publish();
    fixture.upstreams.plans = {Plan{.connected = false}};
    FakeDownstream downstream;
    fixture.Begin(downstream, kGet);
    const net::TlsFailure failure{.reason = "certificate has expired", .alert_sent = 45, .alert_received = {}};
    fixture.upstreams.last().tls_failed = &failure;
    fixture.upstreams.last().Fail(code);
    EXPECT_EQ(downstream.status, status);
    EXPECT_EQ(fixture.errors(code), 1U);
    EXPECT_EQ((*fixture.view->routing->groups()[0].tls_counters)[0].alerts_sent[45].value(), 1U);
    ExpectOver(fixture, downstream);
  }
}

TEST(ExchangeTest, TlsThatBreaksUnderAPostIsNotTriedAgain) {
  ExchangeFixture fixture(2);
  fixture.model.target_groups[0].protocol = config::TargetProtocol::kHttps;
  fixture.Publish();
  FakeDownstream downstream;
  fixture.Begin(downstream, kPost, "abcdef");
  const net::TlsFailure failure{.reason = "tlsv13 alert certificate required", .alert_sent = {}, .alert_received = 116};
  fixture.upstreams.last().tls_failed = &failure;
  fixture.upstreams.last().Fail(ErrorCode::kTlsBroken);
  EXPECT_EQ(downstream.status, 502);
  EXPECT_EQ(fixture.upstreams.streams.size(), 1U);
  EXPECT_EQ((*fixture.view->routing->groups()[0].tls_counters)[0].alerts_received[116].value(), 1U);
  ExpectOver(fixture, downstream);
}

TEST(ExchangeTest, TheOnlyTargetIsNotAskedTwice) {
  ExchangeFixture fixture(1);
  fixture.upstreams.plans = {Plan{.error = EHOSTUNREACH}};
  FakeDownstream downstream;
  fixture.Begin(downstream, kGet);
  EXPECT_EQ(downstream.status, 502);
  EXPECT_EQ(fixture.upstreams.modes.size(), 1U);
  ExpectOver(fixture, downstream);
}

TEST(ExchangeTest, RepeatsAnIdempotentRequestOnceWhenAReusedConnectionDies) {
  ExchangeFixture fixture(1);
  fixture.upstreams.plans = {Plan{.reused = true}};
  FakeDownstream downstream;
  Exchange& exchange = fixture.Begin(downstream, kPut, "abc", ContentEnd::kMore);
  exchange.OnRequestContent(Piece("def", ContentEnd::kLast));
  EXPECT_FALSE(exchange.TakesRequestPipe());
  fixture.upstreams.streams[0]->Fail(ErrorCode::kTargetReset);
  ASSERT_EQ(fixture.upstreams.streams.size(), 2U);
  EXPECT_THAT(fixture.upstreams.modes, ElementsAre(Mode::kReuse, Mode::kFresh));
  EXPECT_EQ(fixture.upstreams.last().content, "abcdef");
  fixture.upstreams.last().Fail(ErrorCode::kTargetReset);
  EXPECT_EQ(downstream.status, 502);
  EXPECT_EQ(fixture.group().requests.value(), 1U);
  EXPECT_EQ(fixture.group().retries.value(), 1U);
  ExpectOver(fixture, downstream);
}

TEST(ExchangeTest, NeverRepeatsWhatMayHaveBeenActedUpon) {
  struct Row {
    const char* name;
    std::string head;
    bool reused;
    bool response_began;
  };
  const std::vector<Row> rows = {{"POST", kPost, true, false},
                                 {"a fresh connection", kPut, false, false},
                                 {"a response that began", kPut, true, true}};
  for (const Row& row : rows) {
    ExchangeFixture fixture;
    fixture.upstreams.plans = {Plan{.reused = row.reused}};
    FakeDownstream downstream;
    fixture.Begin(downstream, row.head, "abcdef");
    fixture.upstreams.last().Fail(ErrorCode::kTargetReset, row.response_began);
    EXPECT_EQ(downstream.status, 502) << row.name;
    EXPECT_EQ(fixture.upstreams.streams.size(), 1U) << row.name;
    ExpectOver(fixture, downstream);
  }
}

TEST(ExchangeTest, ContentThatIsTooLargeToHoldEndsTheRightToRepeat) {
  ExchangeFixture fixture;
  fixture.upstreams.plans = {Plan{.reused = true}};
  FakeDownstream downstream;
  Exchange& exchange =
      fixture.Begin(downstream, "PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000", "", ContentEnd::kMore);
  exchange.OnRequestContent(Piece(std::string(70'000, 'x')));
  fixture.upstreams.last().pipes = true;
  EXPECT_TRUE(exchange.TakesRequestPipe());
  fixture.upstreams.last().Fail(ErrorCode::kTargetReset);
  EXPECT_EQ(downstream.status, 502);
  ExpectOver(fixture, downstream);
}

TEST(ExchangeTest, WhatCouldNotBeSentGoesOutOverAFreshConnectionWhateverItsMethod) {
  ExchangeFixture fixture(1);
  fixture.upstreams.plans = {Plan{.reused = true, .fails_to_send = true}};
  FakeDownstream downstream;
  fixture.Begin(downstream, kPost, "abcdef");
  ASSERT_EQ(fixture.upstreams.streams.size(), 2U);
  EXPECT_EQ(fixture.upstreams.last().content, "abcdef");
  fixture.upstreams.last().Answer(200);
  EXPECT_EQ(downstream.status, 200);
  EXPECT_EQ(fixture.group().requests.value(), 1U);
  EXPECT_EQ(fixture.group().retries.value(), 1U);
  ExpectOver(fixture, downstream);
}

TEST(ExchangeTest, WhatCannotBeSentTwiceIs502) {
  ExchangeFixture fixture;
  fixture.upstreams.plans = {Plan{.reused = true, .fails_to_send = true}, Plan{.fails_to_send = true}};
  FakeDownstream downstream;
  fixture.Begin(downstream, kGet);
  EXPECT_EQ(downstream.status, 502);
  EXPECT_EQ(fixture.errors(ErrorCode::kTargetReset), 1U);
  ExpectOver(fixture, downstream);
}

TEST(ExchangeTest, AConnectionThatDiesAsItIsMadeIsMadeAnew) {
  ExchangeFixture fixture(1);
  fixture.upstreams.plans = {Plan{.connected = false, .fails_to_send = true}, Plan{.connected = false}};
  FakeDownstream downstream;
  fixture.Begin(downstream, kPost, "abc", ContentEnd::kMore);
  fixture.upstreams.last().Connect();
  ASSERT_EQ(fixture.upstreams.streams.size(), 2U);
  EXPECT_TRUE(downstream.request_paused);
  fixture.upstreams.last().Connect();
  EXPECT_FALSE(downstream.request_paused);
  EXPECT_EQ(fixture.upstreams.last().content, "abc");
  fixture.upstreams.last().Answer(200);  // before the request was received whole
  EXPECT_EQ(downstream.status, 200);
  ExpectOver(fixture, downstream);
}

// ---- pauses

TEST(ExchangeTest, ACongestedTargetPausesTheClient) {
  ExchangeFixture fixture;
  fixture.upstreams.plans = {Plan{.congested = true}};
  FakeDownstream downstream;
  Exchange& exchange = fixture.Begin(downstream, kPost, "abc", ContentEnd::kMore);
  EXPECT_TRUE(downstream.request_paused);
  fixture.upstreams.last().is_congested = false;
  fixture.upstreams.last().events->OnUpstreamDrained();
  EXPECT_FALSE(downstream.request_paused);
  fixture.upstreams.last().events->OnUpstreamDrained();  // nothing to resume
  fixture.upstreams.last().is_congested = true;
  exchange.OnRequestContent(Piece("de"));
  EXPECT_TRUE(downstream.request_paused);
  fixture.upstreams.last().is_congested = false;
  fixture.upstreams.last().events->OnUpstreamDrained();
  exchange.OnRequestContent(Piece("f", ContentEnd::kLast));
  fixture.upstreams.last().Answer(200);
  ExpectOver(fixture, downstream);
}

TEST(ExchangeTest, ACongestedClientPausesTheTarget) {
  ExchangeFixture fixture;
  FakeDownstream downstream;
  Exchange& exchange = fixture.Begin(downstream, kGet);
  FakeUpstream& target = fixture.upstreams.last();
  exchange.OnDownstreamDrained();  // nothing to resume
  downstream.is_congested = true;
  target.Answer(103);
  EXPECT_TRUE(target.response_paused);
  exchange.OnDownstreamDrained();
  EXPECT_FALSE(target.response_paused);
  target.Answer(200, "a", ContentEnd::kMore);
  EXPECT_TRUE(target.response_paused);
  exchange.OnDownstreamDrained();
  target.Say("b");
  EXPECT_TRUE(target.response_paused);
  downstream.is_congested = false;
  exchange.OnDownstreamDrained();
  target.Say("c", ContentEnd::kLast);
  EXPECT_EQ(downstream.content, "abc");
  ExpectOver(fixture, downstream);
}

TEST(ExchangeTest, PipesAreTakenWhereBothSidesTakeThem) {
  ExchangeFixture fixture;
  FakeDownstream downstream;
  Exchange& exchange = fixture.Begin(downstream, kPost, "", ContentEnd::kMore);
  FakeUpstream& target = fixture.upstreams.last();
  EXPECT_FALSE(exchange.TakesRequestPipe());
  target.pipes = downstream.pipes = true;
  EXPECT_TRUE(exchange.TakesRequestPipe());
  EXPECT_TRUE(target.events->TakesResponsePipe());
  net::PipePool::Loan pipe = fixture.worker.pipes.Take();
  ASSERT_NE(pipe, nullptr);
  ASSERT_EQ(write(pipe->write_end(), "abcdef", 6), 6);
  pipe->Filled(6);
  exchange.OnRequestContent({.bytes = {}, .pipe = &pipe, .end = ContentEnd::kLast, .trailers = nullptr});
  EXPECT_EQ(target.content, "abcdef");
  target.Answer(200);
  ExpectOver(fixture, downstream);
}

// ---- ends

TEST(ExchangeTest, AnEarlyAnswerEndsTheExchangeBeforeTheRequestIsThere) {
  ExchangeFixture fixture;
  FakeDownstream downstream;
  fixture.Begin(downstream, kPost, "abc", ContentEnd::kMore);
  fixture.upstreams.last().Answer(413, "too large");
  EXPECT_EQ(downstream.status, 413);
  ExpectOver(fixture, downstream);
}

TEST(ExchangeTest, AClientThatIsGoneEndsTheTargetsRequest) {
  ExchangeFixture fixture;
  FakeDownstream before;
  Exchange& first = fixture.Begin(before, kGet);
  first.OnDownstreamFailed(ErrorCode::kClientClosed);
  EXPECT_TRUE(before.ended_without_response);
  EXPECT_EQ(fixture.upstreams.last().reusable, UpstreamStream::Reusable::kNever);
  ExpectOver(fixture, before);

  FakeDownstream during;
  Exchange& second = fixture.Begin(during, kGet);
  fixture.upstreams.last().Answer(200, "a", ContentEnd::kMore);
  EXPECT_TRUE(second.response_began());
  second.OnDownstreamFailed(ErrorCode::kClientClosed);
  EXPECT_TRUE(during.aborted);
  EXPECT_EQ(fixture.errors(ErrorCode::kClientClosed), 2U);
  ExpectOver(fixture, during);
}

TEST(ExchangeTest, MalformedContentIsAnsweredWhileNothingWas) {
  ExchangeFixture fixture;
  FakeDownstream downstream;
  Exchange& exchange = fixture.Begin(downstream, kPost, "abc", ContentEnd::kMore);
  exchange.OnDownstreamFailed(ErrorCode::kRequestContentMalformed);
  EXPECT_EQ(downstream.status, 400);
  ExpectOver(fixture, downstream);
}

TEST(ExchangeTest, AResponseThatBreaksOffIsAborted) {
  ExchangeFixture fixture;
  FakeDownstream downstream;
  fixture.Begin(downstream, kGet);
  fixture.upstreams.last().Answer(200, "a", ContentEnd::kMore);
  fixture.upstreams.last().Fail(ErrorCode::kTargetResponseIncomplete, true);
  EXPECT_EQ(downstream.status, 200);
  EXPECT_TRUE(downstream.aborted);
  ExpectOver(fixture, downstream);
}

TEST(ExchangeTest, TheIdleTimeoutBlamesWhoIsLate) {
  struct Row {
    const char* name;
    bool request_complete;
    bool connected;
    bool head_sent;
    bool client_congested;
    ErrorCode code;
    std::uint16_t status;
  };
  const std::vector<Row> rows = {
      {"the target", true, true, false, false, ErrorCode::kTargetResponseTimeout, 504},
      {"the target, in its response", true, true, true, false, ErrorCode::kTargetResponseIncomplete, 200},
      {"the client", false, true, false, false, ErrorCode::kRequestContentStalled, 408},
      {"the target's connection, which the client waits for", false, false, false, false,
       ErrorCode::kTargetResponseTimeout, 504},
      {"the client, who does not read", true, true, true, true, ErrorCode::kResponseStalled, 200},
  };
  for (const Row& row : rows) {
    ExchangeFixture fixture;
    fixture.upstreams.plans = {Plan{.connected = row.connected}};
    FakeDownstream downstream;
    Exchange& exchange =
        fixture.Begin(downstream, kPost, "abc", row.request_complete ? ContentEnd::kLast : ContentEnd::kMore);
    if (row.head_sent) fixture.upstreams.last().Answer(200, "a", ContentEnd::kMore);
    downstream.is_congested = row.client_congested;
    exchange.OnIdleTimeout();
    EXPECT_EQ(fixture.errors(row.code), 1U) << row.name;
    EXPECT_EQ(downstream.status, row.status) << row.name;
    ExpectOver(fixture, downstream);
  }
}

TEST(ExchangeTest, ATargetThatLeftForGoodEndsItsRequests) {
  ExchangeFixture fixture(2);
  FakeDownstream first;
  FakeDownstream second;
  FakeDownstream waiting;
  Exchange& one = fixture.Begin(first, kGet);
  Exchange& other = fixture.Begin(second, kGet);
  const std::shared_ptr<const DataView> same = fixture.view;
  one.EndIfDeregistered(*same);
  EXPECT_EQ(first.finished, 0);
  fixture.target_count = 1;
  fixture.Publish();
  one.EndIfDeregistered(*fixture.view);
  other.EndIfDeregistered(*fixture.view);
  EXPECT_EQ(first.finished + second.finished, 1);
  EXPECT_EQ(fixture.errors(ErrorCode::kTargetDeregistered), 1U);
  EXPECT_EQ(first.status + second.status, 502);
  for (const auto& stream : fixture.upstreams.streams) {
    if (!stream->released) stream->Answer(200);
  }
  EXPECT_TRUE(fixture.idle());
}

TEST(ExchangeTest, ARequestOutlivesItsWholeGroupAndItsMove) {
  ExchangeFixture fixture(1);
  FakeDownstream downstream;
  Exchange& exchange = fixture.Begin(downstream, kGet);
  config::TargetGroup other;
  other.name = "other";
  const config::TargetGroup blue = fixture.model.target_groups[0];
  fixture.model.target_groups = {other};
  fixture.Publish();
  exchange.EndIfDeregistered(*fixture.view);
  EXPECT_EQ(downstream.finished, 0);
  fixture.model.target_groups = {other, blue};
  fixture.Publish();  // `blue` stands elsewhere now, without its target
  exchange.EndIfDeregistered(*fixture.view);
  EXPECT_EQ(downstream.status, 502);
  ExpectOver(fixture, downstream);
}

TEST(ExchangeTest, NothingOfAnExchangeIsLeftForTheNext) {
  ExchangeFixture fixture(1);
  fixture.upstreams.plans = {Plan{.reused = true}, Plan{.fails_to_send = true}};
  FakeDownstream unlucky;
  fixture.Begin(unlucky, kPut, "abc", ContentEnd::kMore);
  fixture.upstreams.last().Fail(ErrorCode::kTargetReset);
  EXPECT_EQ(unlucky.status, 502);
  fixture.upstreams.plans = {Plan{.reused = true}};
  FakeDownstream next;
  Exchange& exchange = fixture.Begin(next, kPut, "xyz", ContentEnd::kMore);
  EXPECT_EQ(fixture.worker.active.size(), 1U);
  EXPECT_EQ(fixture.worker.spare.size(), 0U);  // the same object
  EXPECT_EQ(fixture.upstreams.modes.back(), Mode::kReuse);
  exchange.OnRequestContent(Piece("123", ContentEnd::kLast));
  fixture.upstreams.last().Fail(ErrorCode::kTargetReset);  // repeated: the right to it is new
  EXPECT_EQ(fixture.upstreams.last().content, "xyz123");
  fixture.upstreams.last().Answer(200);
  EXPECT_EQ(next.status, 200);
  ExpectOver(fixture, next);
}

TEST(ExchangeTest, ManyExchangesEndInAnyOrder) {
  ExchangeFixture fixture;
  FakeDownstream downstreams[4];
  for (FakeDownstream& downstream : downstreams) fixture.Begin(downstream, kGet);
  for (const std::size_t index : {2U, 0U, 3U, 1U}) fixture.upstreams.streams[index]->Answer(200);
  for (const FakeDownstream& downstream : downstreams) EXPECT_EQ(downstream.status, 200);
  EXPECT_TRUE(fixture.idle());
  EXPECT_EQ(fixture.worker.spare.size(), 4U);
}

// ---- every order

// Drives exchanges by random events, as the rules of both interfaces allow them, and compares what went through.
class RandomRun {
 public:
  explicit RandomRun(std::uint32_t seed) : state_(seed) {}

  void Go() {
    static constexpr const char* kMethods[] = {"GET", "POST", "PUT", "DELETE", "HEAD"};
    for (int i = 0; i < 5; ++i) fixture_.upstreams.plans.push_back(RandomPlan());
    PlanActions();
    const std::string method = kMethods[Below(5)];
    const ContentEnd end = Below(2) == 0 ? ContentEnd::kLast : ContentEnd::kMore;
    sent_ = Text();
    request_complete_ = end == ContentEnd::kLast;
    Exchange& exchange =
        fixture_.Begin(downstream_, method + " / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked", sent_, end);
    for (int step = 0; downstream_.finished == 0 && step < 200; ++step) Step(exchange);
    if (downstream_.finished == 0) exchange.Abort();
    ExpectOver(fixture_, downstream_);
    fixture_.loop.RunOnce(std::chrono::milliseconds(0));
    for (const FakeAction::Wait& wait : action_->waits) EXPECT_TRUE(wait.destroyed);
    const bool answered = downstream_.complete && !fixture_.upstreams.streams.empty() && answer_began_;
    if (!answered) return;
    // Whoever answered got the content from its first byte on, none of it twice.
    EXPECT_TRUE(sent_.starts_with(fixture_.upstreams.last().content));
    if (fixture_.upstreams.last().complete) {
      EXPECT_EQ(fixture_.upstreams.last().content, sent_);
    }
    EXPECT_EQ(downstream_.content, answer_);
  }

 private:
  std::uint32_t Below(std::size_t bound) {
    state_ = state_ * 1'664'525U + 1'013'904'223U;
    return (state_ >> 8U) % static_cast<std::uint32_t>(bound);
  }
  std::string Text() {
    return std::string(Below(3) == 0 ? Below(40'000) : Below(10), static_cast<char>('a' + Below(26)));
  }
  Plan RandomPlan() {
    return {.connected = Below(2) == 0,
            .reused = Below(3) == 0,
            .fails_to_send = Below(6) == 0,
            .congested = Below(5) == 0,
            .error = Below(6) == 0 ? ECONNREFUSED : 0};
  }

  // None, one or two actions that wait, some of them not for long.
  void PlanActions() {
    for (std::uint32_t i = Below(3); i > 0; --i) fixture_.leading_actions.push_back(action_);
    fixture_.Publish();
    action_->on_start = [this](const ActionHandle& handle) {
      if (Below(3) == 0) EndWait(handle);
    };
  }

  void EndWait(const ActionHandle& handle) {
    fixture_.ForgetHeads();
    switch (Below(8)) {
      case 0: {
        GeneratedResponse response;
        response.status = 401;
        return handle.Respond(response);
      }
      case 1:
        return handle.Fail(ErrorCode::kNoTarget);
      case 2:
      case 3:
        return handle.Forward(0);
      default:
        return handle.GoOn();
    }
  }

  void Step(Exchange& exchange) {
    if (!action_->waits.empty() && Below(3) == 0) EndWait(action_->waits[Below(action_->waits.size())].handle);
    if (downstream_.finished > 0) return;
    FakeUpstream* const stream = fixture_.upstreams.streams.empty() ? nullptr : &fixture_.upstreams.last();
    switch (Below(8)) {
      case 0:
      case 1:
        if (request_complete_ || downstream_.request_paused) return;
        return SendMore(exchange);
      case 2:
        downstream_.is_congested = Below(2) == 0;
        if (!downstream_.is_congested) exchange.OnDownstreamDrained();
        return;
      case 3:
        if (Below(12) == 0) exchange.OnIdleTimeout();
        return;
      case 4:
        if (Below(12) == 0) exchange.OnDownstreamFailed(ErrorCode::kClientClosed);
        return;
      default:
        if (stream != nullptr && !stream->released) TargetStep(*stream);
        return;
    }
  }

  void SendMore(Exchange& exchange) {
    const std::string piece = Text();
    request_complete_ = Below(4) == 0;
    sent_ += piece;
    exchange.OnRequestContent(Piece(piece, request_complete_ ? ContentEnd::kLast : ContentEnd::kMore));
  }

  void TargetStep(FakeUpstream& stream) {
    if (!stream.is_connected) {
      if (Below(2) == 0) return stream.Connect();
      return stream.Fail(Below(2) == 0 ? ErrorCode::kConnectionRefused : ErrorCode::kConnectionTimeout);
    }
    if (Below(8) == 0) {
      return stream.Fail(answer_began_ ? ErrorCode::kTargetResponseIncomplete : ErrorCode::kTargetReset, answer_began_);
    }
    if (stream.is_congested) {
      stream.is_congested = false;
      return stream.events->OnUpstreamDrained();
    }
    if (stream.response_paused) return;
    const ContentEnd end = Below(3) == 0 ? ContentEnd::kLast : ContentEnd::kMore;
    if (answer_began_) {
      const std::string piece = Text();
      answer_ += piece;
      return stream.Say(piece, end);
    }
    if (Below(3) == 0) return stream.Answer(103);
    answer_began_ = true;
    answer_ = Text();
    stream.Answer(200, answer_, end);
  }

  std::uint32_t state_;
  std::shared_ptr<FakeAction> action_ = std::make_shared<FakeAction>();
  ExchangeFixture fixture_{3};
  FakeDownstream downstream_;
  std::string sent_;
  bool request_complete_ = false;
  std::string answer_;
  bool answer_began_ = false;
};

// In parts: a thousand of them take seconds under a sanitizer.
class ExchangeOrderTest : public ::testing::TestWithParam<std::uint32_t> {};

TEST_P(ExchangeOrderTest, EndsWellInEveryOrderOfEvents) {
  for (std::uint32_t seed = GetParam(); seed < GetParam() + 1'000; ++seed) {
    SCOPED_TRACE(seed);
    RandomRun(seed).Go();
    if (::testing::Test::HasFailure()) return;
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, ExchangeOrderTest, ::testing::Values(1U, 1'001U, 2'001U, 3'001U));

}  // namespace
}  // namespace weir::proxy
