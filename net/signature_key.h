#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace weir::net {

// How a token is signed (RFC 7518 section 3.1, RFC 8037 with Ed25519).
enum class SignatureAlgorithm : std::uint8_t {
  kRs256,
  kRs384,
  kRs512,
  kPs256,
  kPs384,
  kPs512,
  kEs256,
  kEs384,
  kEs512,
  kEdDsa
};
// As `alg` spells them, in their order.
inline constexpr std::array<std::string_view, 10> kSignatureAlgorithmNames = {
    "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"};
// Absent for every other name: `none`, those that sign with a shared secret.
[[nodiscard]] std::optional<SignatureAlgorithm> FindSignatureAlgorithm(std::string_view name);

enum class PublicKeyKind : std::uint8_t { kRsa, kP256, kP384, kP521, kEd25519 };

// A public key as numbers, big endian without a sign (RFC 7518 section 6); a value.
struct PublicKeyNumbers {
  PublicKeyKind kind = PublicKeyKind::kRsa;
  std::string first;   // the modulus of RSA, x of the others
  std::string second;  // the exponent of RSA, y of an elliptic curve; else empty
  friend bool operator==(const PublicKeyNumbers&, const PublicKeyNumbers&) = default;
};
// Whether keys of that kind make such signatures.
[[nodiscard]] bool Signs(PublicKeyKind kind, SignatureAlgorithm algorithm);

// A public key that verifies signatures. It keeps what OpenSSL has worked out from one signature to the next, takes no
// lock, and allocates little. Thread: one owner.
class SignatureKey {
 public:
  // Of RSA: spec: alb.md 5.5 has keys of 2,048 bits; the upper bound is ours, for what a signature may cost.
  static constexpr int kRsaBitsMin = 2048;
  static constexpr int kRsaBitsMax = 4096;

  // Null for what is no such key: RSA of another size, an exponent that is even, below 3 or beyond 32 bits, a point
  // that is not on its curve.
  [[nodiscard]] static std::unique_ptr<SignatureKey> Build(const PublicKeyNumbers& numbers);
  ~SignatureKey();
  SignatureKey(const SignatureKey&) = delete;
  SignatureKey& operator=(const SignatureKey&) = delete;

  // True when the key's owner signed `message`. `signature` is in the form of RFC 7518: r and s side by side of an
  // elliptic curve. False where the key makes no such signatures.
  [[nodiscard]] bool Verify(SignatureAlgorithm algorithm, std::string_view message, std::string_view signature);
  [[nodiscard]] PublicKeyKind kind() const { return kind_; }

 private:
  struct Parts;
  SignatureKey(PublicKeyKind kind, std::unique_ptr<Parts> parts);

  PublicKeyKind kind_;
  std::unique_ptr<Parts> parts_;
};

}  // namespace weir::net
