#pragma once

#include "http/chunked.h"
#include "net/pipe.h"
#include "net/stream.h"
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
  // Begins a tunnel: whatever comes is content, until the sender ends its side.
  void BeginTunnel();
  // What `bytes` hold of the content, in one piece: chunked content is moved together inside the buffer, which must
  // therefore be the caller's to change. `bytes` is left at the first byte that is not used.
  [[nodiscard]] Status Take(std::string_view& bytes, Content& content);
  [[nodiscard]] bool complete() const { return complete_; }

  // The next bytes are content whatever they are, and so many that they should be read into a pipe: ReadToPipe.
  [[nodiscard]] bool wants_pipe() const;
  // Reads content from `stream` into a pipe of `pipes`, lent as `pipe`; with kOk `content` says what there is.
  // kRefused: there is no pipe to be had, read into memory. Otherwise as net::Stream::ReadTo.
  [[nodiscard]] net::IoStatus ReadToPipe(net::Stream& stream, net::PipePool& pipes, net::PipePool::Loan& pipe,
                                         Content& content);
  // The message that was begun last has so much content that most of it goes through pipes.
  [[nodiscard]] bool is_large() const { return is_large_; }
  // A read gave `bytes`: whether pipes are worth their system calls follows from it.
  void NoteRead(std::size_t bytes) { in_bulk_ = bytes >= kBulkReadBytes; }

 private:
  [[nodiscard]] Status TakeChunks(std::string_view& bytes, Content& content);

  // Less content than this is copied: two system calls cost what copying so much does (docs/adr/0008).
  static constexpr std::uint64_t kPipedContentMin = 48 * 1024;
  // A sender whose bytes come in smaller pieces is read by copying, which takes one call less for each.
  static constexpr std::size_t kBulkReadBytes = 16 * 1024;

  http::FramingKind kind_ = http::FramingKind::kNone;
  bool complete_ = true;
  bool in_bulk_ = true;
  bool is_large_ = false;
  std::uint64_t left_ = 0;                        // with a length; of a tunnel more than can ever come; else 0
  std::unique_ptr<http::ChunkedDecoder> chunks_;  // made when first needed
};

}  // namespace weir::proxy
