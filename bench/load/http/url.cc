#include "bench/load/http/url.h"

#include "base/text.h"
#include "http/scan.h"
#include "http/target.h"

#include <algorithm>
#include <optional>

namespace weir::bench {
namespace {

constexpr std::uint16_t kHttpPort = 80;
constexpr std::uint16_t kHttpsPort = 443;

bool HasScheme(std::string_view text, std::string_view scheme) {
  return text.size() > scheme.size() && EqualsIgnoreCase(text.substr(0, scheme.size()), scheme);
}

std::unexpected<Error> Refuse(std::string_view text, std::string why, std::string hint = {}) {
  return Failure("`" + std::string(text) + "` is no URL to ask: " + std::move(why), std::move(hint));
}

}  // namespace

Result<Url> ParseUrl(std::string_view text) {
  Url url;
  url.websocket = HasScheme(text, "ws://") || HasScheme(text, "wss://");
  url.tls = HasScheme(text, "https://") || HasScheme(text, "wss://");
  if (!url.tls && !url.websocket && !HasScheme(text, "http://")) {
    return Refuse(text, "it does not begin with http://, https://, ws:// or wss://", "write http://HOST:PORT/PATH");
  }
  // A WebSocket's has the form of the other two (RFC 6455 section 3).
  const std::string as_http = url.websocket ? "http" + std::string(text.substr(2)) : std::string();
  const std::string_view form = url.websocket ? std::string_view(as_http) : text;
  const std::string_view whole = form.substr(0, form.find('#'));
  const auto is_bad = [](char c) {
    return http::IsByte(http::kTargetStop, c) || static_cast<unsigned char>(c) >= 0x80;
  };
  if (std::ranges::any_of(whole, is_bad)) {
    return Refuse(text, "it has a space, a control character or a byte that is not ASCII", "write it as %20");
  }
  if (whole.substr(0, whole.find('/', 8)).find('@') != std::string_view::npos) {
    return Refuse(text, "user information is not sent", "use --header 'Authorization: ...'");
  }
  const auto target = http::ParseTarget("GET", whole);
  const auto place = target ? http::ParseHostPort(target->authority) : std::nullopt;
  if (!place) return Refuse(text, "its host or port is malformed");
  url.host = std::string(place->host);
  if (url.host.starts_with('[')) url.host = url.host.substr(1, url.host.size() - 2);
  if (place->port == 0) return Refuse(text, "port 0 cannot be asked");
  url.port = place->port.value_or(url.tls ? kHttpsPort : kHttpPort);
  url.authority = std::string(target->authority);
  url.target = std::string(target->path);
  if (target->has_query) url.target += "?" + std::string(target->query);
  return url;
}

}  // namespace weir::bench
