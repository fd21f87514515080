#include "process/launch.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <climits>
#include <csignal>
#include <utility>

namespace weir::process {
namespace {

constexpr std::string_view kDefaultPath = "/usr/local/bin:/usr/bin:/bin";
constexpr int kNothingRan = 127;  // as of shells

// The texts and a null behind them, as execve wants them.
std::vector<char*> PointersOf(const std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  pointers.reserve(texts.size() + 1);
  for (const std::string& text : texts) pointers.push_back(const_cast<char*>(text.c_str()));
  pointers.push_back(nullptr);
  return pointers;
}

// All that the child needs is made before the fork: it only makes system calls.
struct Prepared {
  std::vector<std::string> candidates;
  std::vector<char*> command;
  std::vector<char*> environment;
};

[[noreturn]] void Give(int report, StartStage stage, int error) {
  const std::array<int, 2> words = {std::to_underlying(stage), error};
  // A pipe takes so few bytes whole.
  [[maybe_unused]] const auto written = write(report, words.data(), sizeof(words));
  _exit(kNothingRan);
}

void ResetSignals() {
  struct sigaction standard{};
  standard.sa_handler = SIG_DFL;
  for (int number = 1; number < NSIG; ++number) sigaction(number, &standard, nullptr);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
}

bool Limit(__rlimit_resource resource, const std::optional<std::uint64_t>& value) {
  if (!value) return true;
  const rlimit limit{.rlim_cur = *value, .rlim_max = *value};
  if (setrlimit(resource, &limit) == 0) return true;
  // Whoever has less already cannot be given more, and need not be.
  rlimit now{};
  return errno == EPERM && getrlimit(resource, &now) == 0 && now.rlim_max <= *value;
}

bool SetLimits(const Limits& limits) {
  return Limit(RLIMIT_CORE, 0) && Limit(RLIMIT_NOFILE, limits.open_files) &&
         Limit(RLIMIT_AS, limits.address_space_bytes) && Limit(RLIMIT_CPU, limits.cpu_seconds) &&
         Limit(RLIMIT_FSIZE, limits.file_bytes);
}

// Descriptors given are above the standard ones: none is overwritten before it was copied.
bool SetStreams(const ChildStreams& streams) {
  const int input = streams.input.valid() ? streams.input.get() : open("/dev/null", O_RDONLY | O_CLOEXEC);
  return input >= 0 && dup2(input, STDIN_FILENO) >= 0 && dup2(streams.output.get(), STDOUT_FILENO) >= 0 &&
         dup2(streams.error.get(), STDERR_FILENO) >= 0;
}

// Gives the error that says most: that a file is there and may not be executed says more than that another is not.
int Execute(const Prepared& prepared) {
  int error = ENOENT;
  for (const std::string& file : prepared.candidates) {
    execve(file.c_str(), prepared.command.data(), prepared.environment.data());
    if (errno == EACCES) error = EACCES;
    if (errno != EACCES && errno != ENOENT && errno != ENOTDIR) return errno;
    if (prepared.candidates.size() == 1) return errno;
  }
  return error;
}

[[noreturn]] void BecomeProgram(const SpawnOrder& order, const Prepared& prepared, const ChildStreams& streams,
                                pid_t parent, int report) {
  // A session of its own and with it a group, which it cannot leave.
  setsid();
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  // The parent may have ended before that was said.
  if (getppid() != parent) _exit(kNothingRan);
  // What weir may do (ports below 1024) is no matter of its children.
  prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
  ResetSignals();
  if (!SetStreams(streams)) Give(report, StartStage::kInput, errno);
  if (!order.directory.empty() && chdir(order.directory.c_str()) != 0) Give(report, StartStage::kDirectory, errno);
  if (!SetLimits(order.limits)) Give(report, StartStage::kLimits, errno);
  close_range(STDERR_FILENO + 1, UINT_MAX, CLOSE_RANGE_CLOEXEC);
  Give(report, StartStage::kExecute, Execute(prepared));
}

}  // namespace

std::vector<std::string> CandidatesOf(std::string_view program, const std::vector<std::string>& environment) {
  if (program.find('/') != std::string_view::npos) return {std::string(program)};
  std::string_view path = kDefaultPath;
  for (const std::string& variable : environment) {
    if (variable.starts_with("PATH=")) path = std::string_view(variable).substr(5);
  }
  std::vector<std::string> files;
  if (program.empty()) return files;
  for (;;) {
    const std::size_t colon = path.find(':');
    const std::string_view directory = path.substr(0, colon);
    // An empty one is the directory that the program starts in.
    files.push_back((directory.empty() ? std::string(".") : std::string(directory)) + "/" + std::string(program));
    if (colon == std::string_view::npos) return files;
    path.remove_prefix(colon + 1);
  }
}

std::expected<Launched, StartFault> Launch(const SpawnOrder& order, ChildStreams streams) {
  std::array<int, 2> ends = {-1, -1};
  if (pipe2(ends.data(), O_CLOEXEC | O_NONBLOCK) != 0) return std::unexpected(StartFault{StartStage::kFork, errno});
  UniqueFd report(ends[0]);
  const UniqueFd told(ends[1]);
  const Prepared prepared{.candidates = CandidatesOf(order.command.front(), order.environment),
                          .command = PointersOf(order.command),
                          .environment = PointersOf(order.environment)};
  const pid_t parent = getpid();
  const pid_t child = fork();
  if (child == 0) BecomeProgram(order, prepared, streams, parent, told.get());
  if (child < 0) return std::unexpected(StartFault{StartStage::kFork, errno});
  return Launched{.pid = child, .report = std::move(report)};
}

Report ReadReport(int fd) {
  std::array<int, 2> words{};
  const ssize_t got = read(fd, words.data(), sizeof(words));
  if (got < 0) return {.complete = errno != EAGAIN && errno != EINTR, .fault = {}};
  if (got != static_cast<ssize_t>(sizeof(words))) return {.complete = true, .fault = {}};
  return {.complete = true, .fault = StartFault{static_cast<StartStage>(words[0]), words[1]}};
}

}  // namespace weir::process
