#include "proxy/actions/authenticate/refreshes.h"

#include "net/sha256.h"

#include <utility>

namespace weir::proxy {

void SessionRefreshes::Join(const std::string& cookie, const MakeQuery& make, const AskProvider& ask, OnDone done) {
  ForgetOld();
  const std::string key = net::Sha256(cookie);
  if (const auto known = refreshes_.find(key); known != refreshes_.end()) {
    Refresh& refresh = known->second;
    if (refresh.outcome) return done(*refresh.outcome);
    refresh.waiting.push_back(std::move(done));
    return;
  }
  if (refreshes_.size() >= kMax && !ForgetOldest()) return done(std::unexpected(ErrorCode::kAuthUnhandled));
  Refresh& refresh = refreshes_[key];
  refresh.waiting.push_back(std::move(done));
  refresh.query = make([this, key](ProviderQuery::Outcome outcome) { OnAnswer(key, std::move(outcome)); });
  refresh.query->Start(ask);
}

void SessionRefreshes::ForgetOld() {
  const SteadyTime now = loop_.now();
  std::erase_if(refreshes_, [now](const auto& entry) {
    return entry.second.outcome.has_value() && entry.second.forgotten_at <= now;
  });
}

bool SessionRefreshes::ForgetOldest() {
  auto oldest = refreshes_.end();
  for (auto at = refreshes_.begin(); at != refreshes_.end(); ++at) {
    if (!at->second.outcome) continue;
    if (oldest == refreshes_.end() || at->second.forgotten_at < oldest->second.forgotten_at) oldest = at;
  }
  if (oldest == refreshes_.end()) return false;
  refreshes_.erase(oldest);
  return true;
}

void SessionRefreshes::OnAnswer(const std::string& key, ProviderQuery::Outcome outcome) {
  const auto found = refreshes_.find(key);
  if (found == refreshes_.end()) return;
  Refresh& refresh = found->second;
  loop_.DestroyLater(std::move(refresh.query));
  refresh.outcome = std::move(outcome);
  refresh.forgotten_at = loop_.now() + kKept;
  // Whoever is told may end in another refresh: the table may change meanwhile.
  const ProviderQuery::Outcome told = *refresh.outcome;
  const auto waiting = std::exchange(refresh.waiting, {});
  for (const OnDone& done : waiting) done(told);
}

}  // namespace weir::proxy
