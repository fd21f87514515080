#include "app/file_watcher.h"

#include "net/event_loop.h"
#include "tests/app/temporary_folder.h"

#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <string>

namespace weir::app {
namespace {

using namespace std::chrono_literals;

class FileWatcherTest : public testing::Test {
 protected:
  // Turns the loop until a change was told, at most for `limit`.
  bool Changed(std::chrono::milliseconds limit = 10s) {
    const auto before = changes_;
    const auto deadline = std::chrono::steady_clock::now() + limit;
    while (changes_ == before && std::chrono::steady_clock::now() < deadline) loop_.RunOnce(20ms);
    return changes_ != before;
  }
  // Long enough for what would be told to have been told.
  bool Quiet() { return !Changed(FileWatcher::kQuietTime * 3); }

  TemporaryFolder folder_;
  net::EventLoop loop_;
  int changes_ = 0;
  FileWatcher watcher_{loop_, [this] { ++changes_; }};
};

TEST_F(FileWatcherTest, TellsOfAFileWrittenInPlace) {
  const auto file = folder_.Write("a.yaml", "one");
  watcher_.Watch({file});
  folder_.Write("a.yaml", "two!");
  EXPECT_TRUE(Changed());
}

TEST_F(FileWatcherTest, TellsOfAFileReplacedByRename) {
  const auto file = folder_.Write("a.yaml", "one");
  watcher_.Watch({file});
  folder_.Replace("a.yaml", "two");
  EXPECT_TRUE(Changed());
  folder_.Replace("a.yaml", "six");
  EXPECT_TRUE(Changed()) << "the second replacement too";
}

TEST_F(FileWatcherTest, TellsOnceOfManyChangesInARow) {
  const auto a = folder_.Write("a.yaml", "one");
  const auto b = folder_.Write("b.yaml", "one");
  watcher_.Watch({a, b});
  for (int i = 0; i < 20; ++i) {
    folder_.Replace("a.yaml", std::to_string(i));
    folder_.Replace("b.yaml", std::to_string(i));
  }
  EXPECT_TRUE(Changed());
  EXPECT_TRUE(Quiet());
}

TEST_F(FileWatcherTest, OtherFilesOfTheFolderAreLeftAlone) {
  const auto file = folder_.Write("a.yaml", "one");
  watcher_.Watch({file});
  folder_.Write("access.log", "a line");
  EXPECT_TRUE(Quiet());
}

TEST_F(FileWatcherTest, ANewConfigurationFileBesideTheOthersCounts) {
  const auto file = folder_.Write("a.yaml", "include: ['*.yaml']");
  watcher_.Watch({file});
  folder_.Write("b.yaml", "zones: []");
  EXPECT_TRUE(Changed());
}

TEST_F(FileWatcherTest, FollowsALinkThatIsTurnedElsewhere) {
  // As mounted volumes are updated: the folder's link is replaced by rename.
  namespace fs = std::filesystem;
  fs::create_directory(folder_.Path("v1"));
  fs::create_directory(folder_.Path("v2"));
  folder_.Write("v1/a.yaml", "one");
  folder_.Write("v2/a.yaml", "two");
  fs::create_directory_symlink("v1", folder_.Path("..data"));
  fs::create_symlink("..data/a.yaml", folder_.Path("a.yaml"));
  watcher_.Watch({folder_.Path("a.yaml")});
  fs::create_directory_symlink("v2", folder_.Path("..data_new"));
  fs::rename(folder_.Path("..data_new"), folder_.Path("..data"));
  EXPECT_TRUE(Changed());
}

TEST_F(FileWatcherTest, AChangeWhileTheFilesAreReadIsNotLost) {
  const auto file = folder_.Write("a.yaml", "one");
  watcher_.Watch({file});
  watcher_.NoteState();
  folder_.Write("a.yaml", "changed after it was read");
  watcher_.Watch({file});
  EXPECT_TRUE(Changed());
}

}  // namespace
}  // namespace weir::app
