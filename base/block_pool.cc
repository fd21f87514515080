#include "base/block_pool.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <new>

namespace weir {
namespace {

#if defined(__has_feature)  // clang
#if __has_feature(address_sanitizer)
#define WEIR_ADDRESS_SANITIZER
#endif
#elif defined(__SANITIZE_ADDRESS__)
#define WEIR_ADDRESS_SANITIZER
#endif
#if defined(WEIR_ADDRESS_SANITIZER)
constexpr bool kKeeps = false;
#else
constexpr bool kKeeps = true;
#endif

constexpr std::size_t kStep = 32;
constexpr std::size_t kSizes = BlockPool::kBlockBytesMax / kStep;

// Before each block; `next` only while it is kept.
struct alignas(std::max_align_t) Head {
  std::size_t bytes = 0;  // that the block has room for
  Head* next = nullptr;
};

struct Kept {
  Head* newest = nullptr;
  std::size_t count = 0;
};

// The thread's blocks are gone. It has no destructor, so that it may be asked afterwards.
constinit thread_local bool ended = false;

struct ThreadBlocks {
  std::array<Kept, kSizes> by_size{};

  ~ThreadBlocks() {
    ended = true;  // what the thread's last objects give back goes to the system
    for (Kept& kept : by_size) {
      while (Head* const head = kept.newest) {
        kept.newest = head->next;
        std::free(head);
      }
    }
  }
};

constinit thread_local ThreadBlocks blocks;

Head* HeadOf(void* block) { return static_cast<Head*>(block) - 1; }

std::size_t IndexOf(std::size_t bytes) { return (bytes - 1) / kStep; }

}  // namespace

void* BlockPool::Take(std::size_t bytes) {
  bytes = std::max<std::size_t>(bytes, 1);
  if (kKeeps && bytes <= kBlockBytesMax && !ended) {
    const std::size_t index = IndexOf(bytes);
    bytes = (index + 1) * kStep;
    Kept& kept = blocks.by_size[index];
    if (Head* const head = kept.newest) {
      kept.newest = head->next;
      --kept.count;
      return head + 1;
    }
  }
  if (bytes > SIZE_MAX - sizeof(Head)) return nullptr;
  auto* const head = static_cast<Head*>(std::malloc(sizeof(Head) + bytes));
  if (head == nullptr) return nullptr;
  head->bytes = bytes;
  return head + 1;
}

void BlockPool::Give(void* block) {
  if (block == nullptr) return;
  Head* const head = HeadOf(block);
  if (kKeeps && head->bytes <= kBlockBytesMax && !ended) {
    Kept& kept = blocks.by_size[IndexOf(head->bytes)];
    if (kept.count * head->bytes < kKeptBytesMax) {
      head->next = kept.newest;
      kept.newest = head;
      ++kept.count;
      return;
    }
  }
  std::free(head);
}

void* BlockPool::Resize(void* block, std::size_t bytes) {
  if (block == nullptr) return Take(bytes);
  const std::size_t room = HeadOf(block)->bytes;
  if (kKeeps && bytes <= room && room <= kBlockBytesMax) return block;
  void* const other = Take(bytes);
  if (other == nullptr) return nullptr;
  std::memcpy(other, block, std::min(room, bytes));
  Give(block);
  return other;
}

bool BlockPool::keeps() { return kKeeps; }

std::size_t BlockPool::kept() {
  std::size_t count = 0;
  for (const Kept& kept : blocks.by_size) count += kept.count;
  return count;
}

void* Pooled::operator new(std::size_t bytes) {
  void* const block = BlockPool::Take(bytes);
  if (block == nullptr) throw std::bad_alloc();
  return block;
}

}  // namespace weir
