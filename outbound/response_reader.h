#pragma once

#include "http/chunked.h"
#include "http/message.h"
#include "outbound/http_client.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace weir::outbound {

// Gathers one response of HTTP/1.x out of the bytes that arrive: interim ones are skipped (RFC 9110 section 15.2), the
// content is decoded. Holds at most one head and `content_max` bytes of content. Thread: that of its call.
class ResponseReader {
 public:
  enum class State : std::uint8_t {
    kNeedMore,   // all bytes were taken and the response goes on
    kDone,       // response() is complete; bytes behind it are nobody's
    kTooLarge,   // more content than `content_max`, or a head beyond http::ResponseHeadLimits
    kMalformed,  // no response of HTTP/1.x, or one that switches protocols, which nobody asked for
  };

  // Expects the response to a request with `method`.
  ResponseReader(std::string method, std::size_t content_max);

  // Takes what arrived. Not after kDone or a failure.
  [[nodiscard]] State Take(std::string_view bytes);
  // The peer has finished sending: kDone where that is what ends the content, else kMalformed. `is_told`: the end can
  // be believed, because TLS said it or there is no TLS (RFC 9112 section 9.8).
  [[nodiscard]] State TakeEnd(bool is_told) const;

  // Whether any byte of a response has come.
  [[nodiscard]] bool has_begun() const { return has_begun_; }
  [[nodiscard]] Response& response() { return response_; }

 private:
  [[nodiscard]] State TakeHead();
  [[nodiscard]] State BeginContent(std::string_view rest);
  [[nodiscard]] State TakeContent(std::string_view bytes);
  [[nodiscard]] State TakeChunks(std::string_view bytes);
  [[nodiscard]] bool Append(std::string_view content);

  // Each interim response announces the one that counts; more than this announce nothing: our choice.
  static constexpr int kInterimCountMax = 16;

  std::string method_;
  std::size_t content_max_;
  bool has_begun_ = false;
  bool in_content_ = false;
  int interim_count_ = 0;
  std::string head_bytes_;   // while the head is not complete
  std::size_t scanned_ = 0;  // of head_bytes_
  http::ResponseHead head_;
  std::uint64_t left_ = 0;  // of content with a length
  http::ChunkedDecoder chunks_;
  Response response_;
};

}  // namespace weir::outbound
