#include "proxy/actions/jwt/jwks_endpoint.h"

#include "proxy/worker_state.h"
#include "tests/proxy/actions/jwt/signed_tokens.h"
#include "tests/support/manual_clock.h"

#include <gtest/gtest.h>

#include <chrono>
#include <deque>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace weir::proxy {
namespace {

using net::SignatureAlgorithm;
using std::chrono::seconds;

struct Waiter final : KeyWaiter {
  explicit Waiter(std::vector<int>& order, int own_number = 0) : told(order), number(own_number) {}
  void OnKeys() override { told.push_back(number); }
  std::vector<int>& told;
  int number;
};

// Two workers and an endpoint whose calls the test answers.
class JwksEndpointTest : public ::testing::Test {
 protected:
  struct Asked {
    std::size_t worker;
    outbound::Request request;
    outbound::HttpClient::OnAnswer done;
  };

  JwksEndpointTest() { MakeEndpoint(); }
  void MakeEndpoint() {
    endpoint_ = std::make_shared<JwksEndpoint>(
        "https://id.test/jwks", *outbound::ParseUrl("https://id.test/jwks"), nullptr, 2,
        [this](WorkerState& worker, outbound::Request request, outbound::HttpClient::OnAnswer done) {
          asked_.push_back({worker.worker, std::move(request), std::move(done)});
        });
  }
  static outbound::Response Keys(const std::string& id) {
    static const testing::Signer signer(SignatureAlgorithm::kRs256);
    return {.status = 200, .fields = {}, .content = R"({"keys":[)" + signer.Jwk(id) + "]}"};
  }
  void Answer(outbound::Answer answer) {
    ASSERT_FALSE(asked_.empty());
    const auto done = std::move(asked_.front().done);
    asked_.pop_front();
    done(std::move(answer));
  }
  void Turn() {
    first_loop_.RunOnce(std::chrono::milliseconds(0));
    second_loop_.RunOnce(std::chrono::milliseconds(0));
  }
  void Advance(std::chrono::nanoseconds by) {
    clock_.Advance(by);
    Turn();
  }
  bool Knows(WorkerState& worker, const std::string& id) {
    return endpoint_->KeysOf(worker).Find(id, SignatureAlgorithm::kRs256).key != nullptr;
  }
  JwksEndpoint::Wait Await(WorkerState& worker, Waiter& waiter) { return endpoint_->Await(worker, waiter); }
  // The first keys, as if a request had asked for them.
  void Fetch(const std::string& id) {
    Waiter waiter(told_);
    ASSERT_EQ(Await(first_, waiter), JwksEndpoint::Wait::kBegun);
    Answer(Keys(id));
    Turn();
    ASSERT_EQ(told_.size(), 1U);
    told_.clear();
    ASSERT_TRUE(Knows(first_, id));
    ASSERT_TRUE(Knows(second_, id));
  }

