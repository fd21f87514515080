#include "base/base64.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace weir {
namespace {

// RFC 4648 section 10, and bytes whose digits differ.
TEST(Base64Test, EncodesAndDecodesWhatTheRfcDoes) {
  EXPECT_EQ(EncodeBase64(""), "");
  EXPECT_EQ(EncodeBase64("f"), "Zg==");
  EXPECT_EQ(EncodeBase64("fo"), "Zm8=");
  EXPECT_EQ(EncodeBase64("foobar"), "Zm9vYmFy");
  EXPECT_EQ(EncodeBase64("\xfb\xff"), "+/8=");
  EXPECT_EQ(EncodeBase64Url("\xfb\xff"), "-_8");
  EXPECT_EQ(EncodeBase64Url("\xfb\xff", Base64Padding::kWritten), "-_8=");
  EXPECT_EQ(DecodeBase64Url("-_8"), "\xfb\xff");
  EXPECT_EQ(DecodeBase64Url(""), "");
}

TEST(Base64Test, EveryLengthComesBack) {
  std::string bytes;
  for (int i = 0; i < 300; ++i) {
    EXPECT_EQ(DecodeBase64Url(EncodeBase64Url(bytes)), bytes);
    bytes += static_cast<char>(i * 37);
  }
}

TEST(Base64Test, WhatIsNoEncodingIsRefused) {
  for (const std::string_view text : {"Zg==", "Z", "Zg+", "Zh", "Zm9", "Z g", "Zg\n", "Zm9vY"}) {
    EXPECT_EQ(DecodeBase64Url(text), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace weir
