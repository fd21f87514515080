#include "proxy/downstream/proxy_preamble.h"

#include "base/log.h"
#include "proxy/worker_state.h"

#include <algorithm>
#include <string>
#include <utility>

namespace weir::proxy {
namespace {

// A connection that was refused is one that was accepted. Whoever sends nothing, as checks of a port do, is no news.
void NoteRefusal(const WorkerState& worker, ListenerSlot& slot, const Endpoint& sender, ProxyHeaderFault fault,
                 std::string_view why) {
  slot.counters->connections_accepted.Add();
  slot.counters->proxy_header_faults[std::to_underlying(fault)].Add();
  if (fault == ProxyHeaderFault::kClosed) return;
  const SteadyTime now = worker.loop.now();
  if (slot.proxy_refusal_logged != SteadyTime{} && now - slot.proxy_refusal_logged < ProxyPreamble::kLogInterval) {
    ++slot.proxy_refusals_unlogged;
    return;
  }
  slot.proxy_refusal_logged = now;
  std::string line = "PROXY header refused load-balancer=" + slot.load_balancer + " bound=" + slot.bound.ToString() +
                     " sender=" + sender.ToString() + " reason=\"";
  line += why;
  line += '"';
  const std::uint64_t others = std::exchange(slot.proxy_refusals_unlogged, 0);
  if (others > 0) line += " others-since=" + std::to_string(others);
  LogWarning(line);
}

ProxyHeaderFault FaultOf(net::ProxyRefusal refusal) {
  switch (refusal) {
    case net::ProxyRefusal::kMalformed:
      return ProxyHeaderFault::kMalformed;
    case net::ProxyRefusal::kTooLong:
      return ProxyHeaderFault::kTooLong;
    case net::ProxyRefusal::kChecksum:
      return ProxyHeaderFault::kChecksum;
  }
  std::unreachable();
}

}  // namespace

void ProxyPreamble::Begin(WorkerState& worker, DownstreamConnections& connections,
                          const std::shared_ptr<ListenerSlot>& slot, std::unique_ptr<net::TcpStream> stream) {
  const auto& senders = slot->listener->listener_config->attributes.proxy_senders;
  const IpAddress sender = stream->peer().address.Unmapped();
  if (std::ranges::any_of(senders, [&sender](const CidrBlock& block) { return block.Contains(sender); })) {
    connections.Add(std::make_unique<ProxyPreamble>(worker, connections, slot, std::move(stream)));
    return;
  }
  NoteRefusal(worker, *slot, stream->peer(), ProxyHeaderFault::kSender, "not one of weir.proxy_protocol.senders");
}

ProxyPreamble::ProxyPreamble(WorkerState& worker, DownstreamConnections& connections,
                             std::shared_ptr<ListenerSlot> slot, std::unique_ptr<net::TcpStream> stream)
    : worker_(worker), connections_(connections), slot_(std::move(slot)), stream_(std::move(stream)) {
  stream_->set_events(*this);
  worker_.loop.timers().Schedule(*this, worker_.loop.now() + kDeadline);
}

ProxyPreamble::~ProxyPreamble() = default;

// The header stays in the socket until it is whole: what follows it is for others to read.
void ProxyPreamble::OnReadable() {
  if (stream_ == nullptr) return;
  char* const buffer = worker_.read_buffer.data();
  const net::IoResult seen = stream_->Peek({buffer, net::kProxyHeaderBytesMax});
  if (seen.status == net::IoStatus::kWouldBlock) return;
  if (seen.status != net::IoStatus::kOk) return Refuse(ProxyHeaderFault::kClosed, "closed before it");
  const net::ProxyParse parsed = net::ParseProxyHeader({buffer, seen.bytes});
  switch (parsed.status) {
    case net::ProxyParse::Status::kNeedMore:
      if (stream_->peer_closed()) Refuse(ProxyHeaderFault::kMalformed, "closed within it");
      return;
    case net::ProxyParse::Status::kRefused:
      return Refuse(FaultOf(parsed.refusal), parsed.why);
    case net::ProxyParse::Status::kDone:
      return Accept(parsed);
  }
}

void ProxyPreamble::Accept(const net::ProxyParse& parsed) {
  const net::IoResult taken = stream_->Read({worker_.read_buffer.data(), parsed.size});
  if (taken.bytes != parsed.size) return Refuse(ProxyHeaderFault::kClosed, "closed behind it");
  slot_->counters->proxy_headers[parsed.header.version == net::ProxyVersion::kV1 ? 0 : 1].Add();
  if (!parsed.header.is_local) stream_->Rename(parsed.header.source, parsed.header.destination);
  stream_->TellAgain();
  BeginDownstreamConnection(worker_, connections_, slot_, std::move(stream_));
  Leave();
}

void ProxyPreamble::OnTimer() {
  if (stream_ != nullptr) Refuse(ProxyHeaderFault::kTimeout, "it did not come within 10 s");
}

void ProxyPreamble::Refuse(ProxyHeaderFault fault, std::string_view why) {
  NoteRefusal(worker_, *slot_, stream_->peer(), fault, why);
  Abort();
}

void ProxyPreamble::Abort() {
  stream_->Close(net::Stream::CloseMode::kGraceful);
  Leave();
}

void ProxyPreamble::Leave() {
  net::Timer::Cancel();
  connections_.Remove(worker_, *this);
}

}  // namespace weir::proxy
