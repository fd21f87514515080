#pragma once

#include "config/model.h"
#include "proxy/message.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace weir::proxy {

struct FixedResponse;  // actions/fixed_response.h

// A response that weir makes itself: an error, a redirect, a fixed response. spec: alb.md 5.2, 5.3, 13. Made again and
// again in one object, whose texts keep their capacity.
struct GeneratedResponse {
  std::uint16_t status = 0;
  std::string_view reason;
  FieldBlock fields;
  std::string body;
  std::string location;  // of a redirect, for the log; else empty
};

// Each fills in `out` anew; a redirect leads to the `location` that is there already. `date` is the Date field's value.
// The body of an error or redirect is the HTML page observed from ALB.
void BuildErrorResponse(std::uint16_t status, std::string_view date, const config::ListenerAttributes& attributes,
                        GeneratedResponse& out);
void BuildRedirectResponse(std::uint16_t status, std::string_view date, const config::ListenerAttributes& attributes,
                           GeneratedResponse& out);
void BuildFixedResponse(const FixedResponse& action, std::string_view date,
                        const config::ListenerAttributes& attributes, GeneratedResponse& out);

}  // namespace weir::proxy
