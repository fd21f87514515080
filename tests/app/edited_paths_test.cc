#include "app/edited_paths.h"

#include <gtest/gtest.h>

#include <string>

namespace weir::app {
namespace {

TEST(EditedPathsTest, KeepsEachPathOnceAndCountsWhatIsBeyondTheBound) {
  EditedPaths paths;
  for (int round = 0; round < 3; ++round) {
    for (std::size_t i = 0; i < EditedPaths::kPathsMax; ++i) paths.Add("/zones/" + std::to_string(i));
  }
  EXPECT_EQ(paths.paths().size(), EditedPaths::kPathsMax);
  EXPECT_EQ(paths.more(), 0U);
  paths.Add("/node/name");
  paths.Add("/node/zone");
  EXPECT_EQ(paths.paths().size(), EditedPaths::kPathsMax);
  EXPECT_EQ(paths.more(), 2U);
}

}  // namespace
}  // namespace weir::app
