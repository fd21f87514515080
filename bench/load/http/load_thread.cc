#include "bench/load/http/load_thread.h"

#include "bench/load/http/http2_connection.h"
#include "bench/load/http/websocket_connection.h"

#include <sys/epoll.h>
#include <sys/timerfd.h>

#include <algorithm>
#include <utility>

namespace weir::bench {
namespace {

constexpr std::size_t kScratchBytes = 128 * 1024;

}  // namespace

LoadThread::LoadThread(const LoadThreadSettings& settings, const LoadPlan& plan)
    : settings_(settings),
      plan_(plan),
      alarm_(timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC)),
      scratch_(kScratchBytes) {}

Result<std::unique_ptr<LoadThread>> LoadThread::Build(const LoadThreadSettings& settings, const LoadPlan& plan,
                                                      std::unique_ptr<Arrivals> arrivals) {
  std::unique_ptr<LoadThread> made(new LoadThread(settings, plan));
  if (!made->alarm_.valid() || !made->loop_.Watch(made->alarm_.get(), EPOLLIN, *made)) {
    return Failure("the system refuses a timer", "raise the limit of open files");
  }
  auto streams = StreamOpener::Build(made->loop_, plan.origins(), settings.tls, settings.resumption);
  if (!streams) return std::unexpected(streams.error());
  made->streams_ = std::move(*streams);
  ConnectionOpener& opener = *made;
  made->dispatcher_ = std::make_unique<Dispatcher>(settings.dispatch, plan, std::move(arrivals), opener);
  made->heads_ = std::make_unique<HeadReader>(settings.group_header, made->dispatcher_->names());
  made->shared_.reset(new ConnectionShared{.loop = made->loop_,
                                           .opener = *made->streams_,
                                           .plan = plan,
                                           .heads = *made->heads_,
                                           .counts = made->dispatcher_->counts(),
                                           .scratch = made->scratch_,
                                           .timeout = settings.timeout,
                                           .keeps_connections = settings.dispatch.keeps_connections,
                                           .streams_max = settings.streams_max});
  return made;
}

LoadThread::~LoadThread() { Stop(); }

void LoadThread::Start(std::function<void()> on_finished) {
  on_finished_ = std::move(on_finished);
  loop_.SetTurnStart([this] {
    // Before the answers of this turn are looked at: what is due has waited since the loop went to sleep.
    if (alarm_time_ && *alarm_time_ <= loop_.now()) dispatcher_->Advance(loop_.now());
  });
  loop_.SetTurnEnd([this] { FinishTurn(); });
  loop_.Post([this] { dispatcher_->Start(); });
  thread_ = std::thread([this] { loop_.Run(); });
}

void LoadThread::FinishTurn() {
  auto wake = dispatcher_->next_wake();
  if (wake && *wake <= loop_.now()) {
    dispatcher_->Advance(Now());
    wake = dispatcher_->next_wake();
  }
  if (wake && wake != alarm_time_) SetAlarm(*wake);
  if (on_finished_ && dispatcher_->finished()) std::exchange(on_finished_, nullptr)();
}

void LoadThread::SetAlarm(SteadyTime time) {
  using std::chrono::duration_cast;
  alarm_time_ = time;
  // steady_clock is CLOCK_MONOTONIC. A time that has passed goes off at once; zero would mean never.
  const auto since_boot = std::max(time.time_since_epoch(), SteadyTime::duration(1));
  const auto seconds = duration_cast<std::chrono::seconds>(since_boot);
  itimerspec when{};
  when.it_value.tv_sec = static_cast<time_t>(seconds.count());
  when.it_value.tv_nsec = static_cast<long>(duration_cast<std::chrono::nanoseconds>(since_boot - seconds).count());
  // Edge-triggered and set anew each time: the number of expirations need not be read.
  timerfd_settime(alarm_.get(), TFD_TIMER_ABSTIME, &when, nullptr);
}

void LoadThread::Collect(std::shared_ptr<Counts> out, std::function<void()> done) {
  loop_.Post([this, out = std::move(out), done = std::move(done)] {
    dispatcher_->MoveCounts(*out);
    done();
  });
}

void LoadThread::Stop() {
  if (!thread_.joinable()) return;
  loop_.Stop();
  thread_.join();
}

std::unique_ptr<Connection> LoadThread::Open(std::uint32_t origin, int& error) {
  if (settings_.websocket) return WebSocketConnection::Open(*shared_, *dispatcher_, origin, error);
  return settings_.http2 ? Http2Connection::Open(*shared_, *dispatcher_, origin, error)
                         : Http1Connection::Open(*shared_, *dispatcher_, origin, error);
}

void LoadThread::Destroy(std::unique_ptr<Connection> connection) { loop_.DestroyLater(std::move(connection)); }

}  // namespace weir::bench
