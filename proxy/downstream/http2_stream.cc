#include "proxy/downstream/http2_stream.h"

#include "base/text.h"
#include "proxy/downstream/http2_connection.h"
#include "proxy/exchange.h"

#include <array>
#include <charconv>
#include <optional>
#include <utility>

namespace weir::proxy {
namespace {

std::optional<std::uint64_t> LengthOf(const ResponseMessage& response) {
  if (response.framing.kind == http::FramingKind::kContentLength) return response.framing.content_length;
  return response.framing.kind == http::FramingKind::kNone ? response.announced_length : std::nullopt;
}

// What a field section has beside its fields: `:status` and its value.
constexpr std::size_t kStatusBytes = 10;

}  // namespace

Http2DownstreamStream::~Http2DownstreamStream() = default;

// ---- the request

void Http2DownstreamStream::Begin(Exchange& exchange, std::size_t head_bytes, bool asks_for_tunnel) {
  exchange_ = &exchange;
  asks_for_tunnel_ = awaits_tunnel_ = asks_for_tunnel;
  bytes_received_ = head_bytes;
  Touch();
}

void Http2DownstreamStream::OnContent(std::string_view bytes, bool last) {
  bytes_received_ += bytes.size();
  if (exchange_ == nullptr) {
    // Nobody wants it any more: the window stays as it is.
    return;
  }
  if (!awaits_tunnel_) Touch();  // else the request is complete, and its target late
  if (!holds()) return Deliver(bytes, last);
  held_ += bytes;
  held_last_ = last;
  owed_ += bytes.size();
}

void Http2DownstreamStream::OnTrailers(const http::Http2FieldSection& trailers) {
  if (exchange_ == nullptr) return;
  // A tunnel has DATA alone (RFC 9113 section 8.5).
  if (asks_for_tunnel_ || !http::ReadHttp2Trailers(trailers, trailer_text_, trailers_)) {
    connection_.session().Reset(*this, http::Http2Error::kProtocolError);
    exchange_->OnDownstreamFailed(ErrorCode::kRequestContentMalformed);
    return;
  }
  OnContent({}, true);
}

void Http2DownstreamStream::Deliver(std::string_view bytes, bool last) {
  exchange_->OnRequestContent({.bytes = bytes,
                               .end = last ? ContentEnd::kLast : ContentEnd::kMore,
                               .trailers = last && !trailers_.empty() ? &trailers_ : nullptr});
  if (paused_) {
    owed_ += bytes.size();
  } else if (open()) {
    connection_.session().Consume(*this, bytes.size());
  }
}

void Http2DownstreamStream::ResumeRequestContent() {
  paused_ = false;
  // Not from inside the exchange's call: the content goes straight back to it.
  connection_.worker().loop.RunSoon(*this);
}

void Http2DownstreamStream::RunTask() {
  if (paused_ || awaits_tunnel_) return;
  if (const std::size_t owed = std::exchange(owed_, 0); owed > 0) {
    connection_.session().Consume(*this, owed);
    connection_.FlushSoon();
  }
  if (exchange_ == nullptr || !holds()) return;
  const std::string held = std::exchange(held_, std::string());
  const bool last = std::exchange(held_last_, false);
  exchange_->OnRequestContent({.bytes = held,
                               .end = last ? ContentEnd::kLast : ContentEnd::kMore,
                               .trailers = last && !trailers_.empty() ? &trailers_ : nullptr});
}

// ---- the response

// HTTP/2 clients do not wait for 100 (spec: alb.md 12.1).
void Http2DownstreamStream::SendInterim(const ResponseMessage& response) {
  if (response.status == 100 || !open()) return;
  auto& fields = connection_.worker().http2_fields;
  fields.clear();
  http::AppendFieldsOf(response.fields, fields);
  bytes_sent_ += kStatusBytes + response.fields.size();
  connection_.session().Respond(*this, response.status, fields, false);
  connection_.FlushSoon();
}

void Http2DownstreamStream::SendResponse(const ResponseMessage& response, const Content& content) {
  auto& fields = connection_.worker().http2_fields;
  fields.clear();
  http::AppendFieldsOf(response.fields, fields);
  if (response.opens_tunnel) return OpenTunnel(response, content);
  std::array<char, 20> digits{};
  if (const auto length = LengthOf(response)) {
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), *length).ptr;
    fields.push_back({.name = "content-length", .value = {digits.data(), end}});
  }
  bytes_sent_ += kStatusBytes + response.fields.size();
  const bool ends = content.is_last() && content.bytes.empty() && content.trailer_fields().empty();
  connection_.session().Respond(*this, response.status, fields, ends);
  if (ends) {
    connection_.FlushSoon();
  } else {
    SendContent(content);
  }
}

