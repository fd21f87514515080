#include "proxy/content_reader.h"

#include <algorithm>
#include <cstring>
#include <limits>

namespace weir::proxy {

void ContentReader::Begin(const http::Framing& framing) {
  kind_ = framing.kind;
  in_bulk_ = true;
  left_ = framing.kind == http::FramingKind::kContentLength ? framing.content_length : 0;
  is_large_ = left_ >= 2 * kPipedContentMin;
  complete_ = kind_ == http::FramingKind::kNone || (kind_ == http::FramingKind::kContentLength && left_ == 0);
  if (kind_ != http::FramingKind::kChunked) return;
  if (chunks_ == nullptr) {
    chunks_ = std::make_unique<http::ChunkedDecoder>();
  } else {
    chunks_->Reset();
  }
}

// Nobody says how much comes: pipes are for a sender that has shown to come in bulk.
void ContentReader::BeginTunnel() {
  Begin({.kind = http::FramingKind::kUntilClose, .content_length = 0});
  in_bulk_ = false;
  left_ = std::numeric_limits<std::uint64_t>::max();
}

ContentReader::Status ContentReader::Take(std::string_view& bytes, Content& content) {
  content = {};
  if (complete_) {
    content.end = ContentEnd::kLast;
    return Status::kOk;
  }
  switch (kind_) {
    case http::FramingKind::kChunked:
      return TakeChunks(bytes, content);
    case http::FramingKind::kContentLength: {
      const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(left_, bytes.size()));
      content.bytes = bytes.substr(0, size);
      bytes.remove_prefix(size);
      left_ -= size;
      complete_ = left_ == 0;
      break;
    }
    default:
      content.bytes = bytes;
      bytes = {};
      break;
  }
  if (complete_) content.end = ContentEnd::kLast;
  return Status::kOk;
}

bool ContentReader::wants_pipe() const { return left_ >= kPipedContentMin && in_bulk_; }

net::IoStatus ContentReader::ReadToPipe(net::Stream& stream, net::PipePool& pipes, net::PipePool::Loan& pipe,
                                        Content& content) {
  pipe = stream.splices() ? pipes.Take() : nullptr;
  if (pipe == nullptr) return net::IoStatus::kRefused;
  const auto max = static_cast<std::size_t>(std::min<std::uint64_t>(left_, net::Pipe::kBytesMax));
  const net::IoResult result = stream.ReadTo(*pipe, max);
  if (result.status == net::IoStatus::kRefused) pipes.Disable();
  if (result.status != net::IoStatus::kOk) return result.status;
  left_ -= result.bytes;
  complete_ = left_ == 0;
  NoteRead(result.bytes);
  content = {.bytes = {}, .pipe = &pipe, .end = complete_ ? ContentEnd::kLast : ContentEnd::kMore, .trailers = nullptr};
  return net::IoStatus::kOk;
}

ContentReader::Status ContentReader::TakeChunks(std::string_view& bytes, Content& content) {
  // The bytes lie in a read buffer or a string of ours; content only ever moves towards the front.
  char* const begin = const_cast<char*>(bytes.data());
  char* end = begin;
  while (!bytes.empty()) {
    const auto output = chunks_->Next(bytes);
    bytes.remove_prefix(output.consumed);
    if (output.step == http::ChunkedDecoder::Step::kRefused) return Status::kRefused;
    if (!output.content.empty()) {
      if (output.content.data() != end) std::memmove(end, output.content.data(), output.content.size());
      end += output.content.size();
    }
    if (output.step == http::ChunkedDecoder::Step::kEnd) {
      complete_ = true;
      content.end = ContentEnd::kLast;
      content.trailers = &chunks_->trailers();
      break;
    }
  }
  content.bytes = {begin, static_cast<std::size_t>(end - begin)};
  return Status::kOk;
}

}  // namespace weir::proxy
