#include "net/tls_ticket_keys.h"

#include "base/check.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <openssl/rand.h>

#include <algorithm>
#include <utility>

namespace weir::net {
namespace {

// HKDF with SHA-256 (RFC 5869), each part with a label of its own.
void Derive(std::span<const std::uint8_t, 32> secret, std::string label, std::span<std::uint8_t> out) {
  EVP_KDF* const kdf = EVP_KDF_fetch(nullptr, "HKDF", nullptr);
  EVP_KDF_CTX* const context = EVP_KDF_CTX_new(kdf);
  char digest[] = "SHA256";
  const OSSL_PARAM params[] = {
      OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest, 0),
      OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, const_cast<std::uint8_t*>(secret.data()), secret.size()),
      OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, label.data(), label.size()), OSSL_PARAM_construct_end()};
  const bool derived = EVP_KDF_derive(context, out.data(), out.size(), params) == 1;
  EVP_KDF_CTX_free(context);
  EVP_KDF_free(kdf);
  WEIR_CHECK(derived);
}

}  // namespace

TlsTicketKey TlsTicketKey::From(std::span<const std::uint8_t, 32> secret) {
  TlsTicketKey key;
  Derive(secret, "weir ticket name", key.name);
  Derive(secret, "weir ticket cipher", key.cipher_key);
  Derive(secret, "weir ticket mac", key.mac_key);
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
  constexpr std::string_view kSpace = " \t\r\n";
  const auto begin = std::min(text.find_first_not_of(kSpace), text.size());
  text = text.substr(begin, text.find_last_not_of(kSpace) + 1 - begin);
  constexpr std::size_t kDigits = 44;  // of 32 bytes, one of padding
  std::array<std::uint8_t, 33> bytes{};
  const auto* const digits = reinterpret_cast<const unsigned char*>(text.data());
  const bool is_key = text.size() == kDigits && text[kDigits - 1] == '=' && text[kDigits - 2] != '=' &&
                      EVP_DecodeBlock(bytes.data(), digits, kDigits) == static_cast<int>(bytes.size());
  if (!is_key) return Failure("is not a ticket key", "32 random bytes in base64: openssl rand -base64 32");
  return TlsTicketKey::From(std::span(bytes).first<32>());
}

}  // namespace weir::net
