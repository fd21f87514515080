#pragma once

#include "base/result.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace weir::bench {

// Where a request goes and what it asks for, taken from an http://, https://, ws:// or wss:// URL; a value.
struct Url {
  bool tls = false;
  bool websocket = false;
  std::string host;  // a name or an address literal, without brackets
  std::uint16_t port = 80;
  std::string authority;  // as the Host field says it: the port only where the URL has one
  std::string target;     // path and query, at least `/`

  friend bool operator==(const Url&, const Url&) = default;
};

// Parses an absolute URL. A fragment is dropped; user information, other schemes, and bytes that cannot stand in a
// request line are refused.
[[nodiscard]] Result<Url> ParseUrl(std::string_view text);

}  // namespace weir::bench
