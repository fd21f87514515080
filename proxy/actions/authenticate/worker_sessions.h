#pragma once

#include "net/cookie_cipher.h"
#include "net/signing_key.h"
#include "proxy/actions/authenticate/provider_query.h"
#include "proxy/actions/authenticate/refreshes.h"
#include "proxy/actions/authenticate/sealed_text.h"

#include <memory>
#include <utility>

namespace weir::proxy {

class RoutingTable;
struct WorkerState;

// What the authenticate actions of one worker share. Made by the first request that has one. Thread: worker.
class WorkerSessions {
 public:
  // Of the worker, with the keys of the table that the request goes by.
  [[nodiscard]] static WorkerSessions& Of(WorkerState& worker, const RoutingTable& table);

  WorkerSessions(net::EventLoop& loop, AskProvider ask) : ask_(std::move(ask)), refreshes_(loop) {}

  [[nodiscard]] TextSealer& sealer() { return *sealer_; }
  [[nodiscard]] const net::SigningKey& signing_key() const { return *signing_key_; }
  [[nodiscard]] SessionRefreshes& refreshes() { return refreshes_; }
  [[nodiscard]] const AskProvider& ask() const { return ask_; }

 private:
  AskProvider ask_;
  std::unique_ptr<TextSealer> sealer_;
  std::shared_ptr<const net::SigningKey> signing_key_;
  SessionRefreshes refreshes_;
};

}  // namespace weir::proxy
