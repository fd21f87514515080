#pragma once

#include <cstddef>
#include <set>
#include <string>

namespace weir::app {

// Where a document was edited since it was loaded. A value.
class EditedPaths {
 public:
  // Our choice: what a log can tell when all of it is replaced.
  static constexpr std::size_t kPathsMax = 1'000;

  void Add(const std::string& path);
  // Each once, in the order of their texts.
  [[nodiscard]] const std::set<std::string>& paths() const { return paths_; }
  // Edits at other places, which are counted and not kept.
  [[nodiscard]] std::size_t more() const { return more_; }

 private:
  std::set<std::string> paths_;
  std::size_t more_ = 0;
};

}  // namespace weir::app
