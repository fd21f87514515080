#pragma once

#include "base/clock.h"
#include "http/http2_allowance.h"
#include "http/http2_head.h"
#include "http/message.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace weir::http {

class Http2Session;

// Error codes of RFC 9113 section 7.
enum class Http2Error : std::uint32_t {
  kNoError = 0x0,
  kProtocolError = 0x1,
  kInternalError = 0x2,
  kFlowControlError = 0x3,
  kSettingsTimeout = 0x4,
  kStreamClosed = 0x5,
  kFrameSizeError = 0x6,
  kRefusedStream = 0x7,
  kCancel = 0x8,
  kCompressionError = 0x9,
  kConnectError = 0xa,
  kEnhanceYourCalm = 0xb,
  kInadequateSecurity = 0xc,
  kHttp11Required = 0xd,
};

// One stream as its session keeps it: what waits to be framed, and what was received and not taken yet. The owner
// derives its own from it. Lives until Http2Events::OnStreamClosed, or until the session is gone.
class Http2Stream {
 public:
  Http2Stream() = default;
  Http2Stream(const Http2Stream&) = delete;
  Http2Stream& operator=(const Http2Stream&) = delete;

  // 0: not opened, or closed.
  [[nodiscard]] std::int32_t id() const { return id_; }
  [[nodiscard]] bool open() const { return id_ != 0; }
  // Bytes that were given to be sent and are not framed yet.
  [[nodiscard]] std::size_t pending_bytes() const { return pending_.size() - sent_; }
  // The peer's END_STREAM has come.
  [[nodiscard]] bool peer_ended() const { return peer_ended_; }
  // The peer has sent RST_STREAM.
  [[nodiscard]] bool reset_by_peer() const { return reset_by_peer_; }
  // Our END_STREAM was framed.
  [[nodiscard]] bool ended() const { return ended_; }

 protected:
  ~Http2Stream() = default;

 private:
  friend class Http2Session;
  std::int32_t id_ = 0;
  bool head_came_ = false;  // the request's, or the final response's
  bool peer_ended_ = false;
  bool ended_ = false;
  bool last_given_ = false;
  bool deferred_ = false;     // nghttp2 waits for content
  bool reset_by_us_ = false;  // on purpose
  bool reset_by_peer_ = false;
  static constexpr std::size_t kFramed = ~std::size_t{0};
  std::size_t unsent_at_ = kFramed;  // of a client's request: its place among those that are not framed yet
  std::size_t sent_ = 0;             // of pending_
  std::string pending_;
  std::vector<std::pair<std::string, std::string>> trailers_;
};

// What a session learns from its peer. Called from Receive and Output; may call everything of the session but these
// two.
class Http2Events {
 public:
  // Server: a request head came whole. Whoever serves it calls Http2Session::Accept; else it is refused
  // (REFUSED_STREAM). `ends`: there is no content.
  virtual void OnRequest(std::int32_t id, const Http2FieldSection& head, bool ends) = 0;
  // Server: a request head was malformed by HTTP/2's own rules, and its stream reset.
  virtual void OnMalformedRequest() = 0;
  // Client: a response head came whole, interim ones too.
  virtual void OnResponse(Http2Stream& stream, const Http2FieldSection& head, bool ends) = 0;
  // Content. What it may cost the peer of its window is given back by Http2Session::Consume.
  virtual void OnContent(Http2Stream& stream, std::string_view bytes, bool last) = 0;
  // The end, with trailers.
  virtual void OnTrailers(Http2Stream& stream, const Http2FieldSection& trailers) = 0;
  // Less waits to be framed than Http2Session::kPendingBytesLow.
  virtual void OnDrained(Http2Stream& stream) = 0;
  // The stream is gone from the session; the last word about it. `by_peer`: RST_STREAM came, or a GOAWAY with a last
  // stream before this one, which counts as kRefusedStream (RFC 9113 section 8.7). Otherwise it is complete, or we
  // reset it, on purpose or for what its peer did (kProtocolError and others).
  virtual void OnStreamClosed(Http2Stream& stream, Http2Error code, bool by_peer) = 0;
  // Server: our END_STREAM was framed, and the client's has not come. Without a Reset (kNoError; RFC 9113 section 8.1)
  // it may go on until its window is used up.
  virtual void OnEarlyEnd(Http2Stream& /*stream*/) {}
  // The peer takes no further streams; of a client: it is about to leave.
  virtual void OnGoAway() {}
  // SETTINGS came: streams_max may be another one.
  virtual void OnSettings() {}
  // Our PING was answered.
  virtual void OnPingAnswered() {}

