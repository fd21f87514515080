#pragma once

// What a rule does with a request that it matched. Each action is one pair of files here: its compiled form, how it
// runs and how it is explained stand together. The last action of a rule is one of kinds.h; actions before it are
// LeadingActions. An exchange asks them in turn (Exchange::RunActions).

#include "http/message.h"
#include "proxy/actions/waiting.h"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace weir::proxy {

struct DataView;                   // worker_state.h
struct DownstreamConnectionFacts;  // downstream/connection_facts.h
struct ExplainedRequest;           // routing/explain.h
struct Listener;                   // routing/routing_table.h
struct RequestExplanation;         // routing/explain.h
struct WorkerState;                // worker_state.h

enum class ActionKind : std::uint8_t { kForward, kRedirect, kFixedResponse };
// `forward`, `redirect`, `fixed-response`: as the configuration and the access log spell it.
[[nodiscard]] std::string_view ToString(ActionKind kind);

// A request as its actions see it, during the call.
struct ActionRequest {
  const http::RequestHead& head;
  const DownstreamConnectionFacts& connection;
  const Listener& listener;
  const DataView& view;
  WorkerState& worker;
  std::shared_ptr<ActionWait>& wait;        // of the exchange; for Wait
  std::unique_ptr<ActionAdditions>& added;  // of the exchange; for additions()

  // Of an action before the last one: what is added to the request, for it to fill in.
  [[nodiscard]] ActionAdditions& additions() const {
    if (added == nullptr) added = std::make_unique<ActionAdditions>();
    return *added;
  }

  // The action waits for `work`. The exchange then owns a copy of the request, reads no more of it, and starts the
  // work.
  [[nodiscard]] ActionOutcome Wait(std::unique_ptr<ActionWork> work) const {
    wait = std::make_shared<ActionWait>(std::move(work));
    return ActionOutcome::Wait();
  }
};

// An action that stands before the last one: it lets the request go on, answers it, or waits. Immutable. Thread: any
// (const).
class LeadingAction {
 public:
  virtual ~LeadingAction() = default;
  LeadingAction(const LeadingAction&) = delete;
  LeadingAction& operator=(const LeadingAction&) = delete;

  [[nodiscard]] virtual ActionOutcome Run(const ActionRequest& request) const = 0;
  // As the access log spells it.
  [[nodiscard]] virtual std::string_view name() const = 0;
  // What it does, in words. Allocates.
  [[nodiscard]] virtual std::string Explain() const = 0;

 protected:
  LeadingAction() = default;
};

}  // namespace weir::proxy
