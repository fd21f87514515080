#include "base/file.h"

#include "base/unique_fd.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <system_error>

namespace weir {

Result<std::string> ReadFileUpTo(const std::string& path, std::size_t bytes_max, std::string_view noun) {
  const auto cannot = [&path](int error) {
    return Failure("cannot read " + path + ": " + std::generic_category().message(error));
  };
  const UniqueFd file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.valid()) return cannot(errno);
  std::string text;
  std::array<char, 16 * 1024> buffer;
  for (;;) {
    const ssize_t got = read(file.get(), buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return cannot(errno);
    if (got == 0) return text;
    text.append(buffer.data(), static_cast<std::size_t>(got));
    if (text.size() > bytes_max) return Failure(path + " is too large for " + std::string(noun));
  }
}

Result<void> WriteNewFile(const std::string& path, std::string_view text, mode_t mode, FileSync sync) {
  const auto cannot = [&path](int error) {
    return Failure("cannot write " + path + ": " + std::generic_category().message(error));
  };
  const UniqueFd file(open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode));
  if (!file.valid()) return cannot(errno);
  while (!text.empty()) {
    const ssize_t written = write(file.get(), text.data(), text.size());
    if (written < 0 && errno != EINTR) return cannot(errno);
    if (written > 0) text.remove_prefix(static_cast<std::size_t>(written));
  }
  if (sync == FileSync::kYes && fsync(file.get()) != 0) return cannot(errno);
  return {};
}

FileStamp StampOf(const std::string& path) {
  struct stat found{};
  if (path.empty() || stat(path.c_str(), &found) != 0) return {};
  const auto nanoseconds = [](const timespec& time) {
    constexpr std::int64_t kNanoseconds = 1'000'000'000;
    return time.tv_sec * kNanoseconds + time.tv_nsec;
  };
  return {.device = found.st_dev,
          .inode = found.st_ino,
          .size = found.st_size,
          .modified_ns = nanoseconds(found.st_mtim),
          .changed_ns = nanoseconds(found.st_ctim),
          .is_directory = S_ISDIR(found.st_mode)};
}

}  // namespace weir
