#pragma once

#include "base/enumerators.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

struct x509_st;

namespace weir::net {

// Why a client's certificate was refused, by the codes of ALB's connection log. spec: alb.md 16.3.
enum class ClientCertificateFault : std::uint8_t {
  kNone,
  kMaxChainDepthExceeded,
  kMaxSizeExceeded,
  kCrlHit,
  kCrlProcessingError,
  kUntrusted,
  kNotYetValid,
  kExpired,
  kTypeUnsupported,
  kInvalid,
  kPurposeInvalid,
  kIncompatible,
};
inline constexpr std::size_t kClientCertificateFaults = CountEnumerators<ClientCertificateFault>();
// `ClientCertExpired`; empty for kNone.
[[nodiscard]] std::string_view ToString(ClientCertificateFault fault);

// What a client's certificate says, in the forms that targets and logs are told. spec: alb.md 18.3, 16.3.
struct TlsClientCertificate {
  std::string subject;        // RFC 2253, in visible ASCII
  std::string issuer;         // the same
  std::string serial_number;  // hexadecimal, upper case, an even number of digits
  std::string validity;       // NotBefore=2023-09-21T01:50:17Z;NotAfter=2024-09-20T01:50:17Z
  // URL-encoded PEM. One of the two is there, and neither where the handshake failed.
  std::string leaf;   // of a certificate that was verified
  std::string chain;  // of all that the client sent, its own first, not verified
};

// Without `leaf` and `chain`.
[[nodiscard]] TlsClientCertificate Describe(x509_st& certificate);

// The certificate in PEM form, URL-encoded: everything but letters, digits and `-._~+=/` as %HH.
[[nodiscard]] std::string UrlEncodedPem(const x509_st& certificate);

// Empty when AWS takes certificates of clients, and of their authorities, of this kind; else what is wrong:
// `an RSA key of 1024 bits`. X.509v3 with an RSA key of 2048 to 8192 bits or an ECDSA key on P-256, P-384 or P-521,
// signed with SHA-256, SHA-384 or SHA-512 by RSA (PKCS #1 or PSS) or ECDSA.
[[nodiscard]] std::string UnsupportedKind(x509_st& certificate);

}  // namespace weir::net
