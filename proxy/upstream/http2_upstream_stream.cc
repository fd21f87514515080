#include "proxy/upstream/http2_upstream_stream.h"

#include "net/tls_stream.h"
#include "proxy/upstream/http2_upstream_connection.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

namespace weir::proxy {
namespace {

constexpr std::string_view kHostPrefix = "Host: ";

// Of the first line: several are kept for targets of HTTP/1.1 only.
std::string_view AuthorityOf(std::string_view host_lines) {
  const std::string_view line = host_lines.substr(0, host_lines.find("\r\n"));
  return line.substr(std::min(kHostPrefix.size(), line.size()));
}

}  // namespace

Http2UpstreamStream::~Http2UpstreamStream() = default;

void Http2UpstreamStream::LetSend() {
  may_send_ = true;
  events_->OnUpstreamConnected();
}

const net::TlsFacts* Http2UpstreamStream::tls() const {
  return connection_.stream() == nullptr ? nullptr : connection_.stream()->tls();
}

const net::TlsFailure* Http2UpstreamStream::tls_failure() const {
  return connection_.tls_stream() == nullptr ? nullptr : &connection_.tls_stream()->failure();
}

// ---- the request

bool Http2UpstreamStream::SendRequest(const RequestMessage& request, const Content& content) {
  http::Http2Session* const session = connection_.session();
  if (session == nullptr) return false;
  method_ = request.method;
  auto& fields = connection_.worker().http2_fields;
  fields.clear();
  fields.push_back({.name = ":method", .value = request.method});
  fields.push_back({.name = ":scheme", .value = connection_.key().tls == nullptr ? "http" : "https"});
  fields.push_back({.name = ":authority", .value = AuthorityOf(request.host_lines)});
  fields.push_back({.name = ":path", .value = request.target});
  http::AppendFieldsOf(request.fields, fields);
  if (request.takes_trailers) fields.push_back({.name = "te", .value = "trailers"});
  std::array<char, 20> digits{};
  if (request.framing.kind == http::FramingKind::kContentLength) {
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), request.framing.content_length).ptr;
    fields.push_back({.name = "content-length", .value = {digits.data(), end}});
  }
  const bool ends = content.is_last() && content.bytes.empty() && content.trailer_fields().empty();
  sent_ = session->Request(*this, fields, ends);
  if (!sent_) return false;
  sent_at_ = connection_.worker().loop.now();
  if (!ends) session->Send(*this, content.bytes, content.is_last(), content.trailer_fields());
  connection_.FlushSoon();
  return true;
}

// Where the target has closed the stream already its response is still delivered.
void Http2UpstreamStream::SendContent(const Content& content) {
  if (!open()) return;
  connection_.session()->Send(*this, content.bytes, content.is_last(), content.trailer_fields());
  connection_.FlushSoon();
}

void Http2UpstreamStream::OnDrained() {
  if (events_ != nullptr) events_->OnUpstreamDrained();
}

// ---- the response

bool Http2UpstreamStream::TakeInterim(std::size_t bytes) {
  interim_bytes_ += bytes;
  return ++interim_count_ <= kInterimCountMax && interim_bytes_ <= kInterimBytesMax;
}

void Http2UpstreamStream::OnResponse(const http::Http2FieldSection& section, bool ends) {
  if (events_ == nullptr) return;
  WorkerState& worker = connection_.worker();
  http::ResponseHead& head = worker.response_head;
  const auto outcome = http::ParseHttp2Response(section, ends, method_, worker.http2_text, head);
  response_began_ = true;
  connection_.NoteAnswered();
  if (outcome.status != http::ParseStatus::kDone) return Refuse(CodeForRefusedResponse(outcome));
  if (head.status < 200) {
    // No other protocol can follow on a stream (RFC 9113 section 8.6), and no response ends before it began.
    if (head.status == 101 || ends) return Refuse(ErrorCode::kTargetResponseMalformed);
    if (!TakeInterim(worker.http2_text.size())) return Refuse(ErrorCode::kTooManyInterimResponses);
    return events_->OnResponse(head, {});
  }
  head_received_ = true;
  response_complete_ = ends;
  Content content;
  if (ends) content.end = ContentEnd::kLast;
  events_->OnResponse(head, content);
}

