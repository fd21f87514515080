#include "proxy/upgrade.h"

#include "base/text.h"

namespace weir::proxy {
namespace {

constexpr std::string_view kWebSocket = "websocket";

}  // namespace

bool AsksForWebSocket(const http::RequestHead& head) {
  return head.method == "GET" && head.framing.kind == http::FramingKind::kNone &&
         http::HasListToken(head.fields, "upgrade", kWebSocket);
}

// 16 random bytes in base64: the last of 22 digits has two bits.
void AppendWebSocketKey(Random& random, std::string& fields) {
  constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  constexpr std::string_view kLastDigits = "AQgw";
  fields += "Sec-WebSocket-Key: ";
  for (int i = 0; i < 21; ++i) fields += kDigits[random.Below(kDigits.size())];
  fields += kLastDigits[random.Below(kLastDigits.size())];
  fields += "==\r\n";
}

bool OpensWebSocket(const http::ResponseHead& head) {
  const http::Field* const chosen = http::FindField(head.fields, "upgrade");
  return chosen != nullptr && EqualsIgnoreCase(chosen->value, kWebSocket) &&
         http::HasListToken(head.fields, "connection", "upgrade");
}

}  // namespace weir::proxy
