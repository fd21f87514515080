#pragma once

#include "config/model.h"
#include "proxy/actions/action.h"

#include <cstdint>
#include <string_view>

namespace weir::proxy {

// Answers with a text of the configuration. spec: alb.md 5.3.
struct FixedResponse {
  static constexpr ActionKind kKind = ActionKind::kFixedResponse;

  std::uint16_t status = 200;
  std::string_view content_type;  // owned by the table's model, as the body
  std::string_view body;

  [[nodiscard]] ActionOutcome Run(const ActionRequest& request) const;
  void Explain(const ExplainedRequest& request, RequestExplanation& explanation) const;
};

[[nodiscard]] FixedResponse BuildAction(const config::FixedResponseAction& action, std::uint32_t& draws);

}  // namespace weir::proxy
