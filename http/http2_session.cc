#include "http/http2_session.h"

#include "base/block_pool.h"
#include "base/check.h"
#include "base/text.h"
#include "http/http2_bytes.h"

#include <nghttp2/nghttp2.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <span>
#include <utility>

namespace weir::http {
namespace {

// A header section whose decoded size is beyond all reason: what is announced is a quarter of it.
constexpr std::size_t kHeaderBytesMax = 4 * Http2FieldSection::kListBytesMax;
// Control frames that wait because the peer does not read them.
constexpr std::size_t kOutputFramesMax = 1'000;
// A header section that we send, as its least compressed form counts it: heads that were taken fit, with what is added.
constexpr std::size_t kSentHeaderBytesMax = 256 * 1024;
// CONTINUATION frames of one section: at the least frame size, what is announced needs four.
constexpr std::size_t kContinuationsMax = 8;
// A field of requests whose value is another one each time.
constexpr std::string_view kUnique = "x-amzn-trace-id";

struct FreeCallbacks {
  void operator()(nghttp2_session_callbacks* callbacks) const { nghttp2_session_callbacks_del(callbacks); }
};
struct FreeOption {
  void operator()(nghttp2_option* option) const { nghttp2_option_del(option); }
};

// nghttp2 allocates some twenty times for a request.
void* TakeBlock(std::size_t bytes, void* /*user*/) { return BlockPool::Take(bytes); }
void GiveBlock(void* block, void* /*user*/) { BlockPool::Give(block); }
void* ResizeBlock(void* block, std::size_t bytes, void* /*user*/) { return BlockPool::Resize(block, bytes); }
void* TakeCleared(std::size_t count, std::size_t size, void* /*user*/) {
  if (size != 0 && count > SIZE_MAX / size) return nullptr;
  void* const block = BlockPool::Take(count * size);
  if (block != nullptr) std::memset(block, 0, count * size);
  return block;
}
constexpr nghttp2_mem kMemory{
    .mem_user_data = nullptr, .malloc = TakeBlock, .free = GiveBlock, .calloc = TakeCleared, .realloc = ResizeBlock};

nghttp2_nv Line(const Field& field) {
  // The library copies both, and puts names in lower case.
  return {.name = reinterpret_cast<std::uint8_t*>(const_cast<char*>(field.name.data())),
          .value = reinterpret_cast<std::uint8_t*>(const_cast<char*>(field.value.data())),
          .namelen = field.name.size(),
          .valuelen = field.value.size(),
          .flags = NGHTTP2_NV_FLAG_NONE};
}

}  // namespace

// nghttp2's session and what its callbacks need.
class Http2Session::Nghttp2 {
 public:
  Nghttp2(Role the_role, Http2Events& the_events, SteadyTime now, bool extended_connect);

  [[nodiscard]] bool Receive(std::string_view bytes, SteadyTime now);
  [[nodiscard]] bool Output(std::string& out, std::size_t max);
  void Terminate(Http2Error code, std::optional<Http2Flood> because);
  [[nodiscard]] static nghttp2_data_provider ProviderFor(Http2Stream& stream);

  struct Free {
    void operator()(nghttp2_session* freed) const { nghttp2_session_del(freed); }
  };

  Role role;
  Http2Events& events;
  std::unique_ptr<nghttp2_session, Free> session;
  Http2Allowance allowance;
  std::vector<nghttp2_nv> lines;     // of the head that is submitted
  std::vector<Http2Stream*> unsent;  // requests that are not framed yet
  std::size_t streams = 0;
  bool goaway_came = false;
  Http2Error fault = Http2Error::kNoError;
  std::optional<Http2Flood> flood;
  std::string why;

 private:
  friend class Http2Session;
  struct Callbacks;

  [[nodiscard]] bool Spend(Http2Flood kind);
  // Walks over the frame heads in `bytes`, which nghttp2 does not tell of in full, and feeds it.
  [[nodiscard]] bool Walk(std::string_view bytes);
  [[nodiscard]] bool Feed(std::string_view bytes);
  [[nodiscard]] bool Judge(const nghttp2_frame_hd& head);
  [[nodiscard]] bool SpendForFrame(const nghttp2_frame_hd& head);
  bool Break(Http2Error code, const char* text);
  void Finish(Http2Stream& stream, Http2Error code, bool by_peer);
  void DeliverContent(bool last);
  void TakeHead(const nghttp2_frame& frame);
  [[nodiscard]] bool TakeFrame(const nghttp2_frame& frame);
  [[nodiscard]] Http2Stream* Find(std::int32_t id) const;
  // The request is framed, or never will be.
  void NoteFramed(Http2Stream* stream);

