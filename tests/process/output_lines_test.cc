#include "process/output_lines.h"

#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <vector>

namespace weir::process {
namespace {

using namespace std::chrono_literals;

class OutputLinesTest : public ::testing::Test {
 protected:
  void Take(std::string_view bytes) { lines.Take(bytes, now, take); }
  void Finish() { lines.Finish(now, take); }

  OutputLines lines;
  std::vector<std::string> given;
  OutputLines::OnLine take = [this](std::string_view line) { given.emplace_back(line); };
  SteadyTime now = SteadyTime(100s);
};

TEST_F(OutputLinesTest, LinesAreGivenOnceTheyAreWhole) {
  Take("one\ntw");
  EXPECT_EQ(given, std::vector<std::string>({"one"}));
  Take("o\r\n\nthree");
  EXPECT_EQ(given, std::vector<std::string>({"one", "two", ""}));
  Finish();
  EXPECT_EQ(given.back(), "three");
  Finish();
  EXPECT_EQ(given.size(), 4U);
}

TEST_F(OutputLinesTest, ALongLineIsCutIntoPieces) {
  const std::string line(OutputLines::kLineBytesMax * 2 + 5, 'x');
  Take(line + "\nnext\n");
  ASSERT_EQ(given.size(), 4U);
  EXPECT_EQ(given[0].size(), OutputLines::kLineBytesMax);
  EXPECT_EQ(given[2], "xxxxx");
  EXPECT_EQ(given[3], "next");
}

TEST_F(OutputLinesTest, ALineOfExactlyTheLargestSizeIsOne) {
  Take(std::string(OutputLines::kLineBytesMax, 'x') + "\n");
  EXPECT_EQ(given.size(), 1U);
}

TEST_F(OutputLinesTest, BytesOneByOneGiveTheSame) {
  for (const char c : std::string("ab\nc\n")) Take(std::string(1, c));
  EXPECT_EQ(given, std::vector<std::string>({"ab", "c"}));
}

TEST_F(OutputLinesTest, WhatIsTooMuchIsCountedAndComesBackWithTime) {
  for (int i = 0; i < 1'500; ++i) Take("x\n");
  EXPECT_EQ(given.size(), 1'000U);
  EXPECT_EQ(lines.TakeDropped(), 500U);
  EXPECT_EQ(lines.TakeDropped(), 0U);
  now += 2s;
  for (int i = 0; i < 300; ++i) Take("x\n");
  EXPECT_EQ(given.size(), 1'200U);
  EXPECT_EQ(lines.TakeDropped(), 100U);
}

}  // namespace
}  // namespace weir::process
