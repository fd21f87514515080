#include "app/publisher.h"

#include <gtest/gtest.h>

#include <memory>

namespace weir::app {
namespace {

std::shared_ptr<const health::StatusTable> Table(std::uint64_t revision, std::uint64_t generation) {
  auto table = std::make_shared<health::StatusTable>();
  table->revision = revision;
  table->generation = generation;
  return table;
}

control::View Revision(std::uint64_t revision) {
  control::View view;
  view.revision = revision;
  return view;
}

TEST(PublisherTest, AConfigurationIsPublishedWithTheFirstTableOfItsRevision) {
  int woken = 0;
  Publisher publisher([&] { ++woken; });
  publisher.Stage(Revision(1));
  EXPECT_EQ(publisher.published().Load(), nullptr);
  publisher.OnStatus(Table(1, 1));
  ASSERT_NE(publisher.published().Load(), nullptr);
  EXPECT_EQ(publisher.published().Load()->revision, 1U);
  EXPECT_EQ(woken, 1);
}

TEST(PublisherTest, TheOldConfigurationServesUntilTheNewOnesTableIsThere) {
  Publisher publisher([] {});
  publisher.Stage(Revision(1));
  publisher.OnStatus(Table(1, 1));
  publisher.Stage(Revision(2));
  publisher.OnStatus(Table(1, 2));
  EXPECT_EQ(publisher.published().Load()->revision, 1U);
  EXPECT_EQ(publisher.published().Load()->health->generation, 2U);
  publisher.OnStatus(Table(2, 3));
  EXPECT_EQ(publisher.published().Load()->revision, 2U);
  EXPECT_EQ(publisher.published().Load()->health->revision, 2U);
}

TEST(PublisherTest, ATableOfAGoneRevisionIsLeftOut) {
  int woken = 0;
  Publisher publisher([&] { ++woken; });
  publisher.Stage(Revision(2));
  publisher.OnStatus(Table(2, 5));
  publisher.OnStatus(Table(1, 4));
  EXPECT_EQ(publisher.published().Load()->health->generation, 5U);
  EXPECT_EQ(woken, 1);
}

}  // namespace
}  // namespace weir::app
