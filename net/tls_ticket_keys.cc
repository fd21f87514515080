#include "net/tls_ticket_keys.h"

#include "base/text.h"
#include "net/key_secret.h"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <functional>
#include <utility>

namespace weir::net {

TlsTicketKey TlsTicketKey::From(std::span<const std::uint8_t, 32> secret) {
  TlsTicketKey key;
  DeriveKey(secret, "weir ticket name", key.name);
  DeriveKey(secret, "weir ticket cipher", key.cipher_key);
  DeriveKey(secret, "weir ticket mac", key.mac_key);
  return key;
}

TlsOwnTicketKey TlsOwnTicketKey::Make(WallTime now) { return {.secret = MakeKeySecret(), .made_at = now}; }

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

constexpr std::string_view kOwnKeysTitle = "weir ticket keys, version 1";

std::string_view TakeLine(std::string_view& text) {
  const std::size_t end = text.find('\n');
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  return line;
}

}  // namespace

Result<TlsTicketKey> ParseTicketKey(std::string_view text) {
  const auto secret = ParseKeySecret(text);
  if (!secret) return Failure("is not a ticket key", "32 random bytes in base64: openssl rand -base64 32");
  return TlsTicketKey::From(*secret);
}

std::string FormatOwnTicketKeys(std::span<const TlsOwnTicketKey> keys) {
  std::string out = std::string(kOwnKeysTitle) + '\n';
  for (const TlsOwnTicketKey& key : keys) {
    out += std::to_string(std::chrono::system_clock::to_time_t(key.made_at)) + ' ' + FormatKeySecret(key.secret);
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
    const auto secret = ParseKeySecret(line.substr(std::min(space + 1, line.size())));
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
