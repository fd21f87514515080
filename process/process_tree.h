#pragma once

#include <sys/types.h>

#include <optional>
#include <span>
#include <vector>

namespace weir::process {

// The children of this process, of all of its threads, those that ended and were not waited for included. Read from
// /proc; one that is made or ends meanwhile may be missing. Thread: any.
[[nodiscard]] std::vector<pid_t> Children();

// Takes the end of a child whose id is `pid`, or of any with -1, without waiting and without forgetting it: until
// Reap, nobody else is given its id. Absent when none has ended.
struct Ended {
  pid_t pid = 0;
  bool signaled = false;
  int value = 0;  // exit status or signal
};
[[nodiscard]] std::optional<Ended> PeekEnded(pid_t pid);
void Reap(pid_t pid);

// Kills (SIGKILL) all children but those `spared`, with the groups that they lead, and reaps what has ended of them.
// True when there is none left. What they leave behind comes to this process in its turn where it is a subreaper
// (PR_SET_CHILD_SUBREAPER): call again until there is none.
[[nodiscard]] bool KillChildren(std::span<const pid_t> spared);

}  // namespace weir::process
