#include "bench/load/http/url.h"

#include "base/text.h"
#include "outbound/http_client.h"

#include <algorithm>
#include <cstddef>
#include <utility>

namespace weir::bench {
namespace {

bool HasScheme(std::string_view text, std::string_view scheme) {
  return EqualsIgnoreCase(text.substr(0, scheme.size()), scheme);
}

}  // namespace

Result<Url> ParseUrl(std::string_view text) {
  const bool websocket = HasScheme(text, "ws://") || HasScheme(text, "wss://");
  if (!websocket && !HasScheme(text, "http://") && !HasScheme(text, "https://")) {
    return Failure(
        "`" + std::string(text) + "` is no URL to ask: it does not begin with http://, https://, ws:// or wss://",
        "write http://HOST:PORT/PATH");
  }
  // A WebSocket's has the form of the other two (RFC 6455 section 3).
  const std::string as_http = websocket ? "http" + std::string(text.substr(2)) : std::string(text);
  const std::string_view whole = std::string_view(as_http).substr(0, as_http.find('#'));
  auto parsed = outbound::ParseUrl(whole);
  if (!parsed) return std::unexpected(std::move(parsed.error()));
  const std::size_t begin = whole.find("//") + 2;
  const std::size_t end = std::min(whole.find_first_of("/?", begin), whole.size());
  return Url{.tls = parsed->tls,
             .websocket = websocket,
             .host = std::move(parsed->host),
             .port = parsed->port,
             .authority = std::string(whole.substr(begin, end - begin)),
             .target = std::move(parsed->target)};
}

}  // namespace weir::bench
