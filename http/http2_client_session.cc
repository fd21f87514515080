#include "http/http2_client_session.h"

#include "base/check.h"
#include "base/text.h"
#include "http/http2_bytes.h"

#include <nghttp2/nghttp2.h>

#include <algorithm>
#include <array>
#include <deque>
#include <string>
#include <vector>

namespace weir::http {
namespace {

// Windows that never hold a response back: this side reads as fast as it can and keeps nothing.
constexpr std::int32_t kStreamWindowBytes = 16 << 20;
constexpr std::int32_t kConnectionWindowBytes = 1 << 30;

struct FreeClientCallbacks {
  void operator()(nghttp2_session_callbacks* callbacks) const { nghttp2_session_callbacks_del(callbacks); }
};

struct FreeSession {
  void operator()(nghttp2_session* session) const { nghttp2_session_del(session); }
};

// One request and its response. Kept at one place while the stream lives: nghttp2 holds its address.
struct Exchange {
  std::uint64_t token = 0;
  std::int32_t stream = 0;  // 0: free
  std::string_view content;
  std::size_t sent = 0;
  bool in_final_head = false;
  bool has_status = false;
  bool ended = false;  // END_STREAM came
};

}  // namespace

class Http2ClientSession::Session {
 public:
  explicit Session(Events& events);

  bool Submit(std::span<const Field> fields, std::string_view content, std::uint64_t token);
  void Reset(std::uint64_t token);
  bool Receive(std::string_view bytes);
  std::string_view Output();
  [[nodiscard]] bool accepts_requests() const {
    return !goaway_ && nghttp2_session_check_request_allowed(session_.get()) != 0;
  }
  [[nodiscard]] std::uint32_t streams_max() const {
    return nghttp2_session_get_remote_settings(session_.get(), NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS);
  }
  [[nodiscard]] std::string_view why() const { return why_; }

 private:
  static Session& Of(void* user) { return *static_cast<Session*>(user); }
  static Exchange* ExchangeOf(nghttp2_session* session, std::int32_t stream) {
    return static_cast<Exchange*>(nghttp2_session_get_stream_user_data(session, stream));
  }
  static int OnHeader(nghttp2_session* session, const nghttp2_frame* frame, const std::uint8_t* name,
                      std::size_t name_size, const std::uint8_t* value, std::size_t value_size, std::uint8_t flags,
                      void* user);
  static int OnFrame(nghttp2_session* session, const nghttp2_frame* frame, void* user);
  static int OnClose(nghttp2_session* session, std::int32_t stream, std::uint32_t code, void* user);
  static int OnNotSent(nghttp2_session* session, const nghttp2_frame* frame, int error, void* user);
  static int OnInvalid(nghttp2_session* session, const nghttp2_frame* frame, int error, void* user);
  static int OnError(nghttp2_session* session, int code, const char* text, std::size_t size, void* user);
  static ssize_t ReadContent(nghttp2_session* session, std::int32_t stream, std::uint8_t* buffer, std::size_t size,
                             std::uint32_t* flags, nghttp2_data_source* source, void* user);
  Exchange& FreeExchange();
  [[nodiscard]] StreamEnd HowItEnded(const Exchange& exchange, std::uint32_t code) const;
  void Finish(Exchange& exchange, StreamEnd end, std::uint32_t code);
  void TakeField(Exchange& exchange, std::string_view name, std::string_view value);

