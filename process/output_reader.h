#pragma once

#include "base/unique_fd.h"
#include "net/event_loop.h"
#include "net/timer_wheel.h"
#include "process/output_lines.h"

#include <chrono>
#include <cstddef>
#include <string_view>

namespace weir::process {

// Who hears what a process writes.
class OutputEvents {
 public:
  virtual void OnLine(std::string_view line) = 0;
  // So many lines more were written than are passed on; at most once a second.
  virtual void OnLinesDropped(std::size_t count) = 0;

 protected:
  ~OutputEvents() = default;
};

// Reads one standard stream of a process to its end. A process that writes more than kBytesPerSecond waits.
// Thread: that of its loop.
class OutputReader final : private net::FdWatcher {
 public:
  static constexpr std::size_t kBytesPerSecond = 1 << 20;

  // `pipe` is its reading end, non-blocking. `events` may destroy the reader through DestroyLater only.
  OutputReader(net::EventLoop& loop, UniqueFd pipe, OutputEvents& events);
  ~OutputReader();
  OutputReader(const OutputReader&) = delete;
  OutputReader& operator=(const OutputReader&) = delete;

  // The process has ended: tells what it wrote, as far as that is bounded, and closes the pipe.
  void Finish();
  // Closes it without another word.
  void Close();

 private:
  void OnEvents(std::uint32_t events) override;
  void OnSecond();
  // What is there, within the budget.
  void ReadAvailable();
  void Take(std::string_view bytes);

  net::EventLoop& loop_;
  UniqueFd pipe_;
  OutputEvents& events_;
  OutputLines lines_;
  std::size_t budget_ = kBytesPerSecond;  // of the second that began when the timer was scheduled
  net::CallbackTimer second_timer_;
};

}  // namespace weir::process
