#pragma once

#include "base/ip_address.h"
#include "base/result.h"
#include "http/message.h"
#include "proxy/actions/redirect.h"
#include "proxy/routing/routing_table.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace weir::proxy {

// What rules look at in a request that was parsed. Host: the absolute-form target's, else the first Host field's, its
// port cut off; empty when there is none or it is malformed. The path is normalised into `scratch` when it has to be
// changed; `scratch` is cleared first and must outlive the facts, as must `head`.
[[nodiscard]] RequestFacts MakeFacts(const http::RequestHead& head, const IpAddress& client, std::string& scratch);

// A request that nobody sent: for commands that decide without a socket. Moves, but is not copied: `fields` are views
// into `headers`.
class UrlRequest {
 public:
  UrlRequest(UrlRequest&&) = default;
  UrlRequest& operator=(UrlRequest&&) = default;
  UrlRequest(const UrlRequest&) = delete;
  UrlRequest& operator=(const UrlRequest&) = delete;
  ~UrlRequest() = default;

  // Views into this object; taken anew after it moved.
  [[nodiscard]] RequestFacts facts() const;
  [[nodiscard]] RequestTargetParts target_parts() const;

  [[nodiscard]] const std::string& method() const { return method_; }
  [[nodiscard]] const std::string& scheme() const { return scheme_; }
  // Of the URL: what picks the load balancer. `host()` of the facts may be another when a Host header was given.
  [[nodiscard]] const std::string& url_host() const { return url_host_; }
  [[nodiscard]] std::uint16_t port() const { return port_; }

 private:
  UrlRequest() = default;
  friend Result<UrlRequest> MakeFactsFromUrl(std::string_view method, std::string_view url,
                                             std::vector<std::pair<std::string, std::string>> headers,
                                             const IpAddress& client);

  std::string method_;
  std::string scheme_;
  std::string url_host_;
  std::string host_;
  std::uint16_t port_ = 0;
  std::string raw_path_;
  std::string path_;
  std::string query_;
  std::vector<std::pair<std::string, std::string>> headers_;
  std::vector<http::Field> fields_;
  IpAddress client_;
};

// The request that a client would send for `url` (http://HOST[:PORT][/PATH][?QUERY]; also https, port 443). A Host
// header among `headers` replaces the URL's host, as in curl. A Host field is added when none is given. Fails with a
// sentence when the method is no token, the URL is none, or a header name is no token or a value holds a control
// character.
[[nodiscard]] Result<UrlRequest> MakeFactsFromUrl(std::string_view method, std::string_view url,
                                                  std::vector<std::pair<std::string, std::string>> headers,
                                                  const IpAddress& client);

}  // namespace weir::proxy
