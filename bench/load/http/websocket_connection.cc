#include "bench/load/http/websocket_connection.h"

#include <sys/uio.h>

#include <utility>

namespace weir::bench {
namespace {

constexpr std::uint32_t kPongKey = 0x77656972;

}  // namespace

WebSocketConnection::WebSocketConnection(ConnectionShared& shared, ConnectionEvents& events, std::uint32_t origin)
    : Connection(origin), shared_(shared), events_(events) {}

std::unique_ptr<Connection> WebSocketConnection::Open(ConnectionShared& shared, ConnectionEvents& events,
                                                      std::uint32_t origin, int& error) {
  std::unique_ptr<WebSocketConnection> made(new WebSocketConnection(shared, events, origin));
  made->stream_ = shared.opener.Open(origin, *made, error);
  if (!made->stream_.stream) return nullptr;
  shared.loop.timers().Schedule(*made, shared.loop.now() + shared.timeout);
  return made;
}

void WebSocketConnection::Send(const Request& request) {
  request_ = request;
  has_request_ = true;
  shared_.loop.timers().Schedule(*this, shared_.loop.now() + shared_.timeout);
  if (phase_ != Phase::kIdle) return;
  phase_ = Phase::kWaiting;
  Transmit(shared_.plan.requests()[request.index].content);
}

void WebSocketConnection::Transmit(std::string_view bytes) {
  if (!unsent_.empty()) {
    unsent_ += bytes;
    return;
  }
  const iovec piece{.iov_base = const_cast<char*>(bytes.data()), .iov_len = bytes.size()};
  const auto sent = stream_.stream->Write({&piece, 1});
  if (sent.status == net::IoStatus::kError) return TakeEnd(sent.error);
  shared_.counts.bytes_sent += sent.bytes;
  unsent_.assign(bytes.substr(sent.bytes));
}

void WebSocketConnection::OnWritable() {
  if (phase_ == Phase::kGone || unsent_.empty()) return;
  const std::string bytes = std::exchange(unsent_, std::string());
  Transmit(bytes);
}

void WebSocketConnection::OnConnected(int error) {
  if (error != 0) {
    const OpenFailure failure = OpenFailureOf(error, stream_.tls);
    return Fail(failure.kind, failure.detail);
  }
  phase_ = Phase::kShaking;
  Transmit(shared_.plan.requests().front().head);
}

void WebSocketConnection::OnReadable() {
  while (phase_ != Phase::kGone && stream_.stream->readable()) {
    const auto got = stream_.stream->Read(shared_.scratch);
    if (got.status == net::IoStatus::kWouldBlock) return;
    if (got.status != net::IoStatus::kOk) return TakeEnd(got.error);
    shared_.counts.bytes_received += got.bytes;
    Take({shared_.scratch.data(), got.bytes});
  }
}

void WebSocketConnection::Take(std::string_view bytes) {
  if (phase_ == Phase::kShaking && !TakeHandshake(bytes)) return;
  TakeFrames(bytes);
}

bool WebSocketConnection::TakeHandshake(std::string_view& bytes) {
  partial_ += bytes;
  const auto outcome = shared_.heads.Read(partial_, scanned_, "GET", facts_);
  if (outcome.status == http::ParseStatus::kNeedMore) return false;
  if (outcome.status == http::ParseStatus::kRefused) {
    Fail(ErrorKind::kMalformed, outcome.why);
    return false;
  }
  if (facts_.status != 101) {
    why_ = "the opening handshake was answered " + std::to_string(facts_.status);
    Fail(ErrorKind::kMalformed, why_);
    return false;
  }
  bytes.remove_prefix(bytes.size() - (partial_.size() - outcome.consumed));
  partial_.clear();
  phase_ = Phase::kIdle;
  if (has_request_) {
    Send(request_);
  } else {
    events_.OnRoom(*this);
  }
  return phase_ != Phase::kGone;
}

void WebSocketConnection::TakeFrames(std::string_view bytes) {
  while (phase_ != Phase::kGone) {
    switch (frames_.Take(bytes)) {
      case ServerFrames::Event::kNeedMore:
        return;
      case ServerFrames::Event::kPing:
        Transmit(ClientPong(frames_.control(), kPongKey));
        break;
      case ServerFrames::Event::kClose:
        return TakeEnd(0);
      case ServerFrames::Event::kRefused:
        return Fail(ErrorKind::kMalformed, frames_.why());
      case ServerFrames::Event::kMessage:
        FinishMessage();
        break;
    }
  }
}

void WebSocketConnection::FinishMessage() {
  if (phase_ != Phase::kWaiting) {
    Leave(net::Stream::CloseMode::kGraceful);
    return events_.OnStrayBytes(*this);
  }
  set_answered();
  has_request_ = false;
  phase_ = Phase::kIdle;
  events_.OnResponse(*this, request_, facts_);
}

void WebSocketConnection::TakeEnd(int error) {
  const ErrorKind kind = error != 0 ? ErrorKind::kReset : ErrorKind::kClosedEarly;
  Fail(kind, {});
}

void WebSocketConnection::Fail(ErrorKind kind, std::string_view detail) {
  const bool had_request = std::exchange(has_request_, false);
  Leave(kind == ErrorKind::kTimeout ? net::Stream::CloseMode::kReset : net::Stream::CloseMode::kGraceful);
  if (had_request) events_.OnFailure(*this, request_, kind, detail);
}

void WebSocketConnection::Leave(net::Stream::CloseMode mode) {
  if (phase_ == Phase::kGone) return;
  phase_ = Phase::kGone;
  may_take_ = 0;
  Cancel();
  stream_.stream->Close(mode);
  events_.OnGone(*this);
}

void WebSocketConnection::OnTimer() {
  if (phase_ == Phase::kIdle || phase_ == Phase::kGone) return;
  Fail(phase_ == Phase::kOpening ? ErrorKind::kConnectTimeout : ErrorKind::kTimeout, {});
}

}  // namespace weir::bench
