#pragma once

#include "base/unique_fd.h"
#include "process/message.h"

#include <sys/types.h>

#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace weir::process {

// The standard streams of a child; an invalid input is /dev/null.
struct ChildStreams {
  UniqueFd input;
  UniqueFd output;
  UniqueFd error;
};

struct StartFault {
  StartStage stage = StartStage::kExecute;
  int error = 0;  // an errno
  friend bool operator==(const StartFault&, const StartFault&) = default;
};

// A child that was forked.
struct Launched {
  pid_t pid = 0;
  UniqueFd report;  // non-blocking: ReadReport
};

// Forks a child that becomes the program of `order`: the leader of a session and a group of its own, with the default
// action for each signal, nothing open but its streams, no ambient capabilities, and killed when its
// parent ends. The caller has one thread.
[[nodiscard]] std::expected<Launched, StartFault> Launch(const SpawnOrder& order, ChildStreams streams);

// What a child says of its start.
struct Report {
  bool complete = false;            // false: nothing is known yet
  std::optional<StartFault> fault;  // absent: the program runs, or the child was killed on its way there
};
[[nodiscard]] Report ReadReport(int fd);

// The files that are tried for `program`, in this order (execvp(3)): itself when it has a slash, else one for each
// directory of PATH in `environment`, or of /usr/local/bin:/usr/bin:/bin where that has none.
[[nodiscard]] std::vector<std::string> CandidatesOf(std::string_view program,
                                                    const std::vector<std::string>& environment);

}  // namespace weir::process
