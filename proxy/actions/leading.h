#pragma once

// Builds the actions that stand before the last one of a rule.

#include "config/diagnostic.h"
#include "config/model.h"
#include "proxy/actions/action.h"

#include <cstddef>
#include <memory>
#include <string_view>
#include <vector>

namespace weir::proxy {

class JwksEndpoint;
class TlsCredentialStore;

// The endpoints of one table, each once: rules that name the same one share its keys, and the next table takes over
// what it has fetched. Thread: control.
class JwksEndpoints {
 public:
  // `known`: those of the table before.
  JwksEndpoints(std::size_t workers, std::vector<std::shared_ptr<JwksEndpoint>> known);
  // Null where the authorities cannot be had at all, or the URL is none, which is an error among `findings`; warnings
  // are those of the authorities. Blocks on the file system.
  [[nodiscard]] std::shared_ptr<JwksEndpoint> For(const config::JwtValidationAction& action,
                                                  TlsCredentialStore& credentials,
                                                  std::vector<config::Diagnostic>& findings);
  // All that were asked for.
  [[nodiscard]] const std::vector<std::shared_ptr<JwksEndpoint>>& used() const { return used_; }

 private:
  std::size_t workers_;
  std::vector<std::shared_ptr<JwksEndpoint>> known_;
  std::vector<std::shared_ptr<JwksEndpoint>> used_;
};

// What a leading action is built from, beside its settings, which the table's model owns.
struct LeadingActionParts {
  JwksEndpoints& jwks_endpoints;
  TlsCredentialStore& credentials;
  std::string_view load_balancer = {};  // its name
  std::string_view region = {};         // of this node; may be empty
  std::vector<config::Diagnostic>& findings;
};
// Null where something that it needs cannot be had, which is an error among the findings. Blocks on the file system.
// Thread: control.
[[nodiscard]] std::shared_ptr<const LeadingAction> BuildLeadingAction(const config::LeadingAction& action,
                                                                      const LeadingActionParts& parts);

}  // namespace weir::proxy
