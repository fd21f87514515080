#include "proxy/downstream/tls_handshake.h"

#include "net/tls_server.h"
#include "proxy/downstream/connection_notes.h"
#include "proxy/worker_state.h"

#include <utility>

namespace weir::proxy {

TlsHandshake::TlsHandshake(WorkerState& worker, DownstreamConnections& connections, std::shared_ptr<ListenerSlot> slot,
                           std::unique_ptr<net::Stream> transport)
    : worker_(worker), connections_(connections), slot_(std::move(slot)), begun_(worker.loop.now()) {
  stream_ = slot_->tls->Accept(std::move(transport), *this);
  slot_->counters->tls.handshakes_active.Add();
  worker_.loop.timers().Schedule(*this, worker_.loop.now() + kDeadline);
}

TlsHandshake::~TlsHandshake() = default;

void TlsHandshake::OnConnected(int error) {
  if (stream_ == nullptr || ended_ != nullptr) return;  // aborted
  if (error != 0) return Fail();
  slot_->counters->tls.Note(*stream_->tls());
  auto id = NoteConnection(
      worker_, *slot_, *stream_,
      {.tls = stream_->tls(), .handshake_seconds = std::chrono::duration<double>(worker_.loop.now() - begun_).count()});
  // Takes the stream's events over: what is readable already goes there when this call returns.
  connections_.Add(MakeDownstreamConnection(worker_, connections_, slot_, std::move(stream_), std::move(id)));
  slot_->counters->tls.handshakes_active.Subtract();
  Leave();
}

void TlsHandshake::OnTimer() {
  if (ended_ != nullptr) return Abort();
  Fail();
}

void TlsHandshake::Fail() {
  slot_->counters->connections_accepted.Add();
  slot_->counters->tls.Note(stream_->failure());
  slot_->counters->tls.handshakes_active.Subtract();
  if (slot_->listener->load_balancer_config->connection_log) {
    const net::TlsFacts facts = stream_->FactsOfFailure();
    NoteConnection(worker_, *slot_, *stream_,
                   {.tls = &facts, .failed = true, .fault = stream_->failure().certificate_fault});
  }
  if (stream_->failure().alert_sent && stream_->open()) ended_ = stream_->TakeTransport(*this);
  if (ended_ != nullptr) return Linger();
  stream_->Close(net::Stream::CloseMode::kGraceful);
  Leave();
}

void TlsHandshake::Linger() {
  ended_->ShutdownWrite();
  worker_.loop.timers().Schedule(*this, worker_.loop.now() + kLingerTime);
  OnReadable();
}

void TlsHandshake::OnReadable() {
  if (ended_ == nullptr) return;
  while (ended_->readable() && discarded_ <= kLingerBytesMax) {
    const net::IoResult got = ended_->Read({worker_.read_buffer.data(), WorkerState::kReadBytesMax});
    if (got.status == net::IoStatus::kWouldBlock) return;
    if (got.status != net::IoStatus::kOk) return Abort();
    discarded_ += got.bytes;
  }
  if (discarded_ > kLingerBytesMax || ended_->read_to_end()) Abort();
}

void TlsHandshake::CloseWhenIdle() {
  if (ended_ != nullptr && ended_->acknowledged()) Abort();
}

void TlsHandshake::Abort() {
  if (ended_ != nullptr) {
    ended_->Close(net::Stream::CloseMode::kGraceful);
  } else {
    stream_->Close(net::Stream::CloseMode::kGraceful);
    slot_->counters->tls.handshakes_active.Subtract();
  }
  Leave();
}

void TlsHandshake::Leave() {
  net::Timer::Cancel();
  connections_.Remove(worker_, *this);
}

}  // namespace weir::proxy
