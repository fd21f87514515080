#pragma once

#include "proxy/actions/action.h"
#include "proxy/actions/authenticate/login_state.h"
#include "proxy/actions/authenticate/provider_query.h"

#include <memory>
#include <string>

namespace weir::proxy {

struct ListenerSlot;

// Waits until the provider has given tokens and claims for the code that it sent the user back with: then the user is
// sent to where they wanted to go, with the cookies of the session. Thread: worker.
class LoginWork final : public ActionWork {
 public:
  LoginWork(std::shared_ptr<const AuthenticationPlan> plan, std::string code, LoginState state,
            const ActionRequest& request);

  void Start(const http::RequestHead& head, const ActionHandle& handle) override;
  void Cancel() override { query_.reset(); }

 private:
  void OnAnswer(ProviderQuery::Outcome outcome, SteadyTime begun, const ActionHandle& handle);

  std::shared_ptr<const AuthenticationPlan> plan_;
  std::string code_;
  LoginState state_;
  std::shared_ptr<ListenerSlot> slot_;
  const Listener& listener_;
  WorkerState& worker_;
  const DataView& view_;
  std::unique_ptr<ProviderQuery> query_;
};

}  // namespace weir::proxy
