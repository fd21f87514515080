#include "health/body_match.h"

#include <gtest/gtest.h>
#include <zlib.h>

#include <string>
#include <vector>

namespace weir::health {
namespace {

using Verdict = BodyMatch::Verdict;

std::string Compress(const std::string& text, int window_bits) {
  z_stream stream{};
  EXPECT_EQ(deflateInit2(&stream, 9, Z_DEFLATED, window_bits, 8, Z_DEFAULT_STRATEGY), Z_OK);
  std::string out(deflateBound(&stream, static_cast<uLong>(text.size())) + 32, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  EXPECT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
  out.erase(stream.total_out);
  deflateEnd(&stream);
  return out;
}

http::ResponseHead Head(http::Framing framing, std::string_view coding = {}) {
  http::ResponseHead head;
  head.framing = framing;
  if (!coding.empty()) head.fields.push_back({"Content-Encoding", coding});
  return head;
}

http::Framing Length(std::size_t bytes) { return {http::FramingKind::kContentLength, bytes}; }
constexpr http::Framing kToClose{http::FramingKind::kUntilClose, 0};
constexpr http::Framing kChunked{http::FramingKind::kChunked, 0};

Verdict Whole(std::string_view search, const http::ResponseHead& head, std::string_view bytes) {
  BodyMatch match(search, head);
  return match.Append(bytes);
}

Verdict ByteByByte(std::string_view search, const http::ResponseHead& head, std::string_view bytes) {
  BodyMatch match(search, head);
  Verdict verdict = match.Append({});
  for (std::size_t i = 0; i < bytes.size() && verdict == Verdict::kNeedMore; ++i)
    verdict = match.Append(bytes.substr(i, 1));
  return verdict;
}

struct Row {
  const char* name;
  const char* search;
  http::Framing framing;
  std::string coding;
  std::string bytes;
  Verdict verdict;
};

class BodyMatchTest : public ::testing::TestWithParam<Row> {};

TEST_P(BodyMatchTest, DecidesTheSameInOnePieceAndInMany) {
  const Row& row = GetParam();
  EXPECT_EQ(Whole(row.search, Head(row.framing, row.coding), row.bytes), row.verdict);
  EXPECT_EQ(ByteByByte(row.search, Head(row.framing, row.coding), row.bytes), row.verdict);
}

const std::string kFill(5'118, 'x');

// spec: dns.md 2.2, SearchString.
INSTANTIATE_TEST_SUITE_P(
    DnsSection22, BodyMatchTest,
    ::testing::Values(
        Row{"found", "\"ok\"", Length(15), "", "{\"state\":\"ok\"}\n", Verdict::kFound},
        Row{"not_found", "ok", Length(4), "", "down", Verdict::kNotFound},
        Row{"case_matters", "ok", Length(2), "", "OK", Verdict::kNotFound},
        Row{"bytes_after_the_content_do_not_count", "ok", Length(2), "", "nook", Verdict::kNotFound},
        Row{"not_yet_found_before_the_close", "ok", kToClose, "", "down", Verdict::kNeedMore},
        Row{"found_before_the_close", "ok", kToClose, "", "all ok, more", Verdict::kFound},
        Row{"ends_at_byte_5120", "ok", kToClose, "", kFill + "ok", Verdict::kFound},
        Row{"crosses_byte_5120", "ok", kToClose, "", kFill + "xok", Verdict::kNotFound},
        Row{"beyond_byte_5120", "ok", kToClose, "", kFill + "xxxok", Verdict::kNotFound},
        Row{"no_content", "ok", {http::FramingKind::kNone, 0}, "", "", Verdict::kNotFound},
        Row{"across_chunks", "hello", kChunked, "", "3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n", Verdict::kFound},
        Row{"not_in_the_chunks", "3", kChunked, "", "3\r\nhel\r\n0\r\n\r\n", Verdict::kNotFound},
        Row{"broken_chunks", "ok", kChunked, "", "zz\r\nok", Verdict::kNotFound},
        Row{"gzip", "needle", kToClose, "gzip", Compress("hay needle hay", MAX_WBITS + 16), Verdict::kFound},
        Row{"deflate", "needle", kToClose, "deflate", Compress("hay needle hay", MAX_WBITS), Verdict::kFound},
        Row{"raw_deflate", "needle", kToClose, "deflate", Compress("hay needle hay", -MAX_WBITS), Verdict::kFound},
        Row{"gzip_without_it", "needle", kToClose, "gzip", Compress("only hay", MAX_WBITS + 16), Verdict::kNotFound},
        Row{"gzip_limit_counts_decoded_bytes", "ok", kToClose, "gzip", Compress(kFill + "xxok", MAX_WBITS + 16),
            Verdict::kNotFound},
        Row{"broken_gzip", "ok", kToClose, "gzip", "ok, but not compressed", Verdict::kNotFound},
        Row{"unknown_coding_is_searched_as_it_is", "ok", kToClose, "br", "xokx", Verdict::kFound}),
    [](const auto& row) { return std::string(row.param.name); });

TEST(BodyMatchBoundTest, ACompressionBombStopsAtTheLimit) {
  const std::string bomb = Compress(std::string(50'000'000, 'x'), MAX_WBITS + 16);
  EXPECT_EQ(Whole("y", Head(kToClose, "gzip"), bomb), Verdict::kNotFound);
}

}  // namespace
}  // namespace weir::health
