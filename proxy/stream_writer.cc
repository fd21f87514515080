#include "proxy/stream_writer.h"

#include <utility>

namespace weir::proxy {
namespace {

// A buffer larger than this is given back once it is empty: idle connections keep no memory of a burst.
constexpr std::size_t kKeptCapacityMax = 4 * 1024;

}  // namespace

bool StreamWriter::Write(net::Stream& stream, std::span<const iovec> pieces, Then then) {
  std::size_t taken = 0;
  if (!congested()) {
    const net::IoResult result = then == Then::kEndFollows ? stream.WriteLast(pieces) : stream.Write(pieces);
    if (result.status == net::IoStatus::kError) return false;
    taken = result.bytes;
  }
  for (const iovec& piece : pieces) {
    if (taken >= piece.iov_len) {
      taken -= piece.iov_len;
      continue;
    }
    kept_.append(static_cast<const char*>(piece.iov_base) + taken, piece.iov_len - taken);
    taken = 0;
  }
  return true;
}

bool StreamWriter::Write(net::Stream& stream, net::PipePool::Loan& pipe) {
  if (stream.WriteFrom(*pipe).status == net::IoStatus::kError) return false;
  if (!pipe->empty()) pipe_ = std::move(pipe);
  return true;
}

bool StreamWriter::Flush(net::Stream& stream) {
  if (pipe_ != nullptr) {
    if (stream.WriteFrom(*pipe_).status == net::IoStatus::kError) return false;
    if (!pipe_->empty()) return true;
    pipe_.reset();
  }
  if (!congested()) return true;
  const iovec piece = Piece(std::string_view(kept_).substr(offset_));
  const net::IoResult result = stream.Write({&piece, 1});
  if (result.status == net::IoStatus::kError) return false;
  offset_ += result.bytes;
  if (!congested()) Clear();
  return true;
}

void StreamWriter::Clear() {
  pipe_.reset();
  offset_ = 0;
  if (kept_.capacity() > kKeptCapacityMax) {
    kept_ = {};
  } else {
    kept_.clear();
  }
}

}  // namespace weir::proxy
