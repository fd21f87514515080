#include "proxy/downstream/http2_connection.h"

#include "net/tls_facts.h"
#include "proxy/exchange.h"

#include <utility>

namespace weir::proxy {

Http2Connection::Http2Connection(WorkerState& worker, DownstreamConnections& connections,
                                 std::shared_ptr<ListenerSlot> slot, std::unique_ptr<net::Stream> stream,
                                 std::unique_ptr<const std::string> id, std::string_view received)
    : worker_(worker),
      connections_(connections),
      session_(http::Http2Session::Role::kServer, *this, worker.loop.now(),
               slot->listener->listener_config->attributes.http2_extended_connect),
      accepted_(worker.loop.now()) {
  facts_.slot = std::move(slot);
  keep_alive_end_ = accepted_ + facts_.slot->listener->load_balancer_config->attributes.client_keep_alive;
  facts_.stream = std::move(stream);
  facts_.id = std::move(id);
  facts_.stream->set_events(*this);
  if (facts_.stream->tls() != nullptr) facts_.scheme = "https";
  counters().connections_accepted.Add();
  counters().connections_active.Add();
  counters().http2.connections.Add();
  counters().http2.connections_active.Add();
  ScheduleIdle();
  if (!received.empty()) Receive(received);
  FlushSoon();
}

Http2Connection::~Http2Connection() = default;

ListenerCounters& Http2Connection::counters() const { return *facts_.slot->counters; }

std::chrono::seconds Http2Connection::idle_timeout() const {
  return facts_.slot->listener->load_balancer_config->attributes.idle_timeout;
}

// ---- reading

void Http2Connection::OnReadable() {
  if (state_ == State::kLingering) return Discard();
  for (int reads = 0; stream().readable() && state_ < State::kLingering; ++reads) {
    if (reads == kReadsPerTurnMax) return FlushSoon();
    const net::IoResult result = stream().Read({worker_.read_buffer.data(), WorkerState::kReadBytesMax});
    if (result.status == net::IoStatus::kWouldBlock) return;
    if (result.status != net::IoStatus::kOk) {
      FailStreams();
      return Close(net::Stream::CloseMode::kGraceful);
    }
    counters().bytes_received.Add(result.bytes);
    Receive({worker_.read_buffer.data(), result.bytes});
  }
}

void Http2Connection::Receive(std::string_view bytes) {
  FlushSoon();
  if (session_.Receive(bytes, worker_.loop.now())) return;
  OnFault();
}

// The client broke the protocol, or asks too much for too little: nothing that it began is finished.
void Http2Connection::OnFault() {
  if (std::exchange(faulted_, true)) return;
  state_ = State::kLeaving;
  counters().http2.connection_errors.Add();
  if (const auto flood = session_.flood()) counters().http2.floods[std::to_underlying(*flood)].Add();
  FailStreams();
}

void Http2Connection::OnRequest(std::int32_t id, const http::Http2FieldSection& section, bool ends) {
  // Refused: not processed, the client may send it elsewhere. Tunnels may outlive their streams.
  if (state_ >= State::kLeaving || streams_.size() >= kStreamsHeldMax) return;
  if (state_ == State::kOpen) net::Timer::Cancel();
  ++requests_;
  counters().http2.requests.Add();
  Http2DownstreamStream& stream = AddStream();
  session_.Accept(stream, id, ends);
  http::RequestHead& head = worker_.request_head;
  const auto outcome = http::ParseHttp2Request(section, ends, worker_.http2_text, head);
  Exchange& exchange = Exchange::Take(worker_);
  stream.Begin(exchange, worker_.http2_text.size(), head.upgrade);
  if (MustGo()) Notify();
  if (outcome.status == http::ParseStatus::kDone) {
    Content content;
    if (ends || head.upgrade) content.end = ContentEnd::kLast;  // a tunnel's content is none of the request's
    exchange.Begin(stream, facts_, head, content);
  } else {
    exchange.BeginRefused(stream, facts_, head, CodeForRefusedRequest(outcome));
  }
}

// Its stream was reset already: what is left is to count and log it.
void Http2Connection::OnMalformedRequest() {
  if (state_ >= State::kLeaving) return;
  ++requests_;
  counters().http2.requests.Add();
  counters().http2.malformed_requests.Add();
  Http2DownstreamStream& stream = AddStream();
  Exchange& exchange = Exchange::Take(worker_);
  stream.Begin(exchange, 0, false);
  worker_.request_head = {};
  exchange.BeginRefused(stream, facts_, worker_.request_head, ErrorCode::kMalformedRequest);
}

Http2DownstreamStream& Http2Connection::AddStream() {
  auto& stream = *streams_.emplace_back(std::make_unique<Http2DownstreamStream>(*this));
  stream.index_ = streams_.size() - 1;
  return stream;
}

void Http2Connection::Drop(Http2DownstreamStream& stream) {
  const std::size_t index = stream.index_;
  std::unique_ptr<Http2DownstreamStream> owned = std::move(streams_[index]);
  if (index + 1 != streams_.size()) {
    streams_[index] = std::move(streams_.back());
    streams_[index]->index_ = index;
  }
  streams_.pop_back();
  worker_.loop.DestroyLater(std::move(owned));
  if (!streams_.empty()) return;
  answered_ = worker_.loop.now();
  // An idle connection owns little.
  if (streams_.capacity() > 8) std::vector<std::unique_ptr<Http2DownstreamStream>>().swap(streams_);
  if (state_ == State::kOpen && !writer_.congested()) ScheduleIdle();
  if (state_ >= State::kLeaving) FlushSoon();
}

void Http2Connection::OnContent(http::Http2Stream& stream, std::string_view bytes, bool last) {
  static_cast<Http2DownstreamStream&>(stream).OnContent(bytes, last);
}
void Http2Connection::OnTrailers(http::Http2Stream& stream, const http::Http2FieldSection& trailers) {
  static_cast<Http2DownstreamStream&>(stream).OnTrailers(trailers);
}
void Http2Connection::OnDrained(http::Http2Stream& stream) { static_cast<Http2DownstreamStream&>(stream).OnDrained(); }
void Http2Connection::OnEarlyEnd(http::Http2Stream& stream) {
  static_cast<Http2DownstreamStream&>(stream).OnEarlyEnd();
}
void Http2Connection::OnStreamClosed(http::Http2Stream& stream, http::Http2Error code, bool by_peer) {
  static_cast<Http2DownstreamStream&>(stream).OnClosed(code, by_peer);
}

// ---- writing

void Http2Connection::RunTask() {
  if (state_ >= State::kLingering) {
    if (state_ == State::kLingering) Discard();
    return;
  }
  if (stream().readable()) OnReadable();
  if (state_ < State::kLingering) Flush();
}

void Http2Connection::Flush() {
  std::string& out = worker_.http2_out;
  for (int writes = 0; !writer_.congested() && !write_failed_; ++writes) {
    if (writes == kWritesPerTurnMax) {
      FlushSoon();
      break;
    }
    out.clear();
    if (!session_.Output(out, kOutputBytesMax) || session_.fault() != http::Http2Error::kNoError) OnFault();
    if (out.empty()) break;
    counters().bytes_sent.Add(out.size());
    const iovec piece = Piece(out);
    write_failed_ = !writer_.Write(stream(), {&piece, 1});
  }
  if (write_failed_) {
    writer_.Clear();
    FailStreams();
    return Close(net::Stream::CloseMode::kGraceful);
  }
  if (writer_.congested()) {
    // The client has to read on.
    if (!net::Timer::scheduled()) worker_.loop.timers().Schedule(*this, worker_.loop.now() + idle_timeout());
    return;
  }
  EndWhenDone();
}

void Http2Connection::OnWritable() {
  if (state_ >= State::kLingering || !writer_.congested()) return;
  write_failed_ = !writer_.Flush(stream());
  if (writer_.congested()) {
    worker_.loop.timers().Schedule(*this, worker_.loop.now() + idle_timeout());
    return;
  }
  if (!streams_.empty() && state_ != State::kNotified) {
    net::Timer::Cancel();
  } else if (state_ == State::kOpen) {
    ScheduleIdle();
  }
  Flush();
}

// ---- the end

bool Http2Connection::MustGo() const {
  return state_ == State::kOpen && (worker_.draining || facts_.slot->removed || requests_ >= kRequestsMax ||
                                    worker_.loop.now() >= keep_alive_end_);
}

// The first step: the client is to open no further stream, those that are on their way are served.
void Http2Connection::Notify() {
  state_ = State::kNotified;
  counters().http2.goaways.Add();
  session_.AnnounceGoAway();
  worker_.loop.timers().Schedule(*this, worker_.loop.now() + kNoticeTime);
  FlushSoon();
}

// The second: a round trip later, none is on its way any more.
void Http2Connection::Leave() {
  if (state_ != State::kNotified) return;
  state_ = State::kLeaving;
  net::Timer::Cancel();
  session_.GoAway();
  FlushSoon();
}

void Http2Connection::OnPingAnswered() { Leave(); }

void Http2Connection::EndWhenDone() {
  if (client_leaves_ && streams_.empty() && state_ < State::kLeaving) {
    state_ = State::kNotified;
    return Leave();
  }
  if (state_ != State::kLeaving || (!streams_.empty() && !faulted_)) return;
  if (stream().read_to_end()) {
    Close(net::Stream::CloseMode::kGraceful);
  } else {
    Linger();
  }
}

// As Http1Connection: what the client still sends would take the last frames away from it (RFC 9112 section 9.6).
void Http2Connection::Linger() {
  state_ = State::kLingering;
  net::Timer::Cancel();
  stream().ShutdownWrite();
  worker_.loop.timers().Schedule(*this, worker_.loop.now() + kLingerTime);
  if (stream().readable()) FlushSoon();
}

void Http2Connection::Discard() {
  for (int reads = 0; stream().readable(); ++reads) {
    if (reads == kReadsPerTurnMax) return FlushSoon();
    if (discarded_ > kLingerBytesMax) {
      if (stream().acknowledged()) Close(net::Stream::CloseMode::kGraceful);
      return;
    }
    const net::IoResult result = stream().Read({worker_.read_buffer.data(), WorkerState::kReadBytesMax});
    if (result.status == net::IoStatus::kWouldBlock) return;
    discarded_ += result.bytes;
    if (result.status != net::IoStatus::kOk) return Close(net::Stream::CloseMode::kGraceful);
  }
}

void Http2Connection::OnTimer() {
  switch (state_) {
    case State::kLingering:
      if (++lingers_ == kLingersMax || stream().acknowledged()) {
        Close(net::Stream::CloseMode::kGraceful);
      } else {
        worker_.loop.timers().Schedule(*this, worker_.loop.now() + kLingerTime);
      }
      return;
    case State::kClosed:
      return;
    case State::kNotified:
      return Leave();
    case State::kOpen:
    case State::kLeaving:
      break;
  }
  if (writer_.congested()) {
    // The client stopped reading: it must not take what it has got for all of the answers.
    FailStreams();
    Close(net::Stream::CloseMode::kReset);
  } else if (streams_.empty()) {
    // Idle for its time: a request that is on its way is told that it was not processed.
    state_ = State::kNotified;
    counters().http2.goaways.Add();
    Leave();
  }
}

void Http2Connection::CloseWhenIdle() {
  if (state_ == State::kLingering) {
    if (discarded_ == 0 && !stream().readable() && stream().acknowledged()) Close(net::Stream::CloseMode::kGraceful);
    return;
  }
  const bool fresh = requests_ == 0 && worker_.loop.now() - accepted_ < kFreshTime;
  if (state_ == State::kOpen && !fresh) Notify();
}

std::optional<SteadyTime> Http2Connection::idle_since() const {
  if (state_ != State::kOpen || requests_ == 0 || !streams_.empty() || writer_.congested()) return std::nullopt;
  return answered_;
}

void Http2Connection::Abort() {
  if (state_ == State::kClosed) return;
  if (state_ < State::kLingering) {
    state_ = State::kLeaving;
    FailStreams();
    session_.Terminate(http::Http2Error::kNoError);
    if (!writer_.congested() && !write_failed_) {
      worker_.http2_out.clear();
      static_cast<void>(session_.Output(worker_.http2_out, kOutputBytesMax));
      const iovec piece = Piece(worker_.http2_out);
      if (piece.iov_len > 0) static_cast<void>(writer_.Write(stream(), {&piece, 1}));
    }
  }
  Close(writer_.congested() ? net::Stream::CloseMode::kReset : net::Stream::CloseMode::kGraceful);
}

void Http2Connection::FailStreams() {
  // Each exchange that ends may take its stream out of the list: backwards, none is missed.
  for (std::size_t i = streams_.size(); i-- > 0;) {
    if (i >= streams_.size()) continue;
    if (Exchange* const exchange = streams_[i]->exchange()) exchange->OnDownstreamFailed(ErrorCode::kClientClosed);
  }
}

void Http2Connection::Close(net::Stream::CloseMode mode) {
  if (state_ == State::kClosed) return;
  state_ = State::kClosed;
  net::Timer::Cancel();
  writer_.Clear();
  stream().Close(mode);
  counters().connections_active.Subtract();
  counters().http2.connections_active.Subtract();
  connections_.Remove(worker_, *this);
}

// PING and the like do not move it (spec: alb.md 12.1).
void Http2Connection::ScheduleIdle() { worker_.loop.timers().Schedule(*this, worker_.loop.now() + idle_timeout()); }

}  // namespace weir::proxy
