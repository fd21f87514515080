#pragma once

#include "http/message.h"
#include "http/writer.h"
#include "proxy/message.h"

#include <sys/uio.h>

#include <array>
#include <cstdint>
#include <span>
#include <string>

namespace weir::proxy {

// Frames what one side of an HTTP/1.1 connection writes, as ContentReader takes the frames off what it reads. A value.
class MessageWriter {
 public:
  // Begins a message. Appends the field that frames its content to its head; for content whose length is not known that
  // is the chunked coding. False when the receiver knows no chunks: such content ends with the connection.
  enum class Receiver : std::uint8_t { kKnowsChunks, kHttp10 };
  [[nodiscard]] bool Begin(std::string& head, const http::Framing& framing, Receiver receiver) {
    const bool has_length = framing.kind == http::FramingKind::kContentLength;
    const bool is_framed = has_length || framing.kind == http::FramingKind::kNone;
    chunked_ = !is_framed && receiver == Receiver::kKnowsChunks;
    if (has_length) http::AppendContentLength(head, framing.content_length);
    if (chunked_) head += "Transfer-Encoding: chunked\r\n";
    return is_framed || chunked_;
  }

  using Pieces = std::array<iovec, 3>;
  // Appends what frames `content` to `out`. Gives what is to be written, in `room`: what `out` held and the chunk's
  // size, the content, what follows it; as one piece where the content is small. Lives as long as all three stay as
  // they are.
  [[nodiscard]] std::span<const iovec> Frame(std::string& out, const Content& content, Pieces& room) const;
  // The content of the message that began last is framed piece by piece, so that none can be moved by a pipe.
  [[nodiscard]] bool chunked() const { return chunked_; }

 private:
  bool chunked_ = false;
};

}  // namespace weir::proxy
