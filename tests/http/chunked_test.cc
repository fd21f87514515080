#include "http/chunked.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

namespace weir::http {
namespace {

struct Decoded {
  ChunkedDecoder::Step step = ChunkedDecoder::Step::kNeedMore;
  std::string content;
  std::size_t consumed = 0;
  std::vector<std::string> trailers;
  std::string why;

  friend bool operator==(const Decoded&, const Decoded&) = default;
};

// Feeds the bytes in pieces that end at the offsets given.
Decoded Decode(std::string_view bytes, const std::vector<std::size_t>& cuts = {}) {
  using enum ChunkedDecoder::Step;
  ChunkedDecoder decoder;
  Decoded decoded;
  std::vector<std::size_t> ends = cuts;
  ends.push_back(bytes.size());
  for (const std::size_t end : ends) {
    while (decoded.consumed < end) {
      const auto output = decoder.Next(bytes.substr(decoded.consumed, end - decoded.consumed));
      decoded.consumed += output.consumed;
      decoded.content += output.content;
      decoded.step = output.step;
      if (output.step == kEnd || output.step == kRefused) {
        for (const Field& field : decoder.trailers()) {
          decoded.trailers.push_back(std::string(field.name).append("=").append(field.value));
        }
        decoded.why = decoder.why();
        return decoded;
      }
      if (output.step == kNeedMore) {
        EXPECT_EQ(decoded.consumed, end);
      }
    }
  }
  return decoded;
}

struct ChunkRow {
  std::string_view name;
  std::string_view bytes;
  bool accepted = true;
  std::string_view content{};
};

class ChunkedTable : public ::testing::TestWithParam<ChunkRow> {};

TEST_P(ChunkedTable, DecodesOrRefusesHoweverItIsSplit) {
  using enum ChunkedDecoder::Step;
  const ChunkRow& row = GetParam();
  const Decoded whole = Decode(row.bytes);
  EXPECT_EQ(whole.step, row.accepted ? kEnd : kRefused) << whole.why;
  EXPECT_EQ(whole.why.empty(), row.accepted);
  if (row.accepted) {
    EXPECT_EQ(whole.content, row.content);
    EXPECT_EQ(whole.consumed, row.bytes.size());
  }
  std::vector<std::size_t> every;
  for (std::size_t cut = 1; cut < row.bytes.size(); ++cut) {
    EXPECT_EQ(Decode(row.bytes, {cut}).content, whole.content) << cut;
    EXPECT_EQ(Decode(row.bytes, {cut}).step, whole.step) << cut;
    every.push_back(cut);
  }
  const Decoded bytewise = Decode(row.bytes, every);
  EXPECT_EQ(bytewise.step, whole.step);
  EXPECT_EQ(bytewise.content, whole.content);
  EXPECT_EQ(bytewise.trailers, whole.trailers);
  EXPECT_EQ(bytewise.why, whole.why);
}

#define LITERAL(text) std::string_view(text, sizeof(text) - 1)

// RFC 9112 section 7.1; spec: l7.md 5.3 D.
INSTANTIATE_TEST_SUITE_P(
    Chunks, ChunkedTable,
    ::testing::Values(
        ChunkRow{"Empty", "0\r\n\r\n"},
        ChunkRow{"TwoChunks", "4\r\nWiki\r\n5\r\npedia\r\n0\r\n\r\n", true, "Wikipedia"},
        ChunkRow{"UpperAndLowerDigits", "A\r\n0123456789\r\na\r\n0123456789\r\n0\r\n\r\n", true,
                 "01234567890123456789"},
        ChunkRow{"ContentWithCrLf", "6\r\na\r\nb\r\n\r\n0\r\n\r\n", true, "a\r\nb\r\n"},
        ChunkRow{"LeadingZeros", "0004\r\nWiki\r\n0000\r\n\r\n", true, "Wiki"},
        ChunkRow{"SizePrefix", "0x1\r\na\r\n0\r\n\r\n", false}, ChunkRow{"SizeNegative", "-1\r\n\r\n", false},
        ChunkRow{"SizePlus", "+1\r\na\r\n0\r\n\r\n", false}, ChunkRow{"SizeUnderscore", "1_0\r\n", false},
        ChunkRow{"SizeSpaceBefore", " 1\r\na\r\n0\r\n\r\n", false},
        ChunkRow{"SizeSpaceBehind", "1 \r\na\r\n0\r\n\r\n", false}, ChunkRow{"SizeEmpty", "\r\n0\r\n\r\n", false},
        ChunkRow{"SizeEmptyBeforeExtension", ";a\r\n0\r\n\r\n", false},
        ChunkRow{"Size17Digits", "00000000000000001\r\n", false},
        ChunkRow{"SizeOverflows", "10000000000000000\r\n", false}, ChunkRow{"SizeNul", LITERAL("1\0\r\n"), false},
        ChunkRow{"SizeLf", "1\na\r\n0\r\n\r\n", false}, ChunkRow{"SizeCrX", "1\rX\na\r\n0\r\n\r\n", false},
        ChunkRow{"DataWithoutCrLf", "1\r\nab\r\n0\r\n\r\n", false}, ChunkRow{"DataLf", "1\r\na\n0\r\n\r\n", false},
        ChunkRow{"DataCrX", "1\r\na\rX0\r\n\r\n", false}, ChunkRow{"LastChunkLf", "0\n\r\n", false},
        ChunkRow{"LastLineLf", "0\r\n\n", false}, ChunkRow{"LastLineCrX", "0\r\n\rX\n", false},
        ChunkRow{"Extension", "1;a\r\nx\r\n0;b=c;d=\"e;\\\"\\\\f\"\r\n\r\n", true, "x"},
        ChunkRow{"ExtensionWhiteSpace", "1 \t; a \t= \tb ;c\r\nx\r\n0\r\n\r\n", true, "x"},
        ChunkRow{"ExtensionCr", "1;a\rb\r\nx\r\n0\r\n\r\n", false},
        ChunkRow{"ExtensionLf", "1;a\nx\r\n0\r\n\r\n", false},
        ChunkRow{"ExtensionLfInQuotes", "1;a=\"x\ny\"\r\nx\r\n0\r\n\r\n", false},
        ChunkRow{"ExtensionCrLfInQuotes", "1;a=\"\r\n\"\r\nx\r\n0\r\n\r\n", false},
        ChunkRow{"ExtensionEscapedLf", "1;a=\"\\\n\"\r\nx\r\n0\r\n\r\n", false},
        ChunkRow{"ExtensionUnbalancedQuote", "1;a=\"b\r\nx\r\n0\r\n\r\n", false},
        ChunkRow{"ExtensionTextBehindQuote", "1;a=\"b\"c\r\nx\r\n0\r\n\r\n", false},
        ChunkRow{"ExtensionWithoutName", "1;\r\nx\r\n0\r\n\r\n", false},
        ChunkRow{"ExtensionWithoutValue", "1;a=\r\nx\r\n0\r\n\r\n", false},
        ChunkRow{"ExtensionTwoValues", "1;a=b=c\r\nx\r\n0\r\n\r\n", false},
        ChunkRow{"ExtensionSpaceInName", "1;a b\r\nx\r\n0\r\n\r\n", false},
        ChunkRow{"TrailerField", "0\r\nA: b\r\n\r\n"}, ChunkRow{"TrailerLf", "0\r\nA: b\n\r\n", false},
        ChunkRow{"TrailerFold", "0\r\nA: b\r\n c\r\n\r\n", false}, ChunkRow{"TrailerNoColon", "0\r\nAb\r\n\r\n", false},
        ChunkRow{"TrailerEmptyName", "0\r\n: b\r\n\r\n", false},
        ChunkRow{"TrailerSpaceBeforeColon", "0\r\nA : b\r\n\r\n", false},
        ChunkRow{"TrailerCr", "0\r\nA: b\rc\r\n\r\n", false},
        ChunkRow{"TrailerNul", LITERAL("0\r\nA: \0\r\n\r\n"), false},
        ChunkRow{"TrailerControl", "0\r\nA: \x01\r\n\r\n", false}),
    [](const auto& row) { return std::string(row.param.name); });

TEST(ChunkedDecoderTest, BytesBehindTheEndAreLeftAlone) {
  const Decoded decoded = Decode("1\r\na\r\n0\r\n\r\nGET / HTTP/1.1\r\n");
  EXPECT_EQ(decoded.step, ChunkedDecoder::Step::kEnd);
  EXPECT_EQ(decoded.consumed, 11U);
}

TEST(ChunkedDecoderTest, TrailersThatWouldChangeTheMessageAreDropped) {  // RFC 9110 section 6.5.1
  const Decoded decoded = Decode(
      "0\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\nHost: evil\r\nAUTHORIZATION: x\r\nCookie: x\r\n"
      "X-Forwarded-For: x\r\nX-Amzn-Trace-Id: x\r\nX_Amzn_Mtls_Clientcert: x\r\nContent_Length: 5\r\nConnection: "
      "close\r\n"
      "X-Checksum:  abc \r\nGrpc-Status: 0\r\nX-Name-Longer-Than-Every-Forbidden-Name: y\r\n\r\n");
  EXPECT_EQ(decoded.trailers,
            (std::vector<std::string>{"X-Checksum=abc", "Grpc-Status=0", "X-Name-Longer-Than-Every-Forbidden-Name=y"}));
}

TEST(ChunkedDecoderTest, FiveThousandTrailersAreRefused) {
  std::string fields;
  for (int i = 0; i < 5'000; ++i) fields += "a: b\r\n";
  EXPECT_EQ(Decode("0\r\n" + fields + "\r\n").why, "trailer section too large");
  EXPECT_EQ(Decode("0\r\n" + fields.substr(0, 6 * 101) + "\r\n").why, "too many trailer fields");
  EXPECT_EQ(Decode("0\r\n" + fields.substr(0, 6 * 100) + "\r\n").trailers.size(), 100U);
}

TEST(ChunkedDecoderTest, AnExtensionOfAMegabyteIsRefused) {
  EXPECT_EQ(Decode("1;a=" + std::string(1'000'000, 'x')).why, "chunk line too long");
}

TEST(ChunkedDecoderTest, AMillionLeadingZerosAreRefused) {
  EXPECT_EQ(Decode(std::string(1'000'000, '0')).why, "chunk size too long");
}

TEST(ChunkedDecoderTest, AMillionOneByteChunksDecodeInLinearTime) {
  constexpr int kChunks = 1'000'000;
  std::string bytes;
  for (int i = 0; i < kChunks; ++i) bytes += "1\r\nx\r\n";
  bytes += "0\r\n\r\n";
  const Decoded decoded = Decode(bytes);
  EXPECT_EQ(decoded.step, ChunkedDecoder::Step::kEnd);
  EXPECT_EQ(decoded.content.size(), static_cast<std::size_t>(kChunks));
}

TEST(ChunkedDecoderTest, TheLargestChunkIsCountedDown) {
  ChunkedDecoder decoder;
  EXPECT_EQ(decoder.Next("ffffffffffffffff\r\n").step, ChunkedDecoder::Step::kNeedMore);
  EXPECT_EQ(decoder.chunk_bytes_left(), 0xffffffffffffffffU);
  EXPECT_EQ(decoder.Next("abc").content, "abc");
  EXPECT_EQ(decoder.chunk_bytes_left(), 0xfffffffffffffffcU);
}

TEST(ChunkedDecoderTest, ResetStartsAnotherMessage) {
  ChunkedDecoder decoder;
  EXPECT_EQ(decoder.Next("0\r\nA: b\r\n\r\n").step, ChunkedDecoder::Step::kEnd);
  EXPECT_EQ(decoder.Next("more").consumed, 0U);
  decoder.Reset();
  EXPECT_TRUE(decoder.trailers().empty());
  EXPECT_EQ(decoder.Next("x").step, ChunkedDecoder::Step::kRefused);
  EXPECT_EQ(decoder.Next("0\r\n\r\n").step, ChunkedDecoder::Step::kRefused);
  decoder.Reset();
  EXPECT_EQ(decoder.Next("0\r\n\r\n").step, ChunkedDecoder::Step::kEnd);
}

TEST(ChunkedWriterTest, WhatIsWrittenDecodesToTheSame) {
  std::string bytes;
  AppendChunkHeader(bytes, 26);
  EXPECT_EQ(bytes, "1a\r\n");
  bytes += "abcdefghijklmnopqrstuvwxyz\r\n";
  AppendLastChunk(bytes, {{"A", "b"}});
  const Decoded decoded = Decode(bytes);
  EXPECT_EQ(decoded.content, "abcdefghijklmnopqrstuvwxyz");
  EXPECT_EQ(decoded.trailers, std::vector<std::string>{"A=b"});
}

}  // namespace
}  // namespace weir::http
