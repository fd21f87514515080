// The decisions of a generator thread, with a clock that is moved by hand and connections that answer when told.

#include "bench/load/http/dispatcher.h"

#include "tests/support/manual_clock.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <chrono>
#include <deque>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace weir::bench {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class FakeConnection final : public Connection {
 public:
  FakeConnection(std::uint32_t origin, unsigned streams) : Connection(origin), streams_(streams) {}
  unsigned room() const override { return gone || leaving ? 0 : streams_ - static_cast<unsigned>(requests.size()); }
  void Send(const Request& request) override { requests.push_back(request); }

  // Answers the oldest request.
  void Answer(Dispatcher& dispatcher, std::uint16_t status = 200, std::uint32_t share = 0) {
    const Request request = requests.front();
    requests.pop_front();
    set_answered();
    ResponseFacts facts;
    facts.status = status;
    facts.share = share;
    dispatcher.OnResponse(*this, request, facts);
  }
  // Breaks with all that is under way.
  void Break(Dispatcher& dispatcher, ErrorKind kind) {
    gone = true;
    const auto failed = std::exchange(requests, {});
    dispatcher.OnGone(*this);
    for (const Request& request : failed) dispatcher.OnFailure(*this, request, kind, "detail");
  }

  // The server ends the connection; of what is under way it processed nothing.
  void Overtake(Dispatcher& dispatcher) {
    leaving = true;
    for (const Request& request : std::exchange(requests, {})) dispatcher.OnOvertaken(*this, request);
    gone = true;
    dispatcher.OnGone(*this);
  }

  bool gone = false;
  bool leaving = false;
  std::deque<Request> requests;

 private:
  unsigned streams_;
};

class DispatcherTest : public ::testing::Test, public ConnectionOpener {
 protected:
  DispatcherTest() {
    plan_.Add(ParseUrl("http://a.test/").value());
    settings_.start = clock_.Now();
    settings_.measure_from = clock_.Now();
  }

  std::unique_ptr<Connection> Open(std::uint32_t origin, int& error) override {
    error = refuse_;
    if (refuse_ != 0) return nullptr;
    auto made = std::make_unique<FakeConnection>(origin, streams_);
    opened_.push_back(made.get());
    return made;
  }
  void Destroy(std::unique_ptr<Connection> connection) override { gone_.push_back(std::move(connection)); }
  SteadyTime Now() const override { return clock_.Now(); }

  Dispatcher& StartClosed(unsigned connections) {
    settings_.connections_max = connections;
    settings_.in_flight_max = connections * streams_;
    return Start(FlatOutArrivals(WeightedCycle::Build(std::vector<std::uint32_t>(plan_.requests().size(), 1)).value()));
  }
  // One request every 10 ms.
  Dispatcher& StartOpen(unsigned connections, std::size_t waiting_max = 1000) {
    settings_.open_loop = true;
    settings_.connections_max = connections;
    settings_.waiting_max = waiting_max;
    return Start(ConstantArrivals(100, {}, WeightedCycle::Build(std::vector<std::uint32_t>{1}).value()));
  }
  Dispatcher& Start(std::unique_ptr<Arrivals> arrivals) {
    dispatcher_ = std::make_unique<Dispatcher>(settings_, plan_, std::move(arrivals), *this);
    dispatcher_->Start();
    if (settings_.open_loop) {
      const auto preopened = opened_;
      for (FakeConnection* connection : preopened) dispatcher_->OnRoom(*connection);
    }
    dispatcher_->Advance(clock_.Now());
    return *dispatcher_;
  }
  void Pass(milliseconds time) {
    clock_.Advance(time);
    dispatcher_->Advance(clock_.Now());
  }
  Counts Take() {
    Counts counts;
    dispatcher_->MoveCounts(counts);
    return counts;
  }

  testing::ManualClock clock_;
  LoadPlan plan_{RequestShape{}};
  DispatchSettings settings_;
  unsigned streams_ = 1;
  int refuse_ = 0;
  std::vector<FakeConnection*> opened_;
  std::vector<std::unique_ptr<Connection>> gone_;
  std::unique_ptr<Dispatcher> dispatcher_;
};

