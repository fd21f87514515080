#include "proxy/routing/request_facts.h"

#include "base/text.h"
#include "http/target.h"

#include <algorithm>
#include <optional>

namespace weir::proxy {

RequestFacts MakeFacts(const http::RequestHead& head, const IpAddress& client, std::string& scratch) {
  RequestFacts facts;
  facts.method = head.method;
  facts.fields = &head.fields;
  facts.client = client;
  facts.host = head.authority.host;
  facts.query = head.parts.query;
  scratch.clear();
  facts.path = http::NormalizePath(head.parts.path, scratch) ? std::string_view(scratch) : head.parts.path;
  return facts;
}

RequestFacts UrlRequest::facts() const {
  return {.method = method_, .host = host_, .path = path_, .query = query_, .fields = &fields_, .client = client_};
}

RequestTargetParts UrlRequest::target_parts() const {
  return {.scheme = scheme_, .host = host_, .port = port_, .path = raw_path_, .query = query_};
}

namespace {

// RFC 9110 section 5.6.2.
bool IsToken(std::string_view text) {
  constexpr std::string_view kMarks = "!#$%&'*+-.^_`|~";
  return !text.empty() && std::ranges::all_of(text, [kMarks](char c) {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || kMarks.contains(c);
  });
}

// Field values hold no control characters but the tab (RFC 9110 section 5.5).
bool IsFieldValue(std::string_view text) {
  return std::ranges::none_of(text, [](char c) { return (c >= 0 && c < 0x20 && c != '\t') || c == 0x7F; });
}

// A message with a text in quotes; texts come from a command line, so they are shown as they are.
std::string About(std::string_view before, std::string_view text, std::string_view after) {
  return std::string(before).append("\"").append(text).append("\"").append(after);
}

std::optional<Error> CheckHeaders(const std::vector<std::pair<std::string, std::string>>& headers) {
  for (const auto& [name, value] : headers) {
    if (!IsToken(name)) {
      return Error{.message = About("", name, " is not a header name"), .hint = "write headers as `Name: value`"};
    }
    if (!IsFieldValue(value)) {
      return Error{.message = "the value of the header " + name + " holds a control character", .hint = {}};
    }
  }
  return std::nullopt;
}

constexpr std::string_view kUrlHint = "write http://HOST[:PORT][/PATH][?QUERY]";

}  // namespace

Result<UrlRequest> MakeFactsFromUrl(std::string_view method, std::string_view url,
                                    std::vector<std::pair<std::string, std::string>> headers, const IpAddress& client) {
  if (!IsToken(method)) return Failure(About("", method, " is not a method"), "a method is a word such as GET");
  if (auto error = CheckHeaders(headers)) return std::unexpected(std::move(*error));
  if (!std::ranges::all_of(url, [](char c) { return c > 0x20 && c <= 0x7E; })) {
    return Failure(About("", url, " is not a URL: it holds a space, a control or a non-ASCII character"),
                   "percent-encode it: %20 is a space");
  }
  const auto colon = url.find("://");
  if (colon == std::string_view::npos) return Failure(About("", url, " is not a URL"), std::string(kUrlHint));
  const std::string scheme = ToLowerAscii(url.substr(0, colon));
  if (scheme != "http" && scheme != "https") {
    return Failure(About("the scheme ", scheme, " is not known"), "http or https");
  }
  const auto authority_end = std::min(url.size(), url.find_first_of("/?#", colon + 3));
  const auto authority = url.substr(colon + 3, authority_end - colon - 3);
  const auto host_port = http::ParseHostPort(authority);
  if (!host_port) return Failure(About("", authority, " is not a host, or its port is none"), std::string(kUrlHint));

  UrlRequest request;
  request.method_ = method;
  request.scheme_ = scheme;
  request.url_host_ = host_port->host;
  request.port_ = host_port->port.value_or(scheme == "https" ? 443 : 80);
  request.client_ = client;
  // A fragment stays with the client.
  const auto target = url.substr(authority_end, url.find('#', authority_end) - authority_end);
  const auto question = target.find('?');
  request.raw_path_ = target.substr(0, question);
  if (request.raw_path_.empty()) request.raw_path_ = "/";
  if (question != std::string_view::npos) request.query_ = target.substr(question + 1);
  if (!http::NormalizePath(request.raw_path_, request.path_)) request.path_ = request.raw_path_;

  request.headers_ = std::move(headers);
  const auto host =
      std::ranges::find_if(request.headers_, [](const auto& h) { return EqualsIgnoreCase(h.first, "host"); });
  if (host == request.headers_.end()) {
    request.host_ = request.url_host_;
    request.headers_.emplace(request.headers_.begin(), "Host", authority);
  } else {
    const auto other = http::ParseHostPort(host->second);
    if (!other) return Failure(About("", host->second, " is not a value for the Host header"), "HOST or HOST:PORT");
    request.host_ = other->host;
  }
  for (const auto& [name, value] : request.headers_) request.fields_.push_back({.name = name, .value = value});
  return request;
}

}  // namespace weir::proxy
