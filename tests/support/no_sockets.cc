// Linked into every test program with the label `unit`: in place of the system's functions, so that a unit test that
// opens a socket ends at once instead of depending on the machine it runs on.

#include <sys/socket.h>

#include <cstdio>
#include <cstdlib>

namespace {

[[noreturn]] void Refuse(const char* function) {
  std::fprintf(stderr, "%s() in a unit test: a test that needs sockets has the label `socket`\n", function);
  std::abort();
}

}  // namespace

extern "C" {

int socket(int /*domain*/, int /*type*/, int /*protocol*/) noexcept { Refuse("socket"); }
int socketpair(int /*domain*/, int /*type*/, int /*protocol*/, int /*fds*/[2]) noexcept { Refuse("socketpair"); }

}  // extern "C"
