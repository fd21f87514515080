#include "proxy/stream_writer.h"

namespace weir::proxy {
namespace {

// A buffer larger than this is given back once it is empty: idle connections keep no memory of a burst.
constexpr std::size_t kKeptCapacityMax = 4 * 1024;

}  // namespace

void StreamWriter::Keep(std::span<const iovec> pieces, std::size_t taken) {
  for (const iovec& piece : pieces) {
    if (taken >= piece.iov_len) {
      taken -= piece.iov_len;
      continue;
    }
    kept_.append(static_cast<const char*>(piece.iov_base) + taken, piece.iov_len - taken);
    taken = 0;
  }
}

bool StreamWriter::Write(net::Stream& stream, std::span<const iovec> pieces) {
  if (congested()) {
    Keep(pieces, 0);
    return true;
  }
  const net::IoResult result = stream.Write(pieces);
  if (result.status == net::IoStatus::kError) return false;
  Keep(pieces, result.bytes);
  return true;
}

bool StreamWriter::WriteLast(net::Stream& stream, std::span<const iovec> pieces) {
  if (congested()) {
    Keep(pieces, 0);
    return true;
  }
  const net::IoResult result = stream.WriteLast(pieces);
  if (result.status == net::IoStatus::kError) return false;
  Keep(pieces, result.bytes);
  return true;
}

bool StreamWriter::Flush(net::Stream& stream) {
  if (!congested()) return true;
  const iovec piece = Piece(std::string_view(kept_).substr(offset_));
  const net::IoResult result = stream.Write({&piece, 1});
  if (result.status == net::IoStatus::kError) return false;
  offset_ += result.bytes;
  if (!congested()) Clear();
  return true;
}

void StreamWriter::Clear() {
  offset_ = 0;
  if (kept_.capacity() > kKeptCapacityMax) {
    kept_ = {};
  } else {
    kept_.clear();
  }
}

}  // namespace weir::proxy
