#pragma once

#include "base/clock.h"
#include "health/check_state.h"
#include "health/probe_plan.h"
#include "http/http2_session.h"

#include <string>
#include <string_view>
#include <vector>

namespace weir::health {

// One probe's request over HTTP/2, and what is to be known of its answer: the status, of gRPC the code that it ends
// with. Without I/O: what the target sends goes in, what it is sent comes out. Thread: the engine's.
class Http2Question final : private http::Http2Events {
 public:
  // `authority` is the Host field's value. `plan` outlives this object.
  Http2Question(const ProbePlan& plan, std::string_view authority, SteadyTime now);
  Http2Question(const Http2Question&) = delete;
  Http2Question& operator=(const Http2Question&) = delete;
  ~Http2Question();

  // Takes bytes of the target.
  void Receive(std::string_view bytes, SteadyTime now);
  // Appends what is to be sent.
  void Output(std::string& out);

  enum class State : std::uint8_t {
    kAsked,
    kAnswered,  // code(): the status, of gRPC its code where the status was 200
    kFailed,    // why()
  };
  [[nodiscard]] State state() const { return state_; }
  [[nodiscard]] std::uint16_t code() const { return code_; }
  // The code is gRPC's.
  [[nodiscard]] bool is_grpc_code() const { return is_grpc_code_; }
  // A static text.
  [[nodiscard]] std::string_view why() const { return why_; }

 private:
  struct Stream final : http::Http2Stream {};

  void OnRequest(std::int32_t /*id*/, const http::Http2FieldSection& /*head*/, bool /*ends*/) override {}
  void OnMalformedRequest() override {}
  void OnResponse(http::Http2Stream& stream, const http::Http2FieldSection& head, bool ends) override;
  void OnContent(http::Http2Stream& stream, std::string_view bytes, bool last) override;
  void OnTrailers(http::Http2Stream& stream, const http::Http2FieldSection& trailers) override;
  void OnDrained(http::Http2Stream& /*stream*/) override {}
  void OnStreamClosed(http::Http2Stream& stream, http::Http2Error code, bool by_peer) override;

  void Answer(std::uint16_t code);
  void Fail(std::string_view why);
  // Of the fields that end a call of gRPC.
  void TakeGrpcStatus(const http::Http2FieldSection& fields);

  const ProbePlan& plan_;
  Stream stream_;  // outlives the session
  http::Http2Session session_;
  http::ResponseHead head_;
  std::string text_;
  std::string out_;  // made, not taken yet
  State state_ = State::kAsked;
  std::uint16_t code_ = 0;
  bool is_grpc_code_ = false;
  std::string_view why_;
};

}  // namespace weir::health
