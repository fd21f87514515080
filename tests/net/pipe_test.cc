#include "net/pipe.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <array>
#include <string>
#include <vector>

namespace weir::net {
namespace {

void Fill(Pipe& pipe, const std::string& bytes) {
  ASSERT_EQ(write(pipe.write_end(), bytes.data(), bytes.size()), static_cast<ssize_t>(bytes.size()));
  pipe.Filled(bytes.size());
}

TEST(PipePoolTest, AnEmptyPipeIsUsedAgain) {
  PipePool pool;
  auto pipe = pool.Take();
  ASSERT_NE(pipe, nullptr);
  EXPECT_TRUE(pipe->empty());
  EXPECT_EQ(pool.out(), 1U);
  const Pipe* const first = pipe.get();
  pipe.reset();
  EXPECT_EQ(pool.out(), 0U);
  EXPECT_EQ(pool.spare(), 1U);
  EXPECT_EQ(pool.Take().get(), first);
}

TEST(PipePoolTest, APipeThatHoldsBytesIsNotUsedAgain) {
  PipePool pool;
  auto pipe = pool.Take();
  ASSERT_NE(pipe, nullptr);
  Fill(*pipe, "secret");
  EXPECT_EQ(pipe->bytes(), 6U);
  pipe.reset();
  EXPECT_EQ(pool.out(), 0U);
  EXPECT_EQ(pool.spare(), 0U);
}

TEST(PipePoolTest, AnEmptiedPipeIsUsedAgain) {
  PipePool pool;
  auto pipe = pool.Take();
  ASSERT_NE(pipe, nullptr);
  Fill(*pipe, "bytes");
  std::array<char, 8> buffer{};
  ASSERT_EQ(read(pipe->read_end(), buffer.data(), buffer.size()), 5);
  pipe->Emptied(5);
  pipe.reset();
  EXPECT_EQ(pool.spare(), 1U);
}

TEST(PipePoolTest, ALimitHoldsForThoseOutAndThoseKept) {
  PipePool pool;
  pool.LimitTo(1);
  {
    auto pipe = pool.Take();
    ASSERT_NE(pipe, nullptr);
    EXPECT_EQ(pool.Take(), nullptr);
  }
  EXPECT_EQ(pool.spare(), 1U);
  EXPECT_NE(pool.Take(), nullptr);
  PipePool none;
  none.LimitTo(0);
  EXPECT_EQ(none.Take(), nullptr);
}

TEST(PipePoolTest, NoMoreThanSoManyAreOutAndFewAreKept) {
  rlimit limit{};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &limit), 0);
  if (limit.rlim_max < 2 * PipePool::kOutMax + 64) GTEST_SKIP() << "the system allows too few descriptors";
  const rlimit raised{.rlim_cur = limit.rlim_max, .rlim_max = limit.rlim_max};
  setrlimit(RLIMIT_NOFILE, &raised);
  PipePool pool;
  std::vector<PipePool::Loan> out;
  while (auto pipe = pool.Take()) out.push_back(std::move(pipe));
  EXPECT_EQ(out.size(), PipePool::kOutMax);
  out.pop_back();
  EXPECT_NE(pool.Take(), nullptr);
  out.clear();
  EXPECT_EQ(pool.out(), 0U);
  EXPECT_LE(pool.spare(), 16U);
  setrlimit(RLIMIT_NOFILE, &limit);
}

TEST(PipePoolTest, WithoutDescriptorsThereIsNone) {
  rlimit limit{};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &limit), 0);
  PipePool pool;
  const rlimit none{.rlim_cur = 0, .rlim_max = limit.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &none), 0);
  const auto without = pool.Take();
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
  EXPECT_EQ(without, nullptr);
  EXPECT_EQ(pool.Take(), nullptr) << "the system is not asked again at once";
  int asked = 0;
  while (pool.Take() == nullptr && asked < 2'000) ++asked;
  EXPECT_LT(asked, 2'000) << "but later";
}

TEST(PipePoolTest, DisabledThereIsNoneAndNothingIsKept) {
  PipePool pool;
  auto out = pool.Take();
  ASSERT_NE(out, nullptr);
  pool.Take().reset();
  pool.Disable();
  EXPECT_EQ(pool.spare(), 0U);
  EXPECT_EQ(pool.Take(), nullptr);
  out.reset();
  EXPECT_EQ(pool.spare(), 0U);
  EXPECT_EQ(pool.Take(), nullptr);
}

}  // namespace
}  // namespace weir::net
