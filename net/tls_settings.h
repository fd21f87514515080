#pragma once

// For the files behind the seam net/tls_*: what servers and clients set on OpenSSL's objects alike.

#include "net/openssl_parts.h"
#include "net/tls_policy.h"

#include <string_view>

namespace weir::net {

class TlsCredential;

// OpenSSL's number of a version, and back; a number that is none is that of the newest.
[[nodiscard]] int NumberOf(TlsVersion version);
[[nodiscard]] TlsVersion VersionOf(int number);

// Versions, suites, groups and signatures of the policy, and nothing that the system's openssl.cnf says.
// `other_signatures` are signatures besides those of the policy, in OpenSSL's words: `:ed25519`.
void SetTlsPolicy(ssl_ctx_st* context, const TlsPolicy& policy, std::string_view other_signatures = {});

// Shows the certificate and those of its issuers; false when OpenSSL refuses.
[[nodiscard]] bool UseTlsCredential(ssl_ctx_st* context, const TlsCredential& credential);
[[nodiscard]] bool UseTlsCredential(ssl_st* ssl, const TlsCredential& credential);

}  // namespace weir::net
