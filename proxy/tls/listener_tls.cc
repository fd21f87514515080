#include "proxy/tls/listener_tls.h"

#include "base/check.h"
#include "net/tls_policy.h"
#include "net/tls_server.h"
#include "net/tls_trust_store.h"
#include "proxy/tls/credential_store.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstddef>
#include <optional>
#include <utility>

namespace weir::proxy {
namespace {

config::Position PlaceOf(const config::TrustStore& wanted, const net::TlsTrustStoreFinding& finding) {
  return finding.revocation ? wanted.revocations[*finding.revocation].position : wanted.ca_bundle.position;
}

// The outer one is absent where the trust store cannot be had.
std::optional<std::optional<net::TlsClientAuthentication>> AuthenticationOf(const config::MutualAuthentication& wanted,
                                                                            const TrustStores& trust_stores,
                                                                            std::vector<config::Diagnostic>& findings) {
  // A list of authorities has at most so many bytes (RFC 8446 section 4.2.4), each with its length before it.
  constexpr std::size_t kSubjectBytesMax = 65'535;
  using Mode = net::TlsClientAuthentication::Mode;
  std::optional<net::TlsClientAuthentication> out;
  if (wanted.mode == config::MutualAuthenticationMode::kOff) return out;
  out.emplace();
  if (wanted.mode == config::MutualAuthenticationMode::kPassthrough) return out;
  if (!wanted.trust_store || trust_stores[*wanted.trust_store] == nullptr) return std::nullopt;
  out = {.mode = Mode::kVerify,
         .trust_store = trust_stores[*wanted.trust_store],
         .ignores_expiry = wanted.ignores_expiry,
         .advertises_authorities = wanted.advertises_ca_names};
  const net::TlsTrustStore& store = *out->trust_store;
  if (out->advertises_authorities && store.subject_bytes() + 2 * store.authorities().size() > kSubjectBytesMax) {
    AddFinding(findings, config::Severity::kError, wanted.position,
               {"the subjects of the trust store are too long to be told to clients",
                "advertise-trust-store-ca-names: off, or fewer certificates"});
    return std::nullopt;
  }
  return out;
}

}  // namespace

TrustStores LoadTrustStores(const config::Model& model, TlsCredentialStore& credentials, WallTime now,
                            std::vector<config::Diagnostic>& findings) {
  TrustStores out;
  for (const config::TrustStore& wanted : model.trust_stores) {
    // Paths that could not be read were reported.
    const bool is_readable =
        !wanted.ca_bundle.text.empty() &&
        std::ranges::none_of(wanted.revocations, [](const auto& path) { return path.text.empty(); });
    auto loaded = is_readable ? credentials.Load(wanted) : TlsCredentialStore::LoadedTrustStore{};
    if (loaded.failure) {
      Error error = loaded.failure->error;
      const bool serves = loaded.store != nullptr;
      if (serves) error.message += "; the trust store that was loaded before serves on";
      AddFinding(findings, serves ? config::Severity::kWarning : config::Severity::kError,
                 PlaceOf(wanted, *loaded.failure), error);
    }
    if (loaded.store != nullptr) {
      for (const net::TlsTrustStoreFinding& doubt : loaded.store->Doubts(now)) {
        AddFinding(findings, config::Severity::kWarning, PlaceOf(wanted, doubt), doubt.error);
      }
    }
    out.push_back(std::move(loaded.store));
  }
  return out;
}

std::vector<config::Diagnostic> AwsObjections(const config::Model& model, const TrustStores& trust_stores) {
  // The subjects that clients are told; spec: alb.md 18.3.
  constexpr std::size_t kSubjectBytesMax = 10'000;
  std::vector<config::Diagnostic> out;
  for (std::size_t i = 0; i < trust_stores.size(); ++i) {
    if (trust_stores[i] == nullptr) continue;
    const config::TrustStore& wanted = model.trust_stores[i];
    for (const net::TlsTrustStoreFinding& objection : trust_stores[i]->aws_objections()) {
      AddFinding(out, config::Severity::kWarning, PlaceOf(wanted, objection),
                 {"AWS: " + objection.error.message, objection.error.hint});
    }
    if (trust_stores[i]->subject_bytes() <= kSubjectBytesMax) continue;
    AddFinding(
        out, config::Severity::kWarning, wanted.ca_bundle.position,
        {fmt::format("AWS: the subjects of {} have {} bytes", wanted.ca_bundle.text, trust_stores[i]->subject_bytes()),
         fmt::format("at most {}", kSubjectBytesMax)});
  }
  return out;
}

std::shared_ptr<const net::TlsServerPlan> BuildTlsPlan(const config::LoadBalancer& load_balancer,
                                                       const config::Listener& listener, std::size_t listener_index,
                                                       TlsCredentialStore& credentials, const TrustStores& trust_stores,
                                                       WallTime now, std::vector<config::Diagnostic>& findings) {
  if (listener.protocol != config::ListenerProtocol::kHttps) return nullptr;
  std::vector<std::shared_ptr<const net::TlsCredential>> loaded;
  std::vector<net::TlsStaple> staples;
  for (const auto& certificate : listener.certificates) {
    auto one = LoadCredential(certificate, credentials, now, findings);
    if (one == nullptr) continue;
    staples.push_back(LoadStaple(certificate, *one, credentials, now, findings));
    loaded.push_back(std::move(one));
  }
  if (std::ranges::all_of(staples, [](const auto& staple) { return staple.response == nullptr; })) staples.clear();
  auto authentication = AuthenticationOf(listener.mutual_authentication, trust_stores, findings);
  if (!authentication || loaded.empty() || loaded.size() < listener.certificates.size()) return nullptr;
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
  plan->staples = std::move(staples);
  plan->alpn = {"http/1.1"};
  if (load_balancer.attributes.http2) plan->alpn.insert(plan->alpn.begin(), "h2");
  plan->client_authentication = std::move(*authentication);
  plan->session_scope =
      fmt::format("{}/{}", load_balancer.name, listener.port == 0 ? listener_index : std::size_t{listener.port});
  return plan;
}

bool SameTlsPlan(const net::TlsServerPlan& left, const net::TlsServerPlan& right) {
  return left.policy == right.policy && left.alpn == right.alpn && left.session_scope == right.session_scope &&
         left.choice->credentials() == right.choice->credentials() && left.staples == right.staples &&
         left.client_authentication == right.client_authentication;
}

}  // namespace weir::proxy
