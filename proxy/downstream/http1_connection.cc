#include "proxy/downstream/http1_connection.h"

#include "http/head_parser.h"

#include <algorithm>
#include <cerrno>
#include <utility>

namespace weir::proxy {

Http1Connection::Http1Connection(WorkerState& worker, DownstreamConnections& connections,
                                 std::shared_ptr<ListenerSlot> slot, std::unique_ptr<net::Stream> stream,
                                 std::unique_ptr<const std::string> id)
    : worker_(worker), connections_(connections), accepted_(worker.loop.now()) {
  facts_.slot = std::move(slot);
  keep_alive_end_ = accepted_ + facts_.slot->listener->load_balancer_config->attributes.client_keep_alive;
  facts_.stream = std::move(stream);
  facts_.id = std::move(id);
  facts_.stream->set_events(*this);
  if (facts_.stream->tls() != nullptr) facts_.scheme = "https";
  counters().connections_accepted.Add();
  counters().connections_active.Add();
  Touch();
}

Http1Connection::~Http1Connection() = default;

void Http1Connection::TakeReceived(std::string_view bytes) {
  CountReceived(bytes.size());
  reader_.carried.assign(bytes);
  worker_.loop.RunSoon(*this);
}

ListenerCounters& Http1Connection::counters() const { return *facts_.slot->counters; }

std::chrono::seconds Http1Connection::idle_timeout() const {
  return facts_.slot->listener->load_balancer_config->attributes.idle_timeout;
}

bool Http1Connection::keep_alive_expired() const { return worker_.loop.now() >= keep_alive_end_; }

void Http1Connection::Touch() { worker_.loop.timers().Schedule(*this, worker_.loop.now() + idle_timeout()); }

// ---- requests

void Http1Connection::OnReadable() {
  switch (state_) {
    case State::kHead:
    case State::kContent:
      if (!content_paused_) {
        Read();
      } else if (stream().broken() && !tunnel_written_) {  // else the end of both sides looks the same
        OnEnd(net::IoStatus::kError);
      }
      return;
    case State::kResponse:
      if (stream().peer_closed()) OnPeerClosed();
      return;
    case State::kLingering:
      Discard();
      return;
    case State::kClosed:
      return;
  }
}

void Http1Connection::Read() {
  for (int reads = 0; stream().readable() && !content_paused_; ++reads) {
    if (state_ != State::kHead && state_ != State::kContent) return;
    // The next request waits until the client has taken the answer to the last one.
    if (state_ == State::kHead && writer_.congested()) return;
    if (reads == kReadsPerTurnMax) {
      worker_.loop.RunSoon(*this);
      return;
    }
    if (reader_.carried.size() > WorkerState::kCarriedBytesMax)
      return;  // pipelined requests wait their turn in the socket
    const bool piped = state_ == State::kContent && reader_.carried.empty() && reader_.content.wants_pipe() &&
                       exchange_->TakesRequestPipe();
    const std::size_t max = state_ == State::kHead ? WorkerState::kHeadReadBytesMax : WorkerState::kReadBytesMax;
    if (!reader_.ReadOnce(stream(), worker_, piped, max, *this)) return;
    // A FIN that came with the last bytes raises no edge of its own.
    if (state_ == State::kResponse && stream().peer_closed()) OnPeerClosed();
  }
}

bool Http1Connection::OnBytes(std::string_view bytes, std::size_t read) {
  CountReceived(read);
  if (state_ == State::kContent) reader_.content.NoteRead(read);
  Consume(bytes);
  return true;
}

bool Http1Connection::OnPiped(const Content& content) {
  CountReceived((*content.pipe)->bytes());
  if (content.is_last()) state_ = State::kResponse;
  exchange_->OnRequestContent(content);
  return true;
}

void Http1Connection::CountReceived(std::size_t bytes) {
  bytes_received_ += bytes;
  counters().bytes_received.Add(bytes);
  Touch();
}

// Serves what had arrived before it could be served.
void Http1Connection::UseCarried() {
  if (reader_.carried.empty()) return;
  std::string bytes = std::exchange(reader_.carried, std::string());
  Consume(bytes);
}

void Http1Connection::Consume(std::string_view bytes) {
  while (!bytes.empty()) {
    if (state_ == State::kHead) {
      if (writer_.congested() || close_after_response_ || !ConsumeHead(bytes)) break;
    } else if (state_ == State::kContent) {
      if (content_paused_ || !ConsumeContent(bytes)) break;
    } else {
      break;
    }
  }
  if (bytes.empty() && reader_.carried.empty()) return;
  if (state_ == State::kHead || state_ == State::kContent || state_ == State::kResponse) reader_.carried.assign(bytes);
}

bool Http1Connection::ConsumeHead(std::string_view& bytes) {
  http::RequestHead& head = worker_.request_head;
  const auto outcome = http::ParseRequestHead(bytes, reader_.scanned, http::HeadLimits(), head);
  if (outcome.status == http::ParseStatus::kNeedMore) return false;
  reader_.scanned = 0;
  any_request_ = true;
  bytes_received_ = bytes.size();
  bytes_sent_ = 0;
  client_is_http10_ = head.version == http::Version::kHttp10;
  if (outcome.status == http::ParseStatus::kRefused) {
    bytes = {};
    Refuse(CodeForRefusedRequest(outcome));
    return false;
  }
  bytes.remove_prefix(outcome.consumed);
  close_after_response_ =
      !head.keep_alive || worker_.draining || facts_.slot->removed || keep_alive_expired() || Distrusts(head);
  reader_.content.Begin(head.framing);
  Content content;
  if (reader_.content.Take(bytes, content) == ContentReader::Status::kRefused) {
    bytes = {};
    Refuse(ErrorCode::kRequestContentMalformed);
    return false;
  }
  // What lies behind this request belongs to the next one.
  bytes_received_ -= bytes.size();
  state_ = content.is_last() ? State::kResponse : State::kContent;
  if (close_after_response_ && state_ == State::kResponse && !head.upgrade) stream().ExpectOnlyEnd();
  Exchange& exchange = Exchange::Take(worker_);
  exchange_ = &exchange;
  exchange.Begin(*this, facts_, head, content);
  return true;
}

bool Http1Connection::ConsumeContent(std::string_view& bytes) {
  Content content;
  if (reader_.content.Take(bytes, content) == ContentReader::Status::kRefused) {
    bytes = {};
    close_after_response_ = true;
    exchange_->OnDownstreamFailed(ErrorCode::kRequestContentMalformed);
    return false;
  }
  if (content.is_last()) state_ = State::kResponse;
  exchange_->OnRequestContent(content);
  return true;
}

// A connection whose requests parsers may read differently carries no other (spec: alb.md 14).
bool Http1Connection::Distrusts(const http::RequestHead& head) const {
  using enum config::DesyncMitigationMode;
  if (head.desync_class == http::DesyncClass::kCompliant) return false;
  const auto mode = facts_.slot->listener->load_balancer_config->attributes.desync_mitigation_mode;
  return mode == kStrictest || (mode == kDefensive && head.desync_class >= http::DesyncClass::kAmbiguous);
}

// Nothing that follows what was refused can be understood.
void Http1Connection::Refuse(ErrorCode code) {
  state_ = State::kResponse;
  close_after_response_ = true;
  Exchange& exchange = Exchange::Take(worker_);
  exchange_ = &exchange;
  exchange.BeginRefused(*this, facts_, worker_.request_head, code);
}

void Http1Connection::ResumeRequestContent() {
  content_paused_ = false;
  // Not from inside the exchange's call: the content goes straight back to it.
  worker_.loop.RunSoon(*this);
}

// The client's sending side ended, or the connection broke.
void Http1Connection::OnEnd(net::IoStatus how) {
  if (exchange_ == nullptr) {
    Close(net::Stream::CloseMode::kGraceful);
  } else if (is_tunnel_) {
    if (how == net::IoStatus::kError) return exchange_->OnDownstreamFailed(ErrorCode::kClientClosed);
    state_ = State::kResponse;
    exchange_->OnRequestContent({.bytes = {}, .pipe = nullptr, .end = ContentEnd::kLast, .trailers = nullptr});
  } else {
    exchange_->OnDownstreamFailed(stream().broken() ? ErrorCode::kClientClosed : ErrorCode::kRequestContentIncomplete);
  }
}

// The request is complete. A client that is gone for good ends the exchange; one that only finished sending still gets
// its answer when it begins soon.
void Http1Connection::OnPeerClosed() {
  if (exchange_ == nullptr || tunnel_written_) return;
  if (stream().broken()) {
    exchange_->OnDownstreamFailed(ErrorCode::kClientClosed);
    return;
  }
  if (!reader_.carried.empty() || std::exchange(half_closed_, true)) return;
  close_after_response_ = true;
  if (exchange_->response_began()) return;
  net::Timer::Cancel();
  worker_.loop.timers().Schedule(*this, worker_.loop.now() + kHalfClosedGrace);
}

void Http1Connection::OnTimer() {
  if (state_ == State::kClosed) return;
  if (state_ == State::kLingering) {
    OnLingerTimer();
  } else if (exchange_ != nullptr) {
    const bool waited_enough = half_closed_ && !exchange_->response_began();
    if (waited_enough) {
      exchange_->OnDownstreamFailed(ErrorCode::kClientClosed);
    } else {
      exchange_->OnIdleTimeout();
    }
  } else if (writer_.congested()) {
    // The client stopped reading: it must not take what it has got for all of the answer.
    Close(net::Stream::CloseMode::kReset);
  } else if (any_request_ && reader_.carried.empty()) {
    End();  // an idle keep-alive connection ends without a word
  } else {
    worker_.request_head = {};
    Refuse(ErrorCode::kRequestTimeout);
  }
}

}  // namespace weir::proxy
