#pragma once

#include "base/published.h"
#include "control/view.h"
#include "health/status.h"

#include <functional>
#include <memory>
#include <mutex>

namespace weir::app {

// Puts a configuration and its health together. A new configuration waits until the first status table of its revision
// is there; later tables of that revision replace only the health. Thread: any, for every method.
class Publisher {
 public:
  // `wake` is called after each publication, on the thread that made it: workers that sleep take the view over.
  explicit Publisher(std::function<void()> wake) : wake_(std::move(wake)) {}

  // What the next status table of `view.revision` completes; `view.health` is not looked at.
  void Stage(const control::View& view);
  // A new table. One of an older revision is left out: its configuration is gone.
  void OnStatus(std::shared_ptr<const health::StatusTable> status);

  [[nodiscard]] const Published<control::View>& published() const { return published_; }

 private:
  std::mutex mutex_;
  control::View staged_;  // revision 0: nothing waits
  control::View current_;
  std::function<void()> wake_;
  Published<control::View> published_;
};

}  // namespace weir::app
