#include "proxy/actions/fixed_response.h"

#include "proxy/routing/explain.h"
#include "proxy/worker_state.h"

namespace weir::proxy {

ActionOutcome FixedResponse::Run(const ActionRequest& request) const {
  WorkerState& worker = request.worker;
  BuildFixedResponse(*this, worker.date.At(worker.loop.wall_now()), request.listener.listener_config->attributes,
                     worker.generated);
  return ActionOutcome::Respond();
}

void FixedResponse::Explain(const ExplainedRequest& /*request*/, RequestExplanation& explanation) const {
  explanation.status = status;
  explanation.content_type = content_type;
  explanation.body = body;
}

FixedResponse BuildAction(const config::FixedResponseAction& action, std::uint32_t& /*draws*/) {
  const bool defaulted = action.content_type.empty() && !action.message_body.empty();
  return {.status = action.status_code,
          .content_type = defaulted ? std::string_view("text/plain") : action.content_type,
          .body = action.message_body};
}

}  // namespace weir::proxy
