#pragma once

// The keys that an endpoint publishes (RFC 7517), and one worker's copy of them. spec: alb.md 5.5.

#include "net/signature_key.h"

#include <cstddef>
#include <cstdint>
#include <expected>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace weir::proxy {

// A key that may verify tokens; a value.
struct JsonWebKey {
  std::string id;         // `kid`
  std::string algorithm;  // `alg`, the only one that it is for; empty: all that fit
  net::PublicKeyNumbers numbers;
};
using KeySet = std::vector<JsonWebKey>;

enum class KeySetFault : std::uint8_t { kMalformed, kTooManyKeys };
inline constexpr std::size_t kKeySetKeysMax = 10;  // keys of all kinds
// Leaves out keys that cannot verify a token here (RFC 7517 section 5): of another type or curve, without `kid`, for
// encryption, for other operations than `verify`. kMalformed: not a JSON object with an array `keys` of objects.
[[nodiscard]] std::expected<KeySet, KeySetFault> ParseKeySet(std::string_view text);

// The keys as one worker verifies with them: nobody else touches them. Thread: worker.
class TokenKeys {
 public:
  // What OpenSSL does not take is left out.
  void Set(const KeySet& keys);
  void Clear() { keys_.clear(); }
  [[nodiscard]] bool empty() const { return keys_.empty(); }

  struct Found {
    bool is_known = false;             // there is a key of that `kid`
    net::SignatureKey* key = nullptr;  // one that makes such signatures
  };
  [[nodiscard]] Found Find(std::string_view id, net::SignatureAlgorithm algorithm) const;

 private:
  struct Key {
    std::string id;
    std::string algorithm;
    std::unique_ptr<net::SignatureKey> key;
  };
  std::vector<Key> keys_;
};

}  // namespace weir::proxy
