#pragma once

#include <chrono>
#include <cstddef>
#include <string_view>

namespace weir::app {

struct TerminalSize {
  std::size_t columns = 80;
  std::size_t rows = 24;
};

// A terminal taken over for a picture that is painted again and again: the alternate screen, without a cursor. What was
// there before is back when the object ends, and while the program is stopped by Ctrl-Z. Signals that end or resize
// come out of Wait instead of doing what they do otherwise; they stay blocked. Thread: the one that made it, before
// others.
class FullScreen {
 public:
  enum class Event { kTick, kResized, kEnd };

  // `fd` is a terminal and outlives the object.
  explicit FullScreen(int fd);
  ~FullScreen();
  FullScreen(const FullScreen&) = delete;
  FullScreen& operator=(const FullScreen&) = delete;

  [[nodiscard]] TerminalSize Size() const;
  // Shows `text`, which fits, from the upper left corner on and clears the rest. False when the terminal is gone.
  [[nodiscard]] bool Paint(std::string_view text) const;
  // Waits until `deadline` (kTick), until the picture is to be painted anew (kResized: another size, or back from
  // Ctrl-Z), or until SIGINT, SIGTERM or SIGHUP (kEnd).
  [[nodiscard]] Event Wait(std::chrono::steady_clock::time_point deadline) const;

 private:
  [[nodiscard]] bool Write(std::string_view bytes) const;
  void Enter() const;
  void Leave() const;

  int fd_;
};

}  // namespace weir::app
