// A chunked body: content, trailers and verdict must not depend on how the bytes arrive, and what was decoded must
// decode to the same once we have written it anew.

#include "base/check.h"
#include "http/chunked.h"
#include "tests/fuzz/fuzz_target.h"

#include <algorithm>
#include <string>
#include <string_view>

namespace {

using weir::http::ChunkedDecoder;
using Step = ChunkedDecoder::Step;

struct Decoded {
  Step step = Step::kNeedMore;
  std::size_t consumed = 0;
  std::string content;
};

Decoded Decode(ChunkedDecoder& decoder, std::string_view bytes, std::size_t piece) {
  Decoded decoded;
  while (decoded.consumed < bytes.size() && decoded.step != Step::kEnd && decoded.step != Step::kRefused) {
    const std::string_view given = bytes.substr(decoded.consumed, piece);
    const auto output = decoder.Next(given);
    WEIR_CHECK(output.consumed <= given.size());
    WEIR_CHECK(output.consumed > 0 || output.step == Step::kRefused);
    WEIR_CHECK(output.step != Step::kNeedMore || output.consumed == given.size());
    decoded.consumed += output.consumed;
    decoded.content += output.content;
    decoded.step = output.step;
  }
  if (decoded.step == Step::kContent) decoded.step = Step::kNeedMore;
  return decoded;
}

void CheckRewritten(const ChunkedDecoder& decoder, const Decoded& decoded) {
  std::string bytes;
  if (!decoded.content.empty()) {
    weir::http::AppendChunkHeader(bytes, decoded.content.size());
    bytes += decoded.content + "\r\n";
  }
  weir::http::AppendLastChunk(bytes, decoder.trailers());
  ChunkedDecoder again;
  const Decoded result = Decode(again, bytes, bytes.size());
  WEIR_CHECK(result.step == Step::kEnd);
  WEIR_CHECK(result.content == decoded.content);
  WEIR_CHECK(result.consumed == bytes.size());
  WEIR_CHECK(again.trailers().size() == decoder.trailers().size());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  ChunkedDecoder whole_decoder;
  const Decoded whole = Decode(whole_decoder, bytes, std::max<std::size_t>(size, 1));
  for (const std::size_t piece : {1U, 7U}) {
    ChunkedDecoder decoder;
    const Decoded decoded = Decode(decoder, bytes, piece);
    WEIR_CHECK(decoded.step == whole.step);
    WEIR_CHECK(decoded.content == whole.content);
    WEIR_CHECK(decoder.why() == whole_decoder.why());
    WEIR_CHECK(decoder.trailers().size() == whole_decoder.trailers().size());
    if (whole.step != Step::kRefused) WEIR_CHECK(decoded.consumed == whole.consumed);
  }
  if (whole.step == Step::kEnd) CheckRewritten(whole_decoder, whole);
  return 0;
}
