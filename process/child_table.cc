#include "process/child_table.h"

#include "base/check.h"

#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <thread>
#include <utility>

namespace weir::process {

// One child: it is told of as started once its report is complete.
class ChildTable::Child final : public net::Deferred, private net::FdWatcher {
 public:
  Child(ChildTable& table, const SpawnOrder& order, Launched launched)
      : table_(table),
        id_(order.child),
        grace_(order.grace),
        pid_(launched.pid),
        report_(std::move(launched.report)),
        timer_([this] { OnTimer(); }) {
    if (order.timeout.count() > 0) table_.loop_.timers().Schedule(timer_, table_.loop_.now() + order.timeout);
    if (!table_.loop_.Watch(report_.get(), EPOLLIN, *this)) ReadStart();
  }

  [[nodiscard]] std::uint64_t id() const { return id_; }
  // It never became its program: it is over for whoever asked for it.
  [[nodiscard]] bool failed() const { return failed_; }
  [[nodiscard]] bool timed_out() const { return timed_out_; }

  // To all of its group. The child itself has not been reaped, so that neither number is another's; it alone is there
  // until it has made the group.
  void Signal(int number) const {
    if (kill(-pid_, number) != 0) kill(pid_, number);
  }
  void End(std::chrono::milliseconds grace) {
    if (grace.count() == 0) return Signal(SIGKILL);
    if (ending_) return;
    ending_ = true;
    Signal(SIGTERM);
    table_.loop_.timers().Schedule(timer_, table_.loop_.now() + grace);
  }
  // What the report says is told, once.
  void ReadStart() {
    if (!report_.valid()) return;
    const Report report = ReadReport(report_.get());
    if (!report.complete) return;
    table_.loop_.Unwatch(report_.get(), *this);
    report_.Reset();
    if (!report.fault) return table_.tell_(StartedNotice{.child = id_, .pid = pid_});
    failed_ = true;
    table_.TellNotStarted(id_, *report.fault);
  }

 private:
  void OnEvents(std::uint32_t /*events*/) override { ReadStart(); }
  void OnTimer() {
    if (ending_) return Signal(SIGKILL);
    timed_out_ = true;
    End(grace_);
  }

  ChildTable& table_;
  std::uint64_t id_;
  std::chrono::milliseconds grace_;
  pid_t pid_;
  UniqueFd report_;
  net::CallbackTimer timer_;
  bool failed_ = false;
  bool timed_out_ = false;
  bool ending_ = false;
};

ChildTable::ChildTable(net::EventLoop& loop, Tell tell)
    : loop_(loop), tell_(std::move(tell)), orphans_timer_([this] { KillOrphans(); }) {
  sigset_t ended;
  sigemptyset(&ended);
  sigaddset(&ended, SIGCHLD);
  signals_.Reset(signalfd(-1, &ended, SFD_NONBLOCK | SFD_CLOEXEC));
  WEIR_CHECK(signals_.valid() && loop_.WatchLevel(signals_.get(), EPOLLIN, *this));
}

ChildTable::~ChildTable() { loop_.Unwatch(signals_.get(), *this); }

void ChildTable::TellNotStarted(std::uint64_t child, StartFault fault) {
  tell_(EndedNotice{
      .child = child,
      .end = {.kind = ProcessEnd::Kind::kNotStarted, .value = fault.error, .stage = fault.stage, .timed_out = false}});
}

void ChildTable::Obey(const SpawnOrder& order, std::vector<UniqueFd> descriptors) {
  const std::size_t wanted = order.has_input ? 3 : 2;
  if (descriptors.size() != wanted || pids_.contains(order.child)) {
    return TellNotStarted(order.child, {StartStage::kRequest, EINVAL});
  }
  if (children_.size() >= kChildrenMax) return TellNotStarted(order.child, {StartStage::kFork, EAGAIN});
  ChildStreams streams{.input = order.has_input ? std::move(descriptors[2]) : UniqueFd(),
                       .output = std::move(descriptors[0]),
                       .error = std::move(descriptors[1])};
  auto launched = Launch(order, std::move(streams));
  if (!launched) return TellNotStarted(order.child, launched.error());
  const pid_t pid = launched->pid;
  pids_.emplace(order.child, pid);
  children_.emplace(pid, std::make_unique<Child>(*this, order, std::move(*launched)));
  if (!orphans_timer_.scheduled()) loop_.timers().Schedule(orphans_timer_, loop_.now() + kOrphansEvery);
}

ChildTable::Child* ChildTable::Find(std::uint64_t child) {
  const auto pid = pids_.find(child);
  return pid == pids_.end() ? nullptr : children_.at(pid->second).get();
}

void ChildTable::Obey(const SignalOrder& order) {
  if (const Child* const child = Find(order.child)) child->Signal(order.number);
}

void ChildTable::Obey(const EndOrder& order) {
  if (Child* const child = Find(order.child)) child->End(order.grace);
}

void ChildTable::OnEvents(std::uint32_t /*events*/) {
  signalfd_siginfo info{};
  while (read(signals_.get(), &info, sizeof(info)) == static_cast<ssize_t>(sizeof(info))) {
  }
  ReapEnded();
}

void ChildTable::ReapEnded() {
  bool any = false;
  while (const auto ended = PeekEnded(-1)) {
    OnChildEnded(*ended);
    any = true;
  }
  if (any) KillOrphans();
}

void ChildTable::OnChildEnded(const Ended& ended) {
  const auto found = children_.find(ended.pid);
  if (found == children_.end()) return Reap(ended.pid);  // somebody's orphan
  Child& child = *found->second;
  // While it is not reaped, its number is no other's, and that of its group neither.
  child.Signal(SIGKILL);
  Reap(ended.pid);
  child.ReadStart();
  if (!child.failed()) {
    const auto kind = ended.signaled ? ProcessEnd::Kind::kSignaled : ProcessEnd::Kind::kExited;
    tell_(
        EndedNotice{.child = child.id(), .end = {.kind = kind, .value = ended.value, .timed_out = child.timed_out()}});
  }
  pids_.erase(child.id());
  loop_.DestroyLater(std::move(found->second));
  children_.erase(found);
}

void ChildTable::KillOrphans() {
  for (const pid_t pid : Children()) {
    if (children_.contains(pid)) continue;
    // One that stays in its session ends with the child that leads it.
    const pid_t session = getsid(pid);
    if (session > 0 && children_.contains(session)) continue;
    if (getpgid(pid) == pid) kill(-pid, SIGKILL);
    kill(pid, SIGKILL);
  }
  if (!children_.empty()) loop_.timers().Schedule(orphans_timer_, loop_.now() + kOrphansEvery);
}

void ChildTable::EndAll() {
  const auto deadline = std::chrono::steady_clock::now() + kEndAllMax;
  while (!KillChildren({}) && std::chrono::steady_clock::now() < deadline) {
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
}

}  // namespace weir::process
