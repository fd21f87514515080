#pragma once

#include "base/ip_address.h"
#include "base/result.h"

#include <chrono>
#include <string>
#include <string_view>

namespace weir::control {

struct AdminReply {
  unsigned status = 0;
  std::string body;
  std::string etag;  // as it stands in the field; empty when there is none
};

// One request to a running appliance's admin API; blocks at most `timeout`. `if_match` is the field of that name (RFC
// 9110, 13.1.1), left out when empty; `author` is who asks (Weir-Author), likewise. Fails when nothing answers there,
// or what answers is not HTTP. Thread: any.
[[nodiscard]] Result<AdminReply> CallAdmin(const Endpoint& admin, std::string_view method, std::string_view target,
                                           std::string_view body = {},
                                           std::chrono::milliseconds timeout = std::chrono::seconds(5),
                                           std::string_view if_match = {}, std::string_view author = {});

}  // namespace weir::control
