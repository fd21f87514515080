#include "app/state_directory.h"

#include "base/file.h"
#include "base/unique_fd.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <filesystem>
#include <system_error>
#include <utility>

namespace weir::app {
namespace {

constexpr std::size_t kFileBytesMax = 1024 * 1024;
constexpr std::string_view kProbeName = "write-test";

std::unexpected<Error> Cannot(std::string_view what, const std::string& path, int error) {
  return Failure("cannot " + std::string(what) + ' ' + path + ": " + std::generic_category().message(error));
}

// A rename is on the disk when its directory is.
Result<void> SyncDirectory(const std::string& path) {
  const UniqueFd directory(open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  // File systems without anything to sync there say EINVAL.
  if (directory.valid() && (fsync(directory.get()) == 0 || errno == EINVAL)) return {};
  return Cannot("sync", path, errno);
}

}  // namespace

Result<StateDirectory> StateDirectory::Open(const std::string& path) {
  if (mkdir(path.c_str(), S_IRWXU) != 0 && errno != EEXIST) return Cannot("make the state directory", path, errno);
  StateDirectory out(path);
  auto written = out.Write(kProbeName, {});
  if (written) written = out.Remove(kProbeName);
  if (!written) return std::unexpected(Error{"the state directory is of no use: " + written.error().message, {}});
  return out;
}

std::string StateDirectory::PathOf(std::string_view name) const {
  return (std::filesystem::path(path_) / name).string();
}

Result<std::optional<std::string>> StateDirectory::Read(std::string_view name) const {
  const std::string path = PathOf(name);
  if (StampOf(path) == FileStamp{}) return std::nullopt;
  auto text = ReadFileUpTo(path, kFileBytesMax, "a file of the state directory");
  if (!text) return std::unexpected(text.error());
  return std::move(*text);
}

Result<void> StateDirectory::Write(std::string_view name, std::string_view text) const {
  const std::string path = PathOf(name);
  const std::string beside = path + ".new";
  // What a crash left behind may have another owner or mode.
  if (unlink(beside.c_str()) != 0 && errno != ENOENT) return Cannot("write", beside, errno);
  if (auto written = WriteNewFile(beside, text, S_IRUSR | S_IWUSR, FileSync::kYes); !written) return written;
  if (rename(beside.c_str(), path.c_str()) != 0) return Cannot("write", path, errno);
  return SyncDirectory(path_);
}

Result<void> StateDirectory::Remove(std::string_view name) const {
  const std::string path = PathOf(name);
  if (unlink(path.c_str()) != 0) {
    if (errno == ENOENT) return {};
    return Cannot("remove", path, errno);
  }
  return SyncDirectory(path_);
}

}  // namespace weir::app
