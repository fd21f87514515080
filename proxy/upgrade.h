#pragma once

// Upgrades (RFC 9110 section 7.8). WebSocket is the only one that is passed on; any other is dropped with its field, as
// HTTP allows, h2c above all (RFC 9113 section 3.1). spec: alb.md 12.1; docs/decisions.md.

#include "http/message.h"

#include <string_view>

namespace weir::proxy {

// What asks for the tunnel, and what opens it, over HTTP/1.1 (RFC 6455 section 4).
inline constexpr std::string_view kUpgradeFields = "Connection: Upgrade\r\nUpgrade: websocket\r\n";

// For a head that has an upgrade (RequestHead::upgrade): an opening handshake of WebSocket, which is a GET without
// content. Its Sec-WebSocket-… fields are between the client and the target.
[[nodiscard]] bool AsksForWebSocket(const http::RequestHead& head);
// For a 101 to such a request: it names the protocol (RFC 9110 section 15.2.2), and no other.
[[nodiscard]] bool OpensWebSocket(const http::ResponseHead& head);

}  // namespace weir::proxy
