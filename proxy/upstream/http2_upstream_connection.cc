#include "proxy/upstream/http2_upstream_connection.h"

#include "net/tls_client.h"
#include "net/tls_facts.h"

#include <algorithm>
#include <utility>

namespace weir::proxy {
namespace {

constexpr std::string_view kProtocol = "h2";

}  // namespace

Http2UpstreamConnection::Http2UpstreamConnection(WorkerState& worker, UpstreamPool& pool,
                                                 std::shared_ptr<UpstreamEndpoint> endpoint)
    : UpstreamConnection(std::move(endpoint)), worker_(worker), pool_(pool) {}

Http2UpstreamConnection::~Http2UpstreamConnection() = default;

// ---- streams

UpstreamStream* Http2UpstreamConnection::Connect(UpstreamEvents& events, int& error) {
  stream_ = pool_.BeginStream(key().endpoint, *this, error);
  if (stream_ == nullptr) return nullptr;
  worker_.loop.timers().Schedule(*this, worker_.loop.now() + UpstreamPool::kConnectTimeout);
  return &AddStream(events, true);
}

UpstreamStream* Http2UpstreamConnection::Open(UpstreamEvents& events) {
  if (!has_room() || stream_->peer_closed()) return nullptr;
  Http2UpstreamStream& stream = AddStream(events, false);
  if (settled_) stream.MaySend();
  Watch();
  return &stream;
}

Http2UpstreamStream& Http2UpstreamConnection::AddStream(UpstreamEvents& events, bool opens) {
  const bool reused = state_ == State::kOpen && answered_;
  auto& stream = *streams_.emplace_back(std::make_unique<Http2UpstreamStream>(*this, events, opens, reused));
  stream.index_ = streams_.size() - 1;
  return stream;
}

std::uint32_t Http2UpstreamConnection::streams_max() const {
  if (settled_) return session_->streams_max();
  return endpoint().streams_max > 0 ? endpoint().streams_max : kStreamsAssumed;
}

bool Http2UpstreamConnection::has_room() const {
  if (state_ > State::kOpen || pinged_ || writer_.congested() || streams_.size() >= streams_max()) return false;
  return !session_ || session_->accepts_requests();
}

void Http2UpstreamConnection::Offer() {
  if (has_room()) {
    pool_.PutAvailable(*this);
  } else {
    UpstreamPool::Withdraw(*this);
  }
}

void Http2UpstreamConnection::OnReleased(const Http2UpstreamStream& stream, bool unanswered) {
  if (state_ == State::kDead) return DestroyWhenUnused();
  if (state_ != State::kOpen || !unanswered || pinged_) return;
  // Silence: is there anybody at all? Until that is known others are better served elsewhere.
  const SteadyTime now = worker_.loop.now();
  if (received_ > stream.sent_at() || now - stream.sent_at() < kSilenceTime) return;
  pinged_ = true;
  session_->Ping();
  FlushSoon();
  Watch();
  Offer();
}

void Http2UpstreamConnection::Drop(Http2UpstreamStream& stream) {
  const std::size_t index = stream.index_;
  std::unique_ptr<Http2UpstreamStream> owned = std::move(streams_[index]);
  if (index + 1 != streams_.size()) {
    streams_[index] = std::move(streams_.back());
    streams_[index]->index_ = index;
  }
  streams_.pop_back();
  worker_.loop.DestroyLater(std::move(owned));
  if (state_ == State::kDead) return;
  if (worker_.draining && streams_.empty()) Leave();
  if (state_ == State::kOpen && !session_->accepts_requests()) Leave();  // no identifiers are left
  // At the end of the turn: whoever calls may still be in the middle of its work.
  if (state_ == State::kLeaving) FlushSoon();
  Offer();
  Watch();
}

// ---- connecting

void Http2UpstreamConnection::OnConnected(int error) {
  if (state_ != State::kConnecting && state_ != State::kSecuring) return;
  if (error != 0) {
    return Break(state_ == State::kSecuring ? ErrorCode::kTlsHandshakeFailed : CodeForConnectError(error));
  }
  if (state_ == State::kConnecting && key().tls != nullptr) return Secure();
  if (tls_ != nullptr && tls_->tls()->alpn != kProtocol) return Break(ErrorCode::kTargetSpeaksNoHttp2);
  Begin();
}

void Http2UpstreamConnection::Secure() {
  state_ = State::kSecuring;
  worker_.loop.timers().Schedule(*this, worker_.loop.now() + UpstreamPool::kTlsHandshakeTimeout);
  auto secured = key().tls->Secure(std::move(stream_), key().server_name, tls_sessions(), *this);
  tls_ = secured.get();
  stream_ = std::move(secured);
  tls_->StartHandshake();
}

void Http2UpstreamConnection::Begin() {
  state_ = State::kOpen;
  received_ = worker_.loop.now();
  http::Http2Events& events = *this;
  session_.emplace(http::Http2Session::Role::kClient, events, worker_.loop.now());
  worker_.loop.timers().Schedule(*this, worker_.loop.now() + kSettingsTime);
  FlushSoon();
  for (const auto& stream : streams_) {
    if (!stream->opens_connection()) continue;
    stream->LetSend();
    return;
  }
}

void Http2UpstreamConnection::OnSettings() {
  endpoint().streams_max = std::max<std::uint32_t>(session_->streams_max(), 1);
  if (std::exchange(settled_, true)) return Offer();
  LetWaitingSend();
  Offer();
  Watch();
}

void Http2UpstreamConnection::LetWaitingSend() {
  std::vector<Http2UpstreamStream*> waiting;
  for (const auto& stream : streams_) {
    if (stream->waits()) waiting.push_back(stream.get());
  }
  UpstreamPool::Withdraw(*this);  // those that find no room must not come back
  for (Http2UpstreamStream* const stream : waiting) {
    if (!stream->waits()) continue;
    if (session_->streams() < session_->streams_max() && session_->accepts_requests()) {
      stream->LetSend();
    } else {
      stream->Fail(ErrorCode::kTargetStreamRefused);
    }
  }
}

// ---- reading

void Http2UpstreamConnection::OnReadable() {
  if (state_ == State::kOpen || state_ == State::kLeaving) Read();
}

void Http2UpstreamConnection::Read() {
  for (int reads = 0; stream_->readable() && state_ != State::kDead; ++reads) {
    if (reads == kReadsPerTurnMax) return FlushSoon();
    const net::IoResult result = stream_->Read({worker_.read_buffer.data(), WorkerState::kReadBytesMax});
    if (result.status == net::IoStatus::kWouldBlock) return;
    if (result.status != net::IoStatus::kOk) return OnEnd();
    received_ = worker_.loop.now();
    Receive({worker_.read_buffer.data(), result.bytes});
  }
}

void Http2UpstreamConnection::Receive(std::string_view bytes) {
  FlushSoon();
  const bool is_http1 = !settled_ && bytes.starts_with("HTTP/1.");
  if (is_http1) return Break(ErrorCode::kTargetSpeaksNoHttp2);
  if (!session_->Receive(bytes, worker_.loop.now())) OnFault();
}

// What waits still goes out: the reason of our GOAWAY is for whoever runs the target.
void Http2UpstreamConnection::OnFault() {
  if (state_ == State::kDead) return;
  SendLast();
  Break(ErrorCode::kTargetProtocolError);
}

void Http2UpstreamConnection::OnEnd() {
  const bool by_tls = tls_ != nullptr && !tls_->failure().reason.empty();
  Break(by_tls ? ErrorCode::kTlsBroken : ErrorCode::kTargetReset);
}

void Http2UpstreamConnection::OnResponse(http::Http2Stream& stream, const http::Http2FieldSection& head, bool ends) {
  static_cast<Http2UpstreamStream&>(stream).OnResponse(head, ends);
}
void Http2UpstreamConnection::OnContent(http::Http2Stream& stream, std::string_view bytes, bool last) {
  static_cast<Http2UpstreamStream&>(stream).OnContent(bytes, last);
}
void Http2UpstreamConnection::OnTrailers(http::Http2Stream& stream, const http::Http2FieldSection& trailers) {
  static_cast<Http2UpstreamStream&>(stream).OnTrailers(trailers);
}
void Http2UpstreamConnection::OnDrained(http::Http2Stream& stream) {
  static_cast<Http2UpstreamStream&>(stream).OnDrained();
}
void Http2UpstreamConnection::OnStreamClosed(http::Http2Stream& stream, http::Http2Error code, bool by_peer) {
  static_cast<Http2UpstreamStream&>(stream).OnClosed(code, by_peer);
}

void Http2UpstreamConnection::OnGoAway() {
  Leave();
  LetWaitingSend();
}

void Http2UpstreamConnection::OnPingAnswered() {
  if (!std::exchange(pinged_, false)) return;
  Offer();
  Watch();
}

// ---- writing

void Http2UpstreamConnection::RunTask() {
  if (state_ != State::kOpen && state_ != State::kLeaving) return;
  if (stream_->readable()) Read();
  if (state_ != State::kDead) Flush();
  if (state_ != State::kDead) EndWhenDone();
}

void Http2UpstreamConnection::Flush() {
  std::string& out = worker_.http2_out;
  for (int writes = 0; !writer_.congested(); ++writes) {
    if (writes == kWritesPerTurnMax) return FlushSoon();
    out.clear();
    const bool sound = session_->Output(out, kOutputBytesMax) && session_->fault() == http::Http2Error::kNoError;
    if (!out.empty()) {
      const iovec piece = Piece(out);
      write_failed_ = !writer_.Write(*stream_, {&piece, 1});
    }
    if (write_failed_) return OnEnd();
    if (!sound) return OnFault();
    if (out.empty()) return;
  }
  Offer();  // it has no room while the target does not read
}

void Http2UpstreamConnection::OnWritable() {
  if ((state_ != State::kOpen && state_ != State::kLeaving) || !writer_.congested()) return;
  write_failed_ = !writer_.Flush(*stream_);
  if (write_failed_) return OnEnd();
  if (writer_.congested()) return;
  Flush();
  if (state_ != State::kDead) Offer();
}

// ---- the end

void Http2UpstreamConnection::Leave() {
  if (state_ != State::kOpen) return;
  state_ = State::kLeaving;
  UpstreamPool::Withdraw(*this);
  FlushSoon();
}

void Http2UpstreamConnection::Close() {
  if (state_ == State::kDead) return;
  if (streams_.empty()) {
    if (session_) session_->Terminate(http::Http2Error::kNoError);
    SendLast();
    return End(net::Stream::CloseMode::kGraceful);
  }
  if (state_ == State::kOpen) return Leave();
  UpstreamPool::Withdraw(*this);
}

// Another connection may be in the middle of its output: the worker's buffer is not free.
void Http2UpstreamConnection::SendLast() {
  if (!session_ || writer_.congested() || write_failed_) return;
  std::string out;
  static_cast<void>(session_->Output(out, kOutputBytesMax));
  const iovec piece = Piece(out);
  if (!out.empty()) static_cast<void>(writer_.Write(*stream_, {&piece, 1}));
}

void Http2UpstreamConnection::EndWhenDone() {
  if (state_ == State::kLeaving && streams_.empty()) Close();
}

void Http2UpstreamConnection::Break(ErrorCode code) {
  if (state_ == State::kDead) return;
  state_ = State::kDead;
  UpstreamPool::Withdraw(*this);
  // Each exchange that is told lets its stream go, which may take it out of the list: backwards, none is missed.
  for (std::size_t i = streams_.size(); i-- > 0;) {
    if (i >= streams_.size()) continue;
    Http2UpstreamStream& stream = *streams_[i];
    if (stream.response_complete()) continue;  // delivered by its own task
    stream.Fail(stream.head_received() ? ErrorCode::kTargetResponseIncomplete : code);
  }
  End(net::Stream::CloseMode::kReset);
}

void Http2UpstreamConnection::End(net::Stream::CloseMode mode) {
  state_ = State::kDead;
  net::Timer::Cancel();
  writer_.Clear();
  stream_->Close(mode);
  DestroyWhenUnused();
}

// A response that came whole may still wait for its client to take it.
void Http2UpstreamConnection::DestroyWhenUnused() {
  if (std::ranges::none_of(streams_, [](const auto& stream) { return stream->has_exchange(); })) pool_.Destroy(*this);
}

// ---- time

// What is waited for decides when it is too late.
void Http2UpstreamConnection::Watch() {
  auto& timers = worker_.loop.timers();
  const SteadyTime now = worker_.loop.now();
  if ((state_ != State::kOpen && state_ != State::kLeaving) || !settled_) return;
  if (pinged_) {
    timers.Schedule(*this, now + kPingTime);
  } else if (streams_.empty()) {
    timers.Schedule(*this, now + idle_timeout());
  } else {
    net::Timer::Cancel();
  }
}

void Http2UpstreamConnection::OnTimer() {
  switch (state_) {
    case State::kConnecting:
      return Break(ErrorCode::kConnectionTimeout);
    case State::kSecuring:
      return Break(ErrorCode::kTlsHandshakeTimeout);
    case State::kOpen:
    case State::kLeaving:
      break;
    case State::kDead:
      return;
  }
  if (!settled_ || pinged_) return Break(settled_ ? ErrorCode::kTargetReset : ErrorCode::kTargetProtocolError);
  Close();
}

}  // namespace weir::proxy
