#include "health/transition_log.h"

#include "base/log.h"

#include <fmt/format.h>

#include <iterator>
#include <string>

namespace weir::health {

void TransitionLog::Report(const Transition& transition) {
  std::string line = transition.group.empty()
                         ? fmt::format("health check changed check={}", transition.id)
                         : fmt::format("target state changed group={} target={}", transition.group, transition.id);
  fmt::format_to(std::back_inserter(line), " from={} to={}", transition.from, transition.to);
  if (!transition.reason.empty()) fmt::format_to(std::back_inserter(line), " reason={}", transition.reason);
  if (!transition.seen.empty()) fmt::format_to(std::back_inserter(line), " seen=\"{}\"", transition.seen);
  LogInfo(line);
  total_.Add();
  if (on_transition_) on_transition_(transition);
}

}  // namespace weir::health
