#include "net/tls_ticket_keys.h"

#include "base/check.h"
#include "net/key_secret.h"

#include <openssl/rand.h>

#include <utility>

namespace weir::net {

TlsTicketKey TlsTicketKey::From(std::span<const std::uint8_t, 32> secret) {
  TlsTicketKey key;
  DeriveKey(secret, "weir ticket name", key.name);
  DeriveKey(secret, "weir ticket cipher", key.cipher_key);
  DeriveKey(secret, "weir ticket mac", key.mac_key);
  return key;
}

TlsTicketKey TlsTicketKey::Random() {
  TlsTicketKey key;
  WEIR_CHECK(RAND_bytes(key.name.data(), static_cast<int>(key.name.size())) == 1);
  WEIR_CHECK(RAND_priv_bytes(key.cipher_key.data(), static_cast<int>(key.cipher_key.size())) == 1);
  WEIR_CHECK(RAND_priv_bytes(key.mac_key.data(), static_cast<int>(key.mac_key.size())) == 1);
  return key;
}

TlsTicketKeys::TlsTicketKeys(WallTime now) : made_at_(now) { Publish({TlsTicketKey::Random()}); }

bool TlsTicketKeys::Rotate(WallTime now) {
  // A clock that was set back does not keep a key for ever.
  if (fixed_ || (now - made_at_ < kRotation && now >= made_at_)) return false;
  TlsTicketKeySet keys = {TlsTicketKey::Random()};
  // A ticket lives no longer than a key serves: the one before is all that can still be asked for. After a pause (a
  // suspended machine) not even that.
  if (now - made_at_ < kRotation + kTicketLifetime) keys.push_back(published_.Load()->front());
  made_at_ = now;
  Publish(std::move(keys));
  return true;
}

void TlsTicketKeys::Fix(TlsTicketKeySet keys, WallTime now) {
  if (keys.empty() && !fixed_) return;
  fixed_ = !keys.empty();
  if (!fixed_) {
    made_at_ = now;
    keys.push_back(TlsTicketKey::Random());
  }
  Publish(std::move(keys));
}

Result<TlsTicketKey> ParseTicketKey(std::string_view text) {
  const auto secret = ParseKeySecret(text);
  if (!secret) return Failure("is not a ticket key", "32 random bytes in base64: openssl rand -base64 32");
  return TlsTicketKey::From(*secret);
}

}  // namespace weir::net
