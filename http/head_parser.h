#pragma once

#include "http/message.h"

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace weir::http {

// spec: alb.md 12.2; each limit is inclusive.
struct HeadLimits {
  std::size_t start_line_bytes_max = 16 * 1024;
  std::size_t field_line_bytes_max = 16 * 1024 - 1;  // a line of 16,384 bytes was seen refused
  std::size_t head_bytes_max = 64 * 1024;            // all field lines and the start line
  std::size_t fields_max = 1'000;                    // our choice: memory for views stays under 40 KiB
};
// Limits for a target's response: 32 KiB of headers.
[[nodiscard]] HeadLimits ResponseHeadLimits();

enum class ParseStatus : std::uint8_t {
  kNeedMore,  // no complete head yet; call again with more bytes
  kDone,      // `consumed` bytes were the head
  kRefused,   // `status` and `why` say how to answer (requests), or why the message is worthless (responses)
};

struct ParseOutcome {
  ParseStatus status = ParseStatus::kNeedMore;
  std::size_t consumed = 0;
  std::uint16_t http_status = 0;  // requests: 400, 414, 417, 501 or 505
  bool too_large = false;         // refused for its size alone: a limit of HeadLimits
  std::string_view why;           // a static text for the log: `field line without a colon`
};

// Parses one request head from the beginning of `bytes`. Strict: what RFC 9112 forbids is refused, never repaired; what
// ALB classifies as Acceptable or Ambiguous and a proxy can still frame in one way only is accepted with its class in
// `head`; Severe is refused with 400, its class and reason in `head` too (docs/desync.md lists every decision). At most
// two empty lines before the request line are skipped (RFC 9112 section 2.2). `scanned` is kept by the caller between
// calls for one head, 0 at first: the number of bytes already searched for the end of the head, so that a head that
// arrives byte by byte costs linear time.
[[nodiscard]] ParseOutcome ParseRequestHead(std::string_view bytes, std::size_t& scanned, const HeadLimits& limits,
                                            RequestHead& head);

// The same for a response. `request_method` decides the framing (HEAD, CONNECT). Interim (1xx) heads are returned like
// any other.
[[nodiscard]] ParseOutcome ParseResponseHead(std::string_view bytes, std::size_t& scanned, const HeadLimits& limits,
                                             std::string_view request_method, ResponseHead& head);

}  // namespace weir::http