  static constexpr std::size_t kFrameHeadBytes = 9;

  SteadyTime now_;
  // Where in a frame the bytes stand that come next.
  std::size_t skip_ = 0;  // of its payload, or of the preface
  std::array<std::uint8_t, kFrameHeadBytes> head_{};
  std::size_t head_bytes_ = 0;
  // The client's last stream, and the last ones that it passed over: from, to and without; they are closed.
  std::int32_t last_request_ = 0;
  std::int32_t passed_over_ = 0;
  std::int32_t passed_over_end_ = 0;
  Http2FieldSection section_;  // that is being received
  // Content of the frame that is being received: given on when it is known whether more follows.
  Http2Stream* content_stream_ = nullptr;
  std::string_view content_;
  bool frame_had_content_ = false;
  std::size_t queued_before_settings_ = 0;
  std::string* out_ = nullptr;  // of the Output that runs
  std::size_t out_max_ = 0;
};

struct Http2Session::Nghttp2::Callbacks {
  static Nghttp2& Of(void* user) { return *static_cast<Nghttp2*>(user); }

  static int OnBeginFrame(nghttp2_session* session, const nghttp2_frame_hd* head, void* user) {
    Nghttp2& self = Of(user);
    self.DeliverContent(false);
    self.frame_had_content_ = false;
    if (head->type == NGHTTP2_SETTINGS) self.queued_before_settings_ = nghttp2_session_get_outbound_queue_size(session);
    return 0;
  }

  static int OnBeginHeaders(nghttp2_session* /*session*/, const nghttp2_frame* /*frame*/, void* user) {
    Of(user).section_.Clear();
    return 0;
  }

  static int OnHeader(nghttp2_session* /*session*/, const nghttp2_frame* /*frame*/, const std::uint8_t* name,
                      std::size_t name_size, const std::uint8_t* value, std::size_t value_size, std::uint8_t /*flags*/,
                      void* user) {
    Nghttp2& self = Of(user);
    self.section_.Add(Text(name, name_size), Text(value, value_size));
    if (self.section_.list_bytes() <= kHeaderBytesMax) return 0;
    self.flood = Http2Flood::kHeaderBytes;
    return NGHTTP2_ERR_CALLBACK_FAILURE;
  }

  // A field that nghttp2 would only leave out makes the message malformed (RFC 9113 section 8.2.1).
  static int OnInvalidHeader(nghttp2_session* /*session*/, const nghttp2_frame* /*frame*/, const std::uint8_t* /*name*/,
                             std::size_t /*name_size*/, const std::uint8_t* /*value*/, std::size_t /*value_size*/,
                             std::uint8_t /*flags*/, void* /*user*/) {
    return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
  }

  static int OnData(nghttp2_session* session, std::uint8_t /*flags*/, std::int32_t id, const std::uint8_t* bytes,
                    std::size_t size, void* user) {
    Nghttp2& self = Of(user);
    self.frame_had_content_ = true;
    // At once, whoever takes it when: one stream must not hold the others.
    nghttp2_session_consume_connection(session, size);
    self.DeliverContent(false);
    self.content_stream_ = self.Find(id);
    self.content_ = Text(bytes, size);
    return 0;
  }

  static int OnFrame(nghttp2_session* /*session*/, const nghttp2_frame* frame, void* user) {
    return Of(user).TakeFrame(*frame) ? 0 : NGHTTP2_ERR_CALLBACK_FAILURE;
  }

  static int OnInvalidFrame(nghttp2_session* session, const nghttp2_frame* frame, int error, void* user) {
    Nghttp2& self = Of(user);
    const bool is_request = self.role == Role::kServer && frame->hd.type == NGHTTP2_HEADERS &&
                            (error == NGHTTP2_ERR_HTTP_HEADER || error == NGHTTP2_ERR_HTTP_MESSAGING) &&
                            nghttp2_session_get_stream_user_data(session, frame->hd.stream_id) == nullptr;
    if (is_request) self.events.OnMalformedRequest();
    return 0;
  }

