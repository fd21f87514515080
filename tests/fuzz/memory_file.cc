#include "tests/fuzz/memory_file.h"

#include "base/check.h"

#include <sys/mman.h>
#include <unistd.h>

namespace weir {

MemoryFile::MemoryFile(std::string_view content)
    : descriptor_(memfd_create("fuzz", MFD_CLOEXEC)), path_("/proc/self/fd/" + std::to_string(descriptor_)) {
  WEIR_CHECK(descriptor_ >= 0);
  while (!content.empty()) {
    const ssize_t written = write(descriptor_, content.data(), content.size());
    WEIR_CHECK(written > 0);
    content.remove_prefix(static_cast<std::size_t>(written));
  }
}

MemoryFile::~MemoryFile() { close(descriptor_); }

}  // namespace weir
