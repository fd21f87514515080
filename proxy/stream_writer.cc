#include "proxy/stream_writer.h"

#include <algorithm>
#include <utility>

namespace weir::proxy {

bool StreamWriter::Write(net::Stream& stream, std::span<const iovec> pieces, Then then) {
  std::size_t wanted = 0;
  for (const iovec& piece : pieces) wanted += piece.iov_len;
  std::size_t taken = 0;
  if (!congested()) {
    const net::IoResult result = then == Then::kEndFollows ? stream.WriteLast(pieces) : stream.Write(pieces);
    if (result.status == net::IoStatus::kError) return false;
    taken = result.bytes;
    if (taken == wanted) return true;
    kept_ = std::make_unique<Kept>();
  }
  for (const iovec& piece : pieces) {
    const std::size_t skipped = std::min(taken, piece.iov_len);
    taken -= skipped;
    kept_->bytes.append(static_cast<const char*>(piece.iov_base) + skipped, piece.iov_len - skipped);
  }
  return true;
}

bool StreamWriter::Write(net::Stream& stream, net::PipePool::Loan& pipe) {
  if (stream.WriteFrom(*pipe).status == net::IoStatus::kError) return false;
  if (pipe->empty()) return true;
  kept_ = std::make_unique<Kept>();
  kept_->pipe = std::move(pipe);
  return true;
}

bool StreamWriter::Flush(net::Stream& stream) {
  if (!congested()) return true;
  if (kept_->pipe != nullptr) {
    if (stream.WriteFrom(*kept_->pipe).status == net::IoStatus::kError) return false;
    if (!kept_->pipe->empty()) return true;
    kept_->pipe.reset();
  }
  const iovec piece = Piece(std::string_view(kept_->bytes).substr(kept_->offset));
  if (piece.iov_len > 0) {
    const net::IoResult result = stream.Write({&piece, 1});
    if (result.status == net::IoStatus::kError) return false;
    kept_->offset += result.bytes;
  }
  if (kept_->offset == kept_->bytes.size()) Clear();
  return true;
}

void StreamWriter::Clear() { kept_.reset(); }

}  // namespace weir::proxy
