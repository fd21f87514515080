#pragma once

// How an action waits: for a token, a key set, a function. Nothing of this costs a request whose actions do not wait.

#include "net/event_loop.h"
#include "proxy/actions/request_copy.h"
#include "proxy/balancing/sticky_verdict.h"
#include "proxy/error.h"
#include "proxy/message.h"

#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>

namespace weir::proxy {

struct GeneratedResponse;  // generated_response.h

// What an action before the last one adds to a request that goes on, and to the answer.
struct ActionAdditions {
  FieldBlock request_fields = {};      // to what is forwarded
  FieldBlock response_fields = {};     // to whatever the client is answered
  std::string_view error_reason = {};  // that the log tells although nothing failed; a static text
};

// What an action says: how the request goes on.
struct ActionOutcome {
  enum class Kind : std::uint8_t {
    kForward,  // to a target of `group`
    kRespond,  // with WorkerState::generated, which the action has filled in
    kFail,     // with what `error` is answered
    kGoOn,     // with the next action: never said by the last one
    kWait,     // see ActionRequest::Wait
  };
  // There is no group that takes requests: 503.
  static constexpr std::uint32_t kNoGroup = std::numeric_limits<std::uint32_t>::max();

  Kind kind = Kind::kGoOn;
  ErrorCode error = ErrorCode::kActionTimeout;
  std::uint32_t group = kNoGroup;                         // index into RoutingTable::groups() of the request's view
  StickyVerdict group_cookie = StickyVerdict::kNoCookie;  // of kForward

  [[nodiscard]] static ActionOutcome Forward(std::optional<std::uint32_t> group) {
    return {.kind = Kind::kForward, .group = group.value_or(kNoGroup)};
  }
  [[nodiscard]] static ActionOutcome Respond() { return {.kind = Kind::kRespond}; }
  [[nodiscard]] static ActionOutcome Fail(ErrorCode error) { return {.kind = Kind::kFail, .error = error}; }
  [[nodiscard]] static ActionOutcome GoOn() { return {.kind = Kind::kGoOn}; }
  [[nodiscard]] static ActionOutcome Wait() { return {.kind = Kind::kWait}; }
};

// Who waits: an exchange.
class ActionEvents {
 public:
  // What the action waited for is there. `response` is what is answered with kRespond, else null; used up during the
  // call. Never kWait. May end the exchange.
  virtual void OnActionDone(ActionOutcome outcome, const GeneratedResponse* response) = 0;

 protected:
  ~ActionEvents() = default;
};

struct ActionWait;

// The right to let a request go on that waits. Copies are for the same wait, the first that is used ends it: all others
// do nothing then, as does each of them once nobody waits any more. May outlive the exchange and its worker. Each call
// may end the exchange before it returns. Thread: worker.
class ActionHandle {
 public:
  ActionHandle() = default;
  explicit ActionHandle(std::weak_ptr<ActionWait> wait) : wait_(std::move(wait)) {}

  [[nodiscard]] bool awaited() const;
  // To a target of this group; absent: there is none, 503.
  void Forward(std::optional<std::uint32_t> group) const { Use(ActionOutcome::Forward(group), nullptr); }
  void Respond(const GeneratedResponse& response) const { Use(ActionOutcome::Respond(), &response); }
  void GoOn() const { Use(ActionOutcome::GoOn(), nullptr); }
  void GoOn(ActionAdditions additions) const;
  void Fail(ErrorCode code) const { Use(ActionOutcome::Fail(code), nullptr); }

 private:
  void Use(ActionOutcome outcome, const GeneratedResponse* response) const;

  std::weak_ptr<ActionWait> wait_;
};

// What an action waits for. Owned by the exchange that waits; destroyed at the end of the turn in which it was done or
// cancelled, so it may use its handle from a method of its own. Thread: worker.
class ActionWork : public net::Deferred {
 public:
  // Begins. `head` lives until the wait ends. The handle may be used at once.
  virtual void Start(const http::RequestHead& head, const ActionHandle& handle) = 0;
  // Nobody waits any more: the client went away, the time was over, or the process stops.
  virtual void Cancel() = 0;
};

// One wait of one exchange. Shared with nobody but, weakly, the handles. Thread: worker.
struct ActionWait {
  explicit ActionWait(std::unique_ptr<ActionWork> action_work) : work(std::move(action_work)) {}

  std::unique_ptr<ActionWork> work;
  std::optional<RequestHeadCopy> head;
  ActionEvents* exchange = nullptr;                      // null: the wait has ended, or has not begun
  std::unique_ptr<ActionAdditions> additions = nullptr;  // of what was waited for; null: none
};

// The exchange waits from here on, and owns the request. `wait` may have ended when this returns.
void BeginWait(const std::shared_ptr<ActionWait>& wait, const http::RequestHead& head, ActionEvents& exchange);
enum class WaitEnd : std::uint8_t { kDone, kCancelled };
// Ends it, once: its handles do nothing from here on. The head stays until the last pointer to `wait` goes.
void EndWait(ActionWait& wait, WaitEnd end, net::EventLoop& loop);

}  // namespace weir::proxy
