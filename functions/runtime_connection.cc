#include "functions/runtime_connection.h"

#include "base/text.h"
#include "functions/runtime_limits.h"
#include "http/head_parser.h"
#include "http/writer.h"

#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <utility>

namespace weir::functions {
namespace {

constexpr std::size_t kReadBytes = 64 * 1024;
// Runtimes of AWS put the cause of an error into a field, as JSON.
constexpr http::HeadLimits kHeadLimits{.start_line_bytes_max = 4 * 1024,
                                       .field_line_bytes_max = 96 * 1024,
                                       .head_bytes_max = 128 * 1024,
                                       .fields_max = 100};

}  // namespace

RuntimeConnection::RuntimeConnection(std::unique_ptr<net::Stream> stream, RuntimeConnectionEvents& events)
    : stream_(std::move(stream)), events_(&events) {
  stream_->set_events(*this);
}

void RuntimeConnection::OnReadable() { Read(); }

void RuntimeConnection::Read() {
  std::array<char, kReadBytes> buffer;
  while (phase_ != Phase::kClosed && stream_->readable()) {
    // Nothing is expected while an answer is due or under way: what comes is the end, or requests ahead of their time.
    if ((phase_ == Phase::kAnswering || !out_.empty()) && in_.size() >= kReadBytes) return;
    const auto got = stream_->Read(buffer);
    if (got.status == net::IoStatus::kWouldBlock) return;
    if (got.status != net::IoStatus::kOk) return Fail();
    in_.append(buffer.data(), got.bytes);
    ConsumeAll();
  }
}

void RuntimeConnection::ConsumeAll() {
  if (consuming_) return;
  consuming_ = true;
  while (Consume()) {
  }
  consuming_ = false;
}

bool RuntimeConnection::Consume() {
  switch (phase_) {
    case Phase::kHead:
      // The next one waits until the peer has taken the answer before it.
      return out_.empty() && ConsumeHead();
    case Phase::kContent:
      return chunked_ ? ConsumeChunks() : ConsumeContent();
    case Phase::kAnswering:
    case Phase::kClosed:
      return false;
  }
  return false;
}

bool RuntimeConnection::ConsumeHead() {
  if (in_.empty()) return false;
  const auto outcome = http::ParseRequestHead(in_, scanned_, kHeadLimits, head_);
  if (outcome.status == http::ParseStatus::kNeedMore) return false;
  if (outcome.status == http::ParseStatus::kRefused) {
    Refuse(RuntimeFault(outcome.http_status, "InvalidRequest", outcome.why));
    return false;
  }
  keep_alive_ = head_.keep_alive;
  path_ = head_.parts.path;
  const auto request = ReadRuntimeRequest(head_.method, path_);
  if (!request) {
    Refuse(request.error());
    return false;
  }
  message_ = {.request = *request};
  if (const auto* field = http::FindField(head_.fields, "lambda-runtime-function-error-type")) {
    message_.error_type = field->value.substr(0, kErrorBytesMax);
  }
  content_max_ = request->call == RuntimeCall::kResponse ? kResponseBytesMax : kErrorBytesMax;
  chunked_ = head_.framing.kind == http::FramingKind::kChunked;
  content_left_ = head_.framing.kind == http::FramingKind::kContentLength ? head_.framing.content_length : 0;
  discarded_ = 0;
  chunks_.Reset();
  if (head_.expects_continue) out_ += "HTTP/1.1 100 Continue\r\n\r\n";
  in_.erase(0, outcome.consumed);
  scanned_ = 0;
  phase_ = Phase::kContent;
  Flush();
  return phase_ == Phase::kContent;
}

void RuntimeConnection::Keep(std::string_view content) {
  const std::size_t room = content_max_ - message_.content.size();
  message_.content.append(content.substr(0, room));
  if (content.size() <= room) return;
  message_.too_large = true;
  discarded_ += content.size() - room;
}

bool RuntimeConnection::ConsumeContent() {
  const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(content_left_, in_.size()));
  Keep(std::string_view(in_).substr(0, size));
  in_.erase(0, size);
  content_left_ -= size;
  if (content_left_ == 0) return FinishRequest();
  if (discarded_ > kDiscardBytesMax) Fail();
  return false;
}

bool RuntimeConnection::ConsumeChunks() {
  std::size_t consumed = 0;
  for (;;) {
    const auto output = chunks_.Next(std::string_view(in_).substr(consumed));
    consumed += output.consumed;
    if (output.step == http::ChunkedDecoder::Step::kContent) {
      Keep(output.content);
      if (discarded_ <= kDiscardBytesMax) continue;
      Fail();
      return false;
    }
    in_.erase(0, consumed);
    if (output.step == http::ChunkedDecoder::Step::kEnd) return FinishRequest();
    if (output.step == http::ChunkedDecoder::Step::kRefused) {
      Refuse(RuntimeFault(400, "InvalidRequest", chunks_.why()));
    }
    return false;
  }
}

bool RuntimeConnection::FinishRequest() {
  phase_ = Phase::kAnswering;
  events_->OnRequest(*this, std::move(message_));
  return phase_ == Phase::kHead;
}

void RuntimeConnection::Refuse(const RuntimeAnswer& answer) {
  // Whatever follows is not looked at: it may be the content of what was refused.
  phase_ = Phase::kAnswering;
  keep_alive_ = false;
  Answer(answer);
}

void RuntimeConnection::Answer(const RuntimeAnswer& answer) {
  if (phase_ != Phase::kAnswering) return;
  const auto status = static_cast<std::uint16_t>(answer.status);
  http::AppendStatusLine(out_, http::Version::kHttp11, status, http::ReasonPhrase(status));
  http::AppendField(out_, "Content-Type", "application/json");
  for (const auto& [name, value] : answer.fields) http::AppendField(out_, name, value);
  if (!keep_alive_) http::AppendField(out_, "Connection", "close");
  http::AppendContentLength(out_, answer.content.size());
  out_ += "\r\n";
  out_ += answer.content;
  if (keep_alive_) phase_ = Phase::kHead;
  Flush();
  // What has come meanwhile is taken now, unless this is called from there.
  ConsumeAll();
}

void RuntimeConnection::Flush() {
  while (phase_ != Phase::kClosed && written_ < out_.size()) {
    const iovec piece{.iov_base = out_.data() + written_, .iov_len = out_.size() - written_};
    const auto sent = stream_->Write({&piece, 1});
    if (sent.status == net::IoStatus::kWouldBlock) return;
    if (sent.status != net::IoStatus::kOk) return Fail();
    written_ += sent.bytes;
  }
  if (phase_ == Phase::kClosed) return;
  out_.clear();
  written_ = 0;
  if (phase_ == Phase::kAnswering && !keep_alive_) stream_->ShutdownWrite();
}

void RuntimeConnection::OnWritable() {
  Flush();
  ConsumeAll();
  Read();
}

void RuntimeConnection::Fail() {
  if (phase_ == Phase::kClosed) return;
  phase_ = Phase::kClosed;
  stream_->Close(net::Stream::CloseMode::kGraceful);
  std::exchange(events_, nullptr)->OnClosed(*this);
}

void RuntimeConnection::Close() {
  if (phase_ == Phase::kClosed) return;
  phase_ = Phase::kClosed;
  events_ = nullptr;
  stream_->Close(net::Stream::CloseMode::kReset);
}

}  // namespace weir::functions
