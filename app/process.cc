#include "app/process.h"

#include <sys/resource.h>
#include <unistd.h>

namespace weir::app {

void RaiseDescriptorLimit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == limit.rlim_max) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

void LowerThreadPriority() {
  constexpr int kNice = 10;
  const auto thread = static_cast<id_t>(gettid());
  // A process that somebody gave a lower priority keeps it; that it can always be lowered is no matter of privileges.
  if (getpriority(PRIO_PROCESS, thread) < kNice) setpriority(PRIO_PROCESS, thread, kNice);
}

}  // namespace weir::app
