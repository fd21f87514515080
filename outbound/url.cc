#include "base/text.h"
#include "http/scan.h"
#include "http/target.h"
#include "outbound/http_client.h"

#include <algorithm>

namespace weir::outbound {
namespace {

constexpr std::string_view kHttp = "http://";
constexpr std::string_view kHttps = "https://";
constexpr std::uint16_t kHttpPort = 80;
constexpr std::uint16_t kHttpsPort = 443;

bool HasScheme(std::string_view text, std::string_view scheme) {
  return EqualsIgnoreCase(text.substr(0, scheme.size()), scheme);
}

std::unexpected<Error> Refuse(std::string_view text, std::string why, std::string hint = {}) {
  return weir::Failure("`" + std::string(text) + "` is no URL to ask: " + std::move(why), std::move(hint));
}

bool CannotStandInTarget(char c) { return http::IsByte(http::kTargetStop, c) || static_cast<unsigned char>(c) >= 0x80; }

}  // namespace

Result<Url> ParseUrl(std::string_view text) {
  Url url;
  url.tls = HasScheme(text, kHttps);
  if (!url.tls && !HasScheme(text, kHttp)) {
    return Refuse(text, "it does not begin with http:// or https://", "write https://HOST:PORT/PATH");
  }
  if (text.find('#') != std::string_view::npos)
    return Refuse(text, "a fragment is not sent", "leave out # and the rest");
  if (std::ranges::any_of(text, CannotStandInTarget)) {
    return Refuse(text, "it has a space, a control character or a byte that is not ASCII", "write it as %20");
  }
  const std::size_t scheme_bytes = (url.tls ? kHttps : kHttp).size();
  if (text.substr(0, text.find_first_of("/?", scheme_bytes)).find('@') != std::string_view::npos) {
    return Refuse(text, "user information is not sent", "send it in the header field Authorization");
  }
  const auto target = http::ParseTarget("GET", text);
  const auto place = target ? http::ParseHostPort(target->authority) : std::nullopt;
  if (!place) return Refuse(text, "its host or port is malformed");
  if (place->port == 0) return Refuse(text, "port 0 cannot be asked");
  url.host = std::string(place->host);
  if (url.host.starts_with('[')) url.host = url.host.substr(1, url.host.size() - 2);
  url.port = place->port.value_or(url.tls ? kHttpsPort : kHttpPort);
  url.target = std::string(target->path);
  if (target->has_query) (url.target += '?') += target->query;
  return url;
}

std::string HostOf(const Url& url) {
  const bool is_ipv6 = url.host.find(':') != std::string::npos;
  std::string text = is_ipv6 ? "[" + url.host + "]" : url.host;
  if (url.port != (url.tls ? kHttpsPort : kHttpPort)) (text += ':') += std::to_string(url.port);
  return text;
}

}  // namespace weir::outbound
