#include "proxy/upstream/function_upstream.h"

#include "functions/function_target.h"
#include "proxy/routing/routing_table.h"
#include "proxy/upstream/upstream_pool.h"
#include "proxy/worker_state.h"
#include "tests/support/manual_clock.h"

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace weir::proxy {
namespace {

using functions::InvokeError;
using functions::InvokeFailure;
using functions::InvokeResult;

// Keeps what it is invoked with; a test answers.
class FakeInvoker final : public functions::FunctionInvoker {
 public:
  class Call final : public functions::Invocation {
   public:
    explicit Call(FakeInvoker& owner) : owner_(owner) { ++owner_.alive; }
    ~Call() override { --owner_.alive; }

   private:
    FakeInvoker& owner_;
  };
  std::unique_ptr<functions::Invocation> Invoke(net::EventLoop& /*loop*/, std::string event, OnResult done) override {
    events.push_back(std::move(event));
    answer = std::move(done);
    return std::make_unique<Call>(*this);
  }
  std::vector<std::string> events;
  OnResult answer;
  int alive = 0;
};

class SeenEvents final : public UpstreamEvents {
 public:
  void OnUpstreamConnected() override { ADD_FAILURE() << "it is connected from the start"; }
  void OnResponse(const http::ResponseHead& head, const Content& piece) override {
    status = head.status;
    reason = head.reason;
    for (const http::Field& field : head.fields)
      fields += std::string(field.name) + ": " + std::string(field.value) + "\n";
    content = piece.bytes;
    is_last = piece.is_last();
    stream->Release(UpstreamStream::Reusable::kWhenComplete);
  }
  void OnResponseContent(const Content& /*piece*/) override { ADD_FAILURE() << "a response comes in one piece"; }
  [[nodiscard]] bool TakesResponsePipe() const override { return false; }
  void OnUpstreamDrained() override {}
  void OnUpstreamFailed(ErrorCode code, bool /*response_began*/) override {
    failure = code;
    stream->Release(UpstreamStream::Reusable::kNever);
  }
  [[nodiscard]] bool wants_server_field() const override { return server_field; }
  void NoteInvocation(std::string_view name, std::string_view text) override {
    version = name;
    error = text;
  }

  UpstreamStream* stream = nullptr;
  bool server_field = true;
  std::uint16_t status = 0;
  std::string reason;
  std::string fields;
  std::string content;
  bool is_last = false;
  std::optional<ErrorCode> failure;
  std::string version;
  std::string error;
};

class FunctionUpstreamTest : public ::testing::Test {
 protected:
  // Begins a request to a function of these versions.
  void Begin(std::vector<std::pair<std::string, double>> versions = {{"$LATEST", 1}}) {
    std::vector<functions::VersionTarget> targets;
    for (auto& [name, weight] : versions) targets.push_back({.name = name, .weight = weight, .invoker = invoker_});
    auto route = std::make_shared<FunctionRoute>();
    route->target = std::make_shared<const functions::FunctionTarget>("arn", functions::Values::kLast, "live", targets);
    route->counters = counters_;
    int error = 0;
    UpstreamKey key;
    key.protocol = UpstreamProtocol::kInvocation;
    key.function = route;
    seen_.stream =
        pool_.Acquire(pool_.EndpointFor(key), UpstreamSource::Mode::kReuse, std::chrono::seconds(60), seen_, error);
    ASSERT_NE(seen_.stream, nullptr);
    ASSERT_TRUE(seen_.stream->connected());
  }
  void Ask(std::string_view content = {}, ContentEnd end = ContentEnd::kLast) {
    EXPECT_TRUE(seen_.stream->SendRequest(message_, Piece(content, end)));
  }
  static Content Piece(std::string_view bytes, ContentEnd end) {
    Content content;
    content.bytes = bytes;
    content.end = end;
    return content;
  }
  void Turn() { loop_.RunOnce(std::chrono::milliseconds(0)); }
  void Answer(std::string json) {
    invoker_->answer(functions::Invoked{std::move(json)});
    Turn();
  }
  void Fail(InvokeFailure failure, std::string detail = {}) {
    invoker_->answer(std::unexpected(InvokeError{failure, std::move(detail)}));
    Turn();
  }
  [[nodiscard]] const GroupCounters& counted() const { return (*counters_)[0]; }

  testing::ManualClock clock_;
  net::EventLoop loop_{clock_};
  WorkerState worker_{loop_, 0};
  UpstreamPool pool_{worker_};
  std::shared_ptr<GroupCountersTable> counters_ = std::make_shared<GroupCountersTable>(1);
  std::shared_ptr<FakeInvoker> invoker_ = std::make_shared<FakeInvoker>();
  RequestMessage message_{.method = "POST",
                          .target = "/a?b=c",
                          .host_lines = "Host: shop.test\r\n",
                          .fields = "Content-Type: text/plain\r\n",
                          .framing = {http::FramingKind::kChunked, 0}};
  SeenEvents seen_;
};

constexpr const char* kOk = R"({"statusCode":201,"isBase64Encoded":false,"headers":{"X-A":"b"},"body":"made"})";

TEST_F(FunctionUpstreamTest, TheContentIsGatheredAndTheResponseIsWhole) {
  Begin();
  Ask("ab", ContentEnd::kMore);
  EXPECT_TRUE(invoker_->events.empty());
  seen_.stream->SendContent(Piece("cd", ContentEnd::kLast));
  ASSERT_EQ(invoker_->events.size(), 1U);
  EXPECT_EQ(invoker_->events[0],
            R"({"requestContext":{"elb":{"targetGroupArn":"arn"}},"httpMethod":"POST","path":"/a",)"
            R"("queryStringParameters":{"b":"c"},"headers":{"content-type":"text/plain","host":"shop.test"},)"
            R"("body":"abcd","isBase64Encoded":false})");
  Answer(kOk);
  EXPECT_EQ(seen_.status, 201);
  EXPECT_EQ(seen_.reason, "Created");
  EXPECT_EQ(seen_.content, "made");
  EXPECT_TRUE(seen_.is_last);
  EXPECT_TRUE(seen_.fields.ends_with("Server: awselb/2.0\nX-A: b\nContent-Length: 4\n")) << seen_.fields;
  EXPECT_EQ(seen_.version, "$LATEST");
  EXPECT_EQ(invoker_->alive, 0) << "the invocation is let go";
  EXPECT_EQ(counted().lambda_bytes.value(), invoker_->events[0].size() + std::string_view(kOk).size());
}

TEST_F(FunctionUpstreamTest, OnlyTheListenerDecidesAboutTheServerField) {
  Begin();
  seen_.server_field = false;
  Ask();
  Answer(kOk);
  EXPECT_EQ(seen_.fields.find("Server"), std::string::npos);
}

TEST_F(FunctionUpstreamTest, AVersionIsNamedInTheResponse) {
  Begin({{"1", 0}, {"2", 1}});
  Ask();
  Answer(kOk);
  EXPECT_NE(seen_.fields.find("X-Amz-Executed-Version: 2\n"), std::string::npos) << seen_.fields;
  EXPECT_EQ(seen_.version, "2");
}

TEST_F(FunctionUpstreamTest, AResponseToHeadHasNoContent) {
  Begin();
  message_.method = "HEAD";
  Ask();
  Answer(kOk);
  EXPECT_EQ(seen_.content, "");
  EXPECT_NE(seen_.fields.find("Content-Length: 4\n"), std::string::npos);
}

TEST_F(FunctionUpstreamTest, TooMuchContentIsNotInvokedAndToldOfLater) {
  Begin();
  const std::string most(functions::kContentBytesMax, 'x');
  Ask(most, ContentEnd::kMore);
  seen_.stream->SendContent(Piece("y", ContentEnd::kMore));
  EXPECT_FALSE(seen_.failure) << "not inside of the call";
  seen_.stream->SendContent(Piece("z", ContentEnd::kLast));
  Turn();
  EXPECT_EQ(seen_.failure, ErrorCode::kLambdaRequestTooLarge);
  EXPECT_TRUE(invoker_->events.empty());
}

TEST_F(FunctionUpstreamTest, TooMuchThatIsAnnouncedIsNotWaitedFor) {
  Begin();
  message_.framing = {http::FramingKind::kContentLength, functions::kContentBytesMax + 1};
  Ask({}, ContentEnd::kMore);
  Turn();
  EXPECT_EQ(seen_.failure, ErrorCode::kLambdaRequestTooLarge);
}

TEST_F(FunctionUpstreamTest, AWebSocketIsRefused) {
  Begin();
  message_.asks_for_websocket = true;
  Ask();
  Turn();
  EXPECT_EQ(seen_.failure, ErrorCode::kLambdaWebsocketNotSupported);
  EXPECT_TRUE(invoker_->events.empty());
}

TEST_F(FunctionUpstreamTest, EachFailureHasItsCode) {
  const std::pair<InvokeFailure, ErrorCode> kRows[] = {
      {InvokeFailure::kFunctionError, ErrorCode::kLambdaUnhandled},
      {InvokeFailure::kTimeout, ErrorCode::kLambdaUnhandled},
      {InvokeFailure::kThrottled, ErrorCode::kLambdaThrottling},
      {InvokeFailure::kTooLarge, ErrorCode::kLambdaResponseTooLarge},
      {InvokeFailure::kUnreachable, ErrorCode::kLambdaConnectionError},
      {InvokeFailure::kNoAnswer, ErrorCode::kLambdaConnectionTimeout},
      {InvokeFailure::kServiceError, ErrorCode::kLambdaServiceException},
      {InvokeFailure::kAccessDenied, ErrorCode::kLambdaAccessDenied},
      {InvokeFailure::kNotFound, ErrorCode::kLambdaResourceNotFound},
      {InvokeFailure::kBadRequest, ErrorCode::kLambdaBadRequest},
  };
  for (const auto& [failure, code] : kRows) {
    seen_ = SeenEvents();
    Begin();
    Ask();
    Fail(failure, "why");
    EXPECT_EQ(seen_.failure, code);
    EXPECT_EQ(seen_.error, "why");
    EXPECT_NE(TraitsOf(code).lambda_fault, LambdaFault::kNone);
  }
}

TEST_F(FunctionUpstreamTest, WhatIsNoResponseIsInvalid) {
  for (const char* json : {"", "{}", R"({"statusCode":200,"isBase64Encoded":false,"headers":{"a b":"c"}})"}) {
    seen_ = SeenEvents();
    Begin();
    Ask();
    Answer(json);
    EXPECT_EQ(seen_.failure, ErrorCode::kLambdaInvalidResponse) << json;
  }
  seen_ = SeenEvents();
  Begin();
  Ask();
  Answer(std::string(functions::kContentBytesMax + 1, ' '));
  EXPECT_EQ(seen_.failure, ErrorCode::kLambdaResponseTooLarge);
}

TEST_F(FunctionUpstreamTest, AnInvocationThatNobodyWaitsForIsForgotten) {
  Begin();
  Ask();
  EXPECT_EQ(invoker_->alive, 1);
  seen_.stream->Release(UpstreamStream::Reusable::kNever);
  Turn();
  EXPECT_EQ(invoker_->alive, 0);
  EXPECT_EQ(seen_.status, 0);
}

// It was on its way when the exchange let go: in the same turn, which the invocation outlives.
TEST_F(FunctionUpstreamTest, AnAnswerInTheTurnOfTheReleaseIsForgotten) {
  for (const bool good : {true, false}) {
    Begin();
    Ask();
    seen_.stream->Release(UpstreamStream::Reusable::kNever);
    if (good) {
      invoker_->answer(functions::Invoked{.response = kOk});
    } else {
      invoker_->answer(std::unexpected(functions::InvokeError{functions::InvokeFailure::kTimeout, "late"}));
    }
    EXPECT_EQ(invoker_->alive, 0);
    Turn();
    EXPECT_EQ(seen_.status, 0);
  }
}

}  // namespace
}  // namespace weir::proxy
