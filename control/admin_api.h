#pragma once

#include "control/appliance.h"
#include "control/metrics.h"

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace weir::control {

// One request to the admin API, without a socket.
struct AdminRequest {
  std::string_view method = {};
  std::string_view target = {};      // path and query as sent
  std::string_view host = {};        // Host field
  std::string_view origin = {};      // Origin field; empty when absent
  std::string_view fetch_site = {};  // Sec-Fetch-Site; empty when absent
  std::string_view if_match = {};    // If-Match; empty when absent
  std::string_view author = {};      // Weir-Author; empty when absent
  std::string_view accept = {};      // Accept; empty when absent
  std::string_view body = {};
};

struct AdminResponse {
  unsigned status = 200;
  std::string content_type = "application/json";
  std::string body;
  std::string allow = {};  // for 405
  std::string etag = {};   // of the document, or of what a change made of it
};

// A request that changes something: to be submitted; `state` is repeated in the answer when it was accepted.
struct PendingChange {
  Change change;
  std::string state;
};

// Decides what a request asks for: an answer at once, or a change. `loopback` says that the API is bound to a loopback
// address: the Host field must then be an address or `localhost`, so that no web page reaches it through a name of its
// own. Requests of browsers from other origins are refused with 403. docs/admin-api.md has every call. Thread: any.
class AdminApi {
 public:
  AdminApi(const Appliance& appliance, BuildFacts build, bool loopback)
      : appliance_(appliance), build_(build), loopback_(loopback) {}

  [[nodiscard]] std::variant<AdminResponse, PendingChange> Answer(const AdminRequest& request) const;
  // The answer once the change was made or refused.
  [[nodiscard]] static AdminResponse Conclude(const PendingChange& pending, const ChangeResult& result);

 private:
  const Appliance& appliance_;
  BuildFacts build_;
  bool loopback_;
};

// `{"error": …, "hint": …}` with the status.
[[nodiscard]] AdminResponse ErrorResponse(unsigned status, std::string_view error, std::string_view hint = {});

}  // namespace weir::control
