#pragma once

// Messages between the two sides of an exchange, without the version or transport of either.

#include "http/message.h"
#include "net/pipe.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace weir::proxy {

enum class ContentEnd : std::uint8_t { kMore, kLast };

// A piece of content. The views live only during the call they are passed in.
struct Content {
  std::string_view bytes;
  // Not null: the content lies in this pipe instead of in `bytes`. Who cannot pass all of it on keeps the pipe. Given
  // only to those who said that they take pipes.
  net::PipePool::Loan* pipe = nullptr;
  ContentEnd end = ContentEnd::kMore;
  const std::vector<http::Field>* trailers = nullptr;  // with kLast only; null: none

  [[nodiscard]] bool is_last() const { return end == ContentEnd::kLast; }
  [[nodiscard]] const std::vector<http::Field>& trailer_fields() const {
    static const std::vector<http::Field> kNone;
    return trailers != nullptr ? *trailers : kNone;
  }
};

// `name: value\r\n` for each field, in order: what HTTP/1.1 sends as it is and later versions take apart again. Well
// formed by construction; holds no framing and no hop-by-hop field, and not Host.
using FieldBlock = std::string;

// The request as the target gets it. Owned by the exchange until its end: a retry sends it again.
struct RequestMessage {
  std::string method;
  std::string target;      // origin-form or `*`
  std::string host_lines;  // one `Host: …\r\n` line; several only with preserve_host_header
  FieldBlock fields;
  http::Framing framing;
  // The client takes trailers (`TE: trailers`), which goes on where the target's protocol needs to be told.
  bool takes_trailers = false;
  // Asks for a tunnel (proxy/upgrade.h): how is the protocol's own affair. One that cannot have any sends the rest.
  bool asks_for_websocket = false;
};

// The response as the client gets it. The views live only during the call.
struct ResponseMessage {
  std::uint16_t status = 0;
  std::string_view reason;
  std::string_view fields;  // a FieldBlock
  http::Framing framing;
  // Content-Length to announce where there is no content: HEAD and 304.
  std::optional<std::uint64_t> announced_length;
  // Opens the tunnel that the request asked for (proxy/upgrade.h).
  bool opens_tunnel = false;
};

}  // namespace weir::proxy
