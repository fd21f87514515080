#include "process/spawn_request.h"

#include <fmt/format.h>

#include <cstring>
#include <string_view>

namespace weir::process {
namespace {

std::string_view WordsOf(StartStage stage) {
  switch (stage) {
    case StartStage::kRequest:
      return "is not a request that can be sent";
    case StartStage::kSpawner:
      return "nobody is there to start it";
    case StartStage::kFork:
      return "no process can be made";
    case StartStage::kDirectory:
      return "its directory cannot be entered";
    case StartStage::kLimits:
      return "its limits cannot be set";
    case StartStage::kInput:
      return "its standard streams cannot be set";
    case StartStage::kExecute:
      return "cannot be executed";
  }
  return "cannot be started";
}

}  // namespace

std::string ToString(const ProcessEnd& end) {
  const std::string_view late = end.timed_out ? " after its time-out" : "";
  switch (end.kind) {
    case ProcessEnd::Kind::kExited:
      return fmt::format("exit status {}{}", end.value, late);
    case ProcessEnd::Kind::kSignaled: {
      const char* const name = sigdescr_np(end.value);
      return fmt::format("signal {} ({}){}", end.value, name == nullptr ? "unknown" : name, late);
    }
    case ProcessEnd::Kind::kNotStarted: {
      const char* const text = strerrordesc_np(end.value);
      return fmt::format("{}: {}", WordsOf(end.stage), text == nullptr ? "unknown error" : text);
    }
    case ProcessEnd::Kind::kLost:
      return "the process that had started it ended";
  }
  return {};
}

}  // namespace weir::process
