#include "app/state_directory.h"

#include "tests/app/temporary_folder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <string>

namespace weir::app {
namespace {

using ::testing::HasSubstr;
namespace fs = std::filesystem;

mode_t ModeOf(const std::string& path) {
  struct stat found{};
  EXPECT_EQ(stat(path.c_str(), &found), 0) << path;
  return found.st_mode & 07777U;
}

TEST(StateDirectoryTest, ItIsMadeForItsOwnerAlone) {
  const TemporaryFolder folder;
  const auto state = StateDirectory::Open(folder.Path("state"));
  ASSERT_TRUE(state) << state.error().message;
  EXPECT_EQ(ModeOf(folder.Path("state")), 0700U);
  EXPECT_TRUE(fs::is_empty(folder.Path("state")));
}

TEST(StateDirectoryTest, WhatWasWrittenIsReadByTheNextOne) {
  const TemporaryFolder folder;
  {
    const auto state = StateDirectory::Open(folder.Path("state")).value();
    EXPECT_EQ(state.Read("keys").value(), std::nullopt);
    EXPECT_TRUE(state.Write("keys", "one"));
    EXPECT_TRUE(state.Write("keys", "two"));
  }
  const auto state = StateDirectory::Open(folder.Path("state")).value();
  EXPECT_EQ(state.Read("keys").value(), "two");
  EXPECT_EQ(ModeOf(state.PathOf("keys")), 0600U);
  EXPECT_TRUE(state.Remove("keys"));
  EXPECT_TRUE(state.Remove("keys")) << "what is not there is removed";
  EXPECT_EQ(state.Read("keys").value(), std::nullopt);
  EXPECT_TRUE(fs::is_empty(state.path()));
}

TEST(StateDirectoryTest, WhatACrashLeftIsWrittenOver) {
  const TemporaryFolder folder;
  const auto state = StateDirectory::Open(folder.Path("")).value();
  folder.Write("keys.new", "half");
  fs::permissions(folder.Path("keys.new"), fs::perms::all);
  EXPECT_TRUE(state.Write("keys", "whole"));
  EXPECT_EQ(state.Read("keys").value(), "whole");
  EXPECT_EQ(ModeOf(state.PathOf("keys")), 0600U);
  EXPECT_FALSE(fs::exists(folder.Path("keys.new")));
}

TEST(StateDirectoryTest, AFailureLeavesWhatWasThere) {
  const TemporaryFolder folder;
  const auto state = StateDirectory::Open(folder.Path("")).value();
  EXPECT_TRUE(state.Write("keys", "one"));
  // Nothing can be put beside it.
  fs::create_directories(folder.Path("keys.new/full"));
  const auto written = state.Write("keys", "two");
  ASSERT_FALSE(written);
  EXPECT_THAT(written.error().message, HasSubstr("cannot write " + folder.Path("keys.new")));
  EXPECT_EQ(state.Read("keys").value(), "one");
}

TEST(StateDirectoryTest, WhereNothingCanBeWrittenItIsRefused) {
  const TemporaryFolder folder;
  folder.Write("file", "");
  EXPECT_THAT(StateDirectory::Open(folder.Path("file")).error().message, HasSubstr("Not a directory"));
  EXPECT_THAT(StateDirectory::Open(folder.Path("absent/state")).error().message,
              HasSubstr("cannot make the state directory " + folder.Path("absent/state") + ": No such file"));
}

TEST(StateDirectoryTest, ADirectoryThatComesBackIsUsedAgain) {
  const TemporaryFolder folder;
  const auto state = StateDirectory::Open(folder.Path("state")).value();
  fs::remove(folder.Path("state"));
  EXPECT_FALSE(state.Write("keys", "one"));
  fs::create_directory(folder.Path("state"));
  EXPECT_TRUE(state.Write("keys", "one"));
}

}  // namespace
}  // namespace weir::app
