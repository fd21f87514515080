#include "process/process_tree.h"

#include <dirent.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <fstream>
#include <memory>
#include <string>
#include <string_view>

namespace weir::process {
namespace {

struct CloseFolder {
  void operator()(DIR* folder) const { closedir(folder); }
};

// The names in a folder of /proc that are numbers.
std::vector<std::string> NumbersIn(const char* path) {
  std::vector<std::string> names;
  const std::unique_ptr<DIR, CloseFolder> folder(opendir(path));
  if (!folder) return names;
  while (const dirent* const entry = readdir(folder.get())) {
    if (std::isdigit(static_cast<unsigned char>(entry->d_name[0])) != 0) names.emplace_back(entry->d_name);
  }
  return names;
}

// Of a process in /proc; 0 when it is gone.
pid_t ParentOf(const std::string& process) {
  std::ifstream file("/proc/" + process + "/stat");
  std::string text;
  std::getline(file, text, '\0');
  // The name stands in parentheses and may hold any character: `1 (a) b) S 0 ...`.
  const std::size_t end = text.rfind(')');
  if (end == std::string::npos || text.size() < end + 5) return 0;
  pid_t parent = 0;
  std::from_chars(text.data() + end + 4, text.data() + text.size(), parent);
  return parent;
}

// Where the kernel has no lists of children (CONFIG_PROC_CHILDREN).
std::vector<pid_t> ChildrenByParent() {
  std::vector<pid_t> children;
  for (const std::string& process : NumbersIn("/proc")) {
    if (ParentOf(process) == getpid()) children.push_back(static_cast<pid_t>(std::stol(process)));
  }
  return children;
}

}  // namespace

std::vector<pid_t> Children() {
  std::vector<pid_t> children;
  for (const std::string& thread : NumbersIn("/proc/self/task")) {
    std::ifstream file("/proc/self/task/" + thread + "/children");
    if (!file && thread == std::to_string(getpid())) return ChildrenByParent();
    for (pid_t child = 0; file >> child;) children.push_back(child);
  }
  return children;
}

std::optional<Ended> PeekEnded(pid_t pid) {
  siginfo_t info{};
  const idtype_t kind = pid < 0 ? P_ALL : P_PID;
  const id_t id = pid < 0 ? 0 : static_cast<id_t>(pid);
  if (waitid(kind, id, &info, WEXITED | WNOHANG | WNOWAIT) != 0 || info.si_pid == 0) return std::nullopt;
  return Ended{.pid = info.si_pid, .signaled = info.si_code != CLD_EXITED, .value = info.si_status};
}

void Reap(pid_t pid) {
  while (waitpid(pid, nullptr, WNOHANG) < 0 && errno == EINTR) {
  }
}

bool KillChildren(std::span<const pid_t> spared) {
  bool none = true;
  for (const pid_t child : Children()) {
    if (std::ranges::find(spared, child) != spared.end()) continue;
    none = false;
    if (getpgid(child) == child) kill(-child, SIGKILL);
    kill(child, SIGKILL);
    Reap(child);
  }
  return none;
}

}  // namespace weir::process
