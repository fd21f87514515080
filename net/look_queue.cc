#include "net/look_queue.h"

namespace weir::net {

void Look::Unlink() {
  if (next_ == nullptr) return;
  previous_->next_ = next_;
  next_->previous_ = previous_;
  next_ = previous_ = nullptr;
}

LookQueue::LookQueue() { ring_.next_ = ring_.previous_ = &ring_; }

// What is still scheduled may outlive the queue.
LookQueue::~LookQueue() {
  while (!empty()) ring_.next_->Unlink();
}

bool LookQueue::empty() const { return ring_.next_ == &ring_; }

SteadyTime LookQueue::due() const { return ring_.next_->due_; }

void LookQueue::Append(Look& look, SteadyTime due) {
  look.Unlink();
  look.due_ = due;
  look.next_ = &ring_;
  look.previous_ = ring_.previous_;
  look.previous_->next_ = &look;
  ring_.previous_ = &look;
}

void LookQueue::Run(SteadyTime now) {
  Append(end_, SteadyTime::max());
  while (ring_.next_ != &end_ && ring_.next_->due_ <= now) {
    Look* const look = ring_.next_;
    look->Unlink();
    look->OnLook();
  }
  end_.Unlink();
}

}  // namespace weir::net
