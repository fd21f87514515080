#pragma once

#include "base/result.h"
#include "base/unique_fd.h"
#include "bench/load/http/arrivals.h"
#include "bench/load/http/dispatcher.h"
#include "bench/load/http/http1_connection.h"
#include "bench/load/http/load_plan.h"
#include "bench/load/http/stream_opener.h"
#include "net/event_loop.h"
#include "net/tls_client.h"

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace weir::bench {

struct LoadThreadSettings {
  DispatchSettings dispatch;
  std::chrono::nanoseconds timeout;
  bool http2 = false;
  bool websocket = false;
  unsigned streams_max = 1;
  std::string group_header;
  net::TlsClientSettings tls;
  Resumption resumption;
};

// One generator thread: an event loop, a dispatcher and its connections. Nothing in it is shared while it runs; the
// counts are handed over by Collect. Thread: the one that built it, for every method.
class LoadThread final : private ConnectionOpener, private net::FdWatcher {
 public:
  // `plan` outlives the thread. Fails when TLS cannot be set up, or the system has no descriptors left.
  [[nodiscard]] static Result<std::unique_ptr<LoadThread>> Build(const LoadThreadSettings& settings,
                                                                 const LoadPlan& plan,
                                                                 std::unique_ptr<Arrivals> arrivals);
  // Stops the thread where it is.
  ~LoadThread();

  // Begins. `on_finished` is called once, on the generator's thread, when everything was answered or has failed.
  void Start(std::function<void()> on_finished);
  // Moves what was counted since the last call to `out`, which is empty, then calls `done`: both on the generator's
  // thread, soon.
  void Collect(std::shared_ptr<Counts> out, std::function<void()> done);
  // Stops the thread where it is and waits for it. Afterwards:
  void Stop();
  [[nodiscard]] const Histogram& lateness() const { return dispatcher_->lateness(); }
  [[nodiscard]] const std::map<ErrorKind, std::string>& details() const { return dispatcher_->details(); }

 private:
  LoadThread(const LoadThreadSettings& settings, const LoadPlan& plan);
  std::unique_ptr<Connection> Open(std::uint32_t origin, int& error) override;
  void Destroy(std::unique_ptr<Connection> connection) override;
  [[nodiscard]] SteadyTime Now() const override { return std::chrono::steady_clock::now(); }
  // The alarm went off: the end of the turn looks after what is due.
  void OnEvents(std::uint32_t /*events*/) override {}

  void FinishTurn();
  void SetAlarm(SteadyTime time);

  LoadThreadSettings settings_;
  const LoadPlan& plan_;
  net::EventLoop loop_;
  UniqueFd alarm_;  // a timerfd: the loop's own timers are too coarse for a schedule
  std::optional<SteadyTime> alarm_time_;
  std::vector<char> scratch_;
  std::unique_ptr<StreamOpener> streams_;
  std::unique_ptr<HeadReader> heads_;
  std::unique_ptr<ConnectionShared> shared_;
  std::unique_ptr<Dispatcher> dispatcher_;
  std::function<void()> on_finished_;
  std::thread thread_;
};

}  // namespace weir::bench
