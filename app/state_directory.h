#pragma once

#include "base/result.h"

#include <optional>
#include <string>
#include <string_view>

namespace weir::app {

// Where the appliance keeps what outlives it (`state.directory`): one small file per thing, for its owner alone. Each
// is written beside the one that is there, synced and renamed, so that a crash leaves the old or the new one, whole.
// Nothing is held open: a directory that goes and comes back is used again. Blocks on the file system.
// Thread: one owner.
class StateDirectory {
 public:
  // Makes the last part of `path` where it is not there, for its owner alone, and fails where nothing can be written.
  [[nodiscard]] static Result<StateDirectory> Open(const std::string& path);

  // One that need not be there: for Read, which then finds nothing.
  [[nodiscard]] static StateDirectory At(const std::string& path) { return StateDirectory(path); }

  [[nodiscard]] const std::string& path() const { return path_; }
  // The file of `name`, for messages.
  [[nodiscard]] std::string PathOf(std::string_view name) const;

  // What was written last under `name`; absent when nothing was. Fails where it cannot be read.
  [[nodiscard]] Result<std::optional<std::string>> Read(std::string_view name) const;
  // On the disk when it returns. A failure leaves what was there.
  [[nodiscard]] Result<void> Write(std::string_view name, std::string_view text) const;
  // The same for nothing at all.
  [[nodiscard]] Result<void> Remove(std::string_view name) const;

 private:
  explicit StateDirectory(std::string path) : path_(std::move(path)) {}

  std::string path_;
};

}  // namespace weir::app
