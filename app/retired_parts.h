#pragma once

#include "control/view.h"

#include <cstddef>
#include <memory>
#include <vector>

namespace weir::app {

// Parts of views that serve no more, kept until nobody else holds them. Taking tens of thousands of rules apart takes
// milliseconds, in which a worker that happened to let go last would answer nobody. Thread: control.
class RetiredParts {
 public:
  // Zones with so many records give their memory back to the system when they go: our choice.
  static constexpr std::size_t kRecordsTrimmed = 10'000;

  // `now` serves in place of `before`, which may share parts with it.
  void Add(const control::View& before, const control::View& now);
  // Takes apart what nobody holds any more. True when nothing is left.
  bool Sweep();

 private:
  std::vector<std::shared_ptr<const proxy::RoutingTable>> routings_;
  std::vector<std::shared_ptr<const dns::ZoneSet>> zones_;
  std::vector<std::shared_ptr<const config::Model>> models_;
};

}  // namespace weir::app
