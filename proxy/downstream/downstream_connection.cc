#include "proxy/downstream/downstream_connection.h"

#include "net/tls_facts.h"
#include "proxy/downstream/client_gate.h"
#include "proxy/downstream/connection_notes.h"
#include "proxy/downstream/http1_connection.h"
#include "proxy/downstream/http2_connection.h"
#include "proxy/downstream/preface_reader.h"
#include "proxy/downstream/tls_handshake.h"
#include "proxy/worker_state.h"

#include <utility>

namespace weir::proxy {

void DownstreamConnections::Add(std::unique_ptr<DownstreamConnection> connection) {
  connection->index_ = all_.size();
  all_.push_back(std::move(connection));
}

void DownstreamConnections::Remove(WorkerState& worker, DownstreamConnection& connection) {
  const std::size_t index = connection.index_;
  std::unique_ptr<DownstreamConnection> owned = std::move(all_[index]);
  if (index + 1 != all_.size()) {
    all_[index] = std::move(all_.back());
    all_[index]->index_ = index;
  }
  all_.pop_back();
  worker.loop.DestroyLater(std::move(owned));
  if (worker.room_awaited != nullptr) worker.loop.RunSoon(*worker.room_awaited);
}

std::unique_ptr<DownstreamConnection> MakeDownstreamConnection(WorkerState& worker, DownstreamConnections& connections,
                                                               std::shared_ptr<ListenerSlot> slot,
                                                               std::unique_ptr<net::Stream> stream,
                                                               std::unique_ptr<const std::string> id) {
  const net::TlsFacts* const tls = stream->tls();
  if (tls != nullptr && tls->alpn == "h2") {
    return std::make_unique<Http2Connection>(worker, connections, std::move(slot), std::move(stream), std::move(id),
                                             std::string_view());
  }
  if (tls == nullptr && slot->listener->listener_config->attributes.http2_cleartext) {
    return std::make_unique<PrefaceReader>(worker, connections, std::move(slot), std::move(stream), std::move(id));
  }
  return std::make_unique<Http1Connection>(worker, connections, std::move(slot), std::move(stream), std::move(id));
}

void BeginDownstreamConnection(WorkerState& worker, DownstreamConnections& connections,
                               const std::shared_ptr<ListenerSlot>& slot, std::unique_ptr<net::Stream> stream) {
  if (slot->tls != nullptr) {
    connections.Add(std::make_unique<TlsHandshake>(worker, connections, slot, std::move(stream)));
    return;
  }
  auto id = NoteConnection(worker, *slot, *stream, {});
  connections.Add(MakeDownstreamConnection(worker, connections, slot, std::move(stream), std::move(id)));
}

}  // namespace weir::proxy
