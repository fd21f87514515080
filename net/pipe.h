#pragma once

#include "base/unique_fd.h"

#include <cstddef>
#include <memory>
#include <vector>

namespace weir::net {

class PipePool;

// A kernel pipe that holds bytes on their way from one socket to another: they are moved by splice(2) and never enter
// the process. Filled by Stream::ReadTo, emptied by Stream::WriteFrom. Thread: that of its loop.
class Pipe {
 public:
  // What one pipe is filled with at most. The kernel counts pieces, not bytes: a piece is what arrived in one packet,
  // up to 32 KiB of it, so that fewer bytes may fill the pipe.
  static constexpr std::size_t kBytesMax = 256 * 1024;

  // Null when the system gives no pipe that is worth having: out of descriptors, or over what one user's pipes may hold
  // (/proc/sys/fs/pipe-user-pages-soft).
  [[nodiscard]] static std::unique_ptr<Pipe> Open();

  [[nodiscard]] bool empty() const { return bytes_ == 0; }
  [[nodiscard]] std::size_t bytes() const { return bytes_; }

  // For streams: the ends to splice from and to, and what they moved.
  [[nodiscard]] int read_end() const { return read_end_.get(); }
  [[nodiscard]] int write_end() const { return write_end_.get(); }
  void Filled(std::size_t bytes) { bytes_ += bytes; }
  void Emptied(std::size_t bytes) { bytes_ -= bytes; }

 private:
  friend class PipePool;
  Pipe(UniqueFd read_end, UniqueFd write_end);

  UniqueFd read_end_;
  UniqueFd write_end_;
  std::size_t bytes_ = 0;
  PipePool* pool_ = nullptr;  // that it is on loan from
};

// Pipes of one worker, used again and again. A pipe is out only while it holds bytes, or for one turn. Thread: that of
// its loop.
class PipePool {
 public:
  // Gives a pipe back to its pool.
  struct Return {
    void operator()(Pipe* pipe) const { pipe->pool_->Put(std::unique_ptr<Pipe>(pipe)); }
  };
  using Loan = std::unique_ptr<Pipe, Return>;

  // Slow receivers may hold so many at once; who finds none copies.
  static constexpr std::size_t kOutMax = 256;

  // At most `pipes` are out from now on, and no more than kOutMax.
  void LimitTo(std::size_t pipes) { out_max_ = pipes < kOutMax ? pipes : kOutMax; }
  // An empty pipe, or null when there is none to be had. The pool outlives the loan.
  [[nodiscard]] Loan Take();
  // The system does not splice (a sandbox): no pipe from now on.
  void Disable();

  [[nodiscard]] std::size_t out() const { return out_; }
  [[nodiscard]] std::size_t spare() const { return spare_.size(); }

 private:
  void Put(std::unique_ptr<Pipe> pipe);

  // Kept open for the next transfer.
  static constexpr std::size_t kSpareMax = 16;
  // Requests for a pipe that are turned down after the system had none, before it is asked again.
  static constexpr int kRestAfterFailure = 1'000;

  std::vector<std::unique_ptr<Pipe>> spare_;
  std::size_t out_ = 0;
  std::size_t out_max_ = kOutMax;
  int resting_ = 0;
  bool disabled_ = false;
};

}  // namespace weir::net
