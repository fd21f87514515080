#include "dns/zone/huge_pages.h"

#include <sys/mman.h>

#include <cstdint>

namespace weir::dns {
namespace {

constexpr std::uintptr_t kHugePageBytes = 2 << 20;
constexpr int kAdviceCollapse = 25;  // MADV_COLLAPSE of Linux 6.1; older C libraries do not name it

}  // namespace

void UseHugePages(std::span<const std::byte> table) {
  // Whole pages inside the table only.
  const auto address = reinterpret_cast<std::uintptr_t>(table.data());
  const std::uintptr_t begin = (address + kHugePageBytes - 1) / kHugePageBytes * kHugePageBytes;
  const std::uintptr_t end = (address + table.size()) / kHugePageBytes * kHugePageBytes;
  if (table.size() < 2 * kHugePageBytes || begin >= end) return;
  auto* pages = reinterpret_cast<void*>(begin);
  // The first is advice for what is touched later; the second moves what is there already.
  if (madvise(pages, end - begin, MADV_HUGEPAGE) == 0) static_cast<void>(madvise(pages, end - begin, kAdviceCollapse));
}

}  // namespace weir::dns
