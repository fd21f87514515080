#include "proxy/upstream/http1_upstream_connection.h"

#include "http/head_parser.h"
#include "http/writer.h"

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

namespace weir::proxy {

Http1UpstreamConnection::Http1UpstreamConnection(WorkerState& worker, UpstreamPool& pool,
                                                 std::shared_ptr<UpstreamEndpoint> endpoint)
    : UpstreamConnection(std::move(endpoint)), worker_(worker), pool_(pool) {}

Http1UpstreamConnection::~Http1UpstreamConnection() = default;

UpstreamStream* Http1UpstreamConnection::Connect(UpstreamEvents& events, int& error) {
  stream_ = net::TcpStream::Connect(worker_.loop, key().endpoint, *this, error);
  if (stream_ == nullptr) return nullptr;
  events_ = &events;
  worker_.loop.timers().Schedule(*this, worker_.loop.now() + UpstreamPool::kConnectTimeout);
  return this;
}

UpstreamStream* Http1UpstreamConnection::Open(UpstreamEvents& events) {
  // The turn's events may not have told yet; a stale connection then shows itself when it is used.
  if (stream_->peer_closed() || stream_->readable()) return nullptr;
  events_ = &events;
  state_ = State::kActive;
  reused_ = true;
  return this;
}

void Http1UpstreamConnection::OnConnected(int error) {
  if (state_ != State::kConnecting) return;
  if (error != 0) {
    Fail(CodeForConnectError(error));
    return;
  }
  // While a request is under way the client's idle timer watches both legs.
  Cancel();
  state_ = State::kActive;
  events_->OnUpstreamConnected();
}

// ---- request

bool Http1UpstreamConnection::SendRequest(const RequestMessage& request, const Content& content) {
  head_received_ = response_began_ = response_complete_ = until_close_ = write_failed_ = false;
  interim_count_ = 0;
  interim_bytes_ = 0;
  request_chunked_ =
      request.framing.kind == http::FramingKind::kChunked || request.framing.kind == http::FramingKind::kUnknown;
  request_complete_ = content.is_last();
  method_ = request.method;

  std::string& out = worker_.head_out;
  out.clear();
  http::AppendRequestLine(out, request.method, request.target);
  out += request.host_lines;
  out += request.fields;
  if (request_chunked_) {
    out += "Transfer-Encoding: chunked\r\n";
  } else if (request.framing.kind == http::FramingKind::kContentLength) {
    http::AppendContentLength(out, request.framing.content_length);
  }
  out += "\r\n";
  const auto pieces = AppendContentFraming(out, content);
  if (!writer_.Write(*stream_, pieces)) {
    state_ = State::kDead;
    return false;
  }
  return true;
}

std::array<iovec, 3> Http1UpstreamConnection::AppendContentFraming(std::string& out, const Content& content) const {
  const bool has_chunk = request_chunked_ && !content.bytes.empty();
  if (has_chunk) http::AppendChunkHeader(out, content.bytes.size());
  const bool joined = content.bytes.size() <= kJoinedContentMax;
  if (joined) out += content.bytes;
  const std::size_t before_content = out.size();
  if (has_chunk) out += "\r\n";
  if (request_chunked_ && content.is_last()) http::AppendLastChunk(out, content.trailer_fields());
  const std::string_view all = out;
  if (joined) return {Piece(all), Piece({}), Piece({})};
  return {Piece(all.substr(0, before_content)), Piece(content.bytes), Piece(all.substr(before_content))};
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
    const auto pieces = AppendContentFraming(out, content);
    write_failed_ = !writer_.Write(*stream_, pieces);
  }
  if (write_failed_) writer_.Clear();
}

bool Http1UpstreamConnection::takes_pipe() const {
  return state_ == State::kActive && !request_chunked_ && !write_failed_ && !writer_.congested() && stream_->splices();
}

void Http1UpstreamConnection::OnWritable() {
  if (state_ != State::kActive) return;
  if (!writer_.congested()) return;
  if (!writer_.Flush(*stream_)) {
    write_failed_ = true;
    writer_.Clear();
  }
  if (!writer_.congested()) events_->OnUpstreamDrained();
}

// ---- response

void Http1UpstreamConnection::OnReadable() {
  switch (state_) {
    case State::kIdle:
      Close();
      return;  // closed by the target, or it spoke out of turn
    case State::kActive:
      ReadResponse();
      return;
    default:
      return;
  }
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
    const bool piped = head_received_ && content_.wants_pipe() && events_->TakesResponsePipe();
    if (!(piped ? ReadToPipe() : ReadToMemory())) return;
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
  if (!head_received_ && !carried_.empty()) {
    std::string carried = std::exchange(carried_, std::string());
    if (!Consume(carried)) return;
  }
  ReadResponse();
}

