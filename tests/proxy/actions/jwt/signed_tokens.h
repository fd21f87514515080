#pragma once

#include "net/signature_key.h"

#include <memory>
#include <string>
#include <string_view>

struct evp_pkey_st;

namespace weir::testing {

// A key pair that signs tokens. Made on the spot.
class Signer {
 public:
  explicit Signer(net::SignatureAlgorithm algorithm, unsigned rsa_bits = 2048);
  ~Signer();
  Signer(const Signer&) = delete;
  Signer& operator=(const Signer&) = delete;

  [[nodiscard]] net::PublicKeyNumbers numbers() const;
  // In the form of RFC 7518.
  [[nodiscard]] std::string Sign(std::string_view message) const;
  // A JSON Web Key.
  [[nodiscard]] std::string Jwk(std::string_view id, std::string_view more = "") const;
  // A token with these texts as header and claims.
  [[nodiscard]] std::string Token(std::string_view header, std::string_view claims) const;

 private:
  struct Key;
  net::SignatureAlgorithm algorithm_;
  std::unique_ptr<Key> key_;
};

}  // namespace weir::testing
