#pragma once

// What the proxy changes in messages on their way: forwarding fields, Host, trace id, hop-by-hop fields. spec:
// alb.md 12.3-12.5.

#include "base/clock.h"
#include "base/ip_address.h"
#include "base/random.h"
#include "config/model.h"
#include "http/message.h"
#include "proxy/message.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace weir::net {
struct TlsClientCertificate;
}

namespace weir::proxy {

// spec: alb.md 12.5. Names as the listener's attributes give them.
struct TlsFields {
  std::string_view version_name;
  std::string_view version;  // TLSv1.2
  std::string_view cipher_suite_name;
  std::string_view cipher_suite;
};

// What a target is told of the client's certificate. spec: alb.md 18.3.
struct MtlsFields {
  const config::MtlsFieldNames* names = nullptr;
  const net::TlsClientCertificate* certificate = nullptr;  // null: the client sent none
};

// What of a connection over TLS a target is told.
struct OwnTlsFields {
  std::optional<TlsFields> tls;
  std::optional<MtlsFields> mtls;  // where clients are asked for certificates
};

// Where a request came from and to.
struct RequestOrigin {
  Endpoint peer;                     // the client
  Endpoint local;                    // what it connected to
  std::uint16_t port = 0;            // the listener's
  std::uint16_t forwarded_port = 0;  // that the client connected to: another one only by a PROXY header
  std::string_view scheme;           // http
  // Not null: the fields that tell the target what was agreed on with the client; those of the client are dropped.
  const TlsFields* tls = nullptr;
  // Not null: clients are asked for certificates; those fields of theirs that tell of one are dropped.
  const MtlsFields* mtls = nullptr;
  // The listener signs users in: fields of the client's that tell of one are dropped.
  bool tells_claims = false;
  // What actions add, behind the client's own fields.
  std::string_view added_fields = {};
  // What transforms made of the host, with a port or without, and of path and query; empty: as the client sent them.
  std::string_view transformed_host = {};
  std::string_view transformed_target = {};
};

// Whether a field of the client's, or a trailer field, could be taken for one that only the load balancer may send:
// also with `_` for `-`. `tls` and `mtls` as in RequestOrigin.
[[nodiscard]] bool IsReserved(std::string_view name, const TlsFields* tls, const MtlsFields* mtls);
// The same of `x-amzn-oidc-…` (spec: alb.md 5.4).
[[nodiscard]] bool TellsOfUser(std::string_view name);

inline constexpr std::size_t kForwardedForAddressesMax = 30;

// Addresses in every X-Forwarded-For line of the request; more than kForwardedForAddressesMax is answered 463.
[[nodiscard]] std::size_t CountForwardedFor(const std::vector<http::Field>& fields);

// The request as the target gets it, in `out` (cleared first): target in origin-form, Host by the rules of 12.3, the
// client's fields without hop-by-hop ones, X-Forwarded-*, X-Amzn-Trace-Id. `trace_id` gets the value of the last one,
// for the log.
void BuildRequestMessage(const http::RequestHead& head, const config::LoadBalancerAttributes& attributes,
                         const RequestOrigin& origin, WallTime now, Random& random, RequestMessage& out,
                         std::string& trace_id);

// Sets `out` to the value for X-Amzn-Trace-Id, given what the client sent (empty: nothing). spec: alb.md 12.5.
void BuildTraceId(std::string_view received, std::size_t head_bytes, WallTime now, Random& random, std::string& out);
// The same as a new string.
[[nodiscard]] std::string TraceId(std::string_view received, std::size_t head_bytes, WallTime now, Random& random);

// Appends the response's fields as the client gets them: hop-by-hop fields and Content-Length removed, the listener's
// response fields set in place of the target's.
void AppendResponseFields(const http::ResponseHead& head, const config::ListenerAttributes& attributes,
                          FieldBlock& out);

}  // namespace weir::proxy
