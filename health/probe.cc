#include "health/probe.h"

#include "base/check.h"
#include "functions/event.h"
#include "functions/function_target.h"

#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

namespace weir::health {
namespace {

// How long, and for how many bytes, a probe with its result waits for the target to end its answer: our choice, enough
// for every page that is meant as a health check.
constexpr std::chrono::seconds kLingerTime{1};
constexpr std::size_t kLingerBytesMax = 256 * 1024;

bool IsOurOwnTrouble(int error) { return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM; }

ProbeResult Failed(int error, std::string_view detail = {}) {
  return {.outcome = IsOurOwnTrouble(error) ? ProbeOutcome::kInternalError : ProbeOutcome::kFailed,
          .error = error,
          .detail = detail};
}

// The content that came with the head is all there is: closing now interrupts nothing.
bool ContentComplete(const http::Framing& framing, std::string_view rest) {
  switch (framing.kind) {
    case http::FramingKind::kNone:
      return true;
    case http::FramingKind::kContentLength:
      return rest.size() >= framing.content_length;
    case http::FramingKind::kChunked:
      return rest.ends_with("0\r\n\r\n");
    default:
      return false;
  }
}

}  // namespace

void Probe::Start(Question question) {
  WEIR_DCHECK(phase_ == Phase::kIdle);
  plan_ = std::move(question.plan);
  endpoint_ = question.endpoint;
  host_field_ = question.host_field;
  phase_ = Phase::kConnecting;
  retried_ = false;
  unsent_.clear();
  received_.clear();
  scanned_ = 0;
  code_ = 0;
  lingered_bytes_ = 0;
  Limit(plan_->connect_timeout);
  if (plan_->function != nullptr) return Invoke();
  Connect(question.server_name.empty() ? plan_->server_name : question.server_name);
}

net::TlsClient& Probe::TlsOfPlan() const {
  if (plan_->tls != nullptr) return *plan_->tls;
  return plan_->asks_by_http2() ? *bench_.http2_tls : *bench_.tls;
}

void Probe::Connect(const std::string& server_name) {
  int error = 0;
  preamble_sent_ = false;
  if (plan_->speaks_tls && plan_->preamble.empty()) {
    auto stream = TlsOfPlan().Connect(bench_.loop, endpoint_, server_name, *this, error);
    tls_ = stream.get();
    stream_ = std::move(stream);
  } else {
    tls_ = nullptr;
    if (plan_->speaks_tls) server_name_ = server_name;
    stream_ = net::TcpStream::Connect(bench_.loop, endpoint_, *this, error);
  }
  if (!stream_) Finish(Failed(error), false);
}

void Probe::Abandon() { Close(net::Stream::CloseMode::kReset); }

void Probe::Limit(std::chrono::milliseconds timeout) {
  if (timeout.count() > 0) bench_.loop.timers().Schedule(*this, bench_.loop.now() + timeout);
}

void Probe::OnTimer() {
  const auto timed_out = [this](std::string_view detail) {
    return ProbeResult{.outcome = ProbeOutcome::kTimeout, .code = code_, .detail = detail};
  };
  switch (phase_) {
    case Phase::kIdle:
      return;
    case Phase::kConnecting:
      return Finish(timed_out("timed out while connecting"), false);
    case Phase::kHead:
      return Finish(timed_out("timed out before a response"), false);
    case Phase::kContent:
      return Finish(timed_out("timed out before the search string"), false);
    case Phase::kLingering:
      return Close(net::Stream::CloseMode::kReset);
  }
}

bool Probe::RetryWithoutServerName(int error) {
  // spec: dns.md 2.2, EnableSNI. A refused connection never got as far as the name.
  const bool handshake_failed = tls_ != nullptr && !tls_->failure().reason.empty() && error != ECONNREFUSED;
  if (!handshake_failed || plan_->server_name.empty() || retried_) return false;
  retried_ = true;
  stream_->Close(net::Stream::CloseMode::kReset);
  bench_.closed.push_back(std::move(stream_));
  Connect({});
  return true;
}

void Probe::OnConnected(int error) {
  if (error != 0) {
    if (RetryWithoutServerName(error)) return;
    return Finish(Failed(error, tls_ != nullptr ? tls_->failure().reason : std::string_view{}), false);
  }
  if (!plan_->preamble.empty() && !preamble_sent_) return SendPreamble();
  if (!plan_->speaks_http) return Finish({.outcome = ProbeOutcome::kPassed}, false);
  phase_ = Phase::kHead;
  Limit(plan_->response_timeout);
  if (plan_->asks_by_http2()) return Ask();
  WriteRequest();
}

void Probe::Ask() {
  if (tls_ != nullptr && tls_->tls()->alpn != "h2") {
    return Finish(Failed(0, "the target does not speak HTTP/2"), false);
  }
  question_.emplace(*plan_, host_field_, bench_.loop.now());
  SendFrames();
}

void Probe::SendFrames() {
  question_->Output(unsent_);
  if (unsent_.empty()) return;
  const iovec piece{.iov_base = unsent_.data(), .iov_len = unsent_.size()};
  const auto written = stream_->Write({&piece, 1});
  if (written.status == net::IoStatus::kError) return OnConnectionEnd(written.error);
  unsent_.erase(0, written.bytes);
}

void Probe::TakeFrames(std::string_view bytes) {
  if (bytes.starts_with("HTTP/1.")) {
    ProbeResult malformed = Failed(0, "no HTTP/2");
    malformed.received = bytes;
    return Finish(malformed, false);
  }
  question_->Receive(bytes, bench_.loop.now());
  using enum Http2Question::State;
  switch (question_->state()) {
    case kAsked:
      return SendFrames();
    case kFailed:
      return Finish(Failed(0, question_->why()), false);
    case kAnswered:
      break;
  }
  code_ = question_->code();
  const bool is_wanted = plan_->version != config::TargetProtocolVersion::kGrpc || question_->is_grpc_code();
  const bool passes = is_wanted && CodePasses(code_);
  Finish({.outcome = passes ? ProbeOutcome::kPassed : ProbeOutcome::kCodeMismatch,
          .code = code_,
          .is_grpc = question_->is_grpc_code()},
         false);
}

void Probe::SendPreamble() {
  preamble_sent_ = true;
  const iovec piece{.iov_base = const_cast<char*>(plan_->preamble.data()), .iov_len = plan_->preamble.size()};
  const auto written = stream_->Write({&piece, 1});
  // A socket that is new has room for so little.
  if (written.bytes != plan_->preamble.size()) return OnConnectionEnd(written.error);
  if (!plan_->speaks_tls) return OnConnected(0);
  auto secured = TlsOfPlan().SecureAlone(std::move(stream_), server_name_, *this);
  if (secured == nullptr) return Finish(Failed(EINVAL), false);
  tls_ = secured.get();
  stream_ = std::move(secured);
  tls_->StartHandshake();
}

void Probe::WriteRequest() {
  // writev's interface has no const; it does not write here.
  const auto piece = [](std::string_view text) {
    return iovec{.iov_base = const_cast<char*>(text.data()), .iov_len = text.size()};
  };
  const std::array<iovec, 3> pieces = {piece(plan_->request_start), piece(host_field_), piece(plan_->request_rest)};
  const auto written = stream_->Write(pieces);
  if (written.status == net::IoStatus::kError) return OnConnectionEnd(written.error);
  const std::size_t total = plan_->request_start.size() + host_field_.size() + plan_->request_rest.size();
  if (written.bytes == total) return;
  unsent_ = plan_->request_start;
  unsent_ += host_field_;
  unsent_ += plan_->request_rest;
  unsent_.erase(0, written.bytes);
}

void Probe::OnWritable() {
  if (phase_ != Phase::kHead || unsent_.empty()) return;
  if (question_) return SendFrames();
  const iovec piece{.iov_base = unsent_.data(), .iov_len = unsent_.size()};
  const auto written = stream_->Write({&piece, 1});
  if (written.status == net::IoStatus::kError) return OnConnectionEnd(written.error);
  unsent_.erase(0, written.bytes);
}

void Probe::OnReadable() {
  // The attempt may end, and the next turn may start another on this object: only the same stream is read on.
  const net::Stream* const stream = stream_.get();
  while (stream_ && stream_.get() == stream && stream_->readable()) {
    const auto got = stream_->Read(bench_.buffer);
    if (got.status == net::IoStatus::kWouldBlock) return;
    if (got.status != net::IoStatus::kOk) return OnConnectionEnd(got.error);
    const std::string_view bytes(bench_.buffer.data(), got.bytes);
    switch (phase_) {
      case Phase::kHead:
        question_ ? TakeFrames(bytes) : TakeHeadBytes(bytes);
        break;
      case Phase::kContent:
        TakeContent(bytes);
        break;
      case Phase::kLingering:
        lingered_bytes_ += got.bytes;
        if (lingered_bytes_ > kLingerBytesMax) return Close(net::Stream::CloseMode::kReset);
        break;
      default:
        return;
    }
  }
}

// Of a connection that ended before a response; empty: as the error says.
std::string_view Probe::WhyItEnded(int error) const {
  if (error == 0) return "closed before a response";
  // A target that wants a certificate says so after the handshake of TLS 1.3.
  return tls_ != nullptr ? tls_->failure().reason : std::string_view{};
}

void Probe::OnConnectionEnd(int error) {
  switch (phase_) {
    case Phase::kLingering:
      return Close(net::Stream::CloseMode::kGraceful);
    case Phase::kContent:
      return Finish({.outcome = ProbeOutcome::kStringMismatch, .code = code_, .detail = "search string not found"},
                    false);
    default:
      return Finish(Failed(error, WhyItEnded(error)), false);
  }
}

void Probe::Invoke() {
  phase_ = Phase::kHead;
  const functions::VersionTarget& version = plan_->function->Draw(bench_.random.Fraction());
  invocation_ = version.invoker->Invoke(bench_.loop, plan_->event, [this](functions::InvokeResult result) {
    bench_.loop.DestroyLater(std::move(invocation_));
    OnInvoked(std::move(result));
  });
}

void Probe::OnInvoked(functions::InvokeResult result) {
  if (!result) {
    const functions::InvokeFailure failure = result.error().failure;
    const bool is_late =
        failure == functions::InvokeFailure::kTimeout || failure == functions::InvokeFailure::kNoAnswer;
    return Finish(
        {.outcome = is_late ? ProbeOutcome::kTimeout : ProbeOutcome::kFailed, .detail = functions::ToString(failure)},
        false);
  }
  const auto response = functions::DecodeResponse(result->response, plan_->function->values());
  if (!response) return Finish(Failed(0, "the function's response is malformed"), false);
  code_ = response->status;
  Finish({.outcome = CodePasses(code_) ? ProbeOutcome::kPassed : ProbeOutcome::kCodeMismatch, .code = code_}, false);
}

void Probe::TakeHeadBytes(std::string_view bytes) {
  const bool in_pieces = !received_.empty();
  if (in_pieces) received_ += bytes;
  std::string_view rest = in_pieces ? std::string_view(received_) : bytes;
  http::HeadLimits limits = http::ResponseHeadLimits();
  limits.head_bytes_max = plan_->head_bytes_max;
  for (;;) {
    const auto outcome = http::ParseResponseHead(rest, scanned_, limits, "GET", bench_.head);
    if (outcome.status == http::ParseStatus::kRefused) {
      ProbeResult malformed = Failed(0, outcome.why);
      malformed.received = rest;
      return Finish(malformed, false);
    }
    if (outcome.status == http::ParseStatus::kNeedMore) break;
    rest.remove_prefix(outcome.consumed);
    scanned_ = 0;
    const std::uint16_t code = bench_.head.status;
    // Interim responses announce the one that counts (RFC 9110 section 15.2); 101 is final.
    if (code >= 200 || code == 101) return OnHead(bench_.head, rest);
  }
  if (rest.size() > plan_->head_bytes_max) return Finish(Failed(0, "response head too long"), false);
  // Nothing moves while a head grows, so that one that comes byte by byte costs linear time.
  if (!in_pieces || rest.size() != received_.size()) received_ = std::string(rest);
}

void Probe::OnHead(const http::ResponseHead& head, std::string_view rest) {
  code_ = head.status;
  const bool linger = !head.keep_alive || !ContentComplete(head.framing, rest);
  if (!CodePasses(code_)) return Finish({.outcome = ProbeOutcome::kCodeMismatch, .code = code_}, linger);
  if (!plan_->matches_string) return Finish({.outcome = ProbeOutcome::kPassed, .code = code_}, linger);
  phase_ = Phase::kContent;
  content_.emplace(plan_->search_string, head);
  Limit(plan_->content_timeout);
  TakeContent(rest);
}

void Probe::TakeContent(std::string_view bytes) {
  switch (content_->Append(bytes)) {
    case BodyMatch::Verdict::kNeedMore:
      return;
    case BodyMatch::Verdict::kFound:
      return Finish({.outcome = ProbeOutcome::kPassed, .code = code_}, true);
    case BodyMatch::Verdict::kNotFound:
      return Finish({.outcome = ProbeOutcome::kStringMismatch, .code = code_, .detail = "search string not found"},
                    true);
  }
}

bool Probe::CodePasses(std::uint16_t code) const {
  return std::ranges::any_of(plan_->passing_codes,
                             [code](const auto& range) { return code >= range.first && code <= range.second; });
}

void Probe::Finish(const ProbeResult& result, bool linger) {
  const bool peer_done = stream_ && stream_->peer_closed();
  if (linger && !peer_done) {
    phase_ = Phase::kLingering;
    Limit(kLingerTime);
    events_.OnProbeResult(*this, result);
    return;
  }
  events_.OnProbeResult(*this, result);
  // A reset spares both sides the minutes of TIME_WAIT; the peer that closed first keeps its own either way.
  Close(peer_done ? net::Stream::CloseMode::kGraceful : net::Stream::CloseMode::kReset);
}

void Probe::Close(net::Stream::CloseMode mode) {
  Cancel();
  phase_ = Phase::kIdle;
  content_.reset();
  question_.reset();
  plan_.reset();
  if (received_.capacity() > 4096) received_ = {};
  if (stream_) {
    stream_->Close(mode);
    bench_.closed.push_back(std::move(stream_));
  }
  tls_ = nullptr;
  // At once: an answer that is on its way would be taken for that of the next attempt. Within its own answer it was
  // taken away before.
  invocation_.reset();
  events_.OnProbeIdle(*this);
}

}  // namespace weir::health
