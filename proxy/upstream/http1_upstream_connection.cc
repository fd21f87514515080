#include "proxy/upstream/http1_upstream_connection.h"

#include "http/head_parser.h"
#include "http/writer.h"
#include "proxy/upgrade.h"

#include <cerrno>
#include <utility>

namespace weir::proxy {

Http1UpstreamConnection::Http1UpstreamConnection(WorkerState& worker, UpstreamPool& pool,
                                                 std::shared_ptr<UpstreamEndpoint> endpoint)
    : UpstreamConnection(std::move(endpoint)), worker_(worker), pool_(pool) {}

Http1UpstreamConnection::~Http1UpstreamConnection() = default;

UpstreamStream* Http1UpstreamConnection::Connect(UpstreamEvents& events, int& error) {
  stream_ = pool_.BeginStream(key().endpoint, *this, error);
  if (stream_ == nullptr) return nullptr;
  events_ = &events;
  worker_.loop.timers().Schedule(*this, worker_.loop.now() + UpstreamPool::kConnectTimeout);
  return this;
}

UpstreamStream* Http1UpstreamConnection::Open(UpstreamEvents& events) {
  // The turn's events may not have told yet; a stale connection then shows itself when it is used.
  if (stream_->peer_closed() || (stream_->readable() && !HoldsNothing())) return nullptr;
  events_ = &events;
  state_ = State::kActive;
  reused_ = true;
  return this;
}

void Http1UpstreamConnection::OnConnected(int error) {
  if (state_ != State::kConnecting && state_ != State::kSecuring) return;
  if (error != 0) {
    Fail(state_ == State::kSecuring ? ErrorCode::kTlsHandshakeFailed : CodeForConnectError(error));
    return;
  }
  if (state_ == State::kConnecting && key().proxy_protocol && !SendProxyHeader()) {
    return Fail(ErrorCode::kConnectionFailed);
  }
  if (state_ == State::kConnecting && key().tls != nullptr) return Secure();
  // While a request is under way the client's idle timer watches both legs.
  Cancel();
  state_ = State::kActive;
  events_->OnUpstreamConnected();
}

// What it says is true of one client alone: nobody else's request may follow.
bool Http1UpstreamConnection::SendProxyHeader() {
  reusable_ = false;
  const UpstreamEvents::Ends ends = events_->ends();
  std::string& out = worker_.head_out;
  out.clear();
  net::AppendProxyHeader(out, *key().proxy_protocol, ends.client, ends.local);
  const iovec piece = Piece(out);
  return stream_->Write({&piece, 1}).bytes == out.size();  // a socket that is new has room for so little
}

void Http1UpstreamConnection::Secure() {
  state_ = State::kSecuring;
  worker_.loop.timers().Schedule(*this, worker_.loop.now() + UpstreamPool::kTlsHandshakeTimeout);
  auto secured = key().tls->Secure(std::move(stream_), key().server_name, tls_sessions(), *this);
  tls_ = secured.get();
  stream_ = std::move(secured);
  tls_->StartHandshake();
}

// ---- request

bool Http1UpstreamConnection::SendRequest(const RequestMessage& request, const Content& content) {
  head_received_ = response_began_ = response_complete_ = until_close_ = write_failed_ = false;
  interim_count_ = 0;
  interim_bytes_ = 0;
  request_complete_ = content.is_last();
  method_ = request.method;
  asked_for_websocket_ = request.asks_for_websocket;

  std::string& out = worker_.head_out;
  out.clear();
  http::AppendRequestLine(out, request.method, request.target);
  out += request.host_lines;
  out += request.fields;
  if (asked_for_websocket_) {
    out += kUpgradeFields;
    reusable_ = false;  // what speaks another protocol after all must not answer the next request
  }
  static_cast<void>(framing_.Begin(out, request.framing, MessageWriter::Receiver::kKnowsChunks));
  out += "\r\n";
  MessageWriter::Pieces room;
  if (!writer_.Write(*stream_, framing_.Frame(out, content, room))) {
    state_ = State::kDead;
    return false;
  }
  return true;
}

void Http1UpstreamConnection::SendContent(const Content& content) {
  request_complete_ = content.is_last();
  // The target may have answered and closed while content was on its way: the response is still read.
  if (write_failed_ || state_ != State::kActive) return;
  if (content.pipe != nullptr) {
    write_failed_ = !writer_.Write(*stream_, *content.pipe);
  } else {
    std::string& out = worker_.head_out;
    out.clear();
    MessageWriter::Pieces room;
    write_failed_ = !writer_.Write(*stream_, framing_.Frame(out, content, room));
  }
  if (write_failed_) writer_.Clear();
  // Where the target has ended its side the connection closes anyway.
  if (is_tunnel_ && request_complete_ && !response_complete_ && !write_failed_ && !writer_.congested()) {
    stream_->ShutdownWrite();
  }
}

bool Http1UpstreamConnection::takes_pipe() const {
  return state_ == State::kActive && !framing_.chunked() && !write_failed_ && !writer_.congested() &&
         stream_->splices();
}

void Http1UpstreamConnection::OnWritable() {
  if (state_ != State::kActive) return;
  if (!writer_.congested()) return;
  if (!writer_.Flush(*stream_)) {
    write_failed_ = true;
    writer_.Clear();
  }
  if (writer_.congested()) return;
  if (is_tunnel_ && request_complete_ && !write_failed_) stream_->ShutdownWrite();
  events_->OnUpstreamDrained();
}

// ---- response

void Http1UpstreamConnection::OnReadable() {
  switch (state_) {
    case State::kIdle:
      if (!HoldsNothing()) Close();  // closed by the target, or it spoke out of turn
      return;
    case State::kActive:
      ReadResponse();
      return;
    default:
      return;
  }
}

bool Http1UpstreamConnection::HoldsNothing() {
  char byte = 0;
  return tls_ != nullptr && stream_->Read({&byte, 1}).status == net::IoStatus::kWouldBlock;
}

// The exchange is in the middle of its work: what can be read reaches it at the end of the turn.
void Http1UpstreamConnection::ResumeResponse() {
  paused_ = false;
  worker_.loop.RunSoon(*this);
}

void Http1UpstreamConnection::ReadResponse() {
  for (int reads = 0; state_ == State::kActive && !paused_ && stream_->readable(); ++reads) {
    if (reads == kReadsPerTurnMax) {
      worker_.loop.RunSoon(*this);
      return;
    }
    const bool piped = head_received_ && reader_.content.wants_pipe() && events_->TakesResponsePipe();
    std::size_t max = WorkerState::kReadBytesMax;
    if (!head_received_) {
      // Targets that gave much are likely to give much again.
      max = reader_.content.is_large() ? WorkerState::kHeadOnlyReadBytesMax : WorkerState::kHeadReadBytesMax;
    }
    if (!reader_.ReadOnce(*stream_, worker_, piped, max, *this)) return;
  }
}

// After the last byte of a response, which a pipe took without telling that it was the last one there. False when bytes
// follow that belong to no request.
bool Http1UpstreamConnection::FindNothingMore() {
  char byte = 0;
  return !stream_->readable() || stream_->Read({&byte, 1}).status != net::IoStatus::kOk;
}

// What was put off: the rest of a long response, or one that may flow again.
void Http1UpstreamConnection::RunTask() {
  if (state_ != State::kActive || paused_) return;
  if (!head_received_ && !reader_.carried.empty()) {
    std::string carried = std::exchange(reader_.carried, std::string());
    if (!Consume(carried)) return;
  }
  ReadResponse();
}

bool Http1UpstreamConnection::OnBytes(std::string_view bytes, std::size_t read) {
  response_began_ = true;
  if (head_received_) reader_.content.NoteRead(read);
  return Consume(bytes);
}

bool Http1UpstreamConnection::OnPiped(const Content& content) {
  response_complete_ = content.is_last();
  if (response_complete_ && (!request_complete_ || !FindNothingMore())) reusable_ = false;
  events_->OnResponseContent(content);
  return !content.is_last() && state_ == State::kActive;
}

bool Http1UpstreamConnection::Consume(std::string_view bytes) {
  while (!bytes.empty() && state_ == State::kActive) {
    if (response_complete_) {
      // Bytes after the response belong to no request.
      reusable_ = false;
      return false;
    }
    if (!head_received_) {
      if (!ConsumeHead(bytes)) return false;
      if (!head_received_ && !reader_.carried.empty()) return true;
    } else if (!ConsumeContent(bytes, nullptr)) {
      return false;
    }
  }
  return state_ == State::kActive;
}

bool Http1UpstreamConnection::ConsumeHead(std::string_view& bytes) {
  http::ResponseHead& head = worker_.response_head;
  const auto outcome = http::ParseResponseHead(bytes, reader_.scanned, http::ResponseHeadLimits(), method_, head);
  if (outcome.status == http::ParseStatus::kNeedMore) {
    reader_.carried.assign(bytes);
    bytes = {};
    return true;
  }
  reader_.scanned = 0;
  if (outcome.status == http::ParseStatus::kRefused) {
    Fail(CodeForRefusedResponse(outcome));
    return false;
  }
  bytes.remove_prefix(outcome.consumed);
  if (head.status == 101) return OpenTunnel(bytes, head);
  if (head.status < 200) return TakeInterim(head, outcome.consumed, bytes);
  head_received_ = true;
  until_close_ = head.framing.kind == http::FramingKind::kUntilClose;
  if (!head.keep_alive || until_close_) reusable_ = false;
  reader_.content.Begin(head.framing);
  return ConsumeContent(bytes, &head);
}

bool Http1UpstreamConnection::OpenTunnel(std::string_view& bytes, const http::ResponseHead& head) {
  if (!asked_for_websocket_ || !OpensWebSocket(head)) {
    // What follows is in no protocol that was asked for.
    Fail(ErrorCode::kTargetResponseMalformed);
    return false;
  }
  head_received_ = true;
  is_tunnel_ = true;
  request_complete_ = false;
  reader_.content.BeginTunnel();
  return ConsumeContent(bytes, &head);
}

// An interim response whose head had `size` bytes; what follows it waits while the client takes no more. False when the
// connection has nothing more to give to this exchange now.
bool Http1UpstreamConnection::TakeInterim(const http::ResponseHead& head, std::size_t size, std::string_view& bytes) {
  interim_bytes_ += size;
  if (++interim_count_ > kInterimCountMax || interim_bytes_ > kInterimBytesMax) {
    Fail(ErrorCode::kTooManyInterimResponses);
    return false;
  }
  events_->OnResponse(head, {});
  if (state_ != State::kActive) return false;
  if (!paused_) return true;
  reader_.carried.assign(bytes);
  bytes = {};
  return false;
}

// Delivers what `bytes` hold of the content, together with the head where that is new. False when this was the end.
bool Http1UpstreamConnection::ConsumeContent(std::string_view& bytes, const http::ResponseHead* head) {
  Content content;
  if (reader_.content.Take(bytes, content) == ContentReader::Status::kRefused) {
    // A head that was not passed on yet is worth nothing with such content.
    Fail(head != nullptr ? ErrorCode::kTargetResponseMalformed : ErrorCode::kTargetResponseIncomplete);
    return false;
  }
  response_complete_ = content.is_last();
  if (response_complete_ && (!bytes.empty() || !request_complete_)) reusable_ = false;
  if (head != nullptr) {
    events_->OnResponse(*head, content);
  } else if (!content.bytes.empty() || content.is_last()) {
    events_->OnResponseContent(content);
  }
  return !content.is_last() && state_ == State::kActive;
}

void Http1UpstreamConnection::OnEnd(net::IoStatus how) {
  reusable_ = false;
  if (is_tunnel_) return OnTunnelEnd(how);
  // Where the end is all that ends the content, TLS has to say so (RFC 9112 section 9.8).
  const bool is_told = !stream_->broken() && (tls_ == nullptr || tls_->got_close_notify());
  if (head_received_ && until_close_ && !response_complete_ && is_told) {
    response_complete_ = true;
    events_->OnResponseContent({.bytes = {}, .end = ContentEnd::kLast, .trailers = nullptr});
    return;
  }
  if (head_received_) return Fail(ErrorCode::kTargetResponseIncomplete);
  const bool by_tls = tls_ != nullptr && !tls_->failure().reason.empty();
  Fail(by_tls ? ErrorCode::kTlsBroken : ErrorCode::kTargetReset);
}

void Http1UpstreamConnection::OnTunnelEnd(net::IoStatus how) {
  if (how != net::IoStatus::kEnd || write_failed_) {
    const bool by_tls = tls_ != nullptr && !tls_->failure().reason.empty();
    return Fail(by_tls ? ErrorCode::kTlsBroken : ErrorCode::kTargetResponseIncomplete);
  }
  if (std::exchange(response_complete_, true)) return;
  events_->OnResponseContent({.bytes = {}, .pipe = nullptr, .end = ContentEnd::kLast, .trailers = nullptr});
}

void Http1UpstreamConnection::Fail(ErrorCode code) {
  state_ = State::kDead;
  Cancel();
  events_->OnUpstreamFailed(code, response_began_);
}

void Http1UpstreamConnection::OnTimer() {
  if (state_ == State::kConnecting) {
    Fail(ErrorCode::kConnectionTimeout);
  } else if (state_ == State::kSecuring) {
    Fail(ErrorCode::kTlsHandshakeTimeout);
  } else if (state_ == State::kIdle) {
    Close();
  }
}

// ---- the end

void Http1UpstreamConnection::Release(Reusable reusable) {
  events_ = nullptr;
  const bool may_serve_again = reusable == Reusable::kWhenComplete && state_ == State::kActive && reusable_ &&
                               request_complete_ && response_complete_ && !writer_.congested() &&
                               !stream_->peer_closed() && !worker_.draining;
  if (!may_serve_again) {
    Close();
    return;
  }
  state_ = State::kIdle;
  paused_ = false;
  reader_.carried.clear();
  reader_.scanned = 0;
  worker_.loop.timers().Schedule(*this, worker_.loop.now() + idle_timeout());
  pool_.PutAvailable(*this);
}

void Http1UpstreamConnection::Close() {
  state_ = State::kDead;
  Cancel();
  // A tunnel whose end was passed on has nothing to be cut off.
  const bool tunnel_has_ended = is_tunnel_ && request_complete_ && !write_failed_ && !writer_.congested();
  writer_.Clear();
  if (stream_ != nullptr) {
    // A response that is not wanted any more is cut off; a connection that did its work ends politely.
    const bool in_use = !response_complete_ && !tunnel_has_ended && (response_began_ || !method_.empty());
    stream_->Close(in_use ? net::Stream::CloseMode::kReset : net::Stream::CloseMode::kGraceful);
  }
  pool_.Destroy(*this);
}

}  // namespace weir::proxy
