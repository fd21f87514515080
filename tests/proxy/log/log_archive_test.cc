// Logs that are put aside; docs/configuration.md, `rotate`.

#include "proxy/log/log_archive.h"

#include "proxy/log/access_log_sink.h"
#include "tests/support/loopback.h"

#include <gtest/gtest.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

namespace weir::proxy {
namespace {

using config::LogRotation;
namespace fs = std::filesystem;

constexpr WallTime kNoon{std::chrono::seconds(1'700'000'000 / 3600 * 3600)};

TEST(LogRotationTest, IsDueBySize) {
  const LogRotation rotation{.bytes = 100};
  EXPECT_FALSE(IsRotationDue(rotation, 99, kNoon, kNoon + std::chrono::days(9)));
  EXPECT_TRUE(IsRotationDue(rotation, 100, kNoon, kNoon));
}

TEST(LogRotationTest, IsDueAtMultiplesOfTheInterval) {
  const LogRotation rotation{.interval = std::chrono::hours(1)};
  const WallTime begun = kNoon + std::chrono::minutes(50);
  EXPECT_FALSE(IsRotationDue(rotation, 1, begun, kNoon + std::chrono::minutes(59)));
  EXPECT_TRUE(IsRotationDue(rotation, 1, begun, kNoon + std::chrono::minutes(60)));
  EXPECT_FALSE(IsRotationDue(rotation, 0, begun, kNoon + std::chrono::hours(9)));  // nothing is in it
}

class LogArchiveTest : public ::testing::Test {
 protected:
  LogArchiveTest() : folder_(fs::path(::testing::TempDir()) / ("weir-archive-" + std::to_string(getpid()))) {
    fs::create_directory(folder_);
  }
  ~LogArchiveTest() override { fs::remove_all(folder_); }

  [[nodiscard]] std::string log() const { return (folder_ / "a.log").string(); }
  [[nodiscard]] std::vector<std::string> Others() const {
    std::vector<std::string> out;
    for (const auto& entry : fs::directory_iterator(folder_)) {
      if (entry.path().filename() != "a.log") out.push_back(entry.path().filename().string());
    }
    std::ranges::sort(out);
    return out;
  }
  static std::string Read(const fs::path& path) {
    std::ifstream in(path);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  static std::string ReadGzip(const fs::path& path) {
    gzFile const file = ::gzopen(path.c_str(), "rb");
    std::string out(1'000'000, '\0');
    out.resize(static_cast<std::size_t>(::gzread(file, out.data(), static_cast<unsigned>(out.size()))));
    ::gzclose(file);
    return out;
  }

  fs::path folder_;
};

TEST_F(LogArchiveTest, NamesSayWhenALogEndsAndAreNotTakenTwice) {
  EXPECT_EQ(ArchivedPath(log(), kNoon), log() + ".20231114T220000Z");
  std::ofstream(log() + ".20231114T220000Z").close();
  EXPECT_EQ(ArchivedPath(log(), kNoon), log() + ".20231114T220000Z-2");
  std::ofstream(log() + ".20231114T220000Z-2.gz").close();
  EXPECT_EQ(ArchivedPath(log(), kNoon), log() + ".20231114T220000Z-3");
}

TEST_F(LogArchiveTest, AFullLogIsPutAsideWholeAndCompressed) {
  const std::string batch(600, 'x');
  {
    AccessLogSinks sinks;
    ASSERT_TRUE(sinks.Open(log()));
    sinks.CloseOthers({{log(), LogRotation{.bytes = 1'000, .compress = true}}});
    for (int i = 0; i < 3; ++i) sinks.Submit(log(), batch + "\n");
    ASSERT_TRUE(testing::Eventually([&] {
      const auto others = Others();
      return others.size() == 1 && others[0].ends_with(".gz") && Read(log()) == batch + "\n";
    }));
  }
  EXPECT_EQ(ReadGzip(folder_ / Others()[0]), batch + "\n" + batch + "\n");
}

TEST_F(LogArchiveTest, TheOldestGo) {
  std::ofstream(log() + ".20200101T000000Z.gz").close();
  std::ofstream(log() + ".20200102T000000Z").close();
  std::ofstream(log() + ".mine").close();
  AccessLogSinks sinks;
  ASSERT_TRUE(sinks.Open(log()));
  sinks.CloseOthers({{log(), LogRotation{.bytes = 1, .keep = 2}}});
  sinks.Submit(log(), "one\n");
  sinks.Submit(log(), "two\n");
  EXPECT_TRUE(testing::Eventually([&] {
    const auto others = Others();
    return others.size() == 3 && others[0] == "a.log.20200102T000000Z" && others[2] == "a.log.mine";
  }));
}

TEST_F(LogArchiveTest, WhatAnEarlierRunLeftIsPutAsideToo) {
  std::ofstream(log()) << "old\n";
  fs::last_write_time(log(), fs::file_time_type::clock::now() - std::chrono::days(2));
  AccessLogSinks sinks;
  ASSERT_TRUE(sinks.Open(log()));
  sinks.CloseOthers({{log(), LogRotation{.interval = std::chrono::days(1)}}});
  sinks.Submit(log(), "new\n");
  EXPECT_TRUE(testing::Eventually([&] { return Read(log()) == "new\n"; }));
  ASSERT_EQ(Others().size(), 1U);
  EXPECT_EQ(Read(folder_ / Others()[0]), "old\n");
}

TEST_F(LogArchiveTest, ALogThatCannotBePutAsideGrowsOn) {
  AccessLogSinks sinks;
  ASSERT_TRUE(sinks.Open(log()));
  sinks.CloseOthers({{log(), LogRotation{.bytes = 1}}});
  sinks.Submit(log(), "one\n");
  ASSERT_TRUE(testing::Eventually([&] { return Read(log()) == "one\n"; }));
  const fs::path moved = folder_.string() + ".moved";
  fs::rename(folder_, moved);
  sinks.Submit(log(), "two\n");
  EXPECT_TRUE(testing::Eventually([&] { return Read(moved / "a.log") == "one\ntwo\n"; }));
  EXPECT_EQ(sinks.dropped_lines(), 0U);
  fs::rename(moved, folder_);
}

}  // namespace
}  // namespace weir::proxy