void Http2UpstreamStream::OnContent(std::string_view bytes, bool last) {
  if (events_ == nullptr) return;  // nobody wants it any more: the window stays as it is
  if (last) response_complete_ = true;
  if (!holds()) return Deliver(bytes, last);
  held_ += bytes;
  held_last_ = last;
  owed_ += bytes.size();
}

void Http2UpstreamStream::OnTrailers(const http::Http2FieldSection& trailers) {
  if (events_ == nullptr) return;
  if (!http::ReadHttp2Trailers(trailers, trailer_text_, trailers_)) {
    return Refuse(ErrorCode::kTargetResponseIncomplete);
  }
  OnContent({}, true);
}

// The target may send as much again unless that is too much for the client.
void Http2UpstreamStream::Deliver(std::string_view bytes, bool last) {
  events_->OnResponseContent({.bytes = bytes,
                              .end = last ? ContentEnd::kLast : ContentEnd::kMore,
                              .trailers = last && !trailers_.empty() ? &trailers_ : nullptr});
  if (paused_) {
    owed_ += bytes.size();
  } else if (open() && events_ != nullptr) {
    connection_.session()->Consume(*this, bytes.size());
  }
}

// Not from inside the exchange's call: the content goes straight back to it.
void Http2UpstreamStream::ResumeResponse() {
  paused_ = false;
  connection_.worker().loop.RunSoon(*this);
}

void Http2UpstreamStream::RunTask() {
  if (paused_ || events_ == nullptr) return;
  if (const std::size_t owed = std::exchange(owed_, 0); owed > 0 && open()) {
    connection_.session()->Consume(*this, owed);
    connection_.FlushSoon();
  }
  if (!holds()) return;
  const std::string held = std::exchange(held_, std::string());
  const bool last = std::exchange(held_last_, false);
  events_->OnResponseContent({.bytes = held,
                              .end = last ? ContentEnd::kLast : ContentEnd::kMore,
                              .trailers = last && !trailers_.empty() ? &trailers_ : nullptr});
}

// ---- the end

void Http2UpstreamStream::Reset(http::Http2Error code) {
  if (!open() || std::exchange(was_reset_, true)) return;
  connection_.session()->Reset(*this, code);
  connection_.FlushSoon();
}

void Http2UpstreamStream::Refuse(ErrorCode code) {
  Reset(http::Http2Error::kProtocolError);
  Fail(code);
}

void Http2UpstreamStream::Fail(ErrorCode code) {
  if (UpstreamEvents* const events = std::exchange(events_, nullptr)) events->OnUpstreamFailed(code, response_began_);
}

void Http2UpstreamStream::OnClosed(http::Http2Error code, bool by_peer) {
  const bool was_released = released_;
  if (reset_by_peer() && !response_complete_) reset_code_ = std::to_underlying(code);
  // What came whole is delivered, and the exchange lets go then.
  if (events_ != nullptr && !response_complete_) {
    if (head_received_) {
      Fail(ErrorCode::kTargetResponseIncomplete);
    } else if (by_peer && code == http::Http2Error::kRefusedStream && !response_began_) {
      Fail(ErrorCode::kTargetStreamRefused);
    } else {
      Fail(by_peer ? ErrorCode::kTargetStreamReset : ErrorCode::kTargetResponseMalformed);
    }
  }
  if (was_released) connection_.Drop(*this);
}

void Http2UpstreamStream::Release(Reusable /*reusable*/) {
  events_ = nullptr;
  paused_ = false;
  released_ = true;
  std::string().swap(held_);
  const bool unanswered = sent_ && !response_began_ && open();
  // What is left of the request is not wanted any more, nor is the rest of the response.
  if (open() && !(peer_ended() && ended())) Reset(http::Http2Error::kCancel);
  connection_.OnReleased(*this, unanswered);
  if (!open()) connection_.Drop(*this);
}

}  // namespace weir::proxy