TEST_F(DispatcherTest, AClosedLoopKeepsEveryConnectionBusy) {
  Dispatcher& dispatcher = StartClosed(2);
  ASSERT_EQ(opened_.size(), 2U);
  for (int i = 0; i < 10; ++i) {
    clock_.Advance(milliseconds(3));
    for (FakeConnection* connection : opened_) {
      ASSERT_EQ(connection->requests.size(), 1U);
      connection->Answer(dispatcher);
    }
  }
  EXPECT_EQ(opened_.size(), 2U);
  const Counts counts = Take();
  EXPECT_EQ(counts.completed, 20U);
  EXPECT_EQ(counts.started, 22U);
  EXPECT_EQ(counts.connections, 2U);
  EXPECT_EQ(counts.latency.max(), milliseconds(3));
  EXPECT_EQ(counts.latency.min(), milliseconds(3));
}

TEST_F(DispatcherTest, OpenLoopLatencyCountsFromTheScheduleSoThatAStallIsSeen) {
  Dispatcher& dispatcher = StartOpen(1);
  ASSERT_EQ(opened_.size(), 1U);
  FakeConnection& connection = *opened_.front();
  // The answer to the first request takes 100 ms; the ten that come due meanwhile wait for the one connection.
  for (int i = 0; i < 10; ++i) Pass(milliseconds(10));
  EXPECT_EQ(connection.requests.size(), 1U);
  EXPECT_EQ(opened_.size(), 1U);
  // From here on the target answers at once.
  for (int i = 0; i < 11; ++i) connection.Answer(dispatcher);
  const Counts counts = Take();
  EXPECT_EQ(counts.started, 11U);
  EXPECT_EQ(counts.completed, 11U);
  EXPECT_EQ(counts.latency.max(), milliseconds(100));
  // 100, 90, 80 ... 0 ms: half of them were late by 50 ms and more, although one answer only was slow.
  EXPECT_NEAR(std::chrono::duration<double>(counts.latency.Percentile(50)).count(), 0.05, 0.0001);
  EXPECT_EQ(counts.latency.min(), milliseconds(0));
  EXPECT_EQ(dispatcher.lateness().max(), milliseconds(90));
}

TEST_F(DispatcherTest, DueRequestsNeverVanish) {
  StartOpen(1, 3);
  for (int i = 0; i < 9; ++i) Pass(milliseconds(10));
  const Counts counts = Take();
  EXPECT_EQ(counts.started, 10U);
  EXPECT_EQ(counts.errors.at("backlog"), 6U) << "one is under way, three wait";
}

TEST_F(DispatcherTest, NextWakeIsTheNextDueTime) {
  StartOpen(1);
  EXPECT_EQ(dispatcher_->next_wake(), clock_.Now() + milliseconds(10));
  Pass(milliseconds(25));
  EXPECT_EQ(opened_.front()->requests.size(), 1U);
  EXPECT_EQ(dispatcher_->next_wake(), clock_.Now() + milliseconds(5));
}

TEST_F(DispatcherTest, TheOpenLoopOpensItsConnectionsFirstAndUsesThemInTurn) {
  Dispatcher& dispatcher = StartOpen(3);
  ASSERT_EQ(opened_.size(), 3U);
  for (std::size_t i = 0; i < 6; ++i) {
    FakeConnection& used = *opened_[i % 3];
    ASSERT_EQ(used.requests.size(), 1U);
    used.Answer(dispatcher);
    Pass(milliseconds(10));
  }
}

TEST_F(DispatcherTest, AtTheEndWhatWaitsIsCountedAndWhatIsUnderWayIsAwaited) {
  settings_.end = settings_.start + milliseconds(50);
  Dispatcher& dispatcher = StartOpen(1);
  Pass(milliseconds(200));
  EXPECT_FALSE(dispatcher.finished());
  opened_.front()->Answer(dispatcher);
  EXPECT_TRUE(dispatcher.finished());
  const Counts counts = Take();
  EXPECT_EQ(counts.started, 5U) << "at 0, 10, 20, 30 and 40 ms";
  EXPECT_EQ(counts.completed, 1U);
  EXPECT_EQ(counts.errors.at("unsent at the end"), 4U);
  EXPECT_EQ(counts.latency.max(), milliseconds(200));
}

