#include "process/launch.h"

#include <gtest/gtest.h>

namespace weir::process {
namespace {

using Files = std::vector<std::string>;

TEST(LaunchTest, AProgramWithASlashIsTakenAsItIs) {
  EXPECT_EQ(CandidatesOf("./bootstrap", {"PATH=/usr/bin"}), Files({"./bootstrap"}));
  EXPECT_EQ(CandidatesOf("/bin/sh", {}), Files({"/bin/sh"}));
}

TEST(LaunchTest, OthersAreLookedForInThePathThatTheyAreGiven) {
  EXPECT_EQ(CandidatesOf("python3", {"A=b", "PATH=/opt/bin:/usr/bin"}),
            Files({"/opt/bin/python3", "/usr/bin/python3"}));
  EXPECT_EQ(CandidatesOf("x", {"PATH=/a::/b"}), Files({"/a/x", "./x", "/b/x"}));
  EXPECT_EQ(CandidatesOf("x", {"PATH="}), Files({"./x"}));
}

TEST(LaunchTest, WithoutAPathTheSystemsIsTaken) {
  EXPECT_EQ(CandidatesOf("x", {"PATHS=/no"}), Files({"/usr/local/bin/x", "/usr/bin/x", "/bin/x"}));
}

TEST(LaunchTest, NoProgramIsNowhere) { EXPECT_TRUE(CandidatesOf("", {"PATH=/a"}).empty()); }

}  // namespace
}  // namespace weir::process
