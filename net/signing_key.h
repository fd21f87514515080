#pragma once

#include "net/openssl_parts.h"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace weir::net {

// A key that signs ES256 (RFC 7518 section 3.4: ECDSA with P-256 and SHA-256). Immutable. Thread: any (const).
class SigningKey {
 public:
  // The same for the same secret, on every appliance that has it.
  [[nodiscard]] static SigningKey From(std::span<const std::uint8_t, 32> secret);

  // What it is called by those who verify: made of the public key, written like a UUID.
  [[nodiscard]] const std::string& id() const { return id_; }
  // The public key in PEM (SubjectPublicKeyInfo).
  [[nodiscard]] const std::string& public_pem() const { return public_pem_; }
  // The signature as JWS has it: R and S, 32 bytes each.
  [[nodiscard]] std::string Sign(std::string_view text) const;

 private:
  explicit SigningKey(OwnedKey key);

  OwnedKey key_;
  std::string public_pem_;
  std::string id_;
};

}  // namespace weir::net
