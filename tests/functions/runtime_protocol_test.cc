#include "functions/runtime_protocol.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace weir::functions {
namespace {

using Event = RuntimeProtocol::Event;

constexpr RuntimeRequest kNext{.call = RuntimeCall::kNext, .id = {}};
constexpr RuntimeRequest kInitError{.call = RuntimeCall::kInitError, .id = {}};
RuntimeRequest Response(std::string_view id) { return {.call = RuntimeCall::kResponse, .id = id}; }
RuntimeRequest ErrorOf(std::string_view id) { return {.call = RuntimeCall::kError, .id = id}; }

TEST(RuntimeRequestTest, PathsAndMethods) {
  struct Row {
    std::string_view method;
    std::string_view path;
    int status;  // 0: it is a request
    RuntimeRequest request;
  };
  const Row rows[] = {
      {"GET", "/2018-06-01/runtime/invocation/next", 0, kNext},
      {"POST", "/2018-06-01/runtime/invocation/8476a536-e9f4/response", 0, Response("8476a536-e9f4")},
      {"POST", "/2018-06-01/runtime/invocation/8476a536-e9f4/error", 0, ErrorOf("8476a536-e9f4")},
      {"POST", "/2018-06-01/runtime/init/error", 0, kInitError},
      {"POST", "/2018-06-01/runtime/invocation/next", 405, {}},
      {"GET", "/2018-06-01/runtime/invocation/1/response", 405, {}},
      {"DELETE", "/2018-06-01/runtime/init/error", 405, {}},
      {"GET", "/2015-03-31/runtime/invocation/next", 404, {}},
      {"GET", "/2018-06-01/runtime/invocation/next/", 404, {}},
      {"POST", "/2018-06-01/runtime/invocation//response", 404, {}},
      {"POST", "/2018-06-01/runtime/invocation/1/2/response", 404, {}},
      {"POST", "/2018-06-01/runtime/invocation/1/responses", 404, {}},
      {"GET", "/", 404, {}},
      {"GET", "*", 404, {}},
  };
  for (const Row& row : rows) {
    const auto request = ReadRuntimeRequest(row.method, row.path);
    if (row.status == 0) {
      ASSERT_TRUE(request) << row.path;
      EXPECT_EQ(*request, row.request) << row.path;
    } else {
      ASSERT_FALSE(request) << row.path;
      EXPECT_EQ(request.error().status, row.status) << row.path;
    }
  }
}

class RuntimeProtocolTest : public ::testing::Test {
 protected:
  int StatusOf(const RuntimeRequest& request, bool too_large = false) {
    const auto step = protocol.Take(request, too_large);
    last = step.event;
    return step.answer ? step.answer->status : 0;
  }
  void Give(std::string id) {
    EXPECT_EQ(StatusOf(kNext), 0);
    EXPECT_TRUE(protocol.waiting());
    static_cast<void>(protocol.Give({.id = std::move(id)}));
  }

  RuntimeProtocol protocol;
  Event last = Event::kNone;
};

TEST_F(RuntimeProtocolTest, AnInvocationHasItsFields) {
  EXPECT_EQ(StatusOf(kNext), 0);
  EXPECT_EQ(last, Event::kReady);
  const auto answer = protocol.Give({.id = "id-1",
                                     .event = "{}",
                                     .deadline_ms = 1'542'409'706'888,
                                     .function_arn = "arn:aws:lambda:eu-west-1:000000000000:function:f",
                                     .trace_id = "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Sampled=0"});
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.content, "{}");
  const std::vector<std::pair<std::string, std::string>> fields = {
      {"Lambda-Runtime-Aws-Request-Id", "id-1"},
      {"Lambda-Runtime-Deadline-Ms", "1542409706888"},
      {"Lambda-Runtime-Invoked-Function-Arn", "arn:aws:lambda:eu-west-1:000000000000:function:f"},
      {"Lambda-Runtime-Trace-Id", "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Sampled=0"}};
  EXPECT_EQ(answer.fields, fields);
}

TEST_F(RuntimeProtocolTest, OneInvocationAfterTheOther) {
  for (const char* id : {"a", "b"}) {
    Give(id);
    EXPECT_EQ(StatusOf(Response(id)), 202);
    EXPECT_EQ(last, Event::kResponse);
  }
  Give("c");
  EXPECT_EQ(StatusOf(ErrorOf("c")), 202);
  EXPECT_EQ(last, Event::kError);
}

TEST_F(RuntimeProtocolTest, OnlyTheInvocationUnderWayIsAnswered) {
  EXPECT_EQ(StatusOf(Response("a")), 400);
  Give("a");
  EXPECT_EQ(StatusOf(Response("b")), 400);
  EXPECT_EQ(last, Event::kNone);
  EXPECT_EQ(StatusOf(Response("")), 400);
  EXPECT_EQ(StatusOf(Response("a")), 202);
  EXPECT_EQ(StatusOf(Response("a")), 400);
  EXPECT_EQ(StatusOf(ErrorOf("a")), 400);
}

TEST_F(RuntimeProtocolTest, TheNextOneIsGivenWhenTheOneBeforeIsAnswered) {
  Give("a");
  EXPECT_EQ(StatusOf(kNext), 403);
  EXPECT_EQ(last, Event::kNone);
  EXPECT_EQ(StatusOf(Response("a")), 202);
  EXPECT_EQ(StatusOf(kNext), 0);
}

TEST_F(RuntimeProtocolTest, AResponseThatIsTooLargeEndsTheInvocation) {
  Give("a");
  EXPECT_EQ(StatusOf(Response("b"), true), 400);
  EXPECT_EQ(StatusOf(Response("a"), true), 413);
  EXPECT_EQ(last, Event::kTooLarge);
  EXPECT_EQ(StatusOf(Response("a")), 400);
}

TEST_F(RuntimeProtocolTest, AnErrorThatIsTooLargeIsOneAllTheSame) {
  Give("a");
  EXPECT_EQ(StatusOf(ErrorOf("a"), true), 202);
  EXPECT_EQ(last, Event::kError);
}

TEST_F(RuntimeProtocolTest, AStartFailsBeforeTheFirstInvocationOnly) {
  EXPECT_EQ(StatusOf(kInitError), 202);
  EXPECT_EQ(last, Event::kInitError);
  EXPECT_EQ(StatusOf(kInitError), 403);
  EXPECT_EQ(StatusOf(kNext), 403);
  RuntimeProtocol other;
  static_cast<void>(other.Take(kNext, false));
  EXPECT_EQ(other.Take(kInitError, false).answer->status, 403);
}

TEST_F(RuntimeProtocolTest, WhoAskedMayBeLostAndAskAgain) {
  EXPECT_EQ(StatusOf(kNext), 0);
  protocol.LoseNext();
  EXPECT_FALSE(protocol.waiting());
  Give("a");
  protocol.LoseNext();
  EXPECT_EQ(StatusOf(Response("a")), 202);
}

TEST_F(RuntimeProtocolTest, ErrorsAreWordedAsLambdas) {
  EXPECT_EQ(protocol.Take(Response("x"), false).answer->content,
            R"({"errorMessage":"Invalid request ID","errorType":"InvalidRequestID"})");
  EXPECT_EQ(
      TooLargeFault().content,
      R"({"errorMessage":"Exceeded maximum allowed payload size (1048576 bytes).","errorType":"RequestEntityTooLarge"})");
}

}  // namespace
}  // namespace weir::functions
