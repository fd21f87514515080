#include "proxy/downstream/http1_connection.h"

#include "http/head_parser.h"
#include "http/writer.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

namespace weir::proxy {

void DownstreamConnections::Add(std::unique_ptr<Http1Connection> connection) {
  connection->index_ = all_.size();
  all_.push_back(std::move(connection));
}

void DownstreamConnections::Remove(WorkerState& worker, Http1Connection& connection) {
  const std::size_t index = connection.index_;
  std::unique_ptr<Http1Connection> owned = std::move(all_[index]);
  if (index + 1 != all_.size()) {
    all_[index] = std::move(all_.back());
    all_[index]->index_ = index;
  }
  all_.pop_back();
  worker.loop.DestroyLater(std::move(owned));
}

Http1Connection::Http1Connection(WorkerState& worker, DownstreamConnections& connections,
                                 std::shared_ptr<ListenerSlot> slot)
    : worker_(worker), connections_(connections) {
  facts_.slot = std::move(slot);
}

Http1Connection::~Http1Connection() = default;

void Http1Connection::Start(UniqueFd fd, const Endpoint& peer, const Endpoint& local) {
  accepted_ = worker_.loop.now();
  facts_.stream = std::make_unique<net::TcpStream>(worker_.loop, std::move(fd), peer, local,
                                                   static_cast<net::StreamEvents&>(*this));
  counters().connections_accepted.Add();
  counters().connections_active.Add();
  Touch();
}

ListenerCounters& Http1Connection::counters() const { return *facts_.slot->counters; }

std::chrono::seconds Http1Connection::idle_timeout() const {
  return facts_.slot->listener->load_balancer_config->attributes.idle_timeout;
}

bool Http1Connection::keep_alive_expired() const {
  return worker_.loop.now() - accepted_ >= facts_.slot->listener->load_balancer_config->attributes.client_keep_alive;
}

void Http1Connection::Touch() { worker_.loop.timers().Schedule(*this, worker_.loop.now() + idle_timeout()); }

// ---- requests
// -------------------------------------------------------------------------------------------------------------------

void Http1Connection::OnReadable() {
  switch (state_) {
    case State::kHead:
    case State::kContent:
      if (!content_paused_) {
        Read();
      } else if (stream().broken()) {
        OnEnd();
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
    const bool pipes = state_ == State::kContent && carried_.empty() && exchange_->TakesRequestPipe();
    const std::size_t piped = pipes ? content_.bytes_for_pipe() : 0;
    if (!(piped > 0 ? ReadToPipe(piped) : ReadToMemory())) return;
    // A FIN that came with the last bytes raises no edge of its own.
    if (state_ == State::kResponse && stream().peer_closed()) OnPeerClosed();
  }
}

bool Http1Connection::ReadToMemory() {
  char* const buffer = worker_.read_buffer.data();
  const std::size_t carried = carried_.size();
  if (carried > WorkerState::kCarriedBytesMax) return false;  // pipelined requests wait their turn in the socket
  std::memcpy(buffer, carried_.data(), carried);
  const std::size_t max = state_ == State::kHead ? WorkerState::kHeadReadBytesMax : WorkerState::kReadBytesMax;
  const net::IoResult result = stream().Read({buffer + carried, max});
  if (result.status == net::IoStatus::kWouldBlock) return false;
  if (result.status != net::IoStatus::kOk) {
    OnEnd();
    return false;
  }
  CountReceived(result.bytes);
  carried_.clear();
  if (state_ == State::kContent) content_.NoteRead(result.bytes);
  Consume({buffer, carried + result.bytes});
  return true;
}

bool Http1Connection::ReadToPipe(std::size_t max) {
  net::PipePool::Loan pipe = worker_.pipes.Take();
  if (pipe == nullptr) return ReadToMemory();
  const net::IoResult result = stream().ReadTo(*pipe, max);
  switch (result.status) {
    case net::IoStatus::kOk:
      break;
    case net::IoStatus::kWouldBlock:
      return false;
    case net::IoStatus::kRefused:
      worker_.pipes.Disable();
      return ReadToMemory();
    default:
      OnEnd();
      return false;
  }
  CountReceived(result.bytes);
  const Content content = content_.TakePipe(pipe);
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
  if (carried_.empty()) return;
  std::string bytes = std::exchange(carried_, std::string());
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
  if (state_ == State::kHead || state_ == State::kContent || state_ == State::kResponse) carried_.assign(bytes);
}

bool Http1Connection::ConsumeHead(std::string_view& bytes) {
  http::RequestHead& head = worker_.request_head;
  const auto outcome = http::ParseRequestHead(bytes, scanned_, http::HeadLimits(), head);
  if (outcome.status == http::ParseStatus::kNeedMore) return false;
  scanned_ = 0;
  any_request_ = true;
  bytes_received_ = bytes.size();
  bytes_sent_ = 0;
  client_is_http10_ = head.version == http::Version::kHttp10;
  request_is_head_ = head.method == "HEAD";
  if (outcome.status == http::ParseStatus::kRefused) {
    bytes = {};
    Refuse(CodeForRefusedHead(outcome.http_status));
    return false;
  }
  bytes.remove_prefix(outcome.consumed);
  close_after_response_ = !head.keep_alive || worker_.draining || facts_.slot->removed || keep_alive_expired();
  content_.Begin(head.framing);
  Content content;
  if (content_.Take(bytes, content) == ContentReader::Status::kRefused) {
    bytes = {};
    Refuse(ErrorCode::kRequestContentMalformed);
    return false;
  }
  // What lies behind this request belongs to the next one.
  bytes_received_ -= bytes.size();
  state_ = content.is_last() ? State::kResponse : State::kContent;
  Exchange& exchange = Exchange::Take(worker_);
  exchange_ = &exchange;
  exchange.Begin(*this, facts_, head, content);
  return true;
}

bool Http1Connection::ConsumeContent(std::string_view& bytes) {
  Content content;
  if (content_.Take(bytes, content) == ContentReader::Status::kRefused) {
    bytes = {};
    close_after_response_ = true;
    exchange_->OnDownstreamFailed(ErrorCode::kRequestContentMalformed);
    return false;
  }
  if (content.is_last()) state_ = State::kResponse;
  exchange_->OnRequestContent(content);
  return true;
}

void Http1Connection::Refuse(ErrorCode code) {
  state_ = State::kResponse;
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
void Http1Connection::OnEnd() {
  if (exchange_ == nullptr) {
    Close(net::Stream::CloseMode::kGraceful);
  } else {
    exchange_->OnDownstreamFailed(stream().broken() ? ErrorCode::kClientClosed : ErrorCode::kRequestContentIncomplete);
  }
}

// The request is complete. A client that is gone for good ends the exchange; one that only finished sending still gets
// its answer when it begins soon.
void Http1Connection::OnPeerClosed() {
  if (exchange_ == nullptr) return;
  if (stream().broken()) {
    exchange_->OnDownstreamFailed(ErrorCode::kClientClosed);
    return;
  }
  if (!carried_.empty() || std::exchange(half_closed_, true)) return;
  close_after_response_ = true;
  if (exchange_->response_began()) return;
  net::Timer::Cancel();
  worker_.loop.timers().Schedule(*this, worker_.loop.now() + kHalfClosedGrace);
}

void Http1Connection::OnTimer() {
  if (state_ == State::kClosed) return;
  if (state_ == State::kLingering) {
    Close(net::Stream::CloseMode::kGraceful);
  } else if (exchange_ != nullptr) {
    const bool waited_enough = half_closed_ && !exchange_->response_began();
    if (waited_enough) {
      exchange_->OnDownstreamFailed(ErrorCode::kClientClosed);
    } else {
      exchange_->OnIdleTimeout();
    }
  } else if (any_request_ && carried_.empty()) {
    Close(net::Stream::CloseMode::kGraceful);  // an idle keep-alive connection ends without a word
  } else if (writer_.congested()) {
    Close(net::Stream::CloseMode::kReset);
  } else {
    worker_.request_head = {};
    Refuse(ErrorCode::kRequestTimeout);
  }
}

// ---- responses
// ------------------------------------------------------------------------------------------------------------------

void Http1Connection::AppendResponseHead(std::string& out, const ResponseMessage& response, bool with_framing) {
  http::AppendStatusLine(out, http::Version::kHttp11, response.status, response.reason);
  out += response.fields;
  if (!with_framing) {
    out += "\r\n";
    return;
  }
  switch (response.framing.kind) {
    case http::FramingKind::kNone:
      if (response.announced_length)
        http::AppendField(out, "Content-Length", std::to_string(*response.announced_length));
      break;
    case http::FramingKind::kContentLength:
      http::AppendField(out, "Content-Length", std::to_string(response.framing.content_length));
      break;
    default:
      response_chunked_ = !client_is_http10_;
      if (response_chunked_) {
        out += "Transfer-Encoding: chunked\r\n";
      } else {
        close_after_response_ = true;
      }
      break;
  }
  if (close_after_response_) {
    out += "Connection: close\r\n";
  } else if (client_is_http10_) {
    out += "Connection: keep-alive\r\n";
  }
  out += "\r\n";
}

void Http1Connection::SendInterim(const ResponseMessage& response) {
  if (client_is_http10_) return;
  worker_.head_out.clear();
  AppendResponseHead(worker_.head_out, response, false);
  Write(worker_.head_out, {}, {}, StreamWriter::Then::kMoreFollows);
}

void Http1Connection::SendResponse(const ResponseMessage& response, const Content& content) {
  response_chunked_ = false;
  worker_.head_out.clear();
  AppendResponseHead(worker_.head_out, response, true);
  WriteWithContent(worker_.head_out, content);
}

bool Http1Connection::takes_pipe() const {
  return !response_chunked_ && !writer_.congested() && !write_failed_ && state_ != State::kClosed && stream().splices();
}

void Http1Connection::SendContent(const Content& content) {
  if (content.pipe != nullptr) return WritePipe(*content.pipe);
  worker_.head_out.clear();
  WriteWithContent(worker_.head_out, content);
}

// One write: what `out` holds, the content and what frames it.
void Http1Connection::WriteWithContent(std::string& out, const Content& content) {
  const bool has_chunk = response_chunked_ && !content.bytes.empty();
  if (has_chunk) http::AppendChunkHeader(out, content.bytes.size());
  const bool joined = content.bytes.size() <= kJoinedContentMax;
  if (joined) out += content.bytes;
  const std::size_t before_content = out.size();
  if (has_chunk) out += "\r\n";
  if (response_chunked_ && content.is_last()) http::AppendLastChunk(out, content.trailer_fields());
  const std::string_view all = out;
  using enum StreamWriter::Then;
  const auto then = content.is_last() && close_after_response_ ? kEndFollows : kMoreFollows;
  if (joined) {
    Write(all, {}, {}, then);
  } else {
    Write(all.substr(0, before_content), content.bytes, all.substr(before_content), then);
  }
}

void Http1Connection::Write(std::string_view head, std::string_view content, std::string_view tail,
                            StreamWriter::Then then) {
  if (write_failed_ || state_ == State::kClosed) return;
  const std::array<iovec, 3> pieces = {Piece(head), Piece(content), Piece(tail)};
  CountSent(head.size() + content.size() + tail.size());
  OnWritten(writer_.Write(stream(), pieces, then));
}

void Http1Connection::WritePipe(net::PipePool::Loan& pipe) {
  if (write_failed_ || state_ == State::kClosed) return;
  CountSent(pipe->bytes());
  OnWritten(writer_.Write(stream(), pipe));
}

void Http1Connection::CountSent(std::size_t bytes) {
  bytes_sent_ += bytes;
  counters().bytes_sent.Add(bytes);
  Touch();
}

void Http1Connection::OnWritten(bool written) {
  if (written) return;
  // The exchange is in the middle of its work: it hears of this at the end of the turn.
  write_failed_ = true;
  writer_.Clear();
  worker_.loop.RunSoon(*this);
}

void Http1Connection::OnWritable() {
  if (state_ == State::kClosed || !writer_.congested()) return;
  Touch();
  if (!writer_.Flush(stream())) {
    write_failed_ = true;
    writer_.Clear();
    RunTask();
    return;
  }
  if (writer_.congested()) return;
  if (exchange_ != nullptr) {
    exchange_->OnDownstreamDrained();
  } else {
    AfterResponse();
  }
}

// What was put off: a broken connection, content that may flow again, pipelined requests.
void Http1Connection::RunTask() {
  if (state_ == State::kClosed) return;
  if (write_failed_) {
    if (exchange_ != nullptr) {
      exchange_->OnDownstreamFailed(ErrorCode::kClientClosed);
    } else {
      Close(net::Stream::CloseMode::kGraceful);
    }
    return;
  }
  if (content_paused_) return;
  if (state_ == State::kHead || state_ == State::kContent) UseCarried();
  OnReadable();
}

void Http1Connection::AbortResponse() {
  close_after_response_ = true;
  Close(net::Stream::CloseMode::kReset);
}

void Http1Connection::FinishExchange() {
  exchange_ = nullptr;
  if (state_ == State::kClosed || write_failed_) return;
  AfterResponse();
}

// The exchange is over: the connection closes, or waits for the next request, as soon as everything was written.
void Http1Connection::AfterResponse() {
  if (writer_.congested()) {
    if (state_ == State::kContent) content_paused_ = true;
    return;
  }
  const bool request_complete = content_.complete();
  if (!request_complete) close_after_response_ = true;
  if (close_after_response_) {
    if (request_complete && carried_.empty() && !stream().readable()) {
      Close(net::Stream::CloseMode::kGraceful);
    } else {
      Linger();
    }
    return;
  }
  state_ = State::kHead;
  content_paused_ = false;
  if (carried_.empty()) carried_ = {};  // an idle connection owns no buffer
  Touch();
  if (!carried_.empty() || stream().readable()) worker_.loop.RunSoon(*this);
}

// Closing with unread bytes in the socket sends RST, which can destroy the response on its way (RFC 9112 section 9.6).
void Http1Connection::Linger() {
  state_ = State::kLingering;
  content_paused_ = false;
  carried_.clear();
  stream().ShutdownWrite();
  net::Timer::Cancel();
  worker_.loop.timers().Schedule(*this, worker_.loop.now() + kLingerTime);
  if (stream().readable()) worker_.loop.RunSoon(*this);
}

void Http1Connection::Discard() {
  while (stream().readable()) {
    const net::IoResult result = stream().Read({worker_.read_buffer.data(), WorkerState::kReadBytesMax});
    if (result.status == net::IoStatus::kWouldBlock) return;
    discarded_ += result.bytes;
    if (result.status != net::IoStatus::kOk || discarded_ > kLingerBytesMax) {
      Close(net::Stream::CloseMode::kGraceful);
      return;
    }
  }
}

// ---- the end
// --------------------------------------------------------------------------------------------------------------------

void Http1Connection::CloseWhenIdle() {
  const bool fresh = !any_request_ && worker_.loop.now() - accepted_ < kFreshTime;
  if (state_ == State::kHead && carried_.empty() && !writer_.congested() && !fresh) {
    Close(net::Stream::CloseMode::kGraceful);
  } else {
    close_after_response_ = exchange_ != nullptr || writer_.congested();
  }
}

void Http1Connection::Abort() {
  if (exchange_ != nullptr) {
    exchange_->Abort();
  } else if (state_ != State::kClosed) {
    Close(net::Stream::CloseMode::kReset);
  }
}

void Http1Connection::Close(net::Stream::CloseMode mode) {
  if (state_ == State::kClosed) return;
  state_ = State::kClosed;
  net::Timer::Cancel();
  writer_.Clear();
  stream().Close(mode);
  counters().connections_active.Subtract();
  connections_.Remove(worker_, *this);
}

}  // namespace weir::proxy
