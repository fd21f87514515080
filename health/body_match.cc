#include "health/body_match.h"

#include <zlib.h>

#include <algorithm>
#include <array>

namespace weir::health {

// zlib's stream. `deflate` is zlib format by RFC 9110 section 8.4.1.2, but some servers send raw deflate data; the
// first byte tells them apart.
struct BodyMatch::Inflater {
  explicit Inflater(bool gzip_coding) : gzip(gzip_coding) {}
  ~Inflater() {
    if (started) inflateEnd(&stream);
  }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;

  bool Start(char first) {
    const bool zlib_format = (static_cast<unsigned char>(first) & 0x0fU) == Z_DEFLATED;
    const int window_bits = gzip ? MAX_WBITS + 16 : zlib_format ? MAX_WBITS : -MAX_WBITS;
    started = inflateInit2(&stream, window_bits) == Z_OK;
    return started;
  }

  const bool gzip;
  bool started = false;
  bool ended = false;  // the compressed data are complete, or broken
  z_stream stream{};
};

BodyMatch::BodyMatch(std::string_view search, const http::ResponseHead& head)
    : search_(search), framing_(head.framing), content_left_(head.framing.content_length) {
  if (http::HasListToken(head.fields, "content-encoding", "gzip") ||
      http::HasListToken(head.fields, "content-encoding", "x-gzip")) {
    inflater_ = std::make_unique<Inflater>(true);
  } else if (http::HasListToken(head.fields, "content-encoding", "deflate")) {
    inflater_ = std::make_unique<Inflater>(false);
  }
}

BodyMatch::~BodyMatch() = default;

BodyMatch::Verdict BodyMatch::Append(std::string_view bytes) {
  switch (framing_.kind) {
    case http::FramingKind::kNone:
      return search_.empty() ? Verdict::kFound : Verdict::kNotFound;
    case http::FramingKind::kChunked:
      return AppendChunked(bytes);
    case http::FramingKind::kContentLength: {
      bytes = bytes.substr(0, static_cast<std::size_t>(std::min<std::uint64_t>(bytes.size(), content_left_)));
      content_left_ -= bytes.size();
      const Verdict verdict = AppendContent(bytes);
      return verdict == Verdict::kNeedMore && content_left_ == 0 ? Verdict::kNotFound : verdict;
    }
    case http::FramingKind::kUntilClose:
    case http::FramingKind::kUnknown:
      return AppendContent(bytes);
  }
  return Verdict::kNotFound;
}

BodyMatch::Verdict BodyMatch::AppendChunked(std::string_view bytes) {
  for (;;) {
    const auto output = chunks_.Next(bytes);
    bytes.remove_prefix(output.consumed);
    switch (output.step) {
      case http::ChunkedDecoder::Step::kContent: {
        const Verdict verdict = AppendContent(output.content);
        if (verdict != Verdict::kNeedMore) return verdict;
        break;
      }
      case http::ChunkedDecoder::Step::kNeedMore:
        return Verdict::kNeedMore;
      case http::ChunkedDecoder::Step::kEnd:
      case http::ChunkedDecoder::Step::kRefused:
        return Verdict::kNotFound;
    }
  }
}

BodyMatch::Verdict BodyMatch::AppendContent(std::string_view bytes) {
  if (!inflater_ || bytes.empty()) return AppendDecoded(bytes);
  if (!inflater_->started && !inflater_->Start(bytes.front())) return Verdict::kNotFound;
  z_stream& stream = inflater_->stream;
  // zlib's interface has no const; it does not write here.
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  while (!inflater_->ended) {
    std::array<char, kContentBytesMax> decoded;
    stream.next_out = reinterpret_cast<Bytef*>(decoded.data());
    stream.avail_out = static_cast<uInt>(decoded.size());
    const int status = inflate(&stream, Z_NO_FLUSH);
    inflater_->ended = status != Z_OK && status != Z_BUF_ERROR;
    const std::size_t produced = decoded.size() - stream.avail_out;
    const Verdict verdict = AppendDecoded({decoded.data(), produced});
    if (verdict != Verdict::kNeedMore) return verdict;
    // Room was left: everything that came in was taken.
    if (stream.avail_out > 0) break;
  }
  return inflater_->ended ? Verdict::kNotFound : Verdict::kNeedMore;
}

BodyMatch::Verdict BodyMatch::AppendDecoded(std::string_view bytes) {
  // A match may begin in what was there before.
  const std::size_t from = content_.size() < search_.size() ? 0 : content_.size() - search_.size();
  content_ += bytes.substr(0, kContentBytesMax - content_.size());
  if (content_.find(search_, from) != std::string::npos) return Verdict::kFound;
  return content_.size() == kContentBytesMax ? Verdict::kNotFound : Verdict::kNeedMore;
}

}  // namespace weir::health
