#pragma once

#include "config/model.h"
#include "http/message.h"
#include "proxy/actions/action.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace weir::proxy {

// A longer Location is not sent: 507 (spec: alb.md 5.2).
inline constexpr std::size_t kLocationBytesMax = 8 * 1024;

// What the keywords of a redirect stand for.
struct RequestTargetParts {
  std::string_view scheme = "http";  // lower case
  std::string_view host = {};        // without port; an IPv6 literal with or without brackets
  std::uint16_t port = 0;            // of the listener
  std::string_view path = "/";       // as the client sent it
  std::string_view query = {};       // as the client sent it, without `?`
};

// The parts of a request that came in on `port`. Host: the absolute-form target's, else the Host field's, else
// `fallback_host` (the address that the client connected to). Views live as long as the head.
[[nodiscard]] RequestTargetParts MakeTargetParts(const http::RequestHead& head, std::string_view scheme,
                                                 std::uint16_t port, std::string_view fallback_host);

// The Location of a redirect: `https://host:443/path?query`, the port always written, `?` only before a query that is
// not empty. Keywords are replaced where AWS allows them and stay as they are elsewhere. Bytes that a URI cannot hold
// (controls, space, DEL, non-ASCII) are percent-encoded, so no value can end the field line. Absent when the text would
// be longer than kLocationBytesMax.
[[nodiscard]] std::optional<std::string> BuildLocation(const config::RedirectAction& redirect,
                                                       const RequestTargetParts& parts);
// The same in `out`, which keeps its capacity. False when it would be longer.
[[nodiscard]] bool BuildLocation(const config::RedirectAction& redirect, const RequestTargetParts& parts,
                                 std::string& out);

// Sends the client elsewhere. spec: alb.md 5.2.
struct Redirect {
  static constexpr ActionKind kKind = ActionKind::kRedirect;

  const config::RedirectAction* templates = nullptr;  // owned by the table's model

  [[nodiscard]] ActionOutcome Run(const ActionRequest& request) const;
  void Explain(const ExplainedRequest& request, RequestExplanation& explanation) const;
};

[[nodiscard]] Redirect BuildAction(const config::RedirectAction& action, std::uint32_t& draws);

}  // namespace weir::proxy
