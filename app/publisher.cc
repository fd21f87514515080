#include "app/publisher.h"

#include <utility>

namespace weir::app {

void Publisher::Stage(const control::View& view) {
  const std::lock_guard lock(mutex_);
  staged_ = view;
}

void Publisher::OnStatus(std::shared_ptr<const health::StatusTable> status) {
  {
    const std::lock_guard lock(mutex_);
    if (staged_.revision != 0 && staged_.revision == status->revision) {
      current_ = std::exchange(staged_, {});
    }
    if (current_.revision != status->revision) return;
    current_.health = std::move(status);
    published_.Publish(std::make_shared<const control::View>(current_));
  }
  wake_();
}

}  // namespace weir::app
