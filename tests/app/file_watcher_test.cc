#include "app/file_watcher.h"

#include "net/event_loop.h"
#include "tests/app/temporary_folder.h"

#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <string>
#include <string_view>

namespace weir::app {
namespace {

using namespace std::chrono_literals;

class FileWatcherTest : public ::testing::Test {
 protected:
  // Turns the loop until a change was told, at most for `limit`.
  bool Changed(std::chrono::milliseconds limit = 10s) {
    const auto before = changes_;
    const auto deadline = std::chrono::steady_clock::now() + limit;
    while (changes_ == before && std::chrono::steady_clock::now() < deadline) loop_.RunOnce(20ms);
    return changes_ != before;
  }
  // Until what is written from now on is younger than `file` by the clock of the file system.
  void WaitForTheFileClock(const std::string& file) const {
    const auto time = std::filesystem::last_write_time(file);
    while (std::filesystem::last_write_time(folder_.Write("clock", "tick")) <= time) {
    }
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
  watcher_.Watch({.files = {file}});
  folder_.Write("a.yaml", "two!");
  EXPECT_TRUE(Changed());
}

TEST_F(FileWatcherTest, TellsOfAFileReplacedByRename) {
  const auto file = folder_.Write("a.yaml", "one");
  watcher_.Watch({.files = {file}});
  folder_.Replace("a.yaml", "two");
  EXPECT_TRUE(Changed());
  folder_.Replace("a.yaml", "six");
  EXPECT_TRUE(Changed()) << "the second replacement too";
}

TEST_F(FileWatcherTest, TellsOnceOfManyChangesInARow) {
  const auto a = folder_.Write("a.yaml", "one");
  const auto b = folder_.Write("b.yaml", "one");
  watcher_.Watch({.files = {a, b}});
  for (int i = 0; i < 20; ++i) {
    folder_.Replace("a.yaml", std::to_string(i));
    folder_.Replace("b.yaml", std::to_string(i));
  }
  EXPECT_TRUE(Changed());
  EXPECT_TRUE(Quiet());
}

TEST_F(FileWatcherTest, OtherFilesOfTheFolderAreLeftAlone) {
  const auto file = folder_.Write("a.yaml", "one");
  watcher_.Watch({.files = {file}});
  folder_.Write("access.log", "a line");
  EXPECT_TRUE(Quiet());
}

TEST_F(FileWatcherTest, AChangeOfAFileThatWasReadForTheFirstTimeIsNotLost) {
  watcher_.NoteState();
  const auto file = folder_.Write("a.yaml", "one");
  WaitForTheFileClock(file);
  folder_.Write("a.yaml", "changed after it was read");
  watcher_.Watch({.files = {file}});
  EXPECT_TRUE(Changed());
}

TEST_F(FileWatcherTest, AChangeThatNothingHintsAtIsFoundBySlowPolling) {
  FileWatcher polling(loop_, [this] { ++changes_; }, 50ms);
  const auto file = folder_.Write("a.yaml", "one");
  polling.Watch({.files = {file}});
  // A new time without a write is none of the events that are watched for, like a write on a server's side.
  std::filesystem::last_write_time(file, std::filesystem::file_time_type::clock::now() + 1h);
  EXPECT_TRUE(Changed());
  EXPECT_TRUE(Quiet());
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
  watcher_.Watch({.files = {folder_.Path("a.yaml")}});
  fs::create_directory_symlink("v2", folder_.Path("..data_new"));
  fs::rename(folder_.Path("..data_new"), folder_.Path("..data"));
  EXPECT_TRUE(Changed());
}

TEST_F(FileWatcherTest, AChangeWhileTheFilesAreReadIsNotLost) {
  const auto file = folder_.Write("a.yaml", "one");
  watcher_.Watch({.files = {file}});
  watcher_.NoteState();
  folder_.Write("a.yaml", "changed after it was read");
  watcher_.Watch({.files = {file}});
  EXPECT_TRUE(Changed());
}

class WatchSiblingsTest : public FileWatcherTest {};

TEST_F(WatchSiblingsTest, AFileThatNoPatternNamesIsLeftAlone) {
  const auto file = folder_.Write("a.yaml", "one");
  std::filesystem::create_directory(folder_.Path("conf.d"));
  watcher_.Watch({.files = {file}, .patterns = {folder_.Path("conf.d/*.yaml")}});
  const auto other = folder_.Write("other.yaml", "x: 1");
  folder_.Write("conf.d/notes.txt", "x: 1");
  folder_.Write("conf.d/.hidden.yaml", "x: 1");
  EXPECT_TRUE(Quiet());
  std::filesystem::remove(other);
  EXPECT_TRUE(Quiet());
}

TEST_F(WatchSiblingsTest, AFileThatIsWrittenAnewBesideNoPatternIsLeftAlone) {
  const auto file = folder_.Write("a.yaml", "one");
  const auto other = folder_.Write("other.yaml", "x: 1");
  watcher_.Watch({.files = {file}});
  folder_.Write("other.yaml", "x: 22");
  EXPECT_TRUE(Quiet());
}

class WatchIncludeDirsTest : public FileWatcherTest {
 protected:
  // Watches one pattern of the folder beside a file that nothing happens to.
  void WatchPattern(std::string_view pattern) {
    watcher_.Watch({.files = {folder_.Write("w.yaml", "one")}, .patterns = {folder_.Path(pattern)}});
  }
  void MakeDirectory(std::string_view name) const { std::filesystem::create_directories(folder_.Path(name)); }
};

TEST_F(WatchIncludeDirsTest, TheFirstFileInAnEmptyDirectoryCounts) {
  MakeDirectory("conf.d");
  WatchPattern("conf.d/*.yaml");
  folder_.Write("conf.d/a.yaml", "one");
  EXPECT_TRUE(Changed());
}

TEST_F(WatchIncludeDirsTest, AnyEndingThatThePatternNamesCounts) {
  MakeDirectory("conf.d");
  folder_.Write("conf.d/a.conf", "one");
  WatchPattern("conf.d/*.conf");
  folder_.Write("conf.d/b.conf", "one");
  EXPECT_TRUE(Changed());
  std::filesystem::remove(folder_.Path("conf.d/b.conf"));
  EXPECT_TRUE(Changed());
}

TEST_F(WatchIncludeDirsTest, ADirectoryThatDoesNotExistYetIsWatchedOnceItDoes) {
  WatchPattern("some/conf.d/*.yaml");
  MakeDirectory("some");
  EXPECT_TRUE(Quiet());
  MakeDirectory("some/conf.d");
  EXPECT_TRUE(Quiet());
  folder_.Write("some/conf.d/a.yaml", "one");
  EXPECT_TRUE(Changed());
}

TEST_F(WatchIncludeDirsTest, ADirectoryThatAppearsTogetherWithItsFileCounts) {
  WatchPattern("some/conf.d/*.yaml");
  MakeDirectory("some/conf.d");
  folder_.Write("some/conf.d/a.yaml", "one");
  EXPECT_TRUE(Changed());
}

TEST_F(WatchIncludeDirsTest, WildcardsInDirectoriesAreFollowed) {
  MakeDirectory("sites/a");
  WatchPattern("sites/*/conf/*.yaml");
  MakeDirectory("sites/b/conf");
  EXPECT_TRUE(Quiet());
  folder_.Write("sites/b/conf/x.yaml", "one");
  EXPECT_TRUE(Changed());
  MakeDirectory("sites/a/conf");
  EXPECT_TRUE(Quiet());
  folder_.Write("sites/a/conf/y.yaml", "one");
  EXPECT_TRUE(Changed());
}

TEST_F(WatchIncludeDirsTest, ADirectoryThatIsReplacedAsAWholeCounts) {
  MakeDirectory("conf.d");
  MakeDirectory("new.d");
  folder_.Write("conf.d/a.yaml", "one");
  folder_.Write("new.d/a.yaml", "two");
  WatchPattern("conf.d/*.yaml");
  std::filesystem::rename(folder_.Path("conf.d"), folder_.Path("old.d"));
  std::filesystem::rename(folder_.Path("new.d"), folder_.Path("conf.d"));
  EXPECT_TRUE(Changed());
  folder_.Write("old.d/b.yaml", "of no interest any more");
  EXPECT_TRUE(Quiet());
  folder_.Write("conf.d/b.yaml", "one");
  EXPECT_TRUE(Changed());
}

TEST_F(WatchIncludeDirsTest, AMountedVolumeThatIsTurnedElsewhereCounts) {
  // As Kubernetes updates what an include pattern matches: only the folder's link is replaced.
  MakeDirectory("conf.d/v1");
  MakeDirectory("conf.d/v2");
  folder_.Write("conf.d/v1/a.yaml", "one");
  folder_.Write("conf.d/v2/a.yaml", "two");
  std::filesystem::create_directory_symlink("v1", folder_.Path("conf.d/..data"));
  std::filesystem::create_symlink("..data/a.yaml", folder_.Path("conf.d/a.yaml"));
  WatchPattern("conf.d/*.yaml");
  std::filesystem::create_directory_symlink("v2", folder_.Path("conf.d/..data_new"));
  std::filesystem::rename(folder_.Path("conf.d/..data_new"), folder_.Path("conf.d/..data"));
  EXPECT_TRUE(Changed());
}

class WatchBindMountTest : public FileWatcherTest {};

TEST_F(WatchBindMountTest, AWriteThroughAnotherDirectoryEntryCounts) {
  // A second name stands for the mount: the directory that is watched sees nothing of either.
  std::filesystem::create_directory(folder_.Path("host"));
  std::filesystem::create_directory(folder_.Path("container"));
  folder_.Write("host/a.yaml", "one");
  std::filesystem::create_hard_link(folder_.Path("host/a.yaml"), folder_.Path("container/a.yaml"));
  watcher_.Watch({.files = {folder_.Path("container/a.yaml")}});
  folder_.Write("host/a.yaml", "two!");
  EXPECT_TRUE(Changed());
}

TEST_F(WatchBindMountTest, AWriteThroughAnotherEntryCountsForWhatAPatternMatches) {
  std::filesystem::create_directory(folder_.Path("host"));
  std::filesystem::create_directory(folder_.Path("container"));
  folder_.Write("host/a.yaml", "one");
  watcher_.Watch({.files = {folder_.Write("w.yaml", "one")}, .patterns = {folder_.Path("container/*.yaml")}});
  std::filesystem::create_hard_link(folder_.Path("host/a.yaml"), folder_.Path("container/a.yaml"));
  EXPECT_TRUE(Changed());
  folder_.Write("host/a.yaml", "two!");
  EXPECT_TRUE(Changed());
}

}  // namespace
}  // namespace weir::app
