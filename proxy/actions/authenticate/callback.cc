#include "proxy/actions/authenticate/callback.h"

#include "http/form_urlencoded.h"
#include "proxy/actions/authenticate/login_work.h"
#include "proxy/actions/authenticate/worker_sessions.h"
#include "proxy/balancing/sticky_cookie.h"
#include "proxy/worker_state.h"

#include <algorithm>
#include <string>

namespace weir::proxy {
namespace {

// By the browser and under the name that it began with, and in time.
bool IsOf(const LoginState& state, const http::RequestHead& head, WallTime now) {
  if (now - state.begun > kLoginMax || AuthorityOf(head) != state.authority) return false;
  const auto nonce = FindCookie(head.fields, kNonceCookie);
  return nonce && *nonce == state.browser;
}

}  // namespace

ActionOutcome LoginCallback::Run(const ActionRequest& request, const Rule*& rule) const {
  using enum ErrorCode;
  const std::string_view query = request.head.parts.query;
  const auto sealed = http::FindFormField(query, "state");
  if (!sealed || sealed->empty()) return ActionOutcome::Fail(kAuthMissingState);
  TextSealer& sealer = WorkerSessions::Of(request.worker, *request.view.routing).sealer();
  const auto opened = sealer.Open(kLoginStatePurpose, *sealed);
  const auto state = opened ? DecodeLoginState(*opened) : std::nullopt;
  if (!state) return ActionOutcome::Fail(kAuthInvalidState);
  const auto found =
      std::ranges::find_if(actions_, [&](const auto& entry) { return entry.first->plan()->id == state->action; });
  if (found == actions_.end()) return ActionOutcome::Fail(kAuthInvalidState);
  rule = &request.listener.rules[found->second];
  if (!IsOf(*state, request.head, request.worker.loop.wall_now())) return ActionOutcome::Fail(kAuthInvalidState);
  const auto error = http::FindFormField(query, "error");
  if (error) return ActionOutcome::Fail(*error == "access_denied" ? kAuthAccessDenied : kAuthProviderError);
  auto code = http::FindFormField(query, "code");
  if (!code || code->empty()) return ActionOutcome::Fail(kAuthMissingCode);
  return request.Wait(std::make_unique<LoginWork>(found->first->plan(), std::move(*code), *state, request));
}

}  // namespace weir::proxy
