#pragma once

// From what a listener is configured with to how it speaks TLS. spec: alb.md 18.1 to 18.3.

#include "base/clock.h"
#include "config/diagnostic.h"
#include "config/model.h"

#include <memory>
#include <string>
#include <vector>

namespace weir::net {
struct TlsServerPlan;
class TlsTrustStore;
}  // namespace weir::net

namespace weir::proxy {

class TlsCredentialStore;

// By index of config::Model::trust_stores; null where one cannot be had.
using TrustStores = std::vector<std::shared_ptr<const net::TlsTrustStore>>;

// Those of the model, in its order. Errors: one that cannot be had at all. Warnings: a changed file that cannot be
// used, while what it was serves on; authorities that have expired, lists that are out of date. Blocks on the file
// system. Thread: control.
[[nodiscard]] TrustStores LoadTrustStores(const config::Model& model, TlsCredentialStore& credentials, WallTime now,
                                          std::vector<config::Diagnostic>& findings);
// What AWS would refuse in their files, as warnings.
[[nodiscard]] std::vector<config::Diagnostic> AwsObjections(const config::Model& model,
                                                            const TrustStores& trust_stores);

// Null for a listener without TLS, and where a certificate cannot be had at all, which is an error among `findings`, or
// a trust store, which was one. Warnings: certificates that have expired, are not valid yet or lack their issuer; a
// changed file that cannot be used, while what it was serves on; groups of the policy that the OpenSSL at hand does not
// have. Blocks on the file system. Thread: control.
[[nodiscard]] std::shared_ptr<const net::TlsServerPlan> BuildTlsPlan(const config::LoadBalancer& load_balancer,
                                                                     const config::Listener& listener,
                                                                     std::size_t listener_index,
                                                                     TlsCredentialStore& credentials,
                                                                     const TrustStores& trust_stores, WallTime now,
                                                                     std::vector<config::Diagnostic>& findings);
// True when both would make the same server, so that the one that is there can stay.
[[nodiscard]] bool SameTlsPlan(const net::TlsServerPlan& left, const net::TlsServerPlan& right);

}  // namespace weir::proxy
