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

bool OpensWebSocket(const http::ResponseHead& head) {
  const http::Field* const chosen = http::FindField(head.fields, "upgrade");
  return chosen != nullptr && EqualsIgnoreCase(chosen->value, kWebSocket) &&
         http::HasListToken(head.fields, "connection", "upgrade");
}

}  // namespace weir::proxy
