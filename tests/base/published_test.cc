#include "base/published.h"

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <thread>

namespace weir {
namespace {

TEST(PublishedTest, AReaderTakesEachValueOnce) {
  Published<int> published;
  Published<int>::Reader reader(published);
  EXPECT_FALSE(reader.Refresh());
  EXPECT_EQ(reader.value(), nullptr);
  published.Publish(std::make_shared<int>(1));
  EXPECT_TRUE(reader.Refresh());
  EXPECT_EQ(*reader.value(), 1);
  EXPECT_FALSE(reader.Refresh());
  published.Publish(std::make_shared<int>(2));
  EXPECT_EQ(*reader.value(), 1) << "until the next Refresh";
  EXPECT_EQ(*published.Load(), 2);
}

TEST(PublishedTest, ReadersOnOtherThreadsSeeValuesInOrder) {
  Published<int> published;
  std::atomic<bool> done{false};
  std::thread thread([&] {
    Published<int>::Reader reader(published);
    int last = 0;
    while (!done) {
      if (!reader.Refresh()) continue;
      EXPECT_GE(*reader.value(), last);
      last = *reader.value();
    }
    reader.Refresh();
    EXPECT_EQ(*reader.value(), 1'000);
  });
  for (int i = 1; i <= 1'000; ++i) published.Publish(std::make_shared<int>(i));
  done = true;
  thread.join();
}

}  // namespace
}  // namespace weir
