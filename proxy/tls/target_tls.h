#pragma once

// From what a target group is configured with to how its targets are spoken to. spec: alb.md 18.4.

#include "base/clock.h"
#include "config/diagnostic.h"
#include "config/model.h"

#include <cstdint>
#include <memory>
#include <vector>

namespace weir::net {
struct TlsClientPlan;
struct TlsPolicy;
}  // namespace weir::net

namespace weir::proxy {

class TlsCredentialStore;

// That of the HTTPS listeners of all load balancers that forward to the group at `group` of the model.
[[nodiscard]] const net::TlsPolicy& TargetPolicyOf(const config::Model& model, std::uint32_t group);

// How TLS is spoken to the targets of the group, by requests or by health checks; null where nothing of it is by HTTPS,
// and where a file cannot be had at all, which is an error among `findings`. Warnings are those of LoadCredential, and
// the same for the authorities. Blocks on the file system. Thread: control.
[[nodiscard]] std::shared_ptr<const net::TlsClientPlan> BuildTargetTls(const config::Model& model, std::uint32_t group,
                                                                       TlsCredentialStore& credentials, WallTime now,
                                                                       std::vector<config::Diagnostic>& findings);

}  // namespace weir::proxy
