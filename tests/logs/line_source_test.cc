#include "logs/line_source.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>
#include <zlib.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

namespace weir::logs {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class LineSourceTest : public ::testing::Test {
 protected:
  LineSourceTest() : directory_(std::filesystem::temp_directory_path() / ("weir-logs-" + std::to_string(::getpid()))) {
    std::filesystem::create_directories(directory_);
  }
  ~LineSourceTest() override { std::filesystem::remove_all(directory_); }

  [[nodiscard]] std::string Path(const std::string& name) const { return (directory_ / name).string(); }
  std::string Write(const std::string& name, std::string_view text, std::ios::openmode mode = std::ios::trunc) const {
    std::ofstream(Path(name), std::ios::binary | mode) << text;
    return Path(name);
  }
  static std::string Gzip(std::string_view text) {
    z_stream stream{};
    deflateInit2(&stream, Z_BEST_SPEED, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY);
    std::string out(deflateBound(&stream, text.size()), '\0');
    std::string in(text);
    stream.next_in = reinterpret_cast<Bytef*>(in.data());
    stream.avail_in = static_cast<uInt>(in.size());
    stream.next_out = reinterpret_cast<Bytef*>(out.data());
    stream.avail_out = static_cast<uInt>(out.size());
    deflate(&stream, Z_FINISH);
    out.resize(stream.total_out);
    deflateEnd(&stream);
    return out;
  }
  // What stands before the end, or before a failure, which comes last.
  static std::vector<std::string> Lines(LineSource& source) {
    std::vector<std::string> out;
    while (true) {
      const auto line = source.Next();
      if (!line) out.push_back("! " + line.error().message);
      if (!line || !line->has_value()) return out;
      out.emplace_back(**line);
    }
  }
  static std::vector<std::string> LinesOf(const std::string& path) {
    const auto source = LineSource::Open(path);
    return source ? Lines(**source) : std::vector<std::string>{"! " + source.error().message};
  }

  std::filesystem::path directory_;
};

TEST_F(LineSourceTest, LinesEndWithLfOrCrlfAndTheLastOneWithTheFile) {
  EXPECT_THAT(LinesOf(Write("a", "one\ntwo\r\n\nthree")), ElementsAre("one", "two", "", "three"));
  EXPECT_THAT(LinesOf(Write("a", "")), ElementsAre());
}

TEST_F(LineSourceTest, GzipIsReadAsWhatItHolds) {
  std::string large;
  for (int i = 0; i < 50'000; ++i) large += "line " + std::to_string(i) + " of many that fill more than a block\n";
  const auto lines = LinesOf(Write("a.gz", Gzip(large)));
  ASSERT_EQ(lines.size(), 50'000U);
  EXPECT_EQ(lines.back(), "line 49999 of many that fill more than a block");
  EXPECT_THAT(LinesOf(Write("b.gz", Gzip("one\ntw") + Gzip("o\nthree\n"))), ElementsAre("one", "two", "three"))
      << "several members";
}

TEST_F(LineSourceTest, DamagedAndCutFilesAreToldAfterWhatCouldBeRead) {
  std::string whole = Gzip("one\ntwo\n");
  EXPECT_THAT(LinesOf(Write("cut.gz", whole.substr(0, whole.size() - 6))),
              ElementsAre("one", "two", HasSubstr("ends in the middle")));
  whole[3] = '\x7f';
  whole[12] = '\x7f';
  EXPECT_THAT(LinesOf(Write("damaged.gz", whole)), ElementsAre(HasSubstr("cannot be read")));
  EXPECT_THAT(LinesOf(Path("missing")), ElementsAre(HasSubstr("No such file")));
  EXPECT_THAT(LinesOf(directory_.string()), ElementsAre(HasSubstr("is a directory")));
}

TEST_F(LineSourceTest, AnEndlessLineIsCutAndItsRestLeftOut) {
  const std::string endless(3 * LineSource::kLineBytesMax, 'x');
  const auto lines = LinesOf(Write("a", endless + "\nnext\n"));
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_GE(lines[0].size(), LineSource::kLineBytesMax);
  EXPECT_EQ(lines[1], "next");
}

TEST_F(LineSourceTest, AFollowerWaitsForTheEndOfALine) {
  const auto source = LineSource::Open(Write("a", "one\ntw"));
  ASSERT_TRUE(source);
  (*source)->set_waits_for_end(true);
  EXPECT_THAT(Lines(**source), ElementsAre("one"));
  Write("a", "o\nthree\n", std::ios::app);
  EXPECT_THAT(Lines(**source), ElementsAre("two", "three"));
  EXPECT_EQ((*source)->line_number(), 3U);
  EXPECT_FALSE((*source)->ReopenIfReplaced());
}

TEST_F(LineSourceTest, AReplacedOrCutFileIsReadFromItsStart) {
  const auto source = LineSource::Open(Write("a", "one\n"));
  ASSERT_TRUE(source);
  (*source)->set_waits_for_end(true);
  EXPECT_THAT(Lines(**source), ElementsAre("one"));
  std::filesystem::rename(Path("a"), Path("a.1"));
  EXPECT_FALSE((*source)->ReopenIfReplaced()) << "there is none yet";
  Write("a.1", "last\n", std::ios::app);
  EXPECT_THAT(Lines(**source), ElementsAre("last"));
  Write("a", "new\n");
  EXPECT_TRUE((*source)->ReopenIfReplaced());
  EXPECT_THAT(Lines(**source), ElementsAre("new"));
  Write("a", "x\n");
  EXPECT_TRUE((*source)->ReopenIfReplaced());
  EXPECT_THAT(Lines(**source), ElementsAre("x"));
}

}  // namespace
}  // namespace weir::logs