 protected:
  ~Http2Events() = default;
};

// One HTTP/2 connection without I/O, in either role (RFC 9113): framing, HPACK and flow control are nghttp2's, limits
// and the judgement of peers are ours. Output is pulled: nothing is framed before Output is called, and then only as
// much as is asked for. No push, no priorities: streams take turns. Thread: one.
class Http2Session {
 public:
  enum class Role : std::uint8_t { kServer, kClient };
  // spec: alb.md 12.1.
  static constexpr std::uint32_t kStreamsMax = 128;
  // Of a stream; a connection's is given back as it comes, so that no stream holds another.
  static constexpr std::int32_t kServerWindowBytes = 64 * 1024 - 1;
  static constexpr std::int32_t kClientWindowBytes = 256 * 1024;
  static constexpr std::int32_t kConnectionWindowBytes = 4 * 1024 * 1024;
  static constexpr std::size_t kPendingBytesLow = 16 * 1024;

  // SETTINGS, and of a client the preface, are ready to be sent at once. `events` outlives the session. Of a server:
  // with `extended_connect` it announces that it takes CONNECT requests with `:protocol` (RFC 8441 section 3), which
  // are malformed without.
  Http2Session(Role role, Http2Events& events, SteadyTime now, bool extended_connect = false);
  ~Http2Session();
  Http2Session(const Http2Session&) = delete;
  Http2Session& operator=(const Http2Session&) = delete;

  // Takes bytes of the peer. False when the connection is at its end because of them (fault(), why()): what Output
  // still gives (GOAWAY) is to be sent, then it is to be closed. Of some violations fault() tells after Output only.
  [[nodiscard]] bool Receive(std::string_view bytes, SteadyTime now);
  // Appends frames to `out`, until it holds `max` bytes or a little more, or there are none for now. False when the
  // session broke; what was appended is good.
  [[nodiscard]] bool Output(std::string& out, std::size_t max);

  // Server, from OnRequest: `stream` is the one that `id` names.
  void Accept(Http2Stream& stream, std::int32_t id, bool ends);
  // Server: a response head; `status` 1xx is interim. `ends`: no content follows. Names may be in any case. Fields are
  // copied.
  void Respond(Http2Stream& stream, std::uint16_t status, std::span<const Field> fields, bool ends);
  // Client: opens `stream` for a request. `fields` begin with the pseudo-header fields. False when the connection takes
  // no more.
  [[nodiscard]] bool Request(Http2Stream& stream, std::span<const Field> fields, bool ends);
  // Content behind the head; copied.
  void Send(Http2Stream& stream, std::string_view bytes, bool last, std::span<const Field> trailers);
  // `bytes` of the stream's content were taken: the peer may send as many more.
  void Consume(Http2Stream& stream, std::size_t bytes);
  // Gives a stream up; OnStreamClosed follows when that was framed.
  void Reset(Http2Stream& stream, Http2Error code);

  // The two steps of a graceful end (RFC 9113 section 6.8): the notice still lets streams in that are on their way, and
  // asks with a PING (OnPingAnswered) whether they have come; the last word names the last stream that is served.
  void AnnounceGoAway();
  void GoAway();
  // Asks whether the peer is there: OnPingAnswered.
  void Ping();
  // Ends the session with GOAWAY.
  void Terminate(Http2Error code);
  void Terminate(Http2Flood flood);
  // A stream waited for the peer's window for too long. Ends the session when that happens again and again.
  void NoteZeroWindow(SteadyTime now);

  // Client: Request would be taken.
  [[nodiscard]] bool accepts_requests() const;
  // Streams that the peer allows at a time, at most kStreamsMax.
  [[nodiscard]] std::uint32_t streams_max() const;
  // Open streams.
  [[nodiscard]] std::size_t streams() const;
  // The peer's window for the stream, or for the connection, is closed while there is something to send.
  [[nodiscard]] bool is_window_closed(const Http2Stream& stream) const;
  // Why the session ended; kNoError while it has not.
  [[nodiscard]] Http2Error fault() const;
  // The flood that it was ended for, where it was one.
  [[nodiscard]] std::optional<Http2Flood> flood() const;
  // nghttp2's words for it; may be empty.
  [[nodiscard]] std::string_view why() const;

 private:
  class Nghttp2;
  std::unique_ptr<Nghttp2> nghttp2_;
};

}  // namespace weir::http
