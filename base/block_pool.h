#pragma once

#include <cstddef>

namespace weir {

// Memory for what comes and goes with each request: small blocks that a thread gives back are kept for its next ones,
// by size, so that taking one is a handful of instructions however many are out. Larger blocks are the system's. A
// block may be given back by another thread. Under AddressSanitizer every block is the system's, so that it sees each.
class BlockPool {
 public:
  // Blocks up to this size are kept; of each of its sizes a thread keeps kKeptBytesMax at most.
  static constexpr std::size_t kBlockBytesMax = 1'024;
  static constexpr std::size_t kKeptBytesMax = 128 * 1024;

  // `bytes` of memory, aligned for any object; null when the system has none.
  [[nodiscard]] static void* Take(std::size_t bytes);
  // `block` from Take or Resize, or null.
  static void Give(void* block);
  // As realloc: the contents move along. Null, and `block` as it was, when the system has none.
  [[nodiscard]] static void* Resize(void* block, std::size_t bytes);

  // False under AddressSanitizer.
  [[nodiscard]] static bool keeps();
  // Blocks that this thread keeps.
  [[nodiscard]] static std::size_t kept();
};

// Derived from by a class whose objects are made with new and come and go with each request.
struct Pooled {
  static void* operator new(std::size_t bytes);
  static void operator delete(void* object) { BlockPool::Give(object); }
};

}  // namespace weir
