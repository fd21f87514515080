#pragma once

#include "base/clock.h"
#include "base/published.h"
#include "base/result.h"

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace weir::net {

// One key of session tickets (RFC 5077 section 4): a name that tickets carry, a key to encrypt and one to authenticate.
struct TlsTicketKey {
  std::array<std::uint8_t, 16> name{};
  std::array<std::uint8_t, 32> cipher_key{};
  std::array<std::uint8_t, 32> mac_key{};

  // From a secret of 32 bytes: the same on every appliance that has it.
  [[nodiscard]] static TlsTicketKey From(std::span<const std::uint8_t, 32> secret);
};

// Newest first: the first encrypts, all decrypt.
using TlsTicketKeySet = std::vector<TlsTicketKey>;

// A key that the program made itself: what TlsTicketKey::From makes it of, and when.
struct TlsOwnTicketKey {
  std::array<std::uint8_t, 32> secret{};
  WallTime made_at;

  [[nodiscard]] static TlsOwnTicketKey Make(WallTime now);
};

// The ticket keys of all listeners and workers. Thread: control, except published().
class TlsTicketKeys {
 public:
  // How long a ticket is good for. A key that made one must be known as long.
  static constexpr std::chrono::hours kTicketLifetime{12};
  static constexpr std::chrono::hours kRotation{12};

  // Begins with a random key.
  explicit TlsTicketKeys(WallTime now);
  TlsTicketKeys(const TlsTicketKeys&) = delete;
  TlsTicketKeys& operator=(const TlsTicketKeys&) = delete;

  // A new key when the newest has served for kRotation; what no ticket can be from any more is forgotten. True when
  // there is a new one.
  bool Rotate(WallTime now);
  // From now on exactly these; they are not rotated. Empty: back to keys of our own.
  void Fix(TlsTicketKeySet keys, WallTime now);
  // Goes on with the keys of an earlier run, newest first, in the place of what was made since. Those that no ticket
  // can be from any more, or that are from the future, are left out; without any other it changes nothing.
  void Restore(std::vector<TlsOwnTicketKey> kept, WallTime now);

  // Those that were made here, newest first; empty while others are fixed.
  [[nodiscard]] const std::vector<TlsOwnTicketKey>& own() const { return own_; }

  // Thread: any.
  [[nodiscard]] const Published<TlsTicketKeySet>& published() const { return published_; }

 private:
  void Publish(TlsTicketKeySet keys) { published_.Publish(std::make_shared<const TlsTicketKeySet>(std::move(keys))); }
  void PublishOwn();

  Published<TlsTicketKeySet> published_;
  std::vector<TlsOwnTicketKey> own_;
};

// The file of one entry of `tls-ticket-keys`: 32 random bytes in base64, spaces and line ends around them ignored.
[[nodiscard]] Result<TlsTicketKey> ParseTicketKey(std::string_view text);

// Keys of one's own as a text, to be kept over restarts, and back. Whole seconds of `made_at` remain.
[[nodiscard]] std::string FormatOwnTicketKeys(std::span<const TlsOwnTicketKey> keys);
[[nodiscard]] Result<std::vector<TlsOwnTicketKey>> ParseOwnTicketKeys(std::string_view text);

}  // namespace weir::net
