#include "app/terminal.h"

#include <pthread.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <string>

namespace weir::app {
namespace {

// Alternate screen and cursor, as every terminal since xterm knows them.
constexpr std::string_view kEnter = "\x1b[?1049h\x1b[?25l";
constexpr std::string_view kLeave = "\x1b[?25h\x1b[?1049l";
constexpr std::string_view kHome = "\x1b[H";
constexpr std::string_view kClearLine = "\x1b[K";
constexpr std::string_view kClearBelow = "\x1b[J";

sigset_t WatchedSignals() {
  sigset_t set;
  sigemptyset(&set);
  for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGWINCH, SIGTSTP}) sigaddset(&set, number);
  return set;
}

}  // namespace

FullScreen::FullScreen(int fd) : fd_(fd) {
  const auto set = WatchedSignals();
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  Enter();
}

FullScreen::~FullScreen() { Leave(); }

TerminalSize FullScreen::Size() const {
  winsize size{};
  if (ioctl(fd_, TIOCGWINSZ, &size) != 0 || size.ws_col == 0 || size.ws_row == 0) return {};
  return {.columns = size.ws_col, .rows = size.ws_row};
}

bool FullScreen::Paint(std::string_view text) const {
  std::string out(kHome);
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    // Cleared before it is written: after a line as wide as the terminal the cursor stands on its last cell.
    out += kClearLine;
    out += text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    // Not after the last line, so that the terminal does not scroll.
    if (!text.empty()) out += "\r\n";
  }
  if (!Write(out)) return false;
  return Write(kClearBelow);
}

FullScreen::Event FullScreen::Wait(std::chrono::steady_clock::time_point deadline) const {
  const auto set = WatchedSignals();
  for (;;) {
    const auto left =
        std::max(deadline - std::chrono::steady_clock::now(), std::chrono::steady_clock::duration::zero());
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(left);
    const timespec wait{.tv_sec = seconds.count(),
                        .tv_nsec = std::chrono::duration_cast<std::chrono::nanoseconds>(left - seconds).count()};
    const int number = sigtimedwait(&set, nullptr, &wait);
    if (number < 0 && errno == EINTR) continue;
    if (number < 0) return Event::kTick;
    if (number == SIGWINCH) return Event::kResized;
    if (number != SIGTSTP) return Event::kEnd;
    Leave();
    raise(SIGSTOP);
    Enter();
    return Event::kResized;
  }
}

bool FullScreen::Write(std::string_view bytes) const {
  while (!bytes.empty()) {
    const auto written = write(fd_, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

// A terminal that is gone has nothing to be restored.
void FullScreen::Enter() const { static_cast<void>(Write(kEnter)); }
void FullScreen::Leave() const { static_cast<void>(Write(kLeave)); }

}  // namespace weir::app
