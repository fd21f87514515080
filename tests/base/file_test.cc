#include "base/file.h"

#include "tests/app/temporary_folder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <string>

namespace weir {
namespace {

using ::testing::HasSubstr;

TEST(FileTest, AFileIsReadWhole) {
  const app::TemporaryFolder folder;
  const std::string text(100'000, 'x');
  EXPECT_EQ(ReadFileUpTo(folder.Write("one", text), text.size(), "a test").value(), text);
  EXPECT_EQ(ReadFileUpTo(folder.Write("none", ""), 10, "a test").value(), "");
}

TEST(FileTest, WhatIsTooLargeOrCannotBeReadSaysSo) {
  const app::TemporaryFolder folder;
  const auto large = ReadFileUpTo(folder.Write("one", "eleven byte"), 10, "a key");
  EXPECT_EQ(large.error().message, folder.Path("one") + " is too large for a key");
  EXPECT_THAT(ReadFileUpTo(folder.Path("absent"), 10, "a key").error().message,
              HasSubstr("cannot read " + folder.Path("absent") + ": No such file"));
  EXPECT_THAT(ReadFileUpTo(folder.Path(""), 10, "a key").error().message, HasSubstr("Is a directory"));
}

TEST(FileTest, ANewFileHasItsModeAndReplacesNone) {
  const app::TemporaryFolder folder;
  EXPECT_TRUE(WriteNewFile(folder.Path("key"), "secret", 0600, FileSync::kYes));
  struct stat found{};
  EXPECT_EQ(stat(folder.Path("key").c_str(), &found), 0);
  EXPECT_EQ(found.st_mode & 07777U, 0600U);
  EXPECT_THAT(WriteNewFile(folder.Path("key"), "other", 0600).error().message,
              HasSubstr("cannot write " + folder.Path("key") + ": File exists"));
  EXPECT_EQ(ReadFileUpTo(folder.Path("key"), 10, "a test").value(), "secret");
}

TEST(FileTest, AStampTellsContentsApart) {
  const app::TemporaryFolder folder;
  const auto one = StampOf(folder.Write("one", "text"));
  EXPECT_EQ(one, StampOf(folder.Path("one")));
  EXPECT_EQ(one.size, 4);
  EXPECT_FALSE(one.is_directory);
  folder.Replace("one", "next");
  EXPECT_NE(one, StampOf(folder.Path("one")));
  std::filesystem::remove(folder.Path("one"));
  EXPECT_EQ(StampOf(folder.Path("one")), FileStamp{});
  EXPECT_EQ(StampOf(""), FileStamp{});
  EXPECT_TRUE(StampOf(folder.Path("")).is_directory);
}

TEST(FileTest, AStampOfALinkIsThatOfItsFile) {
  const app::TemporaryFolder folder;
  folder.Write("one", "text");
  std::filesystem::create_symlink("one", folder.Path("link"));
  EXPECT_EQ(StampOf(folder.Path("link")), StampOf(folder.Path("one")));
}

}  // namespace
}  // namespace weir
