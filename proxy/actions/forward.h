#pragma once

#include "config/model.h"
#include "proxy/actions/action.h"

#include <chrono>
#include <cstdint>
#include <vector>

namespace weir::proxy {

struct ForwardChoice {
  std::uint32_t group = 0;  // index into RoutingTable::groups() and health::StatusTable::groups
  std::uint16_t weight = 0;
};

// Sends the request to a target of one of its groups, drawn by weight. spec: alb.md 5.1.
struct Forward {
  static constexpr ActionKind kKind = ActionKind::kForward;

  std::vector<ForwardChoice> choices;  // in the order of the file
  std::uint32_t weight_total = 0;      // 0: nothing may be chosen (503)
  // How long a client stays with the group that was drawn for it; 0: every request is drawn for. spec: alb.md 9.
  std::chrono::seconds stickiness{0};
  std::uint32_t draw_id = 0;  // where a worker keeps the state of this draw: one number for each choice

  // Of the choices as they are now.
  void SumWeights();
  [[nodiscard]] bool is_sticky() const { return stickiness.count() > 0; }
  [[nodiscard]] ActionOutcome Run(const ActionRequest& request) const;
  void Explain(const ExplainedRequest& request, RequestExplanation& explanation) const;
};

[[nodiscard]] Forward BuildAction(const config::ForwardAction& action, std::uint32_t& draws);

}  // namespace weir::proxy
