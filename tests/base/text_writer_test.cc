#include "base/text_writer.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <string>

namespace weir {
namespace {

TEST(TextWriterTest, PutsPiecesOneBehindTheOther) {
  std::string out = "> ";
  AppendWith(out, 64, [](TextWriter& text) {
    text.Put("port ");
    text.PutDecimal(65535);
    text.Put(' ');
    text.PutHex(0x1f, 4);
    text.Put(std::string_view());
  });
  EXPECT_EQ(out, "> port 65535 001f");
}

TEST(TextWriterTest, PutsEveryLengthOfDecimalNumber) {
  std::uint64_t value = 0;
  for (int digits = 0; digits <= 20; ++digits) {
    for (const std::uint64_t number : {value, value - 1, value + 1}) {
      std::string out;
      AppendWith(out, TextWriter::kDecimalBytesMax, [number](TextWriter& text) { text.PutDecimal(number); });
      EXPECT_EQ(out, std::to_string(number));
    }
    value = value * 10 + static_cast<std::uint64_t>(digits % 10);
  }
}

}  // namespace
}  // namespace weir
