#include "base/block_pool.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>
#include <memory>
#include <string_view>
#include <thread>
#include <vector>

namespace weir {
namespace {

TEST(BlockPoolTest, ABlockThatWasGivenBackIsTheNextOfItsSize) {
  void* const first = BlockPool::Take(100);
  BlockPool::Give(first);
  void* const other_size = BlockPool::Take(200);
  void* const second = BlockPool::Take(97);
  EXPECT_NE(other_size, first);
  if (BlockPool::keeps()) {
    EXPECT_EQ(second, first);
  }
  BlockPool::Give(other_size);
  BlockPool::Give(second);
}

TEST(BlockPoolTest, BlocksAreAlignedForAnyObject) {
  for (const std::size_t bytes : {0U, 1U, 33U, 1'024U, 1'025U, 100'000U}) {
    void* const block = BlockPool::Take(bytes);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(block) % alignof(std::max_align_t), 0U) << bytes;
    std::memset(block, 1, bytes);
    BlockPool::Give(block);
  }
}

TEST(BlockPoolTest, ContentsMoveWithAnotherSize) {
  void* block = BlockPool::Resize(nullptr, 8);
  std::memcpy(block, "weir", 5);
  for (const std::size_t bytes : {40U, 5'000U, 9'000U, 64U, 8U}) {
    block = BlockPool::Resize(block, bytes);
    EXPECT_EQ(std::string_view(static_cast<const char*>(block)), "weir") << bytes;
  }
  BlockPool::Give(block);
  BlockPool::Give(nullptr);
}

TEST(BlockPoolTest, WhatAThreadKeepsIsBounded) {
  std::vector<void*> blocks;
  constexpr std::size_t kBytes = 1'024;
  for (std::size_t i = 0; i < 3 * BlockPool::kKeptBytesMax / kBytes; ++i) blocks.push_back(BlockPool::Take(kBytes));
  const std::size_t before = BlockPool::kept();
  for (void* const block : blocks) BlockPool::Give(block);
  EXPECT_LE(BlockPool::kept() - before, BlockPool::kKeptBytesMax / kBytes);
}

TEST(BlockPoolTest, AnotherThreadMayGiveABlockBack) {
  void* const block = BlockPool::Take(300);
  std::thread([block] { BlockPool::Give(block); }).join();
  BlockPool::Give(BlockPool::Take(300));
}

TEST(BlockPoolTest, HugeSizesAreRefused) { EXPECT_EQ(BlockPool::Take(SIZE_MAX), nullptr); }

TEST(BlockPoolTest, ObjectsOfPooledClassesComeFromIt) {
  struct Request : Pooled {
    std::uint64_t words[20] = {};
  };
  auto request = std::make_unique<Request>();
  const void* const place = request.get();
  request.reset();
  request = std::make_unique<Request>();
  if (BlockPool::keeps()) {
    EXPECT_EQ(request.get(), place);
  }
}

}  // namespace
}  // namespace weir
