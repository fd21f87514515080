#pragma once

#include "base/clock.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

struct asn1_string_st;
struct evp_pkey_st;
struct X509_name_st;
struct x509_st;

namespace weir::net {

enum class TlsKeyType : std::uint8_t { kRsa, kEcdsa, kOther };

// What is asked about an X.509 certificate, as plain values.
struct TlsCertificateFacts {
  std::vector<std::string> names;  // what it is for, in lower case: dNSName of the SAN, without any the CN (RFC 6125)
  std::string subject;             // RFC 2253
  std::string issuer;              // RFC 2253
  std::string serial_number;       // hexadecimal, upper case, an even number of digits
  TlsKeyType key_type = TlsKeyType::kOther;
  std::uint16_t key_bits = 0;
  std::uint16_t hash_bits = 0;  // of the signature: 256 for SHA-256; 1 for MD5, so that every SHA is above it
  WallTime not_before;          // what a WallTime cannot hold (after 2262) is its end
  WallTime not_after;
  std::string id;  // 8-4-4-4-12 hexadecimal digits of its SHA-256, as ACM's identifiers look

  [[nodiscard]] bool expired(WallTime now) const { return now > not_after; }
  [[nodiscard]] bool valid(WallTime now) const { return now >= not_before && now <= not_after; }
};

[[nodiscard]] TlsCertificateFacts FactsOf(x509_st& certificate);

// RFC 2253, in visible ASCII: other characters are escaped.
[[nodiscard]] std::string NameText(const X509_name_st& name);
// Hexadecimal, upper case, an even number of digits; behind a `-` where it is negative.
[[nodiscard]] std::string SerialText(const asn1_string_st& serial);
// What a WallTime cannot hold (after 2262) is its end.
[[nodiscard]] WallTime TimeOf(const asn1_string_st& time);
// Of an ECDSA key: `prime256v1`.
[[nodiscard]] std::string CurveName(const evp_pkey_st& key);
// P-256, P-384 or P-521: the curves that AWS takes. spec: alb.md 18.1, 18.3.
[[nodiscard]] bool IsSupportedCurve(const evp_pkey_st& key);

// 2026-11-02T10:15:30Z.
[[nodiscard]] std::string FormatCertificateTime(WallTime time);

}  // namespace weir::net
