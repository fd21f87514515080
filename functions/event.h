#pragma once

// What a Load Balancer and a function say to each other: requests as events, responses as JSON. Pure; spec: alb.md 7.4.
// Thread: any.

#include "http/message.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace weir::functions {

// Content of a request, before it is put into an event, and the JSON text of a response: 1 MB each, inclusive.
inline constexpr std::size_t kContentBytesMax = 1 << 20;

// lambda.multi_value_headers.enabled.
enum class Values : std::uint8_t {
  kLast,  // queryStringParameters and headers: of several values the last one counts
  kAll,   // multiValueQueryStringParameters and multiValueHeaders
};

// A request as a target would get it.
struct EventRequest {
  std::string_view target_group_arn;
  std::string_view method;
  std::string_view target;  // path and query, in the form in which they would be sent
  const std::vector<http::Field>& fields;
  std::string_view content;
};

// The event, in the order of AWS's documentation: requestContext, httpMethod, path, the query, the fields by name in
// lower case, body, isBase64Encoded. Path and query stay percent-encoded. The body is the text itself where its type is
// text/*, application/json, application/javascript or application/xml, it has no Content-Encoding, and it is UTF-8;
// else base64. Values of fields that are not UTF-8 are taken for ISO 8859-1.
[[nodiscard]] std::string EncodeEvent(const EventRequest& request, Values values);

// The event of a health check; `path` may have a query. spec: alb.md 11.
[[nodiscard]] std::string EncodeHealthCheckEvent(std::string_view target_group_arn, std::string_view path,
                                                 Values values);

// A response of a function, taken out of its JSON.
struct EventResponse {
  std::uint16_t status = 0;                                 // 200-599
  std::string reason;                                       // of `statusDescription`; empty: as the status wants it
  std::vector<std::pair<std::string, std::string>> fields;  // valid HTTP, without framing and hop-by-hop ones
  std::string content;                                      // decoded
};

// Absent for what ALB answers 502: anything but an object with `statusCode`, `isBase64Encoded` and `headers` or
// `multiValueHeaders`, each of its type, with fields that can be sent and content that can be decoded.
[[nodiscard]] std::optional<EventResponse> DecodeResponse(std::string_view json, Values values);

}  // namespace weir::functions
