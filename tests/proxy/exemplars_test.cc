#include "proxy/exemplars.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <string>
#include <thread>

namespace weir::proxy {
namespace {

using std::chrono::microseconds;
using std::chrono::seconds;

constexpr std::string_view kTrace = "Self=1-2-3;Root=1-65f0a1b2-0123456789abcdef01234567;Sampled=1";

TEST(ExemplarsTest, TheRootOfATraceIsKeptByBucket) {
  Exemplars exemplars;
  EXPECT_FALSE(exemplars.Read(3));
  exemplars.Note(3, SteadyTime(seconds(5)), kTrace, microseconds(700), WallTime(seconds(9)));
  const auto found = exemplars.Read(3);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->trace_id, "1-65f0a1b2-0123456789abcdef01234567");
  EXPECT_EQ(found->duration, microseconds(700));
  EXPECT_EQ(found->time, WallTime(seconds(9)));
  EXPECT_FALSE(exemplars.Read(4));
}

TEST(ExemplarsTest, ABucketHasANewOneEachSecondAtMost) {
  Exemplars exemplars;
  const SteadyTime now(seconds(5));
  EXPECT_TRUE(exemplars.wanted(0, now));
  exemplars.Note(0, now, kTrace, microseconds(1), WallTime());
  EXPECT_FALSE(exemplars.wanted(0, now + std::chrono::milliseconds(999)));
  EXPECT_TRUE(exemplars.wanted(0, now + seconds(1)));
  EXPECT_TRUE(exemplars.wanted(1, now));
}

TEST(ExemplarsTest, WithoutATraceThereIsNoneAndTheNextHasToWait) {
  Exemplars exemplars;
  for (const std::string& trace : {std::string(), std::string("Self=1-2-3"), "Root=" + std::string(41, 'a')}) {
    exemplars.Note(0, SteadyTime(seconds(5)), trace, microseconds(1), WallTime());
    EXPECT_FALSE(exemplars.Read(0)) << trace;
  }
  EXPECT_FALSE(exemplars.wanted(0, SteadyTime(seconds(5))));
  exemplars.Note(0, SteadyTime(seconds(6)), "Root=" + std::string(40, 'a'), microseconds(1), WallTime());
  EXPECT_EQ(exemplars.Read(0).value().trace_id, std::string(40, 'a'));
}

TEST(ExemplarsTest, WhatIsReadWasWrittenAtOnce) {
  Exemplars exemplars;
  std::atomic<bool> over{false};
  std::thread writer([&] {
    for (int i = 0; i < 20'000; ++i) {
      const int digit = i % 10;
      exemplars.Note(0, SteadyTime(), "Root=" + std::string(30, static_cast<char>('0' + digit)), microseconds(digit),
                     WallTime(seconds(digit)));
    }
    over = true;
  });
  while (!over) {
    const auto found = exemplars.Read(0);
    if (!found) continue;
    EXPECT_EQ(found->trace_id, std::string(30, static_cast<char>('0' + found->duration.count())));
    EXPECT_EQ(found->time, WallTime(seconds(found->duration.count())));
  }
  writer.join();
}

}  // namespace
}  // namespace weir::proxy
