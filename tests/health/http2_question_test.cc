// A probe over HTTP/2, without a network; spec: alb.md 11.

#include "health/http2_question.h"

#include "tests/support/http2_frames.h"

#include <gtest/gtest.h>

#include <chrono>
#include <string>

namespace weir::health {
namespace {

using State = Http2Question::State;
using config::TargetProtocolVersion;
using http2_frames::Fields;

constexpr SteadyTime kNow{std::chrono::hours(1)};
constexpr std::uint8_t kOpen = 0;

struct Asked {
  explicit Asked(TargetProtocolVersion version) {
    config::TargetHealthCheck check;
    check.version = version;
    check.path = "/a.B/C";
    plan = BuildTargetPlan(check);
    question.emplace(plan, "192.0.2.1:9001", kNow);
    Frames();
    Get(http2_frames::Settings());
  }
  std::vector<http2_frames::Seen> Frames() {
    std::string out;
    question->Output(out);
    if (out.starts_with(http2_frames::kPreface)) out.erase(0, http2_frames::kPreface.size());
    all = http2_frames::Split(out);
    return all;
  }
  Asked& Get(std::string_view bytes) {
    question->Receive(bytes, kNow);
    return *this;
  }
  Asked& Head(const Fields& fields, std::uint8_t flags) { return Get(http2_frames::Headers(1, fields, flags)); }

  ProbePlan plan;
  std::optional<Http2Question> question;
  std::vector<http2_frames::Seen> all;
};

TEST(Http2QuestionTest, AGetAnswersWithItsStatus) {
  Asked asked(TargetProtocolVersion::kHttp2);
  EXPECT_EQ(asked.question->state(), State::kAsked);
  asked.Head({{":status", "103"}}, kOpen);
  EXPECT_EQ(asked.question->state(), State::kAsked);
  asked.Head({{":status", "503"}}, kOpen);
  EXPECT_EQ(asked.question->state(), State::kAnswered);
  EXPECT_EQ(asked.question->code(), 503);
  EXPECT_FALSE(asked.question->is_grpc_code());
}

TEST(Http2QuestionTest, ACallOfGrpcHasAnEmptyMessage) {
  config::TargetHealthCheck check;
  check.version = TargetProtocolVersion::kGrpc;
  check.path = "/AWS.ALB/healthcheck";
  const ProbePlan plan = BuildTargetPlan(check);
  Http2Question question(plan, "192.0.2.1:9001", kNow);
  std::string out;
  question.Output(out);
  const auto frames = http2_frames::Split(std::string_view(out).substr(http2_frames::kPreface.size()));
  std::string message;
  for (const auto& frame : frames) {
    if (frame.type == http2_frames::kData) message += frame.payload;
  }
  EXPECT_EQ(message, std::string(5, '\0'));
}

TEST(Http2QuestionTest, ACallOfGrpcAnswersWithItsCode) {
  Asked alone(TargetProtocolVersion::kGrpc);
  alone.Head({{":status", "200"}, {"content-type", "application/grpc"}, {"grpc-status", "12"}},
             http2_frames::kEndStream);
  EXPECT_EQ(alone.question->state(), State::kAnswered);
  EXPECT_EQ(alone.question->code(), 12);
  EXPECT_TRUE(alone.question->is_grpc_code());

  Asked behind(TargetProtocolVersion::kGrpc);
  behind.Head({{":status", "200"}, {"content-type", "application/grpc"}}, kOpen)
      .Get(http2_frames::Frame(http2_frames::kData, 0, 1, std::string(5, '\0')));
  EXPECT_EQ(behind.question->state(), State::kAsked);
  behind.Head({{"grpc-status", "0"}}, http2_frames::kEndStream);
  EXPECT_EQ(behind.question->state(), State::kAnswered);
  EXPECT_EQ(behind.question->code(), 0);
}

TEST(Http2QuestionTest, ACallOfGrpcThatIsNoneAnswersWithItsStatus) {
  Asked asked(TargetProtocolVersion::kGrpc);
  asked.Head({{":status", "404"}}, http2_frames::kEndStream);
  EXPECT_EQ(asked.question->state(), State::kAnswered);
  EXPECT_EQ(asked.question->code(), 404);
  EXPECT_FALSE(asked.question->is_grpc_code());
}

struct Broken {
  const char* name;
  std::string frames;
  const char* why;
};
void PrintTo(const Broken& row, std::ostream* out) { *out << row.name; }
class BrokenAnswerTest : public ::testing::TestWithParam<Broken> {};

TEST_P(BrokenAnswerTest, Fails) {
  Asked asked(TargetProtocolVersion::kGrpc);
  asked.Get(GetParam().frames);
  asked.Frames();
  EXPECT_EQ(asked.question->state(), State::kFailed);
  EXPECT_EQ(asked.question->why(), GetParam().why);
}

std::string Head(const Fields& fields, std::uint8_t flags) { return http2_frames::Headers(1, fields, flags); }
INSTANTIATE_TEST_SUITE_P(
    All, BrokenAnswerTest,
    ::testing::Values(Broken{"NoCode", Head({{":status", "200"}}, http2_frames::kEndStream), "no grpc-status"},
                      Broken{"CodeOfLetters",
                             Head({{":status", "200"}, {"grpc-status", "OK"}}, http2_frames::kEndStream),
                             "malformed grpc-status"},
                      Broken{"CodeTooLarge",
                             Head({{":status", "200"}, {"grpc-status", "100"}}, http2_frames::kEndStream),
                             "malformed grpc-status"},
                      Broken{"EndsWithContent",
                             Head({{":status", "200"}}, kOpen) +
                                 http2_frames::Frame(http2_frames::kData, http2_frames::kEndStream, 1),
                             "no grpc-status"},
                      Broken{"Reset", http2_frames::Frame(http2_frames::kRstStream, 0, 1, http2_frames::Number(2, 4)),
                             "reset the stream"},
                      Broken{"Refused", http2_frames::Frame(http2_frames::kRstStream, 0, 1, http2_frames::Number(7, 4)),
                             "refused the stream"},
                      Broken{"NoStatus", Head({{"x", "y"}}, http2_frames::kEndStream), "malformed response"},
                      Broken{"NoFrames", std::string(64, '\xff'), "broke the rules of HTTP/2"}),
    [](const auto& row) { return std::string(row.param.name); });

}  // namespace
}  // namespace weir::health