  Events& events_;
  std::unique_ptr<nghttp2_session, FreeSession> session_;
  std::deque<Exchange> exchanges_;  // a deque: addresses stay
  std::vector<Exchange*> free_;
  std::vector<nghttp2_nv> fields_;  // of the request being submitted
  bool goaway_ = false;
  std::string why_;
};

Http2ClientSession::Session::Session(Events& events) : events_(events) {
  nghttp2_session_callbacks* made = nullptr;
  WEIR_CHECK(nghttp2_session_callbacks_new(&made) == 0);
  const std::unique_ptr<nghttp2_session_callbacks, FreeClientCallbacks> callbacks(made);
  nghttp2_session_callbacks_set_on_header_callback(made, &OnHeader);
  nghttp2_session_callbacks_set_on_frame_recv_callback(made, &OnFrame);
  nghttp2_session_callbacks_set_on_stream_close_callback(made, &OnClose);
  nghttp2_session_callbacks_set_on_frame_not_send_callback(made, &OnNotSent);
  nghttp2_session_callbacks_set_on_invalid_frame_recv_callback(made, &OnInvalid);
  nghttp2_session_callbacks_set_error_callback2(made, &OnError);
  nghttp2_session* session = nullptr;
  WEIR_CHECK(nghttp2_session_client_new(&session, made, this) == 0);
  session_.reset(session);
  const std::array<nghttp2_settings_entry, 2> settings = {
      {{NGHTTP2_SETTINGS_ENABLE_PUSH, 0}, {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, kStreamWindowBytes}}};
  WEIR_CHECK(nghttp2_submit_settings(session, NGHTTP2_FLAG_NONE, settings.data(), settings.size()) == 0);
  WEIR_CHECK(nghttp2_session_set_local_window_size(session, NGHTTP2_FLAG_NONE, 0, kConnectionWindowBytes) == 0);
}

Exchange& Http2ClientSession::Session::FreeExchange() {
  if (free_.empty()) return exchanges_.emplace_back();
  Exchange& exchange = *free_.back();
  free_.pop_back();
  exchange = {};
  return exchange;
}

bool Http2ClientSession::Session::Submit(std::span<const Field> fields, std::string_view content, std::uint64_t token) {
  if (!accepts_requests()) return false;
  fields_.clear();
  for (const Field& field : fields) {
    // The library takes pointers to bytes that it does not change.
    fields_.push_back({.name = const_cast<std::uint8_t*>(Bytes(field.name)),
                       .value = const_cast<std::uint8_t*>(Bytes(field.value)),
                       .namelen = field.name.size(),
                       .valuelen = field.value.size(),
                       .flags = NGHTTP2_NV_FLAG_NO_COPY_NAME | NGHTTP2_NV_FLAG_NO_COPY_VALUE});
  }
  Exchange& exchange = FreeExchange();
  exchange.token = token;
  exchange.content = content;
  nghttp2_data_provider provider{};
  provider.source.ptr = &exchange;
  provider.read_callback = &ReadContent;
  exchange.stream = nghttp2_submit_request(session_.get(), nullptr, fields_.data(), fields_.size(),
                                           content.empty() ? nullptr : &provider, &exchange);
  if (exchange.stream > 0) return true;
  exchange.stream = 0;
  free_.push_back(&exchange);
  return false;
}

void Http2ClientSession::Session::Reset(std::uint64_t token) {
  const auto found = std::ranges::find_if(
      exchanges_, [&](const Exchange& exchange) { return exchange.stream > 0 && exchange.token == token; });
  if (found == exchanges_.end()) return;
  nghttp2_submit_rst_stream(session_.get(), NGHTTP2_FLAG_NONE, found->stream, NGHTTP2_CANCEL);
}

bool Http2ClientSession::Session::Receive(std::string_view bytes) {
  const ssize_t taken = nghttp2_session_mem_recv(session_.get(), Bytes(bytes), bytes.size());
  if (taken < 0) {
    if (why_.empty()) why_ = nghttp2_strerror(static_cast<int>(taken));
    return false;
  }
  // The library answers most violations by queueing a GOAWAY of its own, from which on no request is allowed.
  if (!goaway_ && nghttp2_session_check_request_allowed(session_.get()) == 0) {
    if (why_.empty()) why_ = "the session is at its end";
    return false;
  }
  return true;
}

std::string_view Http2ClientSession::Session::Output() {
  const std::uint8_t* bytes = nullptr;
  const ssize_t size = nghttp2_session_mem_send(session_.get(), &bytes);
  return size > 0 ? Text(bytes, static_cast<std::size_t>(size)) : std::string_view();
}

void Http2ClientSession::Session::TakeField(Exchange& exchange, std::string_view name, std::string_view value) {
  if (name == ":status") {
    const auto status = static_cast<std::uint16_t>(ParseDecimal(value).value_or(0));
    exchange.in_final_head = status >= 200;
    if (!exchange.in_final_head) return;
    exchange.has_status = true;
    return events_.OnStatus(exchange.token, status);
  }
  if (exchange.in_final_head) events_.OnField(exchange.token, name, value);
}

int Http2ClientSession::Session::OnHeader(nghttp2_session* session, const nghttp2_frame* frame,
                                          const std::uint8_t* name, std::size_t name_size, const std::uint8_t* value,
                                          std::size_t value_size, std::uint8_t /*flags*/, void* user) {
  if (frame->hd.type != NGHTTP2_HEADERS) return 0;
  Exchange* const exchange = ExchangeOf(session, frame->hd.stream_id);
  if (exchange != nullptr) Of(user).TakeField(*exchange, Text(name, name_size), Text(value, value_size));
  return 0;
}

int Http2ClientSession::Session::OnFrame(nghttp2_session* session, const nghttp2_frame* frame, void* user) {
  if (frame->hd.type == NGHTTP2_GOAWAY) Of(user).goaway_ = true;
  if (frame->hd.type != NGHTTP2_HEADERS && frame->hd.type != NGHTTP2_DATA) return 0;
  Exchange* const exchange = ExchangeOf(session, frame->hd.stream_id);
  if (exchange == nullptr) return 0;
  if (frame->hd.type == NGHTTP2_HEADERS) exchange->in_final_head = false;
  if ((frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0) exchange->ended = true;
  return 0;
}

int Http2ClientSession::Session::OnClose(nghttp2_session* session, std::int32_t stream, std::uint32_t code,
                                         void* user) {
  Exchange* const exchange = ExchangeOf(session, stream);
  // What was not sent has been finished already, and its place may belong to another stream.
  if (exchange == nullptr || exchange->stream != stream) return 0;
  Session& self = Of(user);
  self.Finish(*exchange, self.HowItEnded(*exchange, code), code);
  return 0;
}

// A request that was not sent any more, because of a GOAWAY or a Reset: it has no stream that could be closed.
int Http2ClientSession::Session::OnNotSent(nghttp2_session* /*session*/, const nghttp2_frame* frame, int /*error*/,
                                           void* user) {
  if (frame->hd.type != NGHTTP2_HEADERS) return 0;
  Session& self = Of(user);
  const auto found = std::ranges::find(self.exchanges_, frame->hd.stream_id, &Exchange::stream);
  if (found == self.exchanges_.end()) return 0;
  self.Finish(*found, self.HowItEnded(*found, NGHTTP2_REFUSED_STREAM), NGHTTP2_REFUSED_STREAM);
  return 0;
}

StreamEnd Http2ClientSession::Session::HowItEnded(const Exchange& exchange, std::uint32_t code) const {
  if (exchange.ended && exchange.has_status) return StreamEnd::kComplete;
  if (code != NGHTTP2_REFUSED_STREAM) return StreamEnd::kReset;
  return goaway_ ? StreamEnd::kOvertaken : StreamEnd::kRefused;
}

void Http2ClientSession::Session::Finish(Exchange& exchange, StreamEnd end, std::uint32_t code) {
  const std::uint64_t token = exchange.token;
  exchange.stream = 0;
  free_.push_back(&exchange);
  events_.OnStreamEnd(token, end, code);
}

int Http2ClientSession::Session::OnInvalid(nghttp2_session* /*session*/, const nghttp2_frame* /*frame*/, int error,
                                           void* user) {
  Of(user).why_ = nghttp2_strerror(error);
  return 0;
}

int Http2ClientSession::Session::OnError(nghttp2_session* /*session*/, int /*code*/, const char* text, std::size_t size,
                                         void* user) {
  Of(user).why_.assign(text, size);
  return 0;
}

ssize_t Http2ClientSession::Session::ReadContent(nghttp2_session* /*session*/, std::int32_t /*stream*/,
                                                 std::uint8_t* buffer, std::size_t size, std::uint32_t* flags,
                                                 nghttp2_data_source* source, void* /*user*/) {
  auto& exchange = *static_cast<Exchange*>(source->ptr);
  const std::string_view piece = exchange.content.substr(exchange.sent, size);
  std::ranges::copy(piece, buffer);
  exchange.sent += piece.size();
  if (exchange.sent == exchange.content.size()) *flags |= NGHTTP2_DATA_FLAG_EOF;
  return static_cast<ssize_t>(piece.size());
}

Http2ClientSession::Http2ClientSession(Events& events) : session_(std::make_unique<Session>(events)) {}
Http2ClientSession::~Http2ClientSession() = default;

bool Http2ClientSession::Submit(std::span<const Field> fields, std::string_view content, std::uint64_t token) {
  return session_->Submit(fields, content, token);
}
void Http2ClientSession::Reset(std::uint64_t token) { session_->Reset(token); }
bool Http2ClientSession::Receive(std::string_view bytes) { return session_->Receive(bytes); }
std::string_view Http2ClientSession::Output() { return session_->Output(); }
bool Http2ClientSession::accepts_requests() const { return session_->accepts_requests(); }
std::uint32_t Http2ClientSession::streams_max() const { return session_->streams_max(); }
std::string_view Http2ClientSession::why() const { return session_->why(); }

}  // namespace weir::http
