#pragma once

#include "base/clock.h"
#include "health/status.h"
#include "http/date.h"
#include "http/message.h"
#include "net/cookie_cipher.h"
#include "proxy/balancing/sticky_cookie.h"
#include "proxy/balancing/sticky_verdict.h"
#include "proxy/message.h"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

namespace weir::proxy {

struct Forward;           // actions/forward.h
struct TargetGroupRoute;  // routing/routing_table.h
class RoutingTable;       // routing/routing_table.h

// What the cookie of a request chooses, if anything.
struct StickyChoice {
  StickyVerdict verdict = StickyVerdict::kNoCookie;
  // Set with kHolds: of a target its index in GroupStatus::targets, of a group its index in RoutingTable::groups().
  std::optional<std::uint32_t> chosen = {};
  std::optional<StickySession> session = {};  // what the cookie says, where it could be read
};

// Keeps clients at the target, and at the target group, that they were sent to first. All of it is in cookies: nothing
// is remembered here but what they said, so that workers, restarts and other appliances with the same keys agree.
// Nothing allocates but Reset. spec: alb.md 9 and 5.1. Thread: worker.
class Stickiness {
 public:
  // Before any other call. With the keys it has already nothing changes.
  void Reset(const RoutingTable& table);

  // The target that the request is to go to: that of the cookie when it takes requests. `group` is sticky, `status` is
  // its own.
  [[nodiscard]] StickyChoice FindTarget(const TargetGroupRoute& group, const health::GroupStatus& status,
                                        const std::vector<http::Field>& fields, WallTime now);
  // The target group of a forward action that is sticky: that of the cookie when the action has it, whatever its
  // weight, and it has a target that takes requests. `status` is of the table's revision; null: nothing is known of
  // targets.
  [[nodiscard]] StickyChoice FindGroup(const Forward& forward, const RoutingTable& table,
                                       const health::StatusTable* status, const std::vector<http::Field>& fields,
                                       WallTime now);

  // Appends AWSALB and AWSALBCORS for the target that answered, which stands at `position` in its group; for a group of
  // the type app_cookie AWSALBAPP-0 when `response` sets the application's own cookie.
  void AppendTargetCookies(const TargetGroupRoute& group, const Endpoint& target, std::size_t position,
                           const std::vector<http::Field>& response, bool same_site_none, WallTime now,
                           FieldBlock& out);
  // Appends AWSALBTG and AWSALBTGCORS for the group that was chosen; nothing when it has no weight: sessions that are
  // there go on until their cookies expire.
  void AppendGroupCookies(const Forward& forward, const RoutingTable& table, std::uint32_t group, WallTime now,
                          FieldBlock& out);

 private:
  // A value that was made in this second, for all clients of one target.
  struct Made {
    CookiePurpose purpose = CookiePurpose::kTarget;
    StickySession session;             // of no group: none yet
    StickyCookieCodec::Value value{};  // NULs: none yet; no field has any
  };
  // A group of so many targets gets by with one value a second for each.
  static constexpr std::size_t kMadeMax = 64;
  // Values that were opened: the clients of one target and second present the same one, with each of their requests.
  static constexpr std::size_t kOpenedMax = 256;

  [[nodiscard]] std::optional<StickySession> SessionOf(CookiePurpose purpose, std::string_view value);
  [[nodiscard]] StickyVerdict Open(CookiePurpose purpose, const std::optional<std::string_view>& value, WallTime now,
                                   std::optional<StickySession>& session);
  // Lives until the next call.
  [[nodiscard]] const StickyCookieCodec::Value& ValueOf(CookiePurpose purpose, const StickySession& session);
  void AppendCookie(std::string_view name, const StickyCookieCodec::Value& value, bool same_site_none, WallTime now,
                    FieldBlock& out);

  std::unique_ptr<StickyCookieCodec> codec_;
  std::vector<Made> made_;
  std::vector<Made> opened_;
  http::HttpDateLine expires_;
};

}  // namespace weir::proxy
