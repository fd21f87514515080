#include "proxy/tls/listener_tls.h"

#include "base/check.h"
#include "net/tls_policy.h"
#include "net/tls_server.h"
#include "proxy/tls/credential_store.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cerrno>
#include <fstream>
#include <iterator>
#include <system_error>
#include <utility>

namespace weir::proxy {
std::shared_ptr<const net::TlsServerPlan> BuildTlsPlan(const config::LoadBalancer& load_balancer,
                                                       const config::Listener& listener, std::size_t listener_index,
                                                       TlsCredentialStore& credentials, WallTime now,
                                                       std::vector<config::Diagnostic>& findings) {
  if (listener.protocol != config::ListenerProtocol::kHttps) return nullptr;
  std::vector<std::shared_ptr<const net::TlsCredential>> loaded;
  for (const auto& certificate : listener.certificates) {
    auto one = LoadCredential(certificate, credentials, now, findings);
    if (one != nullptr) loaded.push_back(std::move(one));
  }
  if (loaded.empty() || loaded.size() < listener.certificates.size()) return nullptr;
  auto plan = std::make_shared<net::TlsServerPlan>();
  plan->policy = net::FindTlsPolicy(listener.ssl_policy.text);
  WEIR_CHECK(plan->policy != nullptr);  // the schema has the same names
  if (const auto missing = net::MissingGroups(*plan->policy); !missing.empty()) {
    AddFinding(
        findings, config::Severity::kWarning, listener.ssl_policy.position,
        {fmt::format("{}: the OpenSSL of this system does not offer {}", plan->policy->name, fmt::join(missing, ", ")),
         "the other key exchange groups of the policy are offered"});
  }
  plan->choice = std::make_shared<const net::TlsChoice>(std::move(loaded));
  plan->alpn = {"http/1.1"};
  plan->session_scope =
      fmt::format("{}/{}", load_balancer.name, listener.port == 0 ? listener_index : std::size_t{listener.port});
  return plan;
}

bool SameTlsPlan(const net::TlsServerPlan& left, const net::TlsServerPlan& right) {
  return left.policy == right.policy && left.alpn == right.alpn && left.session_scope == right.session_scope &&
         left.choice->credentials() == right.choice->credentials();
}

net::TlsTicketKeySet ReadTicketKeys(const config::Model& model, std::vector<config::Diagnostic>& findings) {
  net::TlsTicketKeySet keys;
  for (const config::LocatedText& path : model.tls_ticket_keys) {
    if (path.text.empty()) continue;
    std::ifstream file(path.text, std::ios::binary);
    const std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
    if (!file) {
      AddFinding(findings, config::Severity::kError, path.position,
                 {"cannot read " + path.text + ": " + std::generic_category().message(errno), {}});
      continue;
    }
    auto key = net::ParseTicketKey(text);
    if (key) {
      keys.push_back(*key);
    } else {
      AddFinding(findings, config::Severity::kError, path.position,
                 {path.text + " " + key.error().message, key.error().hint});
    }
  }
  return keys;
}

}  // namespace weir::proxy
