#pragma once

#include "http/message.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

namespace weir::http {

// How an HTTP/2 stream ended.
enum class StreamEnd : std::uint8_t {
  kComplete,  // the response came whole
  kReset,     // RST_STREAM, or the session failed: the request may have been acted upon
  kRefused,   // REFUSED_STREAM: certainly not acted upon (RFC 9113 section 8.7)
  // A GOAWAY came before the request was sent, or says that it is behind the last stream: the server is leaving, and
  // the request is to be sent on another connection (RFC 9113 section 6.8).
  kOvertaken,
};

// The client's side of one HTTP/2 connection without I/O (RFC 9113): framing, HPACK and flow control. Response content
// is counted off the windows and dropped. Server push is off. Thread: one.
class Http2ClientSession {
 public:
  // Called from Receive and Output. May call Submit and Reset.
  class Events {
   public:
    // The status of the final response; interim ones are skipped.
    virtual void OnStatus(std::uint64_t token, std::uint16_t status) = 0;
    // A field of the final response head. The views live during the call.
    virtual void OnField(std::uint64_t token, std::string_view name, std::string_view value) = 0;
    // The stream is closed. `code` is the error code of RFC 9113 section 7 (0: none).
    virtual void OnStreamEnd(std::uint64_t token, StreamEnd end, std::uint32_t code) = 0;

   protected:
    ~Events() = default;
  };

  // The connection preface and SETTINGS are ready to be sent at once. `events` outlives the session.
  explicit Http2ClientSession(Events& events);
  ~Http2ClientSession();
  Http2ClientSession(const Http2ClientSession&) = delete;
  Http2ClientSession& operator=(const Http2ClientSession&) = delete;

  // Opens a stream for a request. `fields` begin with the pseudo-header fields; names are in lower case. `content` and
  // all views must live until the stream has ended. The events of the stream carry `token`. False when the connection
  // takes no more requests.
  [[nodiscard]] bool Submit(std::span<const Field> fields, std::string_view content, std::uint64_t token);
  // Gives a stream up with RST_STREAM (CANCEL); OnStreamEnd follows when that was sent.
  void Reset(std::uint64_t token);

  // Takes bytes of the server. False when they break the protocol (why() says how): the connection is to be closed
  // after what Output still gives (GOAWAY) was sent.
  [[nodiscard]] bool Receive(std::string_view bytes);
  // The next bytes to send; empty when there are none for now. The view lives until the next call of any method.
  [[nodiscard]] std::string_view Output();

  // Whether Submit would be taken: no GOAWAY came, and stream identifiers are left.
  [[nodiscard]] bool accepts_requests() const;
  // How many streams the server allows at a time; 100 until its SETTINGS have come (RFC 9113 section 6.5.2).
  [[nodiscard]] std::uint32_t streams_max() const;
  [[nodiscard]] std::string_view why() const;

 private:
  class Session;
  std::unique_ptr<Session> session_;
};

}  // namespace weir::http
