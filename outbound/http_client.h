#pragma once

// What weir itself asks over HTTP: key sets, identity providers, functions that are endpoints. Not for requests that
// are proxied. HTTP/1.1, one connection for each call, everything bounded.

#include "base/ip_address.h"
#include "base/result.h"
#include "net/event_loop.h"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace weir::net {
class TlsAuthorities;
}  // namespace weir::net

namespace weir::outbound {

// Where a call goes: an absolute http or https URL, taken apart (RFC 3986 section 3).
struct Url {
  bool tls = false;
  std::string host;      // a name or an address literal, IPv6 without its brackets
  std::uint16_t port{};  // 80 or 443 where none is written
  std::string target;    // path and query, at least `/`
};
// Fails for anything else: another scheme, user information, a fragment, an empty host, a port that is none.
[[nodiscard]] Result<Url> ParseUrl(std::string_view text);
// What the Host field says of it: the port only where it is not that of the scheme.
[[nodiscard]] std::string HostOf(const Url& url);

struct Request {
  std::string method = "GET";
  Url url;
  std::vector<std::pair<std::string, std::string>>
      fields;                               // beside Host, Content-Length and Connection, which are written
  std::string content;                      // sent with its length where it or the method asks for one
  std::chrono::milliseconds timeout{5000};  // for all of it: name, connection, TLS, answer
  std::size_t content_max = 1 << 20;        // of the answer, after chunked coding
  // Certificates of https are verified against these; null: against the authorities of the system, which the first such
  // call of a client reads from disk: load them beforehand where a pause of some milliseconds would be noticed.
  std::shared_ptr<const net::TlsAuthorities> authorities;
};

struct Response {
  int status = 0;                                           // the final one, 200-999
  std::vector<std::pair<std::string, std::string>> fields;  // as received, names in lower case
  std::string content;
  // The first value of the field; empty when it is missing. `name` in lower case.
  [[nodiscard]] std::string_view Field(std::string_view name) const;
};

enum class Failure : std::uint8_t {
  kResolve,    // the name has no address, or was not answered
  kConnect,    // refused, unreachable, reset before anything came
  kTls,        // the handshake failed, or the certificate is not good
  kTimeout,    // `timeout` has passed
  kTooLarge,   // more than `content_max`, or a head beyond its limits
  kMalformed,  // what came is not HTTP/1.x, or ends too early
};
// In words for logs: `the name could not be resolved`, ...
[[nodiscard]] std::string_view ToString(Failure failure);

using Answer = std::expected<Response, Failure>;

// One call under way. Destroying it ends it, and nothing is heard of it any more. Thread: that of its client.
class Call : public net::Deferred {};

// One for each loop. Thread: that of its loop. Outlives its calls.
class HttpClient {
 public:
  using OnAnswer = std::function<void(Answer)>;

  // `name_servers` replaces those of the system when it is not empty. Idle, it costs nothing.
  explicit HttpClient(net::EventLoop& loop, std::span<const Endpoint> name_servers = {});
  ~HttpClient();
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  // Asks. `done` is called once, never before this returns, and may destroy the call (through EventLoop::DestroyLater).
  // The first eight addresses of a name are tried in turn, IPv4 first; redirects are not followed, interim responses
  // are skipped.
  [[nodiscard]] std::unique_ptr<Call> Start(Request request, OnAnswer done);

  // The same for a call that belongs to the client: whoever asked may be gone before the answer comes. Where the client
  // goes first, `done` is destroyed instead of called.
  void Ask(Request request, OnAnswer done);

 private:
  class Impl;
  class Conversation;
  std::unique_ptr<Impl> impl_;
};

}  // namespace weir::outbound
