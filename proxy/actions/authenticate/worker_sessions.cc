#include "proxy/actions/authenticate/worker_sessions.h"

#include "proxy/routing/routing_table.h"
#include "proxy/worker_state.h"

namespace weir::proxy {

WorkerSessions& WorkerSessions::Of(WorkerState& worker, const RoutingTable& table) {
  if (worker.sessions == nullptr) {
    const auto ask = [&worker](outbound::Request request, outbound::HttpClient::OnAnswer done) {
      return worker.http_client->Start(std::move(request), std::move(done));
    };
    worker.sessions = std::make_unique<WorkerSessions>(worker.loop, ask);
  }
  WorkerSessions& sessions = *worker.sessions;
  if (sessions.sealer_ == nullptr || sessions.sealer_->keys() != table.stickiness_keys()) {
    sessions.sealer_ = std::make_unique<TextSealer>(table.stickiness_keys());
    sessions.signing_key_ = table.claim_keys().front();
  }
  return sessions;
}

}  // namespace weir::proxy
