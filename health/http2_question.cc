#include "health/http2_question.h"

#include "base/text.h"
#include "health/check_state.h"
#include "http/head_parser.h"

namespace weir::health {
namespace {

// One message without content: not compressed, of length 0 (gRPC over HTTP/2, "Requests").
constexpr std::string_view kEmptyMessage("\0\0\0\0\0", 5);
constexpr std::uint16_t kGrpcCodeMax = 99;
constexpr std::size_t kOutputBytesMax = 64 * 1024;

}  // namespace

Http2Question::Http2Question(const ProbePlan& plan, std::string_view authority, SteadyTime now)
    : plan_(plan), session_(http::Http2Session::Role::kClient, *this, now) {
  const bool is_grpc = plan.version == config::TargetProtocolVersion::kGrpc;
  std::vector<http::Field> fields{{.name = ":method", .value = is_grpc ? "POST" : "GET"},
                                  {.name = ":scheme", .value = plan.speaks_tls ? "https" : "http"},
                                  {.name = ":authority", .value = authority},
                                  {.name = ":path", .value = plan.path},
                                  {.name = "user-agent", .value = "ELB-HealthChecker/2.0"}};
  if (is_grpc) {
    fields.push_back({.name = "content-type", .value = "application/grpc"});
    fields.push_back({.name = "te", .value = "trailers"});
  } else {
    fields.push_back({.name = "accept-encoding", .value = "gzip, compressed"});
  }
  if (!session_.Request(stream_, fields, !is_grpc)) {
    Fail("no stream for the request");
  } else if (is_grpc) {
    session_.Send(stream_, kEmptyMessage, true, {});
  }
}

Http2Question::~Http2Question() = default;

void Http2Question::Receive(std::string_view bytes, SteadyTime now) {
  // Of some violations the session tells when it has made what it says of them, of others when it looks again then.
  const bool is_sound = session_.Receive(bytes, now) && session_.Output(out_, kOutputBytesMax) &&
                        session_.Receive({}, now) && session_.fault() == http::Http2Error::kNoError;
  if (!is_sound) Fail("broke the rules of HTTP/2");
}

void Http2Question::Output(std::string& out) {
  static_cast<void>(session_.Output(out_, kOutputBytesMax));
  out += out_;
  out_.clear();
}

void Http2Question::Answer(std::uint16_t code) {
  if (state_ != State::kAsked) return;
  code_ = code;
  state_ = State::kAnswered;
}

void Http2Question::Fail(std::string_view why) {
  if (state_ != State::kAsked) return;
  why_ = why;
  state_ = State::kFailed;
}

void Http2Question::OnResponse(http::Http2Stream& /*stream*/, const http::Http2FieldSection& section, bool ends) {
  const bool is_grpc = plan_.version == config::TargetProtocolVersion::kGrpc;
  const auto outcome = http::ParseHttp2Response(section, ends, is_grpc ? "POST" : "GET", text_, head_);
  if (outcome.status != http::ParseStatus::kDone) return Fail("malformed response head");
  if (head_.status < 200) return;  // announces the one that counts (RFC 9110 section 15.2)
  if (!is_grpc || head_.status != 200) return Answer(head_.status);
  if (ends) TakeGrpcStatus(section);  // trailers alone
}

void Http2Question::OnTrailers(http::Http2Stream& /*stream*/, const http::Http2FieldSection& trailers) {
  TakeGrpcStatus(trailers);
}

void Http2Question::OnContent(http::Http2Stream& stream, std::string_view bytes, bool last) {
  if (last) return Fail(kNoGrpcStatus);
  session_.Consume(stream, bytes.size());
}

void Http2Question::OnStreamClosed(http::Http2Stream& /*stream*/, http::Http2Error code, bool by_peer) {
  if (code == http::Http2Error::kRefusedStream) return Fail("refused the stream");
  Fail(by_peer ? "reset the stream" : "malformed response");
}

void Http2Question::TakeGrpcStatus(const http::Http2FieldSection& fields) {
  for (std::size_t i = 0; i < fields.size(); ++i) {
    if (fields.at(i).name != "grpc-status") continue;
    const auto code = ParseDecimal(fields.at(i).value);
    if (!code || *code > kGrpcCodeMax) return Fail("malformed grpc-status");
    is_grpc_code_ = true;
    return Answer(static_cast<std::uint16_t>(*code));
  }
  Fail(kNoGrpcStatus);
}

}  // namespace weir::health
