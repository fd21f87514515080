#pragma once

#include "proxy/actions/action.h"
#include "proxy/actions/authenticate/session.h"

#include <memory>
#include <string>

namespace weir::proxy {

class Authenticate;  // authenticate.h
struct ListenerSlot;

// Waits until the provider has given new tokens and claims for a session whose access token has expired. The request
// goes on with them, and the answer to it brings the new cookies; without them the session is over. Thread: worker.
class RefreshWork final : public ActionWork {
 public:
  // `action` lives as long as anybody waits. `cookie` is what the cookies of the session hold.
  RefreshWork(const Authenticate& action, std::string cookie, UserSession session, const ActionRequest& request);

  void Start(const http::RequestHead& head, const ActionHandle& handle) override;
  // Others may wait for the same; and what the provider gives must not be lost.
  void Cancel() override {}

 private:
  // While somebody waits.
  void GoOn(UserSession session, const http::RequestHead& head, const ActionHandle& handle);
  void EndSession(const http::RequestHead& head, const ActionHandle& handle);

  const Authenticate& action_;
  std::string cookie_;
  UserSession session_;
  std::shared_ptr<ListenerSlot> slot_;
  const Listener& listener_;
  WorkerState& worker_;
  const DataView& view_;
};

}  // namespace weir::proxy
