#pragma once

#include "base/unique_fd.h"
#include "net/event_loop.h"

#include <functional>

namespace weir::app {

// Blocks the signals that Signals takes, for this thread and those it starts from now on. Ignores SIGPIPE: a closed
// connection is an error code, not the end. Call before any thread is started.
void BlockSignals();

// SIGHUP, SIGINT, SIGTERM and SIGUSR1 as events of a loop. Thread: that of its loop.
class Signals final : private net::FdWatcher {
 public:
  // `on_signal` gets the number. BlockSignals was called before.
  Signals(net::EventLoop& loop, std::function<void(int)> on_signal);
  ~Signals();
  Signals(const Signals&) = delete;
  Signals& operator=(const Signals&) = delete;

 private:
  void OnEvents(std::uint32_t events) override;

  net::EventLoop& loop_;
  std::function<void(int)> on_signal_;
  UniqueFd fd_;
};

}  // namespace weir::app
