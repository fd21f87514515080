#pragma once

#include "net/stream.h"

#include <sys/uio.h>

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace weir::proxy {

// Writes to a stream and keeps what it does not take at once. Bounded by its callers: they send nothing more while
// bytes are kept. Thread: worker.
class StreamWriter {
 public:
  // Sends the pieces in order, with one call where the stream takes them all. False when the connection is broken.
  [[nodiscard]] bool Write(net::Stream& stream, std::span<const iovec> pieces);
  // The same for the last bytes of the stream, whose end follows at once unless congested(): net::Stream::WriteLast.
  [[nodiscard]] bool WriteLast(net::Stream& stream, std::span<const iovec> pieces);
  // Sends what was kept; call when the stream is writable again. False when the connection is broken.
  [[nodiscard]] bool Flush(net::Stream& stream);
  [[nodiscard]] bool congested() const { return offset_ < kept_.size(); }
  void Clear();

 private:
  // Keeps what is behind the first `taken` bytes.
  void Keep(std::span<const iovec> pieces, std::size_t taken);

  std::string kept_;
  std::size_t offset_ = 0;
};

// Content up to this size is copied behind its head: sending one piece costs less than sending two.
inline constexpr std::size_t kJoinedContentMax = 1024;

[[nodiscard]] inline iovec Piece(std::string_view bytes) { return {const_cast<char*>(bytes.data()), bytes.size()}; }

}  // namespace weir::proxy