  static int OnFrameSent(nghttp2_session* /*session*/, const nghttp2_frame* frame, void* user) {
    Nghttp2& self = Of(user);
    switch (frame->hd.type) {
      case NGHTTP2_HEADERS:
        if (self.role == Role::kClient) self.NoteFramed(self.Find(frame->hd.stream_id));
        break;
      case NGHTTP2_RST_STREAM: {
        const std::uint32_t code = frame->rst_stream.error_code;
        const bool is_ours = code == NGHTTP2_NO_ERROR || code == NGHTTP2_CANCEL;
        const Http2Stream* const stream = self.Find(frame->hd.stream_id);
        const bool on_purpose = is_ours || (stream != nullptr && stream->reset_by_us_);
        if (!on_purpose && !self.Spend(Http2Flood::kProvokedResets))
          self.Terminate(Http2Error::kEnhanceYourCalm, self.flood);
        return 0;
      }
      case NGHTTP2_GOAWAY:
        if (self.fault == Http2Error::kNoError) self.fault = static_cast<Http2Error>(frame->goaway.error_code);
        return 0;
      default:
        break;
    }
    if ((frame->hd.flags & NGHTTP2_FLAG_END_STREAM) == 0) return 0;
    if (frame->hd.type != NGHTTP2_HEADERS && frame->hd.type != NGHTTP2_DATA) return 0;
    Http2Stream* const stream = self.Find(frame->hd.stream_id);
    if (stream == nullptr) return 0;
    stream->ended_ = true;
    if (self.role == Role::kServer && !stream->peer_ended_) self.events.OnEarlyEnd(*stream);
    return 0;
  }

  // A request that was given up, or that a GOAWAY overtook, before it was framed: it has no stream to be closed.
  static int OnFrameNotSent(nghttp2_session* /*session*/, const nghttp2_frame* frame, int /*error*/, void* user) {
    Nghttp2& self = Of(user);
    if (self.role != Role::kClient || frame->hd.type != NGHTTP2_HEADERS) return 0;
    const auto found = std::ranges::find(self.unsent, frame->hd.stream_id, &Http2Stream::id_);
    if (found != self.unsent.end()) self.Finish(**found, Http2Error::kRefusedStream, true);
    return 0;
  }

  static int OnStreamClose(nghttp2_session* session, std::int32_t id, std::uint32_t code, void* user) {
    auto* const stream = static_cast<Http2Stream*>(nghttp2_session_get_stream_user_data(session, id));
    if (stream == nullptr || stream->id_ != id) return 0;
    Nghttp2& self = Of(user);
    const bool is_overtaken = self.role == Role::kClient && self.goaway_came && code == NGHTTP2_REFUSED_STREAM;
    self.Finish(*stream, static_cast<Http2Error>(code), stream->reset_by_peer_ || is_overtaken);
    return 0;
  }

  static int OnError(nghttp2_session* /*session*/, int /*code*/, const char* text, std::size_t size, void* user) {
    constexpr std::size_t kWhyBytesMax = 200;
    Of(user).why.assign(text, std::min(size, kWhyBytesMax));
    return 0;
  }

  static ssize_t ReadContent(nghttp2_session* session, std::int32_t id, std::uint8_t* /*buffer*/, std::size_t size,
                             std::uint32_t* flags, nghttp2_data_source* source, void* /*user*/) {
    auto& stream = *static_cast<Http2Stream*>(source->ptr);
    const std::size_t bytes = std::min(stream.pending_bytes(), size);
    if (bytes == 0 && !stream.last_given_) {
      stream.deferred_ = true;
      return NGHTTP2_ERR_DEFERRED;
    }
    *flags |= NGHTTP2_DATA_FLAG_NO_COPY;
    if (!stream.last_given_ || bytes < stream.pending_bytes()) return static_cast<ssize_t>(bytes);
    *flags |= NGHTTP2_DATA_FLAG_EOF;
    if (stream.trailers_.empty()) return static_cast<ssize_t>(bytes);
    *flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
    std::vector<nghttp2_nv> lines;
    for (const auto& [name, value] : stream.trailers_) lines.push_back(Line({.name = name, .value = value}));
    nghttp2_submit_trailer(session, id, lines.data(), lines.size());
    return static_cast<ssize_t>(bytes);
  }

