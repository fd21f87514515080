#include "proxy/actions/authenticate/login_work.h"

#include "proxy/actions/authenticate/worker_sessions.h"
#include "proxy/downstream/connection_facts.h"
#include "proxy/worker_state.h"

#include <chrono>
#include <utility>

namespace weir::proxy {

LoginWork::LoginWork(std::shared_ptr<const AuthenticationPlan> plan, std::string code, LoginState state,
                     const ActionRequest& request)
    : plan_(std::move(plan)),
      code_(std::move(code)),
      state_(std::move(state)),
      slot_(request.connection.slot),
      listener_(request.listener),
      worker_(request.worker),
      view_(request.view) {}

void LoginWork::Start(const http::RequestHead& /*head*/, const ActionHandle& handle) {
  TokenGrant grant;
  grant.code = code_;
  grant.redirect_uri = RedirectUri(state_.authority);
  grant.nonce = state_.nonce;
  grant.verifier = state_.verifier;
  query_ = std::make_unique<ProviderQuery>(worker_.loop, plan_, std::move(grant),
                                           [this, handle, begun = worker_.loop.now()](ProviderQuery::Outcome outcome) {
                                             if (handle.awaited()) OnAnswer(std::move(outcome), begun, handle);
                                           });
  query_->Start(WorkerSessions::Of(worker_, *view_.routing).ask());
}

void LoginWork::OnAnswer(ProviderQuery::Outcome outcome, SteadyTime begun, const ActionHandle& handle) {
  auto& counters = slot_->counters->authentication;
  counters.latency.Record(worker_.loop.now() - begun);
  if (!outcome) return handle.Fail(outcome.error());
  WorkerSessions& sessions = WorkerSessions::Of(worker_, *view_.routing);
  const WallTime now = worker_.loop.wall_now();
  outcome->ends = std::chrono::floor<std::chrono::seconds>(now) + plan_->config.session_timeout;
  const std::string sealed = sessions.sealer().Seal(plan_->session_purpose, EncodeSession(*outcome));
  FieldBlock cookies;
  if (!AppendSessionCookies(plan_->config.session_cookie_name, sealed, state_.same_site, now, cookies)) {
    return handle.Fail(ErrorCode::kAuthClaimsTooLarge);
  }
  counters.successes.Add();
  GeneratedResponse& response = worker_.generated;
  response.location.clear();
  AppendOriginalUri(state_, response.location);
  BuildRedirectResponse(302, worker_.date.At(now), listener_.listener_config->attributes, response);
  response.fields += cookies;
  handle.Respond(response);
}

}  // namespace weir::proxy
