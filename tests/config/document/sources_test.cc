#include "tests/config/load_text.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace weir::config {
namespace {

// A directory of its own for each test, removed afterwards.
class IncludeTest : public ::testing::Test {
 protected:
  IncludeTest() {
    std::string name = (std::filesystem::temp_directory_path() / "weir-include-XXXXXX").string();
    directory_ = ::mkdtemp(name.data());
  }
  ~IncludeTest() override { std::filesystem::remove_all(directory_); }
  std::string Write(const std::string& name, std::string_view text) const {
    const auto path = directory_ / name;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path) << text;
    return path.string();
  }
  LoadResult Load(const std::string& path) const { return LoadFile(path); }
  std::filesystem::path directory_;
};

TEST_F(IncludeTest, ListsAreConcatenatedAndMapsAreJoined) {
  Write("groups/a.yaml", "target-groups: [{name: a}]\n");
  Write("groups/b.yaml", "target-groups: [{name: b}]\nadmin: {port: 9901}\n");
  const auto result =
      Load(Write("m.yaml", "include: [\"groups/*.yaml\"]\ntarget-groups: [{name: m}]\nadmin: {address: 127.0.0.2}\n"));
  ASSERT_TRUE(result.model) << result.diagnostics.FormatAll();
  ASSERT_EQ(result.model->target_groups.size(), 3U);
  EXPECT_EQ(result.model->target_groups[2].name, "b");
  EXPECT_EQ(result.model->admin.port, 9901);
  EXPECT_EQ(result.model->admin.address.ToString(), "127.0.0.2");
  EXPECT_EQ(result.model->files.size(), 3U);
}

TEST_F(IncludeTest, AKeyGivenTwiceNamesBothPlaces) {
  Write("b.yaml", "admin:\n  port: 9902\n");
  const auto result = Load(Write("m.yaml", "include: [b.yaml]\nadmin:\n  port: 9901\n"));
  const std::string found = result.diagnostics.FormatAll();
  EXPECT_NE(found.find("b.yaml:2:3: error: `port` of `admin` is given twice"), std::string::npos) << found;
  EXPECT_NE(found.find("m.yaml:3"), std::string::npos) << found;
}

TEST_F(IncludeTest, FindingsNameTheIncludedFile) {
  Write("b.yaml", "target-groups:\n  - nam: x\n");
  const std::string found = Load(Write("m.yaml", "include: [b.yaml]\n")).diagnostics.FormatAll();
  EXPECT_NE(found.find("b.yaml:2:5: error: unknown key `nam` in target-group; did you mean `name`?"), std::string::npos)
      << found;
}

TEST_F(IncludeTest, ACycleIsAnError) {
  Write("b.yaml", "include: [m.yaml]\n");
  const std::string found = Load(Write("m.yaml", "include: [b.yaml]\n")).diagnostics.FormatAll();
  EXPECT_NE(found.find("b.yaml:1:11: error:"), std::string::npos) << found;
  EXPECT_NE(found.find("includes itself"), std::string::npos) << found;
}

TEST_F(IncludeTest, AMissingFileIsAnErrorAndAnEmptyGlobIsNot) {
  EXPECT_NE(
      Load(Write("m.yaml", "include: [none.yaml]\n")).diagnostics.FormatAll().find("cannot be read: No such file"),
      std::string::npos);
  EXPECT_TRUE(Load(Write("n.yaml", "include: [\"none/*.yaml\"]\n")).model);
}

TEST_F(IncludeTest, AGlobDoesNotIncludeTheFileThatSaysIt) {
  const auto result = Load(Write("m.yaml", "include: [\"*.yaml\"]\nnode: {name: a}\n"));
  EXPECT_TRUE(result.model) << result.diagnostics.FormatAll();
}

TEST_F(IncludeTest, PathsAreRelativeToTheFileThatNamesThem) {
  Write("sub/b.yaml", "latency: {table: latency.csv}\n");
  const auto result = Load(Write("m.yaml", "include: [sub/b.yaml]\n"));
  ASSERT_TRUE(result.model) << result.diagnostics.FormatAll();
  EXPECT_EQ(result.model->latency.table.text, (directory_ / "sub/latency.csv").string());
}

TEST_F(IncludeTest, AFileThatIsNotThereIsAFindingAtItsName) {
  const auto result = LoadFile((directory_ / "none.yaml").string());
  EXPECT_FALSE(result.model);
  EXPECT_NE(result.diagnostics.FormatAll().find("none.yaml: error: cannot be read: No such file or directory"),
            std::string::npos);
  EXPECT_NE(LoadFile(directory_.string()).diagnostics.FormatAll().find("Is a directory"), std::string::npos);
}

}  // namespace
}  // namespace weir::config
