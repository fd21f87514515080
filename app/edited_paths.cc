#include "app/edited_paths.h"

namespace weir::app {

void EditedPaths::Add(const std::string& path) {
  if (paths_.contains(path)) return;
  if (paths_.size() < kPathsMax) {
    paths_.insert(path);
  } else {
    ++more_;
  }
}

}  // namespace weir::app
