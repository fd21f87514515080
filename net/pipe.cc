#include "net/pipe.h"

#include <fcntl.h>
#include <unistd.h>

#include <utility>

namespace weir::net {

Pipe::Pipe(UniqueFd read_end, UniqueFd write_end) : read_end_(std::move(read_end)), write_end_(std::move(write_end)) {}

std::unique_ptr<Pipe> Pipe::Open() {
  int ends[2] = {-1, -1};
  if (pipe2(ends, O_NONBLOCK | O_CLOEXEC) != 0) return nullptr;
  UniqueFd read_end(ends[0]);
  UniqueFd write_end(ends[1]);
  // A page of size is a piece that the pipe can hold.
  if (fcntl(write_end.get(), F_SETPIPE_SZ, kBytesMax) < static_cast<int>(kBytesMax)) return nullptr;
  return std::unique_ptr<Pipe>(new Pipe(std::move(read_end), std::move(write_end)));
}

PipePool::Loan PipePool::Take() {
  std::unique_ptr<Pipe> pipe;
  if (!spare_.empty()) {
    pipe = std::move(spare_.back());
    spare_.pop_back();
  } else if (disabled_ || out_ >= out_max_ || (resting_ > 0 && --resting_ > 0)) {
    return nullptr;
  } else {
    pipe = Pipe::Open();
    if (pipe == nullptr) {
      resting_ = kRestAfterFailure;
      return nullptr;
    }
  }
  ++out_;
  pipe->pool_ = this;
  return Loan(pipe.release());
}

void PipePool::Disable() {
  disabled_ = true;
  spare_.clear();
}

void PipePool::Put(std::unique_ptr<Pipe> pipe) {
  --out_;
  // Bytes that nobody took would come out in somebody else's transfer.
  if (pipe->empty() && !disabled_ && spare_.size() < kSpareMax && out_ + spare_.size() < out_max_)
    spare_.push_back(std::move(pipe));
}

}  // namespace weir::net
