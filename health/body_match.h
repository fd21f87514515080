#pragma once

#include "http/chunked.h"
#include "http/message.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace weir::health {

// Looks for a string in the first 5,120 bytes of a response's content, after the chunked coding and gzip or deflate
// were taken off (spec: dns.md 2.2, SearchString). Fed piece by piece; keeps at most those bytes. A content coding it
// does not know is searched as it is. Thread: one owner.
class BodyMatch {
 public:
  static constexpr std::size_t kContentBytesMax = 5'120;

  enum class Verdict : std::uint8_t { kNeedMore, kFound, kNotFound };

  // `search` is matched byte by byte and outlives this object; `head` is read here only.
  BodyMatch(std::string_view search, const http::ResponseHead& head);
  ~BodyMatch();
  BodyMatch(const BodyMatch&) = delete;
  BodyMatch& operator=(const BodyMatch&) = delete;

  // Takes bytes of the connection that follow the head. Not to be called again after a verdict. When the connection
  // ends without one, the string is not there.
  [[nodiscard]] Verdict Append(std::string_view bytes);

 private:
  struct Inflater;
  Verdict AppendContent(std::string_view bytes);
  Verdict AppendDecoded(std::string_view bytes);
  Verdict AppendChunked(std::string_view bytes);

  std::string_view search_;
  http::Framing framing_;
  std::uint64_t content_left_ = 0;  // kContentLength: bytes that are still to come
  http::ChunkedDecoder chunks_;
  std::unique_ptr<Inflater> inflater_;  // null: no content coding
  std::string content_;                 // the decoded beginning
};

}  // namespace weir::health
