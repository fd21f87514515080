#include "proxy/actions/waiting.h"

#include "tests/proxy/exchange_fixture.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>

namespace weir::proxy {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using Plan = FakeUpstreams::Plan;

const std::string kWaitingGet = "GET /a?b=c HTTP/1.1\r\nHost: shop.test";
const std::string kWaitingPost = "POST /a HTTP/1.1\r\nHost: shop.test\r\nContent-Length: 6";

Content WaitingPiece(std::string_view bytes, ContentEnd end = ContentEnd::kMore) {
  return {.bytes = bytes, .pipe = nullptr, .end = end, .trailers = nullptr};
}

// Exchanges whose rule has an action that waits before the one that forwards.
class WaitingTest : public ::testing::Test {
 protected:
  WaitingTest() {
    fixture_.leading_actions = {action_};
    fixture_.Publish();
  }

  const FakeAction::Wait& wait() const { return action_->waits.back(); }
  void ExpectOver(const FakeDownstream& downstream) {
    EXPECT_EQ(downstream.finished, 1);
    EXPECT_TRUE(fixture_.idle());
    EXPECT_EQ(fixture_.active_requests(), 0U);
    for (const auto& stream : fixture_.upstreams.streams) EXPECT_TRUE(stream->released);
    fixture_.loop.RunOnce(std::chrono::milliseconds(0));
    for (const FakeAction::Wait& wait : action_->waits) {
      EXPECT_TRUE(wait.destroyed);
      EXPECT_FALSE(wait.handle.awaited());
    }
  }

