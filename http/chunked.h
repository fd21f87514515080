#pragma once

#include "http/message.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace weir::http {

// Whether a trailer field of that name may be forwarded: not when it would change framing, routing, authentication or
// hop-by-hop handling (RFC 9110 section 6.5.1), or passes for a field of ours.
[[nodiscard]] bool MayBeTrailer(std::string_view name);

// Decodes the chunked transfer coding (RFC 9112 section 7.1) incrementally and without copying content. Bounded: chunk
// lines of kLineBytesMax, trailer sections of kTrailerBytesMax and kTrailerFieldsMax; chunk extensions are checked and
// dropped.
class ChunkedDecoder {
 public:
  static constexpr std::size_t kLineBytesMax = 4 * 1024;
  static constexpr std::size_t kTrailerBytesMax = 16 * 1024;
  static constexpr std::size_t kTrailerFieldsMax = 100;

  enum class Step : std::uint8_t {
    kContent,   // `content` is a piece of content inside the bytes given
    kNeedMore,  // all the bytes were consumed
    kEnd,       // the message is complete; bytes after `consumed` belong to the next one
    kRefused,   // malformed; `why()` says how
  };
  struct Output {
    Step step = Step::kNeedMore;
    std::size_t consumed = 0;  // of the bytes given to this call
    std::string_view content;
  };

  // Call again with the rest after kContent.
  [[nodiscard]] Output Next(std::string_view bytes);
  // After kEnd: the trailer fields that may be forwarded. Fields that would change framing, routing, authentication or
  // hop-by-hop handling (RFC 9110 section 6.5.1) were dropped. The views live until Reset, or until this object is
  // moved.
  [[nodiscard]] const std::vector<Field>& trailers() const { return trailers_; }
  [[nodiscard]] std::string_view why() const { return why_; }
  // Content bytes of the chunk that is still to come: lets a relay read straight into a large buffer.
  [[nodiscard]] std::uint64_t chunk_bytes_left() const { return chunk_left_; }
  void Reset();

 private:
  enum class State : std::uint8_t {
    kSize,
    kExtensionSpace,  // white space that only a `;` may follow
    kExtensionName,   // behind `;`, before the first byte of the name
    kExtensionNameRest,
    kExtensionNameSpace,  // behind the name: `=`, `;` or the end
    kExtensionValue,      // behind `=`
    kExtensionToken,
    kQuoted,
    kQuotedEscape,
    kQuotedEnd,
    kSizeLf,
    kData,
    kDataCr,
    kDataLf,
    kTrailer,
    kEnd,
    kRefused
  };
  [[nodiscard]] bool TakeSizeByte(char c);
  [[nodiscard]] bool TakeExtensionByte(char c);
  bool TakeTrailer(std::string_view bytes, std::size_t& at);
  [[nodiscard]] bool ParseTrailerLine(std::string_view line);
  bool Refuse(std::string_view why);

  State state_ = State::kSize;
  std::uint64_t chunk_left_ = 0;
  std::size_t line_bytes_ = 0;
  int digits_ = 0;
  std::string trailer_bytes_;
  std::size_t trailer_line_start_ = 0;
  std::vector<Field> trailers_;
  std::string_view why_;
};

// Appends `<size in hex>\r\n`; the content and `\r\n` follow. `size` is not 0.
void AppendChunkHeader(std::string& out, std::uint64_t size);
// Appends `0\r\n`, the trailer section and the final `\r\n`.
void AppendLastChunk(std::string& out, const std::vector<Field>& trailers);

}  // namespace weir::http
