#pragma once

#include "base/clock.h"
#include "net/event_loop.h"
#include "proxy/actions/authenticate/provider_query.h"

#include <chrono>
#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace weir::proxy {

// Sessions that are being refreshed, and those that were a moment ago. A browser sends several requests with one
// cookie: the provider is asked once, since it may take a refresh token once only. What it said serves those with the
// old cookie for a while, also when whoever asked first has gone away. Of one worker. Thread: worker.
class SessionRefreshes {
 public:
  using OnDone = std::function<void(const ProviderQuery::Outcome&)>;
  // What is made when nobody asks for the session yet.
  using MakeQuery = std::function<std::unique_ptr<ProviderQuery>(ProviderQuery::OnDone)>;

  explicit SessionRefreshes(net::EventLoop& loop) : loop_(loop) {}
  ~SessionRefreshes() = default;
  SessionRefreshes(const SessionRefreshes&) = delete;
  SessionRefreshes& operator=(const SessionRefreshes&) = delete;

  // `cookie` is what the session's cookies hold. `done` may be called at once; it must not count on anybody waiting any
  // more. With kMax sessions under way it fails.
  void Join(const std::string& cookie, const MakeQuery& make, const AskProvider& ask, OnDone done);

  // Our choice: longer than a page takes to load, and a bound that no login page reaches.
  static constexpr std::chrono::seconds kKept{60};
  static constexpr std::size_t kMax = 4096;

 private:
  struct Refresh {
    std::unique_ptr<ProviderQuery> query;  // null: it was answered
    std::vector<OnDone> waiting;
    std::optional<ProviderQuery::Outcome> outcome;
    SteadyTime forgotten_at;
  };
  void ForgetOld();
  // Of those that were answered; false: none was.
  [[nodiscard]] bool ForgetOldest();
  void OnAnswer(const std::string& key, ProviderQuery::Outcome outcome);

  net::EventLoop& loop_;
  std::map<std::string, Refresh> refreshes_;  // by a hash of the cookie
};

}  // namespace weir::proxy
