#include "proxy/downstream/tls_handshake.h"

#include "net/tls_server.h"
#include "proxy/worker_state.h"

#include <utility>

namespace weir::proxy {

TlsHandshake::TlsHandshake(WorkerState& worker, DownstreamConnections& connections, std::shared_ptr<ListenerSlot> slot,
                           std::unique_ptr<net::Stream> transport)
    : worker_(worker), connections_(connections), slot_(std::move(slot)) {
  stream_ = slot_->tls->Accept(std::move(transport), *this);
  slot_->counters->tls.handshakes_active.Add();
  worker_.loop.timers().Schedule(*this, worker_.loop.now() + kDeadline);
}

TlsHandshake::~TlsHandshake() = default;

void TlsHandshake::OnConnected(int error) {
  if (stream_ == nullptr) return;  // aborted
  if (error != 0) return Fail();
  slot_->counters->tls.Note(*stream_->tls());
  // Takes the stream's events over: what is readable already goes there when this call returns.
  connections_.Add(MakeDownstreamConnection(worker_, connections_, slot_, std::move(stream_)));
  Leave();
}

void TlsHandshake::OnTimer() { Fail(); }

void TlsHandshake::Fail() {
  slot_->counters->connections_accepted.Add();
  slot_->counters->tls.Note(stream_->failure());
  Abort();
}

void TlsHandshake::Abort() {
  stream_->Close(net::Stream::CloseMode::kGraceful);
  Leave();
}

void TlsHandshake::Leave() {
  net::Timer::Cancel();
  slot_->counters->tls.handshakes_active.Subtract();
  connections_.Remove(worker_, *this);
}

}  // namespace weir::proxy
