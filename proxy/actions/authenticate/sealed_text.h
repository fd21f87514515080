#pragma once

#include "net/cookie_cipher.h"

#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace weir::proxy {

// Encrypts and authenticates texts for clients, with the keys of stickiness cookies; what they are for is authenticated
// with them, so that none is ever taken for another. In base64url, without padding. Thread: one owner.
class TextSealer {
 public:
  // `keys` is not empty.
  explicit TextSealer(net::CookieKeySet keys) : cipher_(std::move(keys)) {}

  [[nodiscard]] std::string Seal(std::string_view purpose, std::string_view text);
  // Absent for everything that Seal has not made for this purpose with one of the keys.
  [[nodiscard]] std::optional<std::string> Open(std::string_view purpose, std::string_view sealed);

  [[nodiscard]] const net::CookieKeySet& keys() const { return cipher_.keys(); }

 private:
  net::CookieCipher cipher_;
};

}  // namespace weir::proxy
