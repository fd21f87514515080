#include "app/process.h"

#include "functions/function_pool.h"
#include "process/spawner.h"

#include <sys/resource.h>
#include <unistd.h>

#include <utility>

namespace weir::app {
namespace {

// What Linux gives where nothing is configured, and the most that it ever does by default (fs.nr_open).
constexpr std::size_t kDescriptorsUnknown = 1'024;
constexpr std::size_t kDescriptorsMax = 1'048'576;

}  // namespace

Result<std::shared_ptr<functions::FunctionPool>> StartFunctionPool() {
  auto spawner = process::Spawner::Start();
  if (!spawner) return std::unexpected(spawner.error());
  return std::make_shared<functions::FunctionPool>(std::move(*spawner));
}

void RaiseDescriptorLimit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == limit.rlim_max) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

std::size_t DescriptorLimit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return kDescriptorsUnknown;
  return limit.rlim_cur == RLIM_INFINITY ? kDescriptorsMax : static_cast<std::size_t>(limit.rlim_cur);
}

void LowerThreadPriority() {
  constexpr int kNice = 10;
  const auto thread = static_cast<id_t>(gettid());
  // A process that somebody gave a lower priority keeps it; that it can always be lowered is no matter of privileges.
  if (getpriority(PRIO_PROCESS, thread) < kNice) setpriority(PRIO_PROCESS, thread, kNice);
}

}  // namespace weir::app
