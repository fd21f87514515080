#pragma once

#include "http/head_parser.h"
#include "http/message.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace weir::http {

// A header or trailer section of HTTP/2 as HPACK gave it: in order, pseudo-header fields first. Bounded: what does not
// fit is counted and not kept. A value.
class Http2FieldSection {
 public:
  // RFC 9113 section 6.5.2 counts so much for a field beside its name and value.
  static constexpr std::size_t kFieldOverhead = 32;
  // SETTINGS_MAX_HEADER_LIST_SIZE that we announce: what ALB accepts in all of a request's head (spec: alb.md 12.2).
  static constexpr std::size_t kListBytesMax = 64 * 1024;
  static constexpr std::size_t kFieldsMax = 1'000;

  void Add(std::string_view name, std::string_view value);
  void Clear();
  [[nodiscard]] bool too_large() const { return list_bytes_ > kListBytesMax || count_ > kFieldsMax; }
  // As RFC 9113 section 6.5.2 counts them, kept or not.
  [[nodiscard]] std::size_t list_bytes() const { return list_bytes_; }
  [[nodiscard]] std::size_t size() const { return fields_.size(); }
  // The views live until the next change.
  [[nodiscard]] Field at(std::size_t index) const;

 private:
  struct Place {
    std::uint32_t name = 0;
    std::uint32_t value = 0;
    std::uint32_t end = 0;
  };
  std::string bytes_;
  std::vector<Place> fields_;
  std::size_t list_bytes_ = 0;
  std::size_t count_ = 0;
};

// A request head of HTTP/2 (RFC 9113 section 8.3.1), judged by ParseRequestHead: `text` (cleared first) gets the same
// head as HTTP/1.1 spells it, in which the views of `head` live. So names, values, target and Host are held to exactly
// what they are held to in HTTP/1.1, and nothing can mean one thing here and another at a target. Before that:
// `:scheme` is http or https, Host says the same as `:authority`, no line can end early. The crumbs of Cookie are
// joined (section 8.2.3). A CONNECT whose `:protocol` is websocket (RFC 8441) is spelled as the opening handshake that
// HTTP/1.1 has for it, a GET with an upgrade; what its stream carries then is no content of the request.
// `ends`: END_STREAM, there is no content. Never kNeedMore.
[[nodiscard]] ParseOutcome ParseHttp2Request(const Http2FieldSection& section, bool ends, std::string& text,
                                             RequestHead& head);

// The same for a response (section 8.3.2), by ParseResponseHead.
[[nodiscard]] ParseOutcome ParseHttp2Response(const Http2FieldSection& section, bool ends,
                                              std::string_view request_method, std::string& text, ResponseHead& head);

// A trailer section: `fields` (cleared first) gets those that may be forwarded (MayBeTrailer), as views into `text`.
// False when it is malformed or larger than HTTP/1.1's may be.
[[nodiscard]] bool ReadHttp2Trailers(const Http2FieldSection& section, std::string& text, std::vector<Field>& fields);

// Appends the fields of a FieldBlock, `name: value\r\n` each, as views into it.
void AppendFieldsOf(std::string_view block, std::vector<Field>& fields);

}  // namespace weir::http
