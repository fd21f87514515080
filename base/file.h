#pragma once

#include "base/result.h"

#include <sys/types.h>

#include <compare>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace weir {

// What a file holds; `noun` says in the error what it is too large for. Blocks on the file system. Thread: any.
[[nodiscard]] Result<std::string> ReadFileUpTo(const std::string& path, std::size_t bytes_max, std::string_view noun);

// Makes the file, whose name nobody may have, with this mode; kYes: it is on the disk when this returns. A failure may
// leave a part of it. Blocks on the file system. Thread: any.
enum class FileSync : std::uint8_t { kNo, kYes };
[[nodiscard]] Result<void> WriteNewFile(const std::string& path, std::string_view text, mode_t mode,
                                        FileSync sync = FileSync::kNo);

// What tells one content of a file from another without reading it.
struct FileStamp {
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  std::int64_t size = -1;  // -1: there is no such file
  std::int64_t modified_ns = 0;
  std::int64_t changed_ns = 0;  // content, name, owner or mode
  bool is_directory = false;
  friend auto operator<=>(const FileStamp&, const FileStamp&) = default;
};

// Of the file that `path` leads to; that of no file where there is none. Thread: any.
[[nodiscard]] FileStamp StampOf(const std::string& path);

}  // namespace weir
