#include "process/process_client.h"

#include "base/log.h"
#include "base/overloaded.h"
#include "process/output_reader.h"
#include "process/process_tree.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <optional>
#include <utility>
#include <variant>

namespace weir::process {
namespace {

struct PipeEnds {
  UniqueFd reading;
  UniqueFd writing;
};

// Only our end does not block: the other one is a standard stream of a program.
std::optional<PipeEnds> MakePipe() {
  std::array<int, 2> fds = {-1, -1};
  if (pipe2(fds.data(), O_CLOEXEC) != 0) return std::nullopt;
  PipeEnds ends{.reading = UniqueFd(fds[0]), .writing = UniqueFd(fds[1])};
  if (fcntl(fds[0], F_SETFL, O_NONBLOCK) != 0) return std::nullopt;
  return ends;
}

// A file in memory that holds `text` and is read from its beginning; invalid with errno when there is none.
UniqueFd FileOf(std::string_view text) {
  UniqueFd file(memfd_create("input", MFD_CLOEXEC));
  while (file.valid() && !text.empty()) {
    const ssize_t written = write(file.get(), text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return {};
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  if (file.valid() && lseek(file.get(), 0, SEEK_SET) != 0) return {};
  return file;
}

SpawnOrder OrderOf(const SpawnRequest& request, std::uint64_t child) {
  SpawnOrder order{.child = child,
                   .command = request.command,
                   .environment = {},
                   .directory = request.directory,
                   .has_input = !request.input.empty(),
                   .limits = request.limits,
                   .timeout = request.timeout,
                   .grace = request.grace};
  for (const auto& [name, value] : request.environment) order.environment.push_back(name + "=" + value);
  return order;
}

// What would end a text early in a system call.
bool HasZero(const SpawnOrder& order) {
  for (const auto* texts : {&order.command, &order.environment}) {
    for (const std::string& text : *texts) {
      if (text.find('\0') != std::string::npos) return true;
    }
  }
  return order.directory.find('\0') != std::string::npos;
}

}  // namespace

// One process and the pipes that it writes to.
class ProcessClient::Process final : public net::Deferred {
 public:
  Process(net::EventLoop& loop, UniqueFd output, UniqueFd error, ProcessEvents& events)
      : events_(&events),
        output_(*this, OutputStream::kOutput, loop, std::move(output)),
        error_(*this, OutputStream::kError, loop, std::move(error)) {}

  void TellStarted(pid_t pid) {
    if (events_ != nullptr) events_->OnStarted(pid);
  }
  void Finish(const ProcessEnd& end) {
    output_.reader.Finish();
    error_.reader.Finish();
    if (events_ != nullptr) std::exchange(events_, nullptr)->OnEnded(end);
  }
  void Forget() {
    events_ = nullptr;
    output_.reader.Close();
    error_.reader.Close();
  }

 private:
  struct Stream final : OutputEvents {
    Stream(Process& of, OutputStream which, net::EventLoop& loop, UniqueFd pipe)
        : process(of), stream(which), reader(loop, std::move(pipe), *this) {}
    void OnLine(std::string_view line) override {
      if (process.events_ != nullptr) process.events_->OnOutput(stream, line);
    }
    void OnLinesDropped(std::size_t count) override {
      if (process.events_ != nullptr) process.events_->OnOutputDropped(stream, count);
    }
    Process& process;
    OutputStream stream;
    OutputReader reader;
  };

  ProcessEvents* events_;  // null: nobody listens any more
  Stream output_;
  Stream error_;
};

// A socket that may be given up in its own events.
class ProcessClient::Connection final : public net::Deferred {
 public:
  Connection(net::EventLoop& loop, UniqueFd fd, MessageSocketEvents& events) : socket(loop, std::move(fd), events) {}
  MessageSocket socket;
};

ProcessClient::ProcessClient(net::EventLoop& loop, std::shared_ptr<Spawner> spawner)
    : loop_(loop),
      spawner_(std::move(spawner)),
      failures_task_(*this),
      restart_timer_([this] { Restart(); }),
      sweep_timer_([this] { Sweep(); }) {
  Connect();
}

ProcessClient::~ProcessClient() {
  // The spawner reads the end of the socket, and kills all.
  connection_.reset();
}

void ProcessClient::Connect() {
  started_ = loop_.now();
  connection_ = std::make_unique<Connection>(loop_, spawner_->TakeSocket(), static_cast<MessageSocketEvents&>(*this));
}

ProcessId ProcessClient::Spawn(const SpawnRequest& request, ProcessEvents& events) {
  const ProcessId id{++last_};
  auto output = MakePipe();
  auto error = MakePipe();
  UniqueFd input;
  if (!request.input.empty()) input = FileOf(request.input);
  const int refused = errno;
  const bool has_streams = output && error && (request.input.empty() || input.valid());
  processes_.emplace(id.value, std::make_unique<Process>(loop_, output ? std::move(output->reading) : UniqueFd(),
                                                         error ? std::move(error->reading) : UniqueFd(), events));
  if (!has_streams) {
    Fail(id, StartStage::kInput, refused);
    return id;
  }
  const auto order = OrderOf(request, id.value);
  auto message = Encode(Order(order));
  if (order.command.empty() || HasZero(order)) {
    Fail(id, StartStage::kRequest, EINVAL);
  } else if (message.size() > kRequestBytesMax) {
    Fail(id, StartStage::kRequest, E2BIG);
  } else if (!connection_) {
    Fail(id, StartStage::kSpawner, EAGAIN);
  } else {
    std::vector<UniqueFd> descriptors;
    descriptors.push_back(std::move(output->writing));
    descriptors.push_back(std::move(error->writing));
    if (input.valid()) descriptors.push_back(std::move(input));
    connection_->socket.Send(std::move(message), std::move(descriptors));
  }
  return id;
}

void ProcessClient::Signal(ProcessId process, int number) {
  if (!connection_ || !processes_.contains(process.value)) return;
  connection_->socket.Send(Encode(Order(SignalOrder{.child = process.value, .number = number})));
}

void ProcessClient::End(ProcessId process, std::chrono::milliseconds grace) {
  if (!connection_ || !processes_.contains(process.value)) return;
  connection_->socket.Send(Encode(Order(EndOrder{.child = process.value, .grace = grace})));
}

void ProcessClient::Forget(ProcessId process) {
  const auto found = processes_.find(process.value);
  if (found == processes_.end()) return;
  End(process, std::chrono::milliseconds(0));
  found->second->Forget();
  loop_.DestroyLater(std::move(found->second));
  processes_.erase(found);
}

void ProcessClient::Fail(ProcessId process, StartStage stage, int error) {
  failures_.push_back(
      {.child = process.value, .end = {.kind = ProcessEnd::Kind::kNotStarted, .value = error, .stage = stage}});
  loop_.RunSoon(failures_task_);
}

void ProcessClient::TellFailures() {
  for (const auto& failure : std::exchange(failures_, {})) Finish(failure.child, failure.end);
}

void ProcessClient::Finish(std::uint64_t child, const ProcessEnd& end) {
  const auto found = processes_.find(child);
  if (found == processes_.end()) return;
  auto process = std::move(found->second);
  processes_.erase(found);
  process->Finish(end);
  loop_.DestroyLater(std::move(process));
}

void ProcessClient::OnMessage(std::string_view message, std::vector<UniqueFd> /*descriptors*/) {
  const auto notice = DecodeNotice(message);
  // One that speaks otherwise is no spawner of ours: it is ended, and the end of its socket follows.
  if (!notice) {
    kill(spawner_->pid(), SIGKILL);
    return;
  }
  std::visit(Overloaded{[&](const StartedNotice& started) {
                          const auto found = processes_.find(started.child);
                          if (found != processes_.end()) found->second->TellStarted(started.pid);
                        },
                        [&](const EndedNotice& ended) { Finish(ended.child, ended.end); }},
             *notice);
}

void ProcessClient::OnClosed() {
  loop_.DestroyLater(std::move(connection_));
  LogWarning(fmt::format("the spawner ended pid={} processes={}", spawner_->pid(), processes_.size()));
  // Whoever hears of an end may start anew at once: by then there should be somebody to do it.
  std::vector<std::uint64_t> lost;
  for (const auto& [child, process] : processes_) lost.push_back(child);
  if (loop_.now() - started_ >= kRestartEvery) {
    Restart();
  } else {
    loop_.timers().Schedule(restart_timer_, started_ + kRestartEvery);
  }
  for (const auto child : lost) Finish(child, {.kind = ProcessEnd::Kind::kLost});
}

void ProcessClient::Restart() {
  auto restarted = spawner_->Restart();
  started_ = loop_.now();
  if (!restarted) {
    LogError(restarted.error().message);
    loop_.timers().Schedule(restart_timer_, loop_.now() + kRestartEvery);
  } else {
    Connect();
    LogInfo(fmt::format("spawner started pid={}", spawner_->pid()));
  }
  Sweep();
}

void ProcessClient::Sweep() {
  if (!KillChildren(spawner_->spared())) loop_.timers().Schedule(sweep_timer_, loop_.now() + kSweepEvery);
}

}  // namespace weir::process
