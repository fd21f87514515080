// Preloaded into a program under test: each close of a TCP socket begins WEIR_CLOSE_DELAY_MS milliseconds late, so that
// whatever can happen between the last look at a connection and its close does happen. Says so once, on stderr.

#include <dlfcn.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <string_view>

namespace {

constexpr std::string_view kNote = "close is delayed\n";

long DelayMilliseconds() {
  static const long delay = [] {
    const char* const text = std::getenv("WEIR_CLOSE_DELAY_MS");
    return text == nullptr ? 0L : std::strtol(text, nullptr, 10);
  }();
  return delay;
}

// A connection, not a listener; a connect that is still under way counts, too.
bool IsConnection(int fd) {
  int type = 0;
  int listens = 0;
  socklen_t size = sizeof(int);
  if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) != 0 || type != SOCK_STREAM) return false;
  size = sizeof(int);
  return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) == 0 && listens == 0;
}

void Delay() {
  static std::atomic<bool> noted = false;
  if (!noted.exchange(true)) static_cast<void>(!write(STDERR_FILENO, kNote.data(), kNote.size()));
  const long milliseconds = DelayMilliseconds();
  timespec left{.tv_sec = milliseconds / 1000, .tv_nsec = milliseconds % 1000 * 1'000'000};
  while (nanosleep(&left, &left) != 0 && errno == EINTR) {
  }
}

}  // namespace

extern "C" int close(int fd) {
  using Close = int (*)(int);
  static const auto next = reinterpret_cast<Close>(dlsym(RTLD_NEXT, "close"));
  if (DelayMilliseconds() > 0 && IsConnection(fd)) Delay();
  return next(fd);
}
