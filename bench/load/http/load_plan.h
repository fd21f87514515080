#pragma once

#include "base/ip_address.h"
#include "base/result.h"
#include "bench/load/http/replay_log.h"
#include "bench/load/http/url.h"

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace weir::bench {

// A server that connections are opened to.
struct Origin {
  bool tls = false;
  std::string host;  // for the certificate and SNI
  std::uint16_t port = 80;
  std::vector<Endpoint> endpoints;  // filled by name resolution; connections rotate over them
};

struct HeaderField {
  std::string name;
  std::string value;

  friend bool operator==(const HeaderField&, const HeaderField&) = default;
};

// A request in the form that is sent: built once, sent as often as it is due.
struct PreparedRequest {
  std::uint32_t origin = 0;
  std::string method;
  std::string head;  // HTTP/1.1: request line and fields, with the empty line; of WebSocket the handshake
  std::vector<HeaderField> fields;  // HTTP/2: pseudo-header fields first, names in lower case
  std::string_view content;         // of the plan; of WebSocket a frame
};

// What all requests have alike.
struct RequestShape {
  std::string method = "GET";        // of URLs; logged requests have their own
  std::vector<HeaderField> headers;  // `Host` and `User-Agent` replace ours
  std::string content;
  bool has_content = false;  // an empty content is sent as Content-Length: 0
  bool closes = false;       // HTTP/1.1: Connection: close
  bool http2 = false;
  bool websocket = false;  // `content` is a message's
};

// `Name: value`, as on the command line. Refuses what is no field line, and fields that frame the message or belong to
// the connection: those the generator writes itself.
[[nodiscard]] Result<HeaderField> ParseHeader(std::string_view text);

// Everything that a run may send. Immutable while the run goes: the threads share it.
class LoadPlan {
 public:
  explicit LoadPlan(RequestShape shape);

  // Adds a request for `url`; the result is its index.
  std::uint32_t Add(const Url& url);
  // Adds a logged request, to be sent to the origin of `to`. Equal requests get the same index.
  std::uint32_t Add(const LoggedRequest& logged, const Url& to);

  [[nodiscard]] const std::vector<PreparedRequest>& requests() const { return requests_; }
  [[nodiscard]] const std::vector<Origin>& origins() const { return origins_; }
  [[nodiscard]] std::vector<Origin>& origins() { return origins_; }

 private:
  struct Line {
    std::string method;
    std::string authority;
    std::string target;
    std::string user_agent;  // empty: ours
    bool is_logged = false;
  };
  std::uint32_t OriginOf(const Url& url);
  [[nodiscard]] PreparedRequest Prepare(const Line& line, std::uint32_t origin) const;
  [[nodiscard]] std::vector<HeaderField> Fields(const Line& line) const;

  // The contents of the requests are views of it, and a plan may be moved.
  std::unique_ptr<const RequestShape> shape_;
  std::vector<Origin> origins_;
  std::vector<PreparedRequest> requests_;
  std::map<std::string, std::uint32_t> logged_;  // by everything that is sent
};

}  // namespace weir::bench
