#pragma once

#include "base/result.h"
#include "net/key_secret.h"
#include "net/openssl_parts.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace weir::net {

// A key of stickiness cookies: a name that sealed values carry, and a key that encrypts and authenticates.
struct CookieKey {
  std::array<std::uint8_t, 3> name{};
  std::array<std::uint8_t, 32> cipher_key{};

  // From a secret of 32 bytes: the same on every appliance that has it.
  [[nodiscard]] static CookieKey From(std::span<const std::uint8_t, 32> secret);
  friend bool operator==(const CookieKey&, const CookieKey&) = default;
};

// The first encrypts, all decrypt.
using CookieKeySet = std::vector<CookieKey>;

// The file of one entry of `stickiness-keys`: 32 random bytes in base64, spaces and line ends around them ignored.
[[nodiscard]] Result<CookieKey> ParseCookieKey(std::string_view text);

// The secret of a key of one's own as a text, to be kept over restarts, and back.
[[nodiscard]] std::string FormatOwnCookieKey(const KeySecret& secret);
[[nodiscard]] Result<KeySecret> ParseOwnCookieKey(std::string_view text);

// Encrypts and authenticates the values of cookies: AES-256-GCM with a key of its own for each value (XAES-256-GCM,
// C2SP), so that random nonces never meet, however many values one key makes. A sealed value is the key's name, 24
// bytes of nonce, the encrypted text, 16 bytes of tag. What it is for is authenticated with it: a value that was
// sealed for one purpose is not opened for another. Neither call allocates. Thread: one owner.
class CookieCipher {
 public:
  // What sealing adds.
  static constexpr std::size_t kOverheadBytes = 3 + 24 + 16;

  // `keys` is not empty.
  explicit CookieCipher(CookieKeySet keys);
  ~CookieCipher();
  CookieCipher(const CookieCipher&) = delete;
  CookieCipher& operator=(const CookieCipher&) = delete;

  // `sealed` is kOverheadBytes longer than `text`.
  void Seal(std::string_view purpose, std::span<const std::uint8_t> text, std::span<std::uint8_t> sealed);
  // False when none of the keys made `sealed` for this purpose; `text`, kOverheadBytes shorter, means nothing then.
  [[nodiscard]] bool Open(std::string_view purpose, std::span<const std::uint8_t> sealed, std::span<std::uint8_t> text);

  [[nodiscard]] const CookieKeySet& keys() const { return keys_; }

 private:
  using Nonce = std::span<const std::uint8_t, 24>;
  struct Block;  // AES with one of the keys, from which those of values are derived
  // The key and the nonce of one value, for `state`.
  static bool Begin(evp_cipher_ctx_st* state, Block& block, Nonce nonce, std::string_view purpose);

  CookieKeySet keys_;
  std::vector<Block> blocks_;  // by key
  OwnedCipherState seal_;
  OwnedCipherState open_;
};

}  // namespace weir::net
