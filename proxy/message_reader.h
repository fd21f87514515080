#pragma once

#include "net/pipe.h"
#include "net/stream.h"
#include "proxy/content_reader.h"
#include "proxy/message.h"
#include "proxy/worker_state.h"

#include <cstddef>
#include <cstring>
#include <string>
#include <string_view>

namespace weir::proxy {

// What one side of an HTTP/1.1 connection reads: into the worker's buffer, behind what was carried over, or content
// into a pipe. Idle, it owns no buffer. Thread: worker.
struct MessageReader {
  ContentReader content;
  std::string carried;      // bytes that wait: part of a head, or what follows a message
  std::size_t scanned = 0;  // of a head in `carried`

  // One read: into a pipe where `piped` says so and one is to be had, else of up to `max` bytes into memory. Gives what
  // came to `receiver`, which is the connection: OnPiped(content), or OnBytes(all, read) with what was carried and the
  // number of bytes that were read behind it, to be used up before the next read; or OnEnd(kEnd or kError). False
  // when there is no more to be read now.
  template <class Receiver>
  [[nodiscard]] bool ReadOnce(net::Stream& stream, WorkerState& worker, bool piped, std::size_t max,
                              Receiver& receiver) {
    using enum net::IoStatus;
    if (piped) {
      net::PipePool::Loan pipe;
      Content piece;
      const net::IoStatus status = content.ReadToPipe(stream, worker.pipes, pipe, piece);
      if (status == kOk) return receiver.OnPiped(piece);
      if (status != kRefused) return Stop(status, receiver);
    }
    char* const buffer = worker.read_buffer.data();
    const std::size_t before = carried.size();
    if (before > 0) std::memcpy(buffer, carried.data(), before);
    const net::IoResult result = stream.Read({buffer + before, max});
    if (result.status != kOk) return Stop(result.status, receiver);
    carried.clear();
    return receiver.OnBytes({buffer, before + result.bytes}, result.bytes);
  }

 private:
  template <class Receiver>
  [[nodiscard]] static bool Stop(net::IoStatus status, Receiver& receiver) {
    if (status != net::IoStatus::kWouldBlock) receiver.OnEnd(status);
    return false;
  }
};

}  // namespace weir::proxy
