#pragma once

#include "base/result.h"

#include <string>

namespace weir::app {

// A file that the user edits, readable by that user alone. Removed when the object goes, unless it is kept. Thread:
// one.
class EditedFile {
 public:
  // Makes the file in $TMPDIR, else /tmp, with `text`; its name ends in `suffix` (`.yaml`).
  [[nodiscard]] static Result<EditedFile> Create(const std::string& text, const std::string& suffix);
  ~EditedFile();
  EditedFile(EditedFile&& other) noexcept;
  EditedFile& operator=(EditedFile&&) = delete;
  EditedFile(const EditedFile&) = delete;
  EditedFile& operator=(const EditedFile&) = delete;

  [[nodiscard]] Result<void> Write(const std::string& text) const;
  // What is in it now.
  [[nodiscard]] Result<std::string> Read() const;
  // Opens it in the user's editor ($VISUAL, else $EDITOR, else vi; a command line of the shell, as git has it) and
  // waits until that ends. Fails when it cannot be started or says that it failed.
  [[nodiscard]] Result<void> Edit() const;
  // Leaves it where it is.
  void Keep() { kept_ = true; }
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  explicit EditedFile(std::string path) : path_(std::move(path)) {}

  std::string path_;
  bool kept_ = false;
};

}  // namespace weir::app
