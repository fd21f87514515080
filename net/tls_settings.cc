#include "net/tls_settings.h"

#include "base/check.h"
#include "net/tls_credentials.h"

#include <openssl/ssl.h>

#include <algorithm>
#include <string>
#include <utility>

namespace weir::net {
namespace {

// `a:b:c` of the suites, those of TLS 1.3 or the others.
std::string SuiteNames(const TlsPolicy& policy, bool tls13) {
  std::string names;
  for (std::size_t i = 0; i < policy.suite_count; ++i) {
    if (policy.suite(i).is_tls13() != tls13) continue;
    if (!names.empty()) names += ':';
    names += policy.suite(i).name;
  }
  return names;
}

std::string GroupNames(const TlsPolicy& policy) {
  const auto missing = MissingGroups(policy);
  std::string names;
  for (const std::string_view group : policy.groups) {
    if (std::ranges::find(missing, group) != missing.end()) continue;
    if (!names.empty()) names += ':';
    names += group;
  }
  return names;
}

// What signs a handshake: the server's order decides. SHA-1 only where the policy speaks versions that know nothing
// better.
const char* SignatureAlgorithms(const TlsPolicy& policy) {
  return policy.version_min >= TlsVersion::k12
             ? "ECDSA+SHA256:ECDSA+SHA384:ECDSA+SHA512:RSA-PSS+SHA256:RSA-PSS+SHA384:RSA-PSS+SHA512:RSA+SHA256:"
               "RSA+SHA384:RSA+SHA512"
             : "ECDSA+SHA256:ECDSA+SHA384:ECDSA+SHA512:RSA-PSS+SHA256:RSA-PSS+SHA384:RSA-PSS+SHA512:RSA+SHA256:"
               "RSA+SHA384:RSA+SHA512:ECDSA+SHA1:RSA+SHA1";
}

}  // namespace

int NumberOf(TlsVersion version) {
  switch (version) {
    case TlsVersion::k10:
      return TLS1_VERSION;
    case TlsVersion::k11:
      return TLS1_1_VERSION;
    case TlsVersion::k12:
      return TLS1_2_VERSION;
    case TlsVersion::k13:
      return TLS1_3_VERSION;
  }
  std::unreachable();
}

TlsVersion VersionOf(int number) {
  for (const TlsVersion version : {TlsVersion::k10, TlsVersion::k11, TlsVersion::k12}) {
    if (NumberOf(version) == number) return version;
  }
  return TlsVersion::k13;
}

void SetTlsPolicy(SSL_CTX* context, const TlsPolicy& policy, std::string_view other_signatures) {
  // The policy decides, and nothing that the system's openssl.cnf says: every level above 0 refuses what old policies
  // promise, and certificates that were signed long ago.
  SSL_CTX_set_security_level(context, 0);
  const std::string groups = GroupNames(policy);
  const std::string signatures = SignatureAlgorithms(policy) + std::string(other_signatures);
  WEIR_CHECK(SSL_CTX_set_min_proto_version(context, NumberOf(policy.version_min)) == 1);
  WEIR_CHECK(SSL_CTX_set_max_proto_version(context, NumberOf(policy.version_max)) == 1);
  WEIR_CHECK(SSL_CTX_set_ciphersuites(context, SuiteNames(policy, true).c_str()) == 1);
  if (const std::string suites = SuiteNames(policy, false); !suites.empty()) {
    WEIR_CHECK(SSL_CTX_set_cipher_list(context, suites.c_str()) == 1);
  }
  WEIR_CHECK(SSL_CTX_set1_groups_list(context, groups.c_str()) == 1);
  WEIR_CHECK(SSL_CTX_set1_sigalgs_list(context, signatures.c_str()) == 1);
}

bool UseTlsCredential(SSL_CTX* context, const TlsCredential& credential) {
  bool taken = SSL_CTX_use_certificate(context, &credential.certificate()) == 1 &&
               SSL_CTX_use_PrivateKey(context, &credential.key()) == 1;
  for (const OwnedX509& issuer : credential.issuers()) taken = taken && SSL_CTX_add1_chain_cert(context, issuer.get());
  return taken;
}

bool UseTlsCredential(SSL* ssl, const TlsCredential& credential) {
  SSL_certs_clear(ssl);
  bool taken =
      SSL_use_certificate(ssl, &credential.certificate()) == 1 && SSL_use_PrivateKey(ssl, &credential.key()) == 1;
  for (const OwnedX509& issuer : credential.issuers()) taken = taken && SSL_add1_chain_cert(ssl, issuer.get());
  return taken;
}

}  // namespace weir::net