TEST_F(DispatcherTest, AClosedLoopSendsNothingAfterTheEnd) {
  settings_.end = settings_.start + milliseconds(50);
  Dispatcher& dispatcher = StartClosed(1);
  Pass(milliseconds(60));
  opened_.front()->Answer(dispatcher);
  EXPECT_TRUE(dispatcher.finished());
  EXPECT_TRUE(opened_.front()->requests.empty());
}

TEST_F(DispatcherTest, ExactlySoManyRequestsAreSent) {
  settings_.requests_max = 5;
  Dispatcher& dispatcher = StartClosed(2);
  int answered = 0;
  while (!dispatcher.finished()) {
    FakeConnection* busy = opened_[0]->requests.empty() ? opened_[1] : opened_[0];
    busy->Answer(dispatcher);
    ASSERT_LE(++answered, 5);
  }
  EXPECT_EQ(Take().completed, 5U);
}

TEST_F(DispatcherTest, TheWarmUpIsSentButNotCounted) {
  settings_.measure_from = settings_.start + seconds(1);
  settings_.requests_max = 2;
  Dispatcher& dispatcher = StartClosed(1);
  for (int i = 0; i < 100; ++i) {
    clock_.Advance(milliseconds(5));
    opened_.front()->Answer(dispatcher, 500);
  }
  EXPECT_EQ(dispatcher.next_wake(), settings_.measure_from);
  dispatcher.counts().bytes_received = 7;
  Pass(milliseconds(600));
  opened_.front()->Answer(dispatcher, 500);  // was due before
  opened_.front()->Answer(dispatcher);
  opened_.front()->Answer(dispatcher);
  EXPECT_TRUE(dispatcher.finished());
  const Counts counts = Take();
  EXPECT_EQ(counts.outcomes, (std::map<std::string, std::uint64_t>{{"200", 2}}));
  EXPECT_EQ(counts.started, 2U);
  EXPECT_EQ(counts.bytes_received + counts.connections, 0U);
}

TEST_F(DispatcherTest, StrayBytesOfTheWarmUpAreNotCounted) {
  settings_.measure_from = settings_.start + seconds(1);
  Dispatcher& dispatcher = StartClosed(1);
  dispatcher.OnStrayBytes(*opened_.front());
  EXPECT_TRUE(Take().errors.empty());
  Pass(seconds(1));
  dispatcher.OnStrayBytes(*opened_.front());
  EXPECT_EQ(Take().errors.at("stray bytes"), 1U);
}

TEST_F(DispatcherTest, ADeadTargetIsAskedAgainAfterAPauseOnly) {
  Dispatcher& dispatcher = StartClosed(2);
  opened_[0]->Break(dispatcher, ErrorKind::kConnectRefused);
  opened_[1]->Break(dispatcher, ErrorKind::kConnectRefused);
  EXPECT_EQ(opened_.size(), 2U);
  EXPECT_FALSE(dispatcher.finished());
  EXPECT_EQ(dispatcher.next_wake(), clock_.Now() + Dispatcher::kPause);
  Pass(Dispatcher::kPause);
  EXPECT_EQ(opened_.size(), 4U);
  EXPECT_EQ(Take().errors.at("connect refused"), 2U);
  EXPECT_EQ(dispatcher.details().at(ErrorKind::kConnectRefused), "detail");
}

TEST_F(DispatcherTest, AConnectionThatServedIsReplacedAtOnce) {
  Dispatcher& dispatcher = StartClosed(1);
  opened_[0]->Answer(dispatcher);
  opened_[0]->Break(dispatcher, ErrorKind::kClosedIdle);
  ASSERT_EQ(opened_.size(), 2U);
  EXPECT_EQ(opened_[1]->requests.size(), 1U);
}

TEST_F(DispatcherTest, WhatAnEndOvertookIsSentOnAnotherConnection) {
  streams_ = 3;
  Dispatcher& dispatcher = StartClosed(1);
  opened_[0]->Answer(dispatcher);
  clock_.Advance(milliseconds(5));
  opened_[0]->Overtake(dispatcher);
  ASSERT_EQ(opened_.size(), 2U);
  ASSERT_EQ(opened_[1]->requests.size(), 3U);
  opened_[1]->Answer(dispatcher);
  const Counts counts = Take();
  EXPECT_TRUE(counts.errors.empty());
  EXPECT_EQ(counts.completed, 2U);
  EXPECT_EQ(counts.started, 5U);
  EXPECT_EQ(counts.latency.max(), milliseconds(5));
}