  testing::ManualClock clock_;
  net::EventLoop first_loop_{clock_};
  net::EventLoop second_loop_{clock_};
  WorkerState first_{first_loop_, 0};
  WorkerState second_{second_loop_, 1};
  std::deque<Asked> asked_;
  std::shared_ptr<JwksEndpoint> endpoint_;
  std::vector<int> told_;
};

TEST_F(JwksEndpointTest, NothingIsFetchedBeforeAKeyIsMissing) {
  EXPECT_TRUE(endpoint_->KeysOf(first_).empty());
  EXPECT_TRUE(asked_.empty());
  EXPECT_EQ(endpoint_->Refusal(first_), std::nullopt);
}

TEST_F(JwksEndpointTest, OneFetchServesAllWhoWaitInAllWorkers) {
  Waiter a(told_, 1);
  Waiter b(told_, 2);
  Waiter c(told_, 3);
  EXPECT_EQ(Await(first_, a), JwksEndpoint::Wait::kBegun);
  EXPECT_EQ(Await(second_, b), JwksEndpoint::Wait::kBegun);
  EXPECT_EQ(Await(second_, c), JwksEndpoint::Wait::kBegun);
  ASSERT_EQ(asked_.size(), 1U);
  EXPECT_EQ(asked_.front().worker, 0U);
  EXPECT_EQ(asked_.front().request.url.target, "/jwks");
  EXPECT_EQ(asked_.front().request.method, "GET");
  EXPECT_EQ(asked_.front().request.timeout, seconds(5));
  EXPECT_EQ(asked_.front().request.content_max, 150U * 1024U);
  Answer(Keys("k"));
  EXPECT_TRUE(told_.empty()) << "each is told by its own loop";
  first_loop_.RunOnce(std::chrono::milliseconds(0));
  EXPECT_EQ(told_, std::vector<int>({1}));
  second_loop_.RunOnce(std::chrono::milliseconds(0));
  EXPECT_EQ(told_.size(), 3U);
  EXPECT_TRUE(Knows(first_, "k"));
  EXPECT_TRUE(Knows(second_, "k"));
}

TEST_F(JwksEndpointTest, WhoeverSawOlderKeysLooksAgainBeforeItWaits) {
  EXPECT_TRUE(endpoint_->KeysOf(second_).empty());
  Waiter a(told_);
  static_cast<void>(Await(first_, a));
  Answer(Keys("k"));
  Waiter b(told_);
  EXPECT_EQ(Await(second_, b), JwksEndpoint::Wait::kNewKeys);
  EXPECT_TRUE(Knows(second_, "k"));
  Turn();
}

TEST_F(JwksEndpointTest, AnUnknownKeyHasTheKeysFetchedOnceInAWhile) {
  Fetch("old");
  Waiter a(told_);
  EXPECT_EQ(endpoint_->Refusal(second_), std::nullopt);
  EXPECT_EQ(Await(second_, a), JwksEndpoint::Wait::kBegun);
  Answer(Keys("new"));
  Turn();
  EXPECT_TRUE(Knows(first_, "new"));
  EXPECT_FALSE(Knows(first_, "old"));
  for (int i = 0; i < 1000; ++i) {
    EXPECT_EQ(endpoint_->Refusal(first_), ErrorCode::kJwtSignatureInvalid);
    EXPECT_EQ(Await(first_, a), JwksEndpoint::Wait::kRefused);
  }
  Advance(JwksEndpoint::kUnknownKeyInterval - seconds(1));
  EXPECT_EQ(Await(first_, a), JwksEndpoint::Wait::kRefused);
  Advance(seconds(1));
  EXPECT_EQ(Await(first_, a), JwksEndpoint::Wait::kBegun);
  EXPECT_EQ(asked_.size(), 1U);
  Answer(Keys("new"));
  Turn();
}

TEST_F(JwksEndpointTest, AKeyThatTheFirstKeysDidNotHaveIsNotAskedForAgainAtOnce) {
  Fetch("k");
  EXPECT_EQ(endpoint_->NoteUnknownKey(), ErrorCode::kJwtSignatureInvalid);
  EXPECT_EQ(endpoint_->Refusal(first_), ErrorCode::kJwtSignatureInvalid);
  Advance(JwksEndpoint::kUnknownKeyInterval);
  EXPECT_EQ(endpoint_->Refusal(first_), std::nullopt);
}

TEST_F(JwksEndpointTest, OldKeysServeWhileTheyAreFetchedAnew) {
  Fetch("old");
  Advance(JwksEndpoint::kFreshFor - seconds(1));
  EXPECT_TRUE(Knows(first_, "old"));
  EXPECT_TRUE(asked_.empty());
  Advance(seconds(1));
  for (int i = 0; i < 10; ++i) {
    EXPECT_TRUE(Knows(first_, "old"));
    EXPECT_TRUE(Knows(second_, "old"));
  }
  EXPECT_EQ(asked_.size(), 1U);
  Answer(Keys("new"));
  EXPECT_TRUE(Knows(second_, "new"));
  EXPECT_TRUE(asked_.empty());
}

TEST_F(JwksEndpointTest, KeysThatCannotBeFetchedAnewServeOnForAnHour) {
  Fetch("old");
  Advance(JwksEndpoint::kFreshFor);
  EXPECT_TRUE(Knows(first_, "old"));
  Answer(std::unexpected(outbound::Failure::kTimeout));
  EXPECT_TRUE(Knows(first_, "old"));
  EXPECT_TRUE(asked_.empty()) << "not at once";
  Advance(JwksEndpoint::kRetryInterval);
  EXPECT_TRUE(Knows(first_, "old"));
  Answer(std::unexpected(outbound::Failure::kConnect));
  Advance(JwksEndpoint::kKeptFor - JwksEndpoint::kFreshFor);
  EXPECT_FALSE(Knows(first_, "old"));
  EXPECT_FALSE(Knows(second_, "old"));
  Waiter a(told_);
  EXPECT_EQ(Await(first_, a), JwksEndpoint::Wait::kBegun);
  Answer(Keys("old"));
  Turn();
  EXPECT_TRUE(Knows(second_, "old"));
}

TEST_F(JwksEndpointTest, AFailureIsToldToAllWhoWaitAndForAMoment) {
  Waiter a(told_);
  Waiter b(told_);
  static_cast<void>(Await(first_, a));
  static_cast<void>(Await(second_, b));
  Answer(std::unexpected(outbound::Failure::kTimeout));
  Turn();
  EXPECT_EQ(told_.size(), 2U);
  EXPECT_EQ(endpoint_->Refusal(first_), ErrorCode::kJwksTimeout);
  EXPECT_EQ(Await(second_, b), JwksEndpoint::Wait::kRefused);
  Advance(JwksEndpoint::kRetryInterval);
  EXPECT_EQ(endpoint_->Refusal(first_), std::nullopt);
  EXPECT_EQ(Await(second_, b), JwksEndpoint::Wait::kBegun);
  EXPECT_EQ(asked_.front().worker, 1U);
  Answer(Keys("k"));
  Turn();
  EXPECT_TRUE(Knows(first_, "k"));
}

TEST_F(JwksEndpointTest, AFailureWhileAnUnknownKeyIsSoughtLeavesTheOldOnes) {
  Fetch("old");
  Waiter a(told_);
  static_cast<void>(Await(first_, a));
  Answer(std::unexpected(outbound::Failure::kConnect));
  Turn();
  EXPECT_TRUE(Knows(first_, "old"));
  EXPECT_EQ(endpoint_->NoteUnknownKey(), ErrorCode::kJwksUnreachable) << "the key may be there";
  EXPECT_EQ(endpoint_->Refusal(first_), ErrorCode::kJwksUnreachable);
  Advance(JwksEndpoint::kRetryInterval);
  EXPECT_EQ(endpoint_->Refusal(first_), std::nullopt);
}

TEST_F(JwksEndpointTest, EachFailureHasItsCode) {
  const std::string many = R"({"keys":[{},{},{},{},{},{},{},{},{},{},{}]})";
  const std::vector<std::pair<outbound::Answer, ErrorCode>> rows = {
      {std::unexpected(outbound::Failure::kTimeout), ErrorCode::kJwksTimeout},
      {std::unexpected(outbound::Failure::kTooLarge), ErrorCode::kJwksTooLarge},
      {std::unexpected(outbound::Failure::kResolve), ErrorCode::kJwksUnreachable},
      {std::unexpected(outbound::Failure::kConnect), ErrorCode::kJwksUnreachable},
      {std::unexpected(outbound::Failure::kTls), ErrorCode::kJwksUnreachable},
      {std::unexpected(outbound::Failure::kMalformed), ErrorCode::kJwksInvalid},
      {outbound::Response{.status = 404, .fields = {}, .content = R"({"keys":[]})"}, ErrorCode::kJwksInvalid},
      {outbound::Response{.status = 302, .fields = {}, .content = {}}, ErrorCode::kJwksInvalid},
      {outbound::Response{.status = 200, .fields = {}, .content = "<html>"}, ErrorCode::kJwksInvalid},
      {outbound::Response{.status = 200, .fields = {}, .content = many}, ErrorCode::kJwksTooLarge}};
  for (const auto& [answer, code] : rows) {
    MakeEndpoint();
    Waiter a(told_);
    ASSERT_EQ(Await(first_, a), JwksEndpoint::Wait::kBegun);
    Answer(answer);
    Turn();
    EXPECT_EQ(endpoint_->Refusal(first_), code);
  }
}

TEST_F(JwksEndpointTest, WhoDoesNotWaitAnyMoreIsNotTold) {
  Waiter a(told_, 1);
  Waiter b(told_, 2);
  Waiter c(told_, 3);
  static_cast<void>(Await(first_, a));
  static_cast<void>(Await(first_, b));
  static_cast<void>(Await(second_, c));
  endpoint_->Forget(first_, a);
  endpoint_->Forget(first_, a);
  endpoint_->Forget(second_, c);
  Answer(Keys("k"));
  endpoint_->Forget(second_, c);
  Turn();
  EXPECT_EQ(told_, std::vector<int>({2}));
}

TEST_F(JwksEndpointTest, WhoGivesUpBetweenTheAnswerAndItsTurnIsNotTold) {
  Waiter a(told_, 1);
  Waiter b(told_, 2);
  static_cast<void>(Await(first_, a));
  static_cast<void>(Await(first_, b));
  Answer(Keys("k"));
  endpoint_->Forget(first_, b);
  Turn();
  EXPECT_EQ(told_, std::vector<int>({1}));
}

TEST_F(JwksEndpointTest, ThoseWhoWaitedAreWokenInPortions) {
  std::vector<std::unique_ptr<Waiter>> waiters;
  for (int i = 0; i < 1000; ++i) {
    waiters.push_back(std::make_unique<Waiter>(told_, i));
    static_cast<void>(Await(first_, *waiters.back()));
  }
  EXPECT_EQ(asked_.size(), 1U);
  Answer(Keys("k"));
  Turn();
  EXPECT_LT(told_.size(), 100U);
  endpoint_->Forget(first_, *waiters[500]);
  for (int i = 0; i < 100; ++i) Turn();
  EXPECT_EQ(told_.size(), 999U);
}

TEST_F(JwksEndpointTest, AWorkerThatStopsWhileItFetchesLetsOthersDoIt) {
  Waiter b(told_, 2);
  Waiter a(told_, 1);
  static_cast<void>(Await(first_, a));
  static_cast<void>(Await(second_, b));
  endpoint_->Forget(first_, a);
  asked_.clear();  // as its client does
  Turn();
  EXPECT_EQ(told_, std::vector<int>({2}));
  EXPECT_EQ(Await(second_, b), JwksEndpoint::Wait::kBegun);
  Answer(Keys("k"));
  Turn();
  EXPECT_TRUE(Knows(second_, "k"));
}

TEST_F(JwksEndpointTest, AnEndpointThatNobodyNamesAnyMoreLivesUntilItsFetchIsOver) {
  Waiter a(told_);
  static_cast<void>(Await(first_, a));
  endpoint_->Forget(first_, a);
  const std::weak_ptr<JwksEndpoint> weak = endpoint_;
  endpoint_.reset();
  EXPECT_FALSE(weak.expired());
  Answer(Keys("k"));
  EXPECT_TRUE(weak.expired());
}

}  // namespace
}  // namespace weir::proxy
