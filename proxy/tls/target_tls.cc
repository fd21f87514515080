#include "proxy/tls/target_tls.h"

#include "base/check.h"
#include "config/forwarding.h"
#include "config/http_versions.h"
#include "net/tls_client.h"
#include "proxy/tls/credential_store.h"

#include <algorithm>
#include <utility>

namespace weir::proxy {
namespace {

bool ForwardsTo(const config::LoadBalancer& balancer, std::uint32_t group) {
  return !EachForwardedGroup(balancer, [group](std::uint32_t forwarded) { return forwarded != group; });
}

}  // namespace

const net::TlsPolicy& TargetPolicyOf(const config::Model& model, std::uint32_t group) {
  std::vector<const net::TlsPolicy*> policies;
  for (const config::LoadBalancer& balancer : model.load_balancers) {
    if (!ForwardsTo(balancer, group)) continue;
    for (const config::Listener& listener : balancer.listeners) {
      if (listener.protocol != config::ListenerProtocol::kHttps) continue;
      policies.push_back(net::FindTlsPolicy(listener.ssl_policy.text));
      WEIR_CHECK(policies.back() != nullptr);  // the schema has the same names
    }
  }
  return net::TargetTlsPolicy(policies);
}

std::shared_ptr<const net::TlsClientPlan> BuildTargetTls(const config::Model& model, std::uint32_t group,
                                                         TlsCredentialStore& credentials, WallTime now,
                                                         std::vector<config::Diagnostic>& findings) {
  const config::TargetGroup& settings = model.target_groups[group];
  const bool is_by_https = settings.protocol == config::TargetProtocol::kHttps ||
                           settings.health_check.protocol == config::ProbeProtocol::kHttps;
  if (!is_by_https) return nullptr;
  const config::TargetTls& tls = settings.tls;
  auto plan = std::make_shared<net::TlsClientPlan>();
  plan->policy = &TargetPolicyOf(model, group);
  plan->server_name = tls.server_name;
  if (config::SpeaksHttp2(settings.protocol_version)) plan->alpn = {"h2"};  // HTTP/1.1 is spoken without ALPN
  if (tls.verify) {
    plan->authorities = LoadAuthorities(tls.ca_bundle, tls.position, credentials, findings);
    if (plan->authorities == nullptr) return nullptr;
  }
  if (tls.certificate) {
    plan->credential = LoadCredential(*tls.certificate, credentials, now, findings);
    if (plan->credential == nullptr) return nullptr;
  }
  return plan;
}

}  // namespace weir::proxy
