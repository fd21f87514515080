#pragma once

#include "http/chunked.h"
#include "proxy/message.h"

#include <cstdint>
#include <memory>
#include <string_view>

namespace weir::proxy {

// Takes content out of the bytes of an HTTP/1.1 message, by its framing. Thread: worker.
class ContentReader {
 public:
  enum class Status : std::uint8_t { kOk, kRefused };

  // Begins a message. kUntilClose content ends only with the connection.
  void Begin(const http::Framing& framing);
  // What `bytes` hold of the content, in one piece: chunked content is moved together inside the buffer, which must
  // therefore be the caller's to change. `bytes` is left at the first byte that is not used.
  [[nodiscard]] Status Take(std::string_view& bytes, Content& content);
  [[nodiscard]] bool complete() const { return complete_; }
  [[nodiscard]] std::string_view why() const { return chunks_ == nullptr ? std::string_view() : chunks_->why(); }

 private:
  [[nodiscard]] Status TakeChunks(std::string_view& bytes, Content& content);

  http::FramingKind kind_ = http::FramingKind::kNone;
  bool complete_ = true;
  std::uint64_t left_ = 0;
  std::unique_ptr<http::ChunkedDecoder> chunks_;  // made when first needed
};

}  // namespace weir::proxy
