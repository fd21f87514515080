#pragma once

#include "proxy/actions/action.h"
#include "proxy/actions/authenticate/login_state.h"
#include "proxy/actions/authenticate/plan.h"
#include "proxy/actions/authenticate/session.h"

#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace weir::proxy {

class WorkerSessions;  // worker_sessions.h

// Lets requests of users go on who have signed in, and says who they are; sends others to the provider, or does what
// `on-unauthenticated-request` says. spec: alb.md 5.4. Thread: any (const).
class Authenticate final : public LeadingAction {
 public:
  explicit Authenticate(std::shared_ptr<const AuthenticationPlan> plan) : plan_(std::move(plan)) {}

  [[nodiscard]] ActionOutcome Run(const ActionRequest& request) const override;
  [[nodiscard]] std::string_view name() const override { return "authenticate"; }
  [[nodiscard]] std::string Explain() const override;

  [[nodiscard]] const std::shared_ptr<const AuthenticationPlan>& plan() const { return plan_; }

  // Of a request that bears no session that holds.
  enum class Missing : unsigned char { kNone, kInvalid, kExpired };
  // What is done with it; a response is in WorkerState::generated.
  [[nodiscard]] ActionOutcome OnMissing(Missing missing, const http::RequestHead& head, const Listener& listener,
                                        WorkerState& worker, WorkerSessions& sessions) const;
  // What goes to the target of a user who has signed in.
  [[nodiscard]] FieldBlock ClaimFields(const UserSession& session, const WorkerSessions& sessions, WallTime now) const;

 private:
  [[nodiscard]] ActionOutcome Redirect(const http::RequestHead& head, const Listener& listener, WorkerState& worker,
                                       WorkerSessions& sessions) const;

  std::shared_ptr<const AuthenticationPlan> plan_;
};

// Where the provider is asked to sign the user in, and to send them back with this state, sealed.
[[nodiscard]] std::string AuthorizationUrl(const AuthenticationPlan& plan, const LoginState& state,
                                           std::string_view sealed);

}  // namespace weir::proxy
