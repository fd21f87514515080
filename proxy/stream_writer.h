#pragma once

#include "net/pipe.h"
#include "net/stream.h"

#include <sys/uio.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace weir::proxy {

// Writes to a stream and keeps what it does not take at once. Bounded by its callers: they send nothing more while
// bytes are kept. Thread: worker.
class StreamWriter {
 public:
  enum class Then : std::uint8_t {
    kMoreFollows,
    kEndFollows,  // the stream's end, at once unless congested(): net::Stream::WriteLast
  };
  // Sends the pieces in order, with one call where the stream takes them all. False when the connection is broken.
  [[nodiscard]] bool Write(net::Stream& stream, std::span<const iovec> pieces, Then then = Then::kMoreFollows);
  // Sends what the pipe holds, and keeps the pipe when the stream does not take all of it: `pipe` is then null. Only
  // while not congested(). False when the connection is broken.
  [[nodiscard]] bool Write(net::Stream& stream, net::PipePool::Loan& pipe);
  // Sends what was kept; call when the stream is writable again. False when the connection is broken.
  [[nodiscard]] bool Flush(net::Stream& stream);
  [[nodiscard]] bool congested() const { return kept_ != nullptr; }
  // Forgets what was kept, and gives the pipe back: before its pool goes.
  void Clear();

 private:
  struct Kept {
    net::PipePool::Loan pipe;  // goes out first
    std::string bytes;
    std::size_t offset = 0;  // what went out of `bytes`
  };
  std::unique_ptr<Kept> kept_;  // null: nothing. Connections are many, those that wait are few.
};

// Content up to this size is copied behind its head: sending one piece costs less than sending two.
inline constexpr std::size_t kJoinedContentMax = 1024;

[[nodiscard]] inline iovec Piece(std::string_view bytes) { return {const_cast<char*>(bytes.data()), bytes.size()}; }

}  // namespace weir::proxy