  static int SendContent(nghttp2_session* /*session*/, nghttp2_frame* /*frame*/, const std::uint8_t* head,
                         std::size_t size, nghttp2_data_source* source, void* user) {
    Nghttp2& self = Of(user);
    if (self.out_->size() >= self.out_max_) return NGHTTP2_ERR_WOULDBLOCK;
    auto& stream = *static_cast<Http2Stream*>(source->ptr);
    self.out_->append(Text(head, kFrameHeadBytes));
    self.out_->append(stream.pending_, stream.sent_, size);
    const bool was_high = stream.pending_bytes() >= kPendingBytesLow;
    stream.sent_ += size;
    if (stream.sent_ == stream.pending_.size()) {
      constexpr std::size_t kKeptBytes = 64 * 1024;
      if (stream.pending_.capacity() > kKeptBytes) std::string().swap(stream.pending_);
      stream.pending_.clear();
      stream.sent_ = 0;
    }
    // A frame that the peer's window cut down to next to nothing is no work that earns anything.
    constexpr std::size_t kEarningBytesMin = 1'024;
    if (size >= kEarningBytesMin || (size > 0 && stream.pending_bytes() == 0)) self.allowance.EarnByContent();
    if (was_high && stream.pending_bytes() < kPendingBytesLow) self.events.OnDrained(stream);
    return 0;
  }
};

Http2Session::Nghttp2::Nghttp2(Role the_role, Http2Events& the_events, SteadyTime now, bool extended_connect)
    : role(the_role), events(the_events), allowance(now), now_(now) {
  nghttp2_session_callbacks* made = nullptr;
  WEIR_CHECK(nghttp2_session_callbacks_new(&made) == 0);
  const std::unique_ptr<nghttp2_session_callbacks, FreeCallbacks> callbacks(made);
  nghttp2_session_callbacks_set_on_begin_frame_callback(made, &Callbacks::OnBeginFrame);
  nghttp2_session_callbacks_set_on_begin_headers_callback(made, &Callbacks::OnBeginHeaders);
  nghttp2_session_callbacks_set_on_header_callback(made, &Callbacks::OnHeader);
  nghttp2_session_callbacks_set_on_invalid_header_callback(made, &Callbacks::OnInvalidHeader);
  nghttp2_session_callbacks_set_on_data_chunk_recv_callback(made, &Callbacks::OnData);
  nghttp2_session_callbacks_set_on_frame_recv_callback(made, &Callbacks::OnFrame);
  nghttp2_session_callbacks_set_on_invalid_frame_recv_callback(made, &Callbacks::OnInvalidFrame);
  nghttp2_session_callbacks_set_on_frame_send_callback(made, &Callbacks::OnFrameSent);
  nghttp2_session_callbacks_set_on_frame_not_send_callback(made, &Callbacks::OnFrameNotSent);
  nghttp2_session_callbacks_set_on_stream_close_callback(made, &Callbacks::OnStreamClose);
  nghttp2_session_callbacks_set_error_callback2(made, &Callbacks::OnError);
  nghttp2_session_callbacks_set_send_data_callback(made, &Callbacks::SendContent);

  nghttp2_option* option_made = nullptr;
  WEIR_CHECK(nghttp2_option_new(&option_made) == 0);
  const std::unique_ptr<nghttp2_option, FreeOption> option(option_made);
  nghttp2_option_set_no_auto_window_update(option_made, 1);
  nghttp2_option_set_no_closed_streams(option_made, 1);
  nghttp2_option_set_max_continuations(option_made, kContinuationsMax);
  nghttp2_option_set_max_send_header_block_length(option_made, kSentHeaderBytesMax);
  nghttp2_option_set_stream_reset_rate_limit(option_made, UINT32_MAX, UINT32_MAX);  // Http2Allowance counts them
  nghttp2_option_set_peer_max_concurrent_streams(option_made, kStreamsMax);

  nghttp2_session* opened = nullptr;
  const bool is_server = role == Role::kServer;
  nghttp2_mem memory = kMemory;
  const auto open = is_server ? nghttp2_session_server_new3 : nghttp2_session_client_new3;
  WEIR_CHECK(open(&opened, made, this, option_made, &memory) == 0);
  session.reset(opened);
  if (is_server) skip_ = NGHTTP2_CLIENT_MAGIC_LEN;
  const std::array<nghttp2_settings_entry, 5> of_server = {
      {{NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, kStreamsMax},
       {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, kServerWindowBytes},
       {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, Http2FieldSection::kListBytesMax},
       {NGHTTP2_SETTINGS_NO_RFC7540_PRIORITIES, 1},
       {NGHTTP2_SETTINGS_ENABLE_CONNECT_PROTOCOL, 1}}};
  const std::array<nghttp2_settings_entry, 4> of_client = {
      {{NGHTTP2_SETTINGS_ENABLE_PUSH, 0},
       {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, 0},
       {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, kClientWindowBytes},
       {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, Http2FieldSection::kListBytesMax}}};
  const auto settings =
      is_server ? std::span(of_server).first(extended_connect ? 5 : 4) : std::span(of_client).first(4);
  WEIR_CHECK(nghttp2_submit_settings(opened, NGHTTP2_FLAG_NONE, settings.data(), settings.size()) == 0);
  WEIR_CHECK(nghttp2_session_set_local_window_size(opened, NGHTTP2_FLAG_NONE, 0, kConnectionWindowBytes) == 0);
}

nghttp2_data_provider Http2Session::Nghttp2::ProviderFor(Http2Stream& stream) {
  nghttp2_data_provider provider{};
  provider.source.ptr = &stream;
  provider.read_callback = &Callbacks::ReadContent;
  return provider;
}

bool Http2Session::Nghttp2::Receive(std::string_view bytes, SteadyTime now) {
  if (fault != Http2Error::kNoError) return false;
  now_ = now;
  if (!Walk(bytes)) return false;
  if (nghttp2_session_get_outbound_queue_size(session.get()) > kOutputFramesMax) {
    Terminate(Http2Error::kEnhanceYourCalm, Http2Flood::kOutput);
  } else if (nghttp2_session_want_read(session.get()) == 0 && nghttp2_session_want_write(session.get()) == 0 &&
             !goaway_came) {  // who says goodbye has done nothing wrong: the connection's owner ends it
    fault = Http2Error::kProtocolError;
  }
  return fault == Http2Error::kNoError;
}

bool Http2Session::Nghttp2::Walk(std::string_view bytes) {
  for (std::size_t at = 0; at < bytes.size();) {
    if (skip_ > 0) {
      const std::size_t skipped = std::min(skip_, bytes.size() - at);
      skip_ -= skipped;
      at += skipped;
      continue;
    }
    const std::size_t taken = std::min(kFrameHeadBytes - head_bytes_, bytes.size() - at);
    std::memcpy(head_.data() + head_bytes_, bytes.data() + at, taken);
    head_bytes_ += taken;
    at += taken;
    if (head_bytes_ < kFrameHeadBytes) break;
    head_bytes_ = 0;
    const auto number = [this](std::size_t from, std::size_t size) {
      std::uint32_t value = 0;
      for (std::size_t i = from; i < from + size; ++i) value = value << 8 | head_[i];
      return value;
    };
    const nghttp2_frame_hd head{.length = number(0, 3),
                                .stream_id = static_cast<std::int32_t>(number(5, 4) & 0x7fffffff),
                                .type = head_[3],
                                .flags = head_[4],
                                .reserved = 0};
    skip_ = head.length;
    if (!Judge(head)) return false;
  }
  return Feed(bytes);
}

bool Http2Session::Nghttp2::Feed(std::string_view bytes) {
  const ssize_t taken = nghttp2_session_mem_recv(session.get(), Bytes(bytes), bytes.size());
  DeliverContent(false);
  if (taken >= 0) return fault == Http2Error::kNoError;
  if (taken == NGHTTP2_ERR_TOO_MANY_CONTINUATIONS) flood = Http2Flood::kContinuations;
  if (taken == NGHTTP2_ERR_FLOODED) flood = Http2Flood::kOutput;
  if (why.empty()) why = nghttp2_strerror(static_cast<int>(taken));
  if (fault == Http2Error::kNoError) {
    Terminate(flood ? Http2Error::kEnhanceYourCalm : Http2Error::kProtocolError, flood);
  }
  return false;
}

bool Http2Session::Nghttp2::Break(Http2Error code, const char* text) {
  why = text;
  Terminate(code, std::nullopt);
  return false;
}

// What nghttp2 lets pass, and what costs the peer too little.
bool Http2Session::Nghttp2::Judge(const nghttp2_frame_hd& head) {
  if (head.type == NGHTTP2_PRIORITY && head.stream_id == 0) {
    return Break(Http2Error::kProtocolError, "PRIORITY on stream 0");
  }
  if (head.type == NGHTTP2_HEADERS && role == Role::kServer) {
    if (head.stream_id > last_request_) {
      if (head.stream_id > last_request_ + 2) {
        passed_over_ = last_request_ + 2;
        passed_over_end_ = head.stream_id;
      }
      last_request_ = head.stream_id;
    } else if (head.stream_id >= passed_over_ && head.stream_id < passed_over_end_) {
      return Break(Http2Error::kProtocolError, "HEADERS on a stream that was passed over");
    }
  }
  if (SpendForFrame(head)) return true;
  Terminate(Http2Error::kEnhanceYourCalm, flood);
  return false;
}

bool Http2Session::Nghttp2::Output(std::string& out, std::size_t max) {
  out_ = &out;
  out_max_ = max;
  while (out.size() < max) {
    const std::uint8_t* bytes = nullptr;
    const ssize_t size = nghttp2_session_mem_send(session.get(), &bytes);
    if (size < 0) {
      if (fault == Http2Error::kNoError) fault = Http2Error::kInternalError;
      return false;
    }
    if (size == 0) break;
    out.append(Text(bytes, static_cast<std::size_t>(size)));
  }
  return true;
}

void Http2Session::Nghttp2::Terminate(Http2Error code, std::optional<Http2Flood> because) {
  fault = code;
  flood = because;
  nghttp2_session_terminate_session(session.get(), std::to_underlying(code));
}

Http2Stream* Http2Session::Nghttp2::Find(std::int32_t id) const {
  return static_cast<Http2Stream*>(nghttp2_session_get_stream_user_data(session.get(), id));
}

void Http2Session::Nghttp2::NoteFramed(Http2Stream* stream) {
  if (stream == nullptr || stream->unsent_at_ == Http2Stream::kFramed) return;
  const std::size_t at = std::exchange(stream->unsent_at_, Http2Stream::kFramed);
  Http2Stream* const last = unsent.back();
  unsent.pop_back();
  if (last == stream) return;
  unsent[at] = last;
  last->unsent_at_ = at;
}

bool Http2Session::Nghttp2::Spend(Http2Flood kind) {
  if (allowance.Spend(kind, now_)) return true;
  flood = kind;
  return false;
}

bool Http2Session::Nghttp2::SpendForFrame(const nghttp2_frame_hd& head) {
  constexpr std::uint8_t kPriorityUpdate = 0x10;
  const bool is_ack = (head.flags & NGHTTP2_FLAG_ACK) != 0;
  switch (head.type) {
    case NGHTTP2_DATA:
      return head.length > 0 || (head.flags & NGHTTP2_FLAG_END_STREAM) != 0 || Spend(Http2Flood::kEmptyData);
    case NGHTTP2_HEADERS:
    case NGHTTP2_RST_STREAM:
    case NGHTTP2_PUSH_PROMISE:
      return true;
    case NGHTTP2_PRIORITY:
    case kPriorityUpdate:
      return Spend(Http2Flood::kPriorities);
    case NGHTTP2_SETTINGS:
      return is_ack || Spend(Http2Flood::kSettings);
    case NGHTTP2_PING:
      return is_ack || Spend(Http2Flood::kPings);
    case NGHTTP2_WINDOW_UPDATE:
      return Spend(Http2Flood::kWindowUpdates);
    case NGHTTP2_CONTINUATION:
      return Spend(Http2Flood::kContinuations);
    default:
      return Spend(Http2Flood::kOtherFrames);
  }
}

bool Http2Session::Nghttp2::TakeFrame(const nghttp2_frame& frame) {
  const bool ends = (frame.hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
  switch (frame.hd.type) {
    case NGHTTP2_HEADERS:
      TakeHead(frame);
      return true;
    case NGHTTP2_DATA: {
      if (frame_had_content_) allowance.EarnByContent();
      // What came was padding. Without any it was counted already.
      if (!ends) return frame_had_content_ || frame.hd.length == 0 || Spend(Http2Flood::kEmptyData);
      if (content_stream_ == nullptr) content_stream_ = Find(frame.hd.stream_id);
      if (content_stream_ != nullptr) content_stream_->peer_ended_ = true;
      DeliverContent(true);
      return true;
    }
    case NGHTTP2_RST_STREAM:
      if (Http2Stream* const stream = Find(frame.hd.stream_id)) {
        stream->reset_by_peer_ = true;
        if (role == Role::kClient) return true;  // it ends what we began: never more than that
      }
      return Spend(Http2Flood::kResets);
    case NGHTTP2_SETTINGS:
      if ((frame.hd.flags & NGHTTP2_FLAG_ACK) != 0) return true;
      // More than the acknowledgement is to be sent: RST_STREAM for windows that the new first window makes too large,
      // which is an error of the connection (RFC 9113 section 6.9.2).
      if (nghttp2_session_get_outbound_queue_size(session.get()) > queued_before_settings_ + 1) {
        return Break(Http2Error::kFlowControlError, "a first window beyond what streams can have");
      }
      events.OnSettings();
      return true;
    case NGHTTP2_PING:
      if ((frame.hd.flags & NGHTTP2_FLAG_ACK) != 0) events.OnPingAnswered();
      return true;
    case NGHTTP2_GOAWAY:
      if (!std::exchange(goaway_came, true)) events.OnGoAway();
      return true;
    default:
      return true;
  }
}

void Http2Session::Nghttp2::TakeHead(const nghttp2_frame& frame) {
  const bool ends = (frame.hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
  const std::int32_t id = frame.hd.stream_id;
  if (role == Role::kServer && frame.headers.cat == NGHTTP2_HCAT_REQUEST) {
    // Streams take turns, whatever the client would like: none is served at the cost of another.
    const nghttp2_extpri turns{.urgency = NGHTTP2_EXTPRI_DEFAULT_URGENCY, .inc = 1};
    nghttp2_session_change_extpri_stream_priority(session.get(), id, &turns, 1);
    events.OnRequest(id, section_, ends);
    section_.Clear();
    if (Find(id) == nullptr) nghttp2_submit_rst_stream(session.get(), NGHTTP2_FLAG_NONE, id, NGHTTP2_REFUSED_STREAM);
    return;
  }
  Http2Stream* const stream = Find(id);
  if (stream == nullptr) return section_.Clear();
  if (ends) stream->peer_ended_ = true;
  const bool is_head = role == Role::kClient && !stream->head_came_;
  if (is_head) {
    const bool is_interim = section_.size() > 0 && section_.at(0).name == ":status" && section_.at(0).value[0] == '1';
    stream->head_came_ = !is_interim;
    events.OnResponse(*stream, section_, ends);
  } else {
    events.OnTrailers(*stream, section_);
  }
  section_.Clear();
}

void Http2Session::Nghttp2::DeliverContent(bool last) {
  Http2Stream* const stream = std::exchange(content_stream_, nullptr);
  const std::string_view content = std::exchange(content_, {});
  if (stream == nullptr || !stream->open() || (content.empty() && !last)) return;
  events.OnContent(*stream, content, last);
}

void Http2Session::Nghttp2::Finish(Http2Stream& stream, Http2Error code, bool by_peer) {
  if (role == Role::kClient) NoteFramed(&stream);
  if (content_stream_ == &stream) content_stream_ = nullptr;
  nghttp2_session_set_stream_user_data(session.get(), stream.id_, nullptr);
  stream.id_ = 0;
  --streams;
  if (code == Http2Error::kNoError) allowance.EarnByStream();
  events.OnStreamClosed(stream, code, by_peer);
}

// ---- the session

Http2Session::Http2Session(Role role, Http2Events& events, SteadyTime now, bool extended_connect)
    : nghttp2_(std::make_unique<Nghttp2>(role, events, now, extended_connect)) {}
Http2Session::~Http2Session() = default;

bool Http2Session::Receive(std::string_view bytes, SteadyTime now) { return nghttp2_->Receive(bytes, now); }
bool Http2Session::Output(std::string& out, std::size_t max) { return nghttp2_->Output(out, max); }

void Http2Session::Accept(Http2Stream& stream, std::int32_t id, bool ends) {
  stream.id_ = id;
  stream.head_came_ = true;
  stream.peer_ended_ = ends;
  nghttp2_session_set_stream_user_data(nghttp2_->session.get(), id, &stream);
  ++nghttp2_->streams;
}

void Http2Session::Respond(Http2Stream& stream, std::uint16_t status, std::span<const Field> fields, bool ends) {
  if (!stream.open()) return;
  std::array<char, 3> text = {static_cast<char>('0' + status / 100), static_cast<char>('0' + status / 10 % 10),
                              static_cast<char>('0' + status % 10)};
  auto& lines = nghttp2_->lines;
  lines.clear();
  lines.push_back(Line({.name = ":status", .value = {text.data(), text.size()}}));
  for (const Field& field : fields) lines.push_back(Line(field));
  nghttp2_session* const session = nghttp2_->session.get();
  if (status < 200) {
    nghttp2_submit_headers(session, NGHTTP2_FLAG_NONE, stream.id_, nullptr, lines.data(), lines.size(), nullptr);
    return;
  }
  const nghttp2_data_provider provider = Nghttp2::ProviderFor(stream);
  stream.last_given_ = ends;
  nghttp2_submit_response(session, stream.id_, lines.data(), lines.size(), ends ? nullptr : &provider);
}

bool Http2Session::Request(Http2Stream& stream, std::span<const Field> fields, bool ends) {
  if (!accepts_requests()) return false;
  auto& lines = nghttp2_->lines;
  lines.clear();
  for (const Field& field : fields) {
    lines.push_back(Line(field));
    // What no other request has would push out of the table what they have in common.
    if (field.name.size() == kUnique.size() && EqualsIgnoreCase(field.name, kUnique))
      lines.back().flags |= NGHTTP2_NV_FLAG_NO_INDEX;
  }
  const nghttp2_data_provider provider = Nghttp2::ProviderFor(stream);
  stream.last_given_ = ends;
  const std::int32_t id = nghttp2_submit_request(nghttp2_->session.get(), nullptr, lines.data(), lines.size(),
                                                 ends ? nullptr : &provider, &stream);
  if (id <= 0) return false;
  stream.id_ = id;
  stream.unsent_at_ = nghttp2_->unsent.size();
  nghttp2_->unsent.push_back(&stream);
  ++nghttp2_->streams;
  return true;
}

void Http2Session::Send(Http2Stream& stream, std::string_view bytes, bool last, std::span<const Field> trailers) {
  if (!stream.open() || stream.last_given_) return;
  stream.pending_ += bytes;
  stream.last_given_ = last;
  for (const Field& field : trailers) stream.trailers_.emplace_back(field.name, field.value);
  if (!std::exchange(stream.deferred_, false)) return;
  nghttp2_session_resume_data(nghttp2_->session.get(), stream.id_);
}

void Http2Session::Consume(Http2Stream& stream, std::size_t bytes) {
  if (!stream.open() || stream.peer_ended_ || bytes == 0) return;
  nghttp2_session_consume_stream(nghttp2_->session.get(), stream.id_, bytes);
}

void Http2Session::Reset(Http2Stream& stream, Http2Error code) {
  if (!stream.open()) return;
  stream.reset_by_us_ = true;
  nghttp2_submit_rst_stream(nghttp2_->session.get(), NGHTTP2_FLAG_NONE, stream.id_, std::to_underlying(code));
}

void Http2Session::AnnounceGoAway() {
  nghttp2_submit_shutdown_notice(nghttp2_->session.get());
  nghttp2_submit_ping(nghttp2_->session.get(), NGHTTP2_FLAG_NONE, nullptr);
}

void Http2Session::GoAway() {
  nghttp2_session* const session = nghttp2_->session.get();
  nghttp2_submit_goaway(session, NGHTTP2_FLAG_NONE, nghttp2_session_get_last_proc_stream_id(session), NGHTTP2_NO_ERROR,
                        nullptr, 0);
}

void Http2Session::Ping() { nghttp2_submit_ping(nghttp2_->session.get(), NGHTTP2_FLAG_NONE, nullptr); }

void Http2Session::Terminate(Http2Error code) { nghttp2_->Terminate(code, std::nullopt); }
void Http2Session::Terminate(Http2Flood flood) { nghttp2_->Terminate(Http2Error::kEnhanceYourCalm, flood); }

void Http2Session::NoteZeroWindow(SteadyTime now) {
  if (!nghttp2_->allowance.Spend(Http2Flood::kZeroWindows, now)) Terminate(Http2Flood::kZeroWindows);
}

bool Http2Session::accepts_requests() const {
  return nghttp2_->fault == Http2Error::kNoError && !nghttp2_->goaway_came &&
         nghttp2_session_check_request_allowed(nghttp2_->session.get()) != 0;
}

std::uint32_t Http2Session::streams_max() const {
  return std::min(kStreamsMax, nghttp2_session_get_remote_settings(nghttp2_->session.get(),
                                                                   NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS));
}

std::size_t Http2Session::streams() const { return nghttp2_->streams; }

bool Http2Session::is_window_closed(const Http2Stream& stream) const {
  if (!stream.open() || stream.pending_bytes() == 0) return false;
  nghttp2_session* const session = nghttp2_->session.get();
  return nghttp2_session_get_stream_remote_window_size(session, stream.id_) <= 0 ||
         nghttp2_session_get_remote_window_size(session) <= 0;
}

Http2Error Http2Session::fault() const { return nghttp2_->fault; }
std::optional<Http2Flood> Http2Session::flood() const { return nghttp2_->flood; }
std::string_view Http2Session::why() const { return nghttp2_->why; }

}  // namespace weir::http
