// The half of Http1Connection that writes: responses, and how a connection ends.
#include "http/writer.h"
#include "proxy/downstream/http1_connection.h"
#include "proxy/upgrade.h"

#include <utility>

namespace weir::proxy {
namespace {

// An assignment of an empty text would keep the buffer.
void FreeBuffer(std::string& text) { std::string().swap(text); }

// A text has so much room, or a little less, without a buffer.
constexpr std::size_t kInlineBytesMax = 32;

}  // namespace

// ---- responses

void Http1Connection::AppendResponseHead(std::string& out, const ResponseMessage& response, bool with_framing) {
  http::AppendStatusLine(out, http::Version::kHttp11, response.status, response.reason);
  out += response.fields;
  if (!with_framing) {
    out += "\r\n";
    return;
  }
  if (response.announced_length && response.framing.kind == http::FramingKind::kNone) {
    http::AppendContentLength(out, *response.announced_length);
  }
  using enum MessageWriter::Receiver;
  if (!framing_.Begin(out, response.framing, client_is_http10_ ? kHttp10 : kKnowsChunks)) close_after_response_ = true;
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
  const iovec piece = Piece(worker_.head_out);
  Write({&piece, 1}, StreamWriter::Then::kMoreFollows);
}

void Http1Connection::SendResponse(const ResponseMessage& response, const Content& content) {
  if (response.opens_tunnel) return OpenTunnel(response, content);
  NoteEnd(content);
  worker_.head_out.clear();
  AppendResponseHead(worker_.head_out, response, true);
  WriteWithContent(worker_.head_out, content);
}

bool Http1Connection::takes_pipe() const {
  return !framing_.chunked() && !writer_.congested() && !write_failed_ && state_ != State::kClosed &&
         stream().splices();
}

void Http1Connection::SendContent(const Content& content) {
  NoteEnd(content);
  if (content.pipe != nullptr) return WritePipe(*content.pipe);
  worker_.head_out.clear();
  WriteWithContent(worker_.head_out, content);
  if (is_tunnel_ && content.is_last()) EndTunnelWrite();
}

// What was read behind the request's head belongs to the tunnel, and goes into it when the exchange has done its work.
void Http1Connection::OpenTunnel(const ResponseMessage& response, const Content& content) {
  is_tunnel_ = true;
  close_after_response_ = true;
  state_ = State::kContent;
  content_paused_ = false;
  reader_.content.BeginTunnel();
  bytes_received_ += reader_.carried.size();
  std::string& out = worker_.head_out;
  out.clear();
  http::AppendStatusLine(out, http::Version::kHttp11, response.status, response.reason);
  out += response.fields;
  out += kUpgradeFields;
  static_cast<void>(framing_.Begin(out, {}, MessageWriter::Receiver::kKnowsChunks));
  out += "\r\n";
  WriteWithContent(out, content);
  worker_.loop.RunSoon(*this);
}

void Http1Connection::EndTunnelWrite() {
  tunnel_written_ = true;
  if (state_ != State::kClosed && !write_failed_ && !writer_.congested()) stream().ShutdownWrite();
}

// A response that ends before its request was received whole: what is left of the request cannot be told from the next
// one.
void Http1Connection::NoteEnd(const Content& content) {
  if (content.is_last() && !reader_.content.complete()) close_after_response_ = true;
}

// One write: what `out` holds, the content and what frames it.
void Http1Connection::WriteWithContent(std::string& out, const Content& content) {
  MessageWriter::Pieces room;
  using enum StreamWriter::Then;
  Write(framing_.Frame(out, content, room), content.is_last() && close_after_response_ ? kEndFollows : kMoreFollows);
}

void Http1Connection::Write(std::span<const iovec> pieces, StreamWriter::Then then) {
  if (write_failed_ || state_ == State::kClosed) return;
  std::size_t bytes = 0;
  for (const iovec& piece : pieces) bytes += piece.iov_len;
  CountSent(bytes);
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
  if (tunnel_written_) stream().ShutdownWrite();
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

void Http1Connection::EndWithoutResponse() {
  close_after_response_ = true;
  if (writer_.congested()) {
    Close(net::Stream::CloseMode::kReset);
  } else if (write_failed_ || stream().broken()) {
    Close(net::Stream::CloseMode::kGraceful);
  }
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
  if (!reader_.content.complete()) close_after_response_ = true;
  if (close_after_response_) return End();
  state_ = State::kHead;
  answered_ = worker_.loop.now();
  content_paused_ = false;
  // An idle connection owns no buffer.
  if (reader_.carried.empty() && reader_.carried.capacity() > kInlineBytesMax) FreeBuffer(reader_.carried);
  Touch();
  if (!reader_.carried.empty() || stream().readable()) worker_.loop.RunSoon(*this);
}

// The connection has given its last answer. Bytes that arrive at a closed socket, or were not read from it, make the
// system send RST and forget what it still holds of the answer: so the answer and the end go out at once, and the
// connection is closed when nothing can arrive any more (RFC 9112 section 9.6).
void Http1Connection::End() {
  if (stream().read_to_end()) {
    Close(net::Stream::CloseMode::kGraceful);
  } else {
    Linger();
  }
}

void Http1Connection::Linger() {
  state_ = State::kLingering;
  content_paused_ = false;
  FreeBuffer(reader_.carried);
  stream().ShutdownWrite();
  net::Timer::Cancel();
  worker_.loop.timers().Schedule(*this, worker_.loop.now() + kLingerTime);
  if (stream().readable()) worker_.loop.RunSoon(*this);
}

void Http1Connection::Discard() {
  for (int reads = 0; stream().readable(); ++reads) {
    if (reads == kReadsPerTurnMax) {
      worker_.loop.RunSoon(*this);
      return;
    }
    if (!DiscardOnce()) return;
  }
}

// False when there is no more to be read now, or ever.
bool Http1Connection::DiscardOnce() {
  if (discarded_ > kLingerBytesMax) {
    // More than any answer is waited for with. Until it has arrived the rest stays in the socket, unread.
    if (stream().acknowledged()) Close(net::Stream::CloseMode::kGraceful);
    return false;
  }
  const net::IoResult result = stream().Read({worker_.read_buffer.data(), WorkerState::kReadBytesMax});
  if (result.status == net::IoStatus::kWouldBlock) return false;
  discarded_ += result.bytes;
  if (result.status == net::IoStatus::kOk) return true;
  Close(net::Stream::CloseMode::kGraceful);
  return false;
}

// The client goes on sending, or forgot to close. A slow one may still be receiving the answer.
void Http1Connection::OnLingerTimer() {
  if (++lingers_ == kLingersMax || stream().acknowledged()) {
    Close(net::Stream::CloseMode::kGraceful);
  } else {
    worker_.loop.timers().Schedule(*this, worker_.loop.now() + kLingerTime);
  }
}

// ---- the end

void Http1Connection::CloseWhenIdle() {
  if (state_ == State::kLingering) {
    const bool done = discarded_ == 0 && !stream().readable() && stream().acknowledged();
    if (done) Close(net::Stream::CloseMode::kGraceful);
    return;
  }
  const bool fresh = !any_request_ && worker_.loop.now() - accepted_ < kFreshTime;
  if (state_ != State::kHead || !reader_.carried.empty() || writer_.congested() || fresh) {
    close_after_response_ = exchange_ != nullptr || writer_.congested();
  } else if (any_request_) {
    End();
  } else {
    Close(net::Stream::CloseMode::kGraceful);
  }
}

std::optional<SteadyTime> Http1Connection::idle_since() const {
  if (state_ != State::kHead || !any_request_ || !reader_.carried.empty() || writer_.congested()) return std::nullopt;
  return answered_;
}

void Http1Connection::Abort() {
  if (exchange_ != nullptr) exchange_->Abort();
  Close(writer_.congested() ? net::Stream::CloseMode::kReset : net::Stream::CloseMode::kGraceful);
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
