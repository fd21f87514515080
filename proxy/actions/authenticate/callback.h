#pragma once

#include "proxy/actions/action.h"
#include "proxy/actions/authenticate/authenticate.h"

#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

namespace weir::proxy {

struct Rule;  // routing/routing_table.h

// The logins of one listener: takes what providers send back, before any rule is asked. Immutable. Thread: any (const).
class LoginCallback {
 public:
  // The actions with the indexes of their rules.
  explicit LoginCallback(std::vector<std::pair<std::shared_ptr<const Authenticate>, std::size_t>> actions)
      : actions_(std::move(actions)) {}

  [[nodiscard]] static bool Takes(const http::RequestHead& head) { return head.parts.path == kCallbackPath; }
  // Waits for the provider's endpoints where the answer is a good one. `rule` is set to that of the action, where the
  // state says which one it is.
  [[nodiscard]] ActionOutcome Run(const ActionRequest& request, const Rule*& rule) const;

 private:
  std::vector<std::pair<std::shared_ptr<const Authenticate>, std::size_t>> actions_;
};

}  // namespace weir::proxy
