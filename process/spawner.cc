#include "process/spawner.h"

#include "process/message_socket.h"
#include "process/process_tree.h"
#include "process/spawner_program.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <thread>
#include <utility>

namespace weir::process {
namespace {

using namespace std::chrono_literals;

// It kills its children at once; a system under load may take a moment for a thousand of them.
constexpr auto kEndMax = 10s;
constexpr auto kEndStep = 1ms;

// What posix_spawn takes, freed in the end.
class SpawnSettings {
 public:
  SpawnSettings() {
    posix_spawn_file_actions_init(&actions_);
    posix_spawnattr_init(&attributes_);
  }
  ~SpawnSettings() {
    posix_spawn_file_actions_destroy(&actions_);
    posix_spawnattr_destroy(&attributes_);
  }
  SpawnSettings(const SpawnSettings&) = delete;
  SpawnSettings& operator=(const SpawnSettings&) = delete;

  // Only the standard streams and the socket are left open.
  void GiveSocket(int socket) {
    posix_spawn_file_actions_adddup2(&actions_, socket, kSpawnerSocket);
    posix_spawn_file_actions_addclosefrom_np(&actions_, kSpawnerSocket + 1);
    posix_spawn_file_actions_addopen(&actions_, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  }
  [[nodiscard]] const posix_spawn_file_actions_t* actions() const { return &actions_; }
  [[nodiscard]] const posix_spawnattr_t* attributes() const { return &attributes_; }

 private:
  posix_spawn_file_actions_t actions_{};
  posix_spawnattr_t attributes_{};
};

bool WaitFor(pid_t pid, std::chrono::steady_clock::duration most) {
  const auto deadline = std::chrono::steady_clock::now() + most;
  for (;;) {
    const pid_t got = waitpid(pid, nullptr, WNOHANG);
    if (got == pid || (got < 0 && errno != EINTR)) return true;
    if (std::chrono::steady_clock::now() >= deadline) return false;
    std::this_thread::sleep_for(kEndStep);
  }
}

}  // namespace

Result<std::shared_ptr<Spawner>> Spawner::Start(std::string program) {
  prctl(PR_SET_CHILD_SUBREAPER, 1);
  std::shared_ptr<Spawner> spawner(new Spawner(std::move(program)));
  if (auto started = spawner->StartOne(); !started) return std::unexpected(started.error());
  return spawner;
}

Spawner::Spawner(std::string program) : program_(std::move(program)), inherited_(Children()) {}

std::vector<pid_t> Spawner::spared() const {
  auto spared = inherited_;
  spared.push_back(pid_);
  return spared;
}

Spawner::~Spawner() {
  socket_.Reset();
  if (pid_ == 0 || WaitFor(pid_, kEndMax)) return;
  kill(pid_, SIGKILL);
  WaitFor(pid_, kEndMax);
}

Result<void> Spawner::Restart() {
  socket_.Reset();
  if (pid_ != 0) {
    kill(pid_, SIGKILL);
    WaitFor(pid_, kEndMax);
  }
  return StartOne();
}

Result<void> Spawner::StartOne() {
  pid_ = 0;
  auto pair = MakeSocketPair();
  if (!pair.ours.valid()) {
    return Failure(fmt::format("cannot make a socket for the spawner: {}", std::strerror(errno)));
  }
  SpawnSettings settings;
  settings.GiveSocket(pair.theirs.get());
  std::string argument(kSpawnerArgument);
  std::string name = "weir";
  char* const arguments[] = {name.data(), argument.data(), nullptr};
  pid_t pid = 0;
  const int error = posix_spawn(&pid, program_.c_str(), settings.actions(), settings.attributes(), arguments, environ);
  if (error != 0) return Failure(fmt::format("cannot start the spawner {}: {}", program_, std::strerror(error)));
  pid_ = pid;
  socket_ = std::move(pair.ours);
  return {};
}

}  // namespace weir::process
