#include "proxy/actions/authenticate/refresh_work.h"

#include "proxy/actions/authenticate/authenticate.h"
#include "proxy/actions/authenticate/worker_sessions.h"
#include "proxy/balancing/sticky_cookie.h"
#include "proxy/downstream/connection_facts.h"
#include "proxy/worker_state.h"

#include <utility>

namespace weir::proxy {

RefreshWork::RefreshWork(const Authenticate& action, std::string cookie, UserSession session,
                         const ActionRequest& request)
    : action_(action),
      cookie_(std::move(cookie)),
      session_(std::move(session)),
      slot_(request.connection.slot),
      listener_(request.listener),
      worker_(request.worker),
      view_(request.view) {}

void RefreshWork::Start(const http::RequestHead& head, const ActionHandle& handle) {
  WorkerSessions& sessions = WorkerSessions::Of(worker_, *view_.routing);
  // This is gone when nobody waits any more: the query holds what it needs itself.
  const auto make = [&](ProviderQuery::OnDone done) {
    const auto count = [slot = slot_, done = std::move(done)](ProviderQuery::Outcome outcome) {
      auto& counters = slot->counters->authentication;
      (outcome ? counters.refreshes : counters.failed_refreshes).Add();
      done(std::move(outcome));
    };
    TokenGrant grant;
    grant.refresh_token = session_.refresh_token;
    grant.identity = session_.identity;
    return std::make_unique<ProviderQuery>(worker_.loop, action_.plan(), std::move(grant), count);
  };
  sessions.refreshes().Join(cookie_, make, sessions.ask(),
                            [this, &head, handle](const ProviderQuery::Outcome& outcome) {
                              if (!handle.awaited()) return;
                              if (outcome) return GoOn(*outcome, head, handle);
                              // The provider was not asked: the session may be good.
                              if (outcome.error() == ErrorCode::kAuthUnhandled) return handle.Fail(outcome.error());
                              EndSession(head, handle);
                            });
}

void RefreshWork::GoOn(UserSession session, const http::RequestHead& head, const ActionHandle& handle) {
  WorkerSessions& sessions = WorkerSessions::Of(worker_, *view_.routing);
  session.ends = session_.ends;  // as it was when the user signed in
  const AuthenticationPlan& plan = *action_.plan();
  const WallTime now = worker_.loop.wall_now();
  ActionAdditions additions;
  additions.request_fields = action_.ClaimFields(session, sessions, now);
  const bool fits = AppendSessionCookies(
      plan.config.session_cookie_name, sessions.sealer().Seal(plan.session_purpose, EncodeSession(session)),
      NeedsSameSiteNone(head.fields) ? SameSite::kNone : SameSite::kDefault, now, additions.response_fields);
  if (!fits) return handle.Fail(ErrorCode::kAuthClaimsTooLarge);
  handle.GoOn(std::move(additions));
}

void RefreshWork::EndSession(const http::RequestHead& head, const ActionHandle& handle) {
  WorkerSessions& sessions = WorkerSessions::Of(worker_, *view_.routing);
  const ActionOutcome outcome = action_.OnMissing(Authenticate::Missing::kExpired, head, listener_, worker_, sessions);
  switch (outcome.kind) {
    case ActionOutcome::Kind::kRespond:
      return handle.Respond(worker_.generated);
    case ActionOutcome::Kind::kFail:
      return handle.Fail(outcome.error);
    default:
      return handle.GoOn();
  }
}

}  // namespace weir::proxy
