#include "proxy/worker_state.h"

#include "proxy/actions/authenticate/worker_sessions.h"
#include "proxy/exchange.h"

namespace weir::proxy {

WorkerState::WorkerState(net::EventLoop& event_loop, std::size_t worker_index)
    : loop(event_loop), worker(worker_index), log_flush_timer([this] { access_log->Flush(); }) {}

WorkerState::~WorkerState() = default;

void WorkerState::FlushLogsSoon() {
  if (!log_flush_timer.scheduled()) loop.timers().Schedule(log_flush_timer, loop.now() + AccessLog::kFlushInterval);
}

}  // namespace weir::proxy
