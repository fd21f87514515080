#pragma once

#include "net/tls_certificate.h"
#include "net/tls_client_certificate.h"
#include "net/tls_policy.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace weir::net {

// What a handshake agreed on, as plain values. Views are static texts, or live as long as the stream. Only servers know
// names and certificates.
struct TlsFacts {
  TlsVersion version = TlsVersion::k12;
  std::string_view suite;           // AWS's and OpenSSL's name
  std::uint8_t suite_index = 0;     // for TlsSuiteAt, where a policy has the suite
  std::string_view group;           // of the key exchange, by IANA's name; empty: none (RSA)
  std::string server_name;          // the client's SNI, in lower case; empty: none
  bool is_name_matched = false;     // a certificate of the listener is for it
  bool is_resumed = false;          // by a ticket, a PSK or a session ID: no certificate was sent
  std::string_view certificate_id;  // of the certificate that was sent; empty: none was
  std::string_view alpn;            // empty: none was agreed on
  // Null where none was asked for or sent.
  std::shared_ptr<const TlsClientCertificate> client_certificate;
};

// Why a handshake failed, or TLS broke a connection.
struct TlsFailure {
  std::string_view reason;           // OpenSSL's: `unsupported protocol`; a static text; empty: nothing failed
  bool certificate_refused = false;  // the peer's was not accepted
  std::optional<std::uint8_t> alert_sent;
  std::optional<std::uint8_t> alert_received;
  ClientCertificateFault certificate_fault = ClientCertificateFault::kNone;  // what the client's certificate did to it
};

// `handshake_failure`: the name in IANA's registry (RFC 8446 section 6); `other` for what no version has.
[[nodiscard]] std::string_view TlsAlertName(std::uint8_t alert);

}  // namespace weir::net
