#pragma once

#include "config/model.h"
#include "proxy/message.h"
#include "proxy/routing/routing_table.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace weir::proxy {

// A response that weir makes itself: an error, a redirect, a fixed response. spec: alb.md 5.2, 5.3, 13.
struct GeneratedResponse {
  std::uint16_t status = 0;
  std::string_view reason;
  FieldBlock fields;
  std::string body;
};

// The body is the HTML page observed from ALB. `date` is the Date field's value; `allow` is for 405 and may be empty.
[[nodiscard]] GeneratedResponse MakeErrorResponse(std::uint16_t status, std::string_view date,
                                                  const config::ListenerAttributes& attributes);
[[nodiscard]] GeneratedResponse MakeRedirectResponse(std::uint16_t status, std::string_view location,
                                                     std::string_view date,
                                                     const config::ListenerAttributes& attributes);
[[nodiscard]] GeneratedResponse MakeFixedResponse(const FixedResponse& action, std::string_view date,
                                                  const config::ListenerAttributes& attributes);

}  // namespace weir::proxy
