#pragma once

// Upgrades (RFC 9110 section 7.8). WebSocket is the only one that is passed on; any other is dropped with its field, as
// HTTP allows, h2c above all (RFC 9113 section 3.1). spec: alb.md 12.1; docs/decisions.md.

#include "base/random.h"
#include "http/message.h"

#include <string>
#include <string_view>

namespace weir::proxy {

// What asks for the tunnel, and what opens it, over HTTP/1.1 (RFC 6455 section 4).
inline constexpr std::string_view kUpgradeFields = "Connection: Upgrade\r\nUpgrade: websocket\r\n";

// For a head that has an upgrade (RequestHead::upgrade): an opening handshake of WebSocket, which is a GET without
// content. Its Sec-WebSocket-… fields are between the client and the target.
[[nodiscard]] bool AsksForWebSocket(const http::RequestHead& head);
// `Sec-WebSocket-Key` for a target, where the client has none: over HTTP/2 (RFC 8441 section 5.1).
void AppendWebSocketKey(Random& random, std::string& fields);
// For a 101 to such a request: it names the protocol (RFC 9110 section 15.2.2), and no other.
[[nodiscard]] bool OpensWebSocket(const http::ResponseHead& head);

}  // namespace weir::proxy
