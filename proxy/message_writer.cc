#include "proxy/message_writer.h"

#include "http/chunked.h"
#include "proxy/stream_writer.h"

#include <string_view>

namespace weir::proxy {

std::span<const iovec> MessageWriter::Frame(std::string& out, const Content& content, Pieces& room) const {
  const bool has_chunk = chunked_ && !content.bytes.empty();
  if (has_chunk) http::AppendChunkHeader(out, content.bytes.size());
  const bool joined = content.bytes.size() <= kJoinedContentMax;
  if (joined) out += content.bytes;
  const std::size_t before_content = out.size();
  if (has_chunk) out += "\r\n";
  if (chunked_ && content.is_last()) http::AppendLastChunk(out, content.trailer_fields());
  const std::string_view all = out;
  if (joined) {
    room[0] = Piece(all);
    return {room.data(), 1};
  }
  room = {Piece(all.substr(0, before_content)), Piece(content.bytes), Piece(all.substr(before_content))};
  return room;
}

}  // namespace weir::proxy