// RFC 8441 section 5: a tunnel is open with 200, and what answers the key of HTTP/1.1 says nothing here.
void Http2DownstreamStream::OpenTunnel(const ResponseMessage& response, const Content& content) {
  auto& fields = connection_.worker().http2_fields;
  std::erase_if(fields, [](const http::Field& field) { return EqualsIgnoreCase(field.name, "sec-websocket-accept"); });
  bytes_sent_ += kStatusBytes + response.fields.size();
  connection_.session().Respond(*this, 200, fields, false);
  SendContent(content);
  awaits_tunnel_ = false;
  connection_.worker().loop.RunSoon(*this);  // what came before goes into it when the exchange has done its work
}

void Http2DownstreamStream::SendContent(const Content& content) {
  bytes_sent_ += content.bytes.size();
  Touch();
  connection_.session().Send(*this, content.bytes, content.is_last(), content.trailer_fields());
  connection_.FlushSoon();
}

void Http2DownstreamStream::OnDrained() {
  Touch();
  if (exchange_ != nullptr) exchange_->OnDownstreamDrained();
}

// Where the exchange goes on it is a tunnel that its target has ended alone.
void Http2DownstreamStream::OnEarlyEnd() {
  if (exchange_ != nullptr) return;
  auto& loop = connection_.worker().loop;
  net::Timer::Cancel();
  loop.timers().Schedule(*this, loop.now() + kEarlyEndTime);
}

// Of a tunnel it is what a reset is to TCP (RFC 8441 section 5).
void Http2DownstreamStream::AbortResponse() {
  connection_.session().Reset(*this, is_tunnel() ? http::Http2Error::kCancel : http::Http2Error::kInternalError);
  connection_.FlushSoon();
}

bool Http2DownstreamStream::ForwardReset(std::uint32_t code) {
  connection_.session().Reset(*this, static_cast<http::Http2Error>(code));
  connection_.FlushSoon();
  return true;
}

void Http2DownstreamStream::EndWithoutResponse() {
  connection_.session().Reset(*this, http::Http2Error::kCancel);
  connection_.FlushSoon();
}

void Http2DownstreamStream::FinishExchange() {
  exchange_ = nullptr;
  paused_ = false;
  if (open() && ended()) OnEarlyEnd();
  DropWhenUnused();
}

// ---- the end

// Closed by the client, or for what the client did.
void Http2DownstreamStream::OnClosed(http::Http2Error code, bool by_peer) {
  // Both ends of a tunnel were said: its target may still have to take what came before.
  if (is_tunnel() && exchange_ != nullptr && code == http::Http2Error::kNoError && !by_peer) return;
  net::Timer::Cancel();
  if (exchange_ != nullptr) {
    const bool is_malformed = !by_peer && code != http::Http2Error::kNoError && !peer_ended();
    exchange_->OnDownstreamFailed(is_malformed ? ErrorCode::kRequestContentMalformed : ErrorCode::kClientClosed);
  } else {
    DropWhenUnused();
  }
}

void Http2DownstreamStream::DropWhenUnused() {
  if (exchange_ == nullptr && !open()) connection_.Drop(*this);
}

void Http2DownstreamStream::Touch() {
  pending_at_timer_ = pending_bytes();
  auto& loop = connection_.worker().loop;
  loop.timers().Schedule(*this, loop.now() + connection_.idle_timeout());
}

void Http2DownstreamStream::OnTimer() {
  if (!open() && exchange_ == nullptr) return;
  if (ended() && exchange_ == nullptr) {
    connection_.session().Reset(*this, http::Http2Error::kNoError);
    return connection_.FlushSoon();
  }
  if (pending_bytes() < pending_at_timer_) return Touch();  // slow is not idle
  if (connection_.session().is_window_closed(*this)) {
    connection_.session().NoteZeroWindow(connection_.worker().loop.now());
  }
  connection_.FlushSoon();
  if (exchange_ != nullptr) {
    exchange_->OnIdleTimeout();
  } else {
    connection_.session().Reset(*this, http::Http2Error::kCancel);
  }
}

}  // namespace weir::proxy
