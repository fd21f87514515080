#include "proxy/actions/waiting.h"

namespace weir::proxy {

bool ActionHandle::awaited() const {
  const auto wait = wait_.lock();
  return wait != nullptr && wait->exchange != nullptr;
}

void ActionHandle::GoOn(ActionAdditions additions) const {
  const auto wait = wait_.lock();
  if (wait == nullptr || wait->exchange == nullptr) return;
  wait->additions = std::make_unique<ActionAdditions>(std::move(additions));
  wait->exchange->OnActionDone(ActionOutcome::GoOn(), nullptr);
}

void ActionHandle::Use(ActionOutcome outcome, const GeneratedResponse* response) const {
  const auto wait = wait_.lock();
  if (wait != nullptr && wait->exchange != nullptr) wait->exchange->OnActionDone(outcome, response);
}

void BeginWait(const std::shared_ptr<ActionWait>& wait, const http::RequestHead& head, ActionEvents& exchange) {
  const std::shared_ptr<ActionWait> begun = wait;
  begun->head.emplace(head);
  begun->exchange = &exchange;
  begun->work->Start(begun->head->head(), ActionHandle(begun));
}

void EndWait(ActionWait& wait, WaitEnd end, net::EventLoop& loop) {
  wait.exchange = nullptr;
  if (end == WaitEnd::kCancelled) wait.work->Cancel();
  loop.DestroyLater(std::move(wait.work));
}

}  // namespace weir::proxy
