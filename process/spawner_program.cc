#include "process/spawner_program.h"

#include "base/overloaded.h"
#include "net/event_loop.h"
#include "process/child_table.h"
#include "process/message.h"
#include "process/message_socket.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <climits>
#include <csignal>
#include <optional>
#include <utility>
#include <variant>

namespace weir::process {
namespace {

// What ends weir is weir's to decide about: the spawner ends with the socket, also when everything that runs in the
// same terminal or service is told to.
void SetSignals() {
  struct sigaction ignore{};
  ignore.sa_handler = SIG_IGN;
  for (const int number : {SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGPIPE, SIGUSR1, SIGUSR2, SIGTSTP, SIGTTIN, SIGTTOU}) {
    sigaction(number, &ignore, nullptr);
  }
  sigset_t ended;
  sigemptyset(&ended);
  sigaddset(&ended, SIGCHLD);
  // SIGCHLD ignored would be inherited, and would reap what nobody has looked at.
  struct sigaction standard{};
  standard.sa_handler = SIG_DFL;
  sigaction(SIGCHLD, &standard, nullptr);
  sigprocmask(SIG_SETMASK, &ended, nullptr);
}

// Obeys weir until it is gone.
class Spawning final : private MessageSocketEvents {
 public:
  explicit Spawning(UniqueFd socket)
      : socket_(loop_, std::move(socket), *this),
        children_(loop_, [this](const Notice& notice) { socket_.Send(Encode(notice)); }) {}

  void Run() {
    if (!socket_.closed()) loop_.Run();
    children_.EndAll();
  }

 private:
  void OnMessage(std::string_view message, std::vector<UniqueFd> descriptors) override {
    auto order = DecodeOrder(message);
    // Another version than this one, or no weir at all.
    if (!order) return loop_.Stop();
    std::visit(Overloaded{[&](const SpawnOrder& spawn) { children_.Obey(spawn, std::move(descriptors)); },
                          [&](const SignalOrder& signal) { children_.Obey(signal); },
                          [&](const EndOrder& end) { children_.Obey(end); }},
               *order);
  }
  void OnClosed() override { loop_.Stop(); }

  net::EventLoop loop_;
  MessageSocket socket_;
  ChildTable children_;
};

}  // namespace

bool IsSpawner(int argc, const char* const* argv) { return argc == 2 && argv[1] == kSpawnerArgument; }

int RunSpawner() {
  sockaddr_storage address{};
  socklen_t size = sizeof(address);
  constexpr int kNotForPeople = 2;
  if (getsockname(kSpawnerSocket, reinterpret_cast<sockaddr*>(&address), &size) != 0 || address.ss_family != AF_UNIX) {
    return kNotForPeople;
  }
  setsid();
  SetSignals();
  prctl(PR_SET_NAME, "weir-spawner");
  prctl(PR_SET_CHILD_SUBREAPER, 1);
  close_range(kSpawnerSocket + 1, UINT_MAX, 0);
  fcntl(kSpawnerSocket, F_SETFD, FD_CLOEXEC);
  fcntl(kSpawnerSocket, F_SETFL, O_NONBLOCK);
  Spawning(UniqueFd(kSpawnerSocket)).Run();
  return 0;
}

}  // namespace weir::process
