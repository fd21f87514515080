#pragma once

#include "base/ip_address.h"

#include <string>
#include <string_view>
#include <vector>

namespace weir::app {

// One call that changes something in the running appliance.
struct AdminChange {
  std::string_view method;
  std::vector<std::string> path;  // segments after /v1, not encoded
  std::string body;               // JSON; empty for none
  std::string said;               // what was done, for people: printed with the revision
};

// `text` with everything but unreserved characters percent-encoded (RFC 3986 section 2.3), for a segment or a value.
[[nodiscard]] std::string PercentEncode(std::string_view text);

// Makes the change and prints `said, revision N` on standard output, or the API's answer when `json`. Gives the exit
// code: 2 when the appliance knows nothing of what the command line names (400, 404), 3 when nothing answers or the
// appliance refuses, each with a message. Blocks as CallAdmin does.
int MakeAdminChange(const Endpoint& admin, const AdminChange& change, bool json);

}  // namespace weir::app
