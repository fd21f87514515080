// The half of Exchange that is a tunnel: what was a request and its response goes on as content that neither side
// announced the end of. Each side ends its own (a FIN, over TLS after close_notify), the other goes on; a side that
// breaks breaks the other.
#include "proxy/exchange.h"

#include <utility>

namespace weir::proxy {
namespace {

constexpr Content kEnd{.bytes = {}, .pipe = nullptr, .end = ContentEnd::kLast, .trailers = nullptr};

}  // namespace

// From here on it is counted as a connection, not as an exchange: its duration says nothing about the load balancer.
void Exchange::OpenTunnel(const http::ResponseHead& head, ResponseMessage& response, const Content& content) {
  if (!message_.asks_for_websocket) return Fail(ErrorCode::kTargetResponseMalformed);
  run_.timing.answered = worker_.loop.now();
  run_.response.target_status = head.status;
  run_.response.status = run_.request.asks_for_tunnel ? 200 : head.status;
  CountResponse(head.status);
  ListenerCounters& counters = listener_counters();
  counters.responses.Add(run_.response.status);
  counters.exchange_duration.Record(worker_.loop.now() - run_.timing.begun);
  counters.websockets.Add();
  counters.websockets_active.Add();

  run_.request.complete = false;
  run_.attempt.replayable = false;
  held_.Clear();
  RequestMessage freed;  // it may be long until the next one
  std::swap(message_, freed);
  run_.response.head_sent = true;
  run_.response.is_tunnel = true;
  response.opens_tunnel = true;
  run_.downstream->SendResponse(response, content);
  PauseResponseWhileCongested();
}

void Exchange::SendIntoTunnel(const Content& content) {
  run_.request.complete = content.is_last();
  run_.attempt.stream->SendContent(content);
  if (run_.request.complete) {
    FinishTunnelWhenOver();
  } else {
    PauseRequestWhileCongested();
  }
}

// Both sides have ended, and the target has taken everything: what it has not would be lost with its connection.
void Exchange::FinishTunnelWhenOver() {
  if (!run_.request.complete || !run_.response.tunnel_ended || run_.attempt.stream->congested()) return;
  ReleaseUpstream(UpstreamStream::Reusable::kNever);
  Finish();
}

// Ends both sides, where they have not ended: nobody is to blame, and what is on its way may arrive.
void Exchange::EndTunnel(std::optional<ErrorCode> reason) {
  if (reason) {
    run_.response.error_reason = TraitsOf(*reason).reason;
    listener_counters().errors[std::to_underlying(*reason)].Add();
  }
  if (!std::exchange(run_.request.complete, true)) run_.attempt.stream->SendContent(kEnd);
  if (!std::exchange(run_.response.tunnel_ended, true)) run_.downstream->SendContent(kEnd);
  ReleaseUpstream(UpstreamStream::Reusable::kNever);
  Finish();
}

// Where bytes wait for somebody to take them, they are lost with the tunnel: both sides have to notice.
void Exchange::OnIdleTunnel() {
  if (run_.downstream->congested()) {
    Fail(ErrorCode::kResponseStalled);
  } else if (run_.attempt.stream->congested()) {
    Fail(ErrorCode::kTargetResponseIncomplete);
  } else {
    EndTunnel(ErrorCode::kTunnelIdle);
  }
}

}  // namespace weir::proxy