  std::shared_ptr<FakeAction> action_ = std::make_shared<FakeAction>();
  ExchangeFixture fixture_;
  FakeDownstream downstream_;
};

GeneratedResponse Unauthorized() {
  GeneratedResponse response;
  response.status = 401;
  response.reason = "Unauthorized";
  response.body = "who are you?";
  return response;
}

TEST_F(WaitingTest, TheRequestGoesOnAsItWasWhenTheWaitIsOver) {
  fixture_.Begin(downstream_, kWaitingGet + "\r\nX-Cart: 7");
  EXPECT_EQ(wait().seen, "GET /a?b=c");
  EXPECT_THAT(fixture_.upstreams.streams, IsEmpty());
  fixture_.ForgetHeads();
  wait().handle.GoOn();
  ASSERT_EQ(fixture_.upstreams.streams.size(), 1U);
  EXPECT_EQ(fixture_.upstreams.last().head, "GET /a?b=c");
  EXPECT_THAT(fixture_.upstreams.last().fields, ::testing::HasSubstr("X-Cart: 7\r\n"));
  EXPECT_TRUE(fixture_.upstreams.last().complete);
  fixture_.upstreams.last().Answer(200);
  EXPECT_EQ(downstream_.status, 200);
  EXPECT_FALSE(wait().cancelled);
  ExpectOver(downstream_);
}

TEST_F(WaitingTest, AWaitEndsInAGroupAnAnswerOrAFailure) {
  fixture_.Begin(downstream_, kWaitingGet);
  wait().handle.Forward(0);
  fixture_.upstreams.last().Answer(204);
  EXPECT_EQ(downstream_.status, 204);
  ExpectOver(downstream_);

  FakeDownstream answered;
  fixture_.Begin(answered, kWaitingGet);
  wait().handle.Respond(Unauthorized());
  EXPECT_EQ(answered.status, 401);
  EXPECT_EQ(answered.content, "who are you?");
  ExpectOver(answered);

  FakeDownstream failed;
  fixture_.Begin(failed, kWaitingGet);
  wait().handle.Fail(ErrorCode::kRedirectTooLong);
  EXPECT_EQ(failed.status, 507);
  ExpectOver(failed);

  FakeDownstream groupless;
  fixture_.Begin(groupless, kWaitingGet);
  wait().handle.Forward(std::nullopt);
  EXPECT_EQ(groupless.status, 503);
  EXPECT_EQ(fixture_.upstreams.streams.size(), 1U);
  ExpectOver(groupless);
}

TEST_F(WaitingTest, TheClientSaysNoMoreMeanwhileAndNothingIsLost) {
  Exchange& exchange = fixture_.Begin(downstream_, kWaitingPost, "ab", ContentEnd::kMore);
  EXPECT_TRUE(downstream_.request_paused);
  EXPECT_FALSE(exchange.TakesRequestPipe());
  exchange.OnRequestContent(WaitingPiece("cd"));  // was on its way when the pause was asked for
  exchange.OnDownstreamDrained();
  exchange.EndIfDeregistered(*fixture_.view);
  fixture_.ForgetHeads();
  wait().handle.GoOn();
  EXPECT_FALSE(downstream_.request_paused);
  EXPECT_EQ(fixture_.upstreams.last().content, "abcd");
  exchange.OnRequestContent(WaitingPiece("ef", ContentEnd::kLast));
  EXPECT_EQ(fixture_.upstreams.last().content, "abcdef");
  fixture_.upstreams.last().Answer(200);
  ExpectOver(downstream_);
}

TEST_F(WaitingTest, AClientThatWaitsToContinueIsToldToWhenTheRequestGoesOn) {
  fixture_.Begin(downstream_, kWaitingPost + "\r\nExpect: 100-continue", "", ContentEnd::kMore);
  EXPECT_THAT(downstream_.interim, IsEmpty());
  wait().handle.GoOn();
  EXPECT_THAT(downstream_.interim, ElementsAre(100));
  EXPECT_FALSE(downstream_.request_paused);
  fixture_.upstreams.last().Answer(200);
  ExpectOver(downstream_);
}

TEST_F(WaitingTest, WhatWasHeldWaitsForTheConnectionToo) {
  fixture_.upstreams.plans = {Plan{.connected = false}, Plan{.connected = false}};
  Exchange& exchange = fixture_.Begin(downstream_, kWaitingPost, "abc", ContentEnd::kMore);
  wait().handle.GoOn();
  EXPECT_TRUE(downstream_.request_paused);
  fixture_.upstreams.last().Fail(ErrorCode::kConnectionRefused);
  fixture_.upstreams.last().Connect();
  EXPECT_FALSE(downstream_.request_paused);
  exchange.OnRequestContent(WaitingPiece("def", ContentEnd::kLast));
  EXPECT_EQ(fixture_.upstreams.last().content, "abcdef");
  fixture_.upstreams.last().Answer(200);
  ExpectOver(downstream_);
}

TEST_F(WaitingTest, ACongestedTargetKeepsTheClientPaused) {
  fixture_.upstreams.plans = {Plan{.congested = true}};
  fixture_.Begin(downstream_, kWaitingPost, "abc", ContentEnd::kMore);
  wait().handle.GoOn();
  EXPECT_TRUE(downstream_.request_paused);
  fixture_.upstreams.last().is_congested = false;
  fixture_.upstreams.last().events->OnUpstreamDrained();
  EXPECT_FALSE(downstream_.request_paused);
  fixture_.upstreams.last().Answer(200);
  ExpectOver(downstream_);
}

TEST_F(WaitingTest, ARepeatSendsWhatWasHeldWhileItWaited) {
  fixture_.upstreams.plans = {Plan{.reused = true}};
  Exchange& exchange =
      fixture_.Begin(downstream_, "PUT /a HTTP/1.1\r\nHost: a\r\nContent-Length: 6", "abc", ContentEnd::kMore);
  wait().handle.GoOn();
  exchange.OnRequestContent(WaitingPiece("def", ContentEnd::kLast));
  fixture_.upstreams.last().Fail(ErrorCode::kTargetReset);
  ASSERT_EQ(fixture_.upstreams.streams.size(), 2U);
  EXPECT_EQ(fixture_.upstreams.last().content, "abcdef");
  fixture_.upstreams.last().Answer(200);
  ExpectOver(downstream_);
}

TEST_F(WaitingTest, AClientThatGoesAwayCancels) {
  Exchange& exchange = fixture_.Begin(downstream_, kWaitingPost, "abc", ContentEnd::kMore);
  action_->on_cancel = [](const ActionHandle& handle) { handle.GoOn(); };  // too late
  exchange.OnDownstreamFailed(ErrorCode::kClientClosed);
  EXPECT_TRUE(wait().cancelled);
  EXPECT_TRUE(downstream_.ended_without_response);
  wait().handle.Forward(0);
  wait().handle.Respond(Unauthorized());
  EXPECT_THAT(fixture_.upstreams.streams, IsEmpty());
  ExpectOver(downstream_);
}

TEST_F(WaitingTest, TheIdleTimeoutEndsAWait) {
  Exchange& exchange = fixture_.Begin(downstream_, kWaitingPost, "abc", ContentEnd::kMore);
  exchange.OnIdleTimeout();
  EXPECT_EQ(downstream_.status, 504);
  EXPECT_EQ(fixture_.errors(ErrorCode::kActionTimeout), 1U);
  EXPECT_TRUE(wait().cancelled);
  ExpectOver(downstream_);
}

TEST_F(WaitingTest, ADrainingWorkerLetsAWaitEndAndAStoppingOneCancelsIt) {
  fixture_.Begin(downstream_, kWaitingGet);
  fixture_.worker.draining = true;
  wait().handle.GoOn();
  fixture_.upstreams.last().Answer(200);
  EXPECT_EQ(downstream_.status, 200);
  ExpectOver(downstream_);

  FakeDownstream stopped;
  Exchange& exchange = fixture_.Begin(stopped, kWaitingGet);
  exchange.Abort();
  EXPECT_TRUE(wait().cancelled);
  ExpectOver(stopped);
}

TEST_F(WaitingTest, TheSecondUseOfAHandleDoesNothing) {
  fixture_.Begin(downstream_, kWaitingGet);
  const ActionHandle first = wait().handle;
  const ActionHandle second = first;
  first.GoOn();
  EXPECT_FALSE(second.awaited());
  second.Respond(Unauthorized());
  first.Fail(ErrorCode::kNoTarget);
  EXPECT_EQ(fixture_.upstreams.streams.size(), 1U);
  fixture_.upstreams.last().Answer(200);
  EXPECT_EQ(downstream_.status, 200);
  ExpectOver(downstream_);

  FakeDownstream next;  // in the same object
  fixture_.Begin(next, kWaitingGet);
  first.Respond(Unauthorized());
  EXPECT_EQ(next.finished, 0);
  wait().handle.Respond(Unauthorized());
  ExpectOver(next);
}

TEST_F(WaitingTest, AWaitMayEndBeforeItsStartReturns) {
  action_->on_start = [](const ActionHandle& handle) { handle.GoOn(); };
  fixture_.Begin(downstream_, kWaitingPost, "abc", ContentEnd::kMore);
  EXPECT_FALSE(downstream_.request_paused);
  EXPECT_EQ(fixture_.upstreams.last().content, "abc");
  fixture_.upstreams.last().Answer(200);
  ExpectOver(downstream_);

  action_->on_start = [](const ActionHandle& handle) { handle.Respond(Unauthorized()); };
  FakeDownstream answered;
  fixture_.Begin(answered, kWaitingGet);
  EXPECT_EQ(answered.status, 401);
  ExpectOver(answered);
}

TEST_F(WaitingTest, ARequestGoesWhereTheViewThatItBeganWithSays) {
  fixture_.Begin(downstream_, kWaitingGet);
  config::TargetGroup other;
  other.name = "other";
  fixture_.model.target_groups.insert(fixture_.model.target_groups.begin(), other);
  fixture_.model.load_balancers[0].listeners[0].default_rule.action = config::FixedResponseAction{};
  fixture_.target_count = 0;
  fixture_.leading_actions.clear();
  fixture_.Publish();
  fixture_.ForgetHeads();
  wait().handle.GoOn();
  ASSERT_EQ(fixture_.upstreams.streams.size(), 1U);
  fixture_.upstreams.last().Answer(200);
  EXPECT_EQ(downstream_.status, 200);
  ExpectOver(downstream_);
}

TEST_F(WaitingTest, ActionsWaitOneAfterTheOther) {
  fixture_.leading_actions = {action_, action_};
  fixture_.model.load_balancers[0].access_log = config::LogFile{.path = "-"};
  fixture_.Publish();
  fixture_.Begin(downstream_, kWaitingPost, "abc", ContentEnd::kMore);
  fixture_.ForgetHeads();
  wait().handle.GoOn();
  ASSERT_EQ(action_->waits.size(), 2U);
  EXPECT_EQ(wait().seen, "POST /a");
  EXPECT_TRUE(downstream_.request_paused);
  EXPECT_FALSE(action_->waits[0].handle.awaited());
  action_->waits[0].handle.GoOn();
  EXPECT_THAT(fixture_.upstreams.streams, IsEmpty());
  wait().handle.GoOn();
  EXPECT_EQ(fixture_.upstreams.last().content, "abc");
  EXPECT_FALSE(downstream_.request_paused);
  fixture_.upstreams.last().Answer(200);
  ExpectOver(downstream_);
}

TEST_F(WaitingTest, AnActionMaySayAtOnceHowTheRequestGoesOn) {
  action_->outcome = ActionOutcome::GoOn();
  fixture_.Begin(downstream_, kWaitingGet);
  fixture_.upstreams.last().Answer(200);
  ExpectOver(downstream_);

  action_->outcome = ActionOutcome::Respond();
  FakeDownstream answered;
  fixture_.Begin(answered, kWaitingGet);
  EXPECT_EQ(answered.status, 401);
  ExpectOver(answered);

  action_->outcome = ActionOutcome::Fail(ErrorCode::kNoTarget);
  FakeDownstream failed;
  fixture_.Begin(failed, kWaitingGet);
  EXPECT_EQ(failed.status, 503);
  ExpectOver(failed);

  action_->outcome = ActionOutcome::Forward(0);
  FakeDownstream forwarded;
  fixture_.Begin(forwarded, kWaitingGet);
  fixture_.upstreams.last().Answer(202);
  EXPECT_EQ(forwarded.status, 202);
  ExpectOver(forwarded);
  EXPECT_THAT(action_->waits, IsEmpty());
}

TEST(ActionHandleTest, OutlivesTheExchangeAndItsWorker) {
  ActionHandle none;
  EXPECT_FALSE(none.awaited());
  none.GoOn();
  ActionHandle handle;
  {
    const auto action = std::make_shared<FakeAction>();
    ExchangeFixture fixture;
    fixture.leading_actions = {action};
    fixture.Publish();
    FakeDownstream downstream;
    Exchange& exchange = fixture.Begin(downstream, kWaitingGet);
    handle = action->waits.back().handle;
    EXPECT_TRUE(handle.awaited());
    exchange.Abort();
    fixture.loop.RunOnce(std::chrono::milliseconds(0));
  }
  EXPECT_FALSE(handle.awaited());
  handle.GoOn();
}

}  // namespace
}  // namespace weir::proxy
