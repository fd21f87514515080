#include "proxy/balancing/hash_key.h"

#include "proxy/balancing/sticky_cookie.h"

#include <span>
#include <utility>

namespace weir::proxy {
namespace {

// FNV-1a.
constexpr std::uint64_t kStart = 0xcbf29ce484222325U;

std::uint64_t Append(std::uint64_t hash, std::span<const std::uint8_t> bytes) {
  for (const std::uint8_t byte : bytes) hash = (hash ^ byte) * 0x100000001b3U;
  return hash;
}
std::uint64_t Append(std::uint64_t hash, std::string_view text) {
  return Append(hash, std::span(reinterpret_cast<const std::uint8_t*>(text.data()), text.size()));
}

std::optional<std::uint64_t> HashOf(std::string_view text) {
  if (text.empty()) return std::nullopt;
  return MixHash(Append(kStart, text));
}

}  // namespace

std::optional<std::uint64_t> HashKeyOf(const config::ConsistentHashKey& key, const HashedRequest& request) {
  switch (key.source) {
    case config::HashSource::kClientAddress:
      return MixHash(Append(kStart, request.client.Unmapped().bytes()));
    case config::HashSource::kUri:
      return MixHash(Append(Append(Append(kStart, request.path), "?"), request.query));
    case config::HashSource::kHeader: {
      const http::Field* const field = http::FindField(request.fields, key.name);
      return field == nullptr ? std::nullopt : HashOf(field->value);
    }
    case config::HashSource::kCookie:
      return HashOf(FindCookie(request.fields, key.name).value_or(std::string_view()));
  }
  std::unreachable();
}

}  // namespace weir::proxy
