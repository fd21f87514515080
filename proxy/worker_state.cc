#include "proxy/worker_state.h"

#include "proxy/exchange.h"

namespace weir::proxy {

WorkerState::WorkerState(net::EventLoop& event_loop, std::size_t worker_index)
    : loop(event_loop), worker(worker_index), log_flush_timer([this] { access_log->Flush(); }) {}

WorkerState::~WorkerState() = default;

}  // namespace weir::proxy
