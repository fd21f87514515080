#pragma once

#include "base/result.h"
#include "control/view.h"
#include "dns/explain.h"
#include "proxy/routing/explain.h"

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace weir::control {

struct HttpQuestion {
  std::string method;
  std::string url;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string from;           // client address; empty: 127.0.0.1
  std::string load_balancer;  // name; empty: found by the URL's port
  // Of an HTTPS listener's client:
  std::optional<std::string> server_name = {};  // SNI, empty: none is sent; absent: the URL's host where it is a name
  std::vector<std::string> signatures = {};     // certificates that it verifies: `ecdsa`, `rsa`; empty: both
  // `1.0`, `1.1` or `2`; empty: HTTP/2 on HTTPS listeners that offer it, else HTTP/1.1.
  std::string http_version = {};
};
struct DnsQuestion {
  std::string name;
  std::string type;
  std::string from;  // client address or CIDR block; may be empty
};

// Why a request goes where it goes, and why a query is answered as it is, with the health of `view`. Fail on a question
// that is not well formed or names nothing of the configuration. Thread: any.
[[nodiscard]] Result<proxy::RequestExplanation> FindRequestExplanation(const View& view, const HttpQuestion& question);
[[nodiscard]] Result<dns::Explanation> FindQueryExplanation(const View& view, const DnsQuestion& question);

// One explanation, for people and for programs.
struct ExplainAnswer {
  std::string text;
  std::string json;  // {"text": …, and the same facts as members}
};

// The same, rendered. Thread: any.
[[nodiscard]] Result<ExplainAnswer> ExplainHttp(const View& view, const HttpQuestion& question);
[[nodiscard]] Result<ExplainAnswer> ExplainDns(const View& view, const DnsQuestion& question);

}  // namespace weir::control
