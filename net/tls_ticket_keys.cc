#include "net/tls_ticket_keys.h"

#include "base/check.h"
#include "base/text.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <openssl/rand.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <functional>
#include <optional>
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

TlsOwnTicketKey TlsOwnTicketKey::Make(WallTime now) {
  TlsOwnTicketKey key{.secret = {}, .made_at = now};
  WEIR_CHECK(RAND_priv_bytes(key.secret.data(), static_cast<int>(key.secret.size())) == 1);
  return key;
}

TlsTicketKeys::TlsTicketKeys(WallTime now) : own_({TlsOwnTicketKey::Make(now)}) { PublishOwn(); }

void TlsTicketKeys::PublishOwn() {
  TlsTicketKeySet keys;
  for (const TlsOwnTicketKey& own : own_) keys.push_back(TlsTicketKey::From(own.secret));
  Publish(std::move(keys));
}

bool TlsTicketKeys::Rotate(WallTime now) {
  if (own_.empty()) return false;
  const TlsOwnTicketKey newest = own_.front();
  // A clock that was set back does not keep a key for ever.
  if (now - newest.made_at < kRotation && now >= newest.made_at) return false;
  own_ = {TlsOwnTicketKey::Make(now)};
  // A ticket lives no longer than a key serves: the one before is all that can still be asked for. After a pause (a
  // suspended machine) not even that.
  if (now - newest.made_at < kRotation + kTicketLifetime) own_.push_back(newest);
  PublishOwn();
  return true;
}

void TlsTicketKeys::Fix(TlsTicketKeySet keys, WallTime now) {
  if (!keys.empty()) {
    own_.clear();
    Publish(std::move(keys));
  } else if (own_.empty()) {
    own_ = {TlsOwnTicketKey::Make(now)};
    PublishOwn();
  }
}

void TlsTicketKeys::Restore(std::vector<TlsOwnTicketKey> kept, WallTime now) {
  std::erase_if(kept, [now](const TlsOwnTicketKey& key) {
    return key.made_at > now || now - key.made_at >= kRotation + kTicketLifetime;
  });
  if (kept.empty()) return;
  own_ = std::move(kept);
  PublishOwn();
}

namespace {

constexpr std::size_t kSecretDigits = 44;  // of 32 bytes, one of padding
constexpr std::string_view kOwnKeysTitle = "weir ticket keys, version 1";

std::optional<std::array<std::uint8_t, 32>> DecodeSecret(std::string_view text) {
  std::array<std::uint8_t, 33> bytes{};
  const auto* const digits = reinterpret_cast<const unsigned char*>(text.data());
  const bool is_secret = text.size() == kSecretDigits && text[kSecretDigits - 1] == '=' &&
                         text[kSecretDigits - 2] != '=' &&
                         EVP_DecodeBlock(bytes.data(), digits, kSecretDigits) == static_cast<int>(bytes.size());
  if (!is_secret) return std::nullopt;
  std::array<std::uint8_t, 32> secret{};
  std::ranges::copy(std::span(bytes).first<32>(), secret.begin());
  return secret;
}

std::string_view TakeLine(std::string_view& text) {
  const std::size_t end = text.find('\n');
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  return line;
}

}  // namespace

Result<TlsTicketKey> ParseTicketKey(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n";
  const auto begin = std::min(text.find_first_not_of(kSpace), text.size());
  const auto secret = DecodeSecret(text.substr(begin, text.find_last_not_of(kSpace) + 1 - begin));
  if (!secret) return Failure("is not a ticket key", "32 random bytes in base64: openssl rand -base64 32");
  return TlsTicketKey::From(*secret);
}

std::string FormatOwnTicketKeys(std::span<const TlsOwnTicketKey> keys) {
  std::string out = std::string(kOwnKeysTitle) + '\n';
  for (const TlsOwnTicketKey& key : keys) {
    std::array<unsigned char, kSecretDigits + 1> digits{};
    EVP_EncodeBlock(digits.data(), key.secret.data(), static_cast<int>(key.secret.size()));
    out += std::to_string(std::chrono::system_clock::to_time_t(key.made_at)) + ' ';
    out.append(digits.begin(), digits.begin() + kSecretDigits);
    out += '\n';
  }
  return out;
}

Result<std::vector<TlsOwnTicketKey>> ParseOwnTicketKeys(std::string_view text) {
  // A line of its own ends each key: half a file is none.
  const bool is_whole = text.ends_with('\n');
  std::vector<TlsOwnTicketKey> keys;
  if (!is_whole || TakeLine(text) != kOwnKeysTitle) return Failure("does not hold ticket keys");
  while (!text.empty()) {
    const std::string_view line = TakeLine(text);
    const std::size_t space = std::min(line.find(' '), line.size());
    const auto seconds = ParseDecimal(line.substr(0, space));
    const auto secret = DecodeSecret(line.substr(std::min(space + 1, line.size())));
    constexpr std::uint64_t kSecondsMax = std::uint64_t{1} << 33U;  // in the 23rd century; a WallTime holds it
    if (!seconds || *seconds > kSecondsMax || !secret) return Failure("does not hold ticket keys");
    keys.push_back({.secret = *secret, .made_at = WallTime(std::chrono::seconds(*seconds))});
  }
  if (!std::ranges::is_sorted(keys, std::ranges::greater(), &TlsOwnTicketKey::made_at)) {
    return Failure("has ticket keys that are out of order");
  }
  return keys;
}

}  // namespace weir::net