bool Http1UpstreamConnection::ReadToMemory() {
  char* const buffer = worker_.read_buffer.data();
  const std::size_t carried = carried_.size();
  std::memcpy(buffer, carried_.data(), carried);
  std::size_t max = WorkerState::kReadBytesMax;
  // Targets that gave much are likely to give much again.
  if (!head_received_) max = content_.is_large() ? WorkerState::kHeadOnlyReadBytesMax : WorkerState::kHeadReadBytesMax;
  const net::IoResult result = stream_->Read({buffer + carried, max});
  if (result.status == net::IoStatus::kWouldBlock) return false;
  if (result.status != net::IoStatus::kOk) {
    OnEnd();
    return false;
  }
  response_began_ = true;
  carried_.clear();
  if (head_received_) content_.NoteRead(result.bytes);
  return Consume({buffer, carried + result.bytes});
}

bool Http1UpstreamConnection::ReadToPipe() {
  net::PipePool::Loan pipe;
  Content content;
  switch (content_.ReadToPipe(*stream_, worker_.pipes, pipe, content)) {
    case net::IoStatus::kOk:
      break;
    case net::IoStatus::kWouldBlock:
      return false;
    case net::IoStatus::kRefused:
      return ReadToMemory();
    default:
      OnEnd();
      return false;
  }
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
      if (!head_received_ && !carried_.empty()) return true;
    } else if (!ConsumeContent(bytes, nullptr)) {
      return false;
    }
  }
  return state_ == State::kActive;
}

bool Http1UpstreamConnection::ConsumeHead(std::string_view& bytes) {
  http::ResponseHead& head = worker_.response_head;
  const auto outcome = http::ParseResponseHead(bytes, scanned_, http::ResponseHeadLimits(), method_, head);
  if (outcome.status == http::ParseStatus::kNeedMore) {
    carried_.assign(bytes);
    bytes = {};
    return true;
  }
  scanned_ = 0;
  if (outcome.status == http::ParseStatus::kRefused) {
    Fail(CodeForRefusedResponse(outcome));
    return false;
  }
  bytes.remove_prefix(outcome.consumed);
  if (head.status == 101) {
    // Nothing asked for an upgrade: what follows is in no protocol that is understood here.
    Fail(ErrorCode::kTargetResponseMalformed);
    return false;
  }
  if (head.status < 200) return TakeInterim(head, outcome.consumed, bytes);
  head_received_ = true;
  until_close_ = head.framing.kind == http::FramingKind::kUntilClose;
  if (!head.keep_alive || until_close_) reusable_ = false;
  content_.Begin(head.framing);
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
  carried_.assign(bytes);
  bytes = {};
  return false;
}

// Delivers what `bytes` hold of the content, together with the head where that is new. False when this was the end.
bool Http1UpstreamConnection::ConsumeContent(std::string_view& bytes, const http::ResponseHead* head) {
  Content content;
  if (content_.Take(bytes, content) == ContentReader::Status::kRefused) {
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

void Http1UpstreamConnection::OnEnd() {
  reusable_ = false;
  if (head_received_ && until_close_ && !response_complete_ && !stream_->broken()) {
    response_complete_ = true;
    events_->OnResponseContent({.bytes = {}, .end = ContentEnd::kLast, .trailers = nullptr});
    return;
  }
  Fail(head_received_ ? ErrorCode::kTargetResponseIncomplete : ErrorCode::kTargetReset);
}

void Http1UpstreamConnection::Fail(ErrorCode code) {
  state_ = State::kDead;
  Cancel();
  events_->OnUpstreamFailed(code, response_began_);
}

void Http1UpstreamConnection::OnTimer() {
  if (state_ == State::kConnecting) {
    Fail(ErrorCode::kConnectionTimeout);
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
  carried_.clear();
  scanned_ = 0;
  worker_.loop.timers().Schedule(*this, worker_.loop.now() + idle_timeout());
  pool_.PutAvailable(*this);
}

void Http1UpstreamConnection::Close() {
  state_ = State::kDead;
  Cancel();
  writer_.Clear();
  if (stream_ != nullptr) {
    // A response that is not wanted any more is cut off; a connection that did its work ends politely.
    const bool in_use = !response_complete_ && (response_began_ || !method_.empty());
    stream_->Close(in_use ? net::Stream::CloseMode::kReset : net::Stream::CloseMode::kGraceful);
  }
  pool_.Destroy(*this);
}

}  // namespace weir::proxy
