#include "proxy/downstream/connection_notes.h"

#include "net/stream.h"
#include "proxy/log/connection_log.h"

namespace weir::proxy {

std::unique_ptr<const std::string> NoteConnection(WorkerState& worker, const ListenerSlot& slot,
                                                  const net::Stream& stream, const ConnectionOutcome& outcome) {
  const auto& log = slot.listener->load_balancer_config->connection_log;
  if (!log) return nullptr;
  auto id = std::make_unique<const std::string>(MakeConnectionId(worker.random));
  worker.access_log->Append(*log, ConnectionLogRecord{.time = worker.loop.wall_now(),
                                                      .client = {stream.peer().address.Unmapped(), stream.peer().port},
                                                      .listener_port = slot.bound.port,
                                                      .tls = outcome.tls,
                                                      .failed = outcome.failed,
                                                      .fault = outcome.fault,
                                                      .handshake_seconds = outcome.handshake_seconds,
                                                      .connection_id = *id,
                                                      .load_balancer = slot.listener->load_balancer,
                                                      .node = stream.local().address});
  worker.FlushLogsSoon();
  return id;
}

}  // namespace weir::proxy