TEST_F(DispatcherTest, WhatIsSentAgainWasNotLateBefore) {
  Dispatcher& dispatcher = StartOpen(1);
  opened_[0]->Answer(dispatcher);
  Pass(milliseconds(10));
  ASSERT_EQ(opened_[0]->requests.size(), 1U);
  Pass(milliseconds(9));
  opened_[0]->Overtake(dispatcher);
  EXPECT_EQ(opened_.back()->requests.size(), 1U);
  EXPECT_EQ(dispatcher.lateness().max(), milliseconds(0)) << "the server's delay is none of the generator's";
}

TEST_F(DispatcherTest, WhatIsOvertakenAfterTheEndIsUnsent) {
  settings_.end = clock_.Now() + seconds(1);
  Dispatcher& dispatcher = StartClosed(1);
  opened_[0]->Answer(dispatcher);
  Pass(seconds(1));
  opened_[0]->Overtake(dispatcher);
  EXPECT_EQ(opened_.size(), 1U);
  EXPECT_TRUE(dispatcher.finished());
  EXPECT_EQ(Take().errors.at("unsent at the end"), 1U);
}

TEST_F(DispatcherTest, AServerThatEndsEveryConnectionIsAskedAgainAfterAPauseOnly) {
  Dispatcher& dispatcher = StartClosed(1);
  opened_[0]->Overtake(dispatcher);
  EXPECT_EQ(opened_.size(), 1U);
  Pass(seconds(1));
  EXPECT_EQ(opened_.size(), 2U);
  EXPECT_EQ(Take().errors.at("http2 refused"), 1U);
}

TEST_F(DispatcherTest, WhenTheSystemRefusesRequestsFailByKind) {
  refuse_ = EMFILE;
  settings_.end = settings_.start + milliseconds(30);
  Dispatcher& dispatcher = StartClosed(1);
  EXPECT_EQ(Take().errors.at("no descriptor"), 1U);
  Pass(milliseconds(30));
  EXPECT_TRUE(dispatcher.finished());
}

TEST_F(DispatcherTest, AnIdleConnectionThatGoesLeavesRoomForAnother) {
  Dispatcher& dispatcher = StartOpen(1);
  opened_[0]->Answer(dispatcher);
  opened_[0]->Break(dispatcher, ErrorKind::kReset);
  Pass(milliseconds(10));
  ASSERT_EQ(opened_.size(), 2U);
  EXPECT_EQ(opened_[1]->requests.size(), 1U);
  EXPECT_EQ(Take().error_count(), 0U) << "no request was lost";
}

TEST_F(DispatcherTest, StreamsOfAConnectionAreUsedTogether) {
  streams_ = 4;
  Dispatcher& dispatcher = StartClosed(1);
  ASSERT_EQ(opened_.size(), 1U);
  EXPECT_EQ(opened_[0]->requests.size(), 4U);
  opened_[0]->Answer(dispatcher);
  EXPECT_EQ(opened_[0]->requests.size(), 4U);
}

TEST_F(DispatcherTest, EachOriginHasItsOwnConnections) {
  plan_.Add(ParseUrl("http://b.test/").value());
  Dispatcher& dispatcher = StartClosed(1);
  ASSERT_EQ(opened_.size(), 1U);
  opened_[0]->Answer(dispatcher);
  ASSERT_EQ(opened_.size(), 2U);
  EXPECT_EQ(opened_[1]->origin(), 1U);
  opened_[1]->Answer(dispatcher);
  EXPECT_EQ(opened_.size(), 2U);
  EXPECT_EQ(opened_[0]->requests.size(), 1U) << "the first origin's connection was kept";
}

TEST_F(DispatcherTest, SharesAreCountedWhenAskedFor) {
  settings_.counts_shares = true;
  Dispatcher& dispatcher = StartClosed(1);
  const auto blue = dispatcher.names().NumberOf("blue");
  opened_[0]->Answer(dispatcher, 200, blue);
  opened_[0]->Answer(dispatcher, 200, ShareNames::kAbsent);
  EXPECT_EQ(Take().shares, (std::map<std::string, std::uint64_t>{{"(none)", 1}, {"blue", 1}}));
}

}  // namespace
}  // namespace weir::bench
