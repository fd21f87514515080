// What the tests of processes start: the spawner; or, with a command as arguments, a program like weir, which has the
// command run by a spawner of its own, prints its own id and that of the spawner, and waits.

#include "net/event_loop.h"
#include "process/process_client.h"
#include "process/spawner.h"
#include "process/spawner_program.h"

#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string>
#include <utility>

namespace {

using namespace weir::process;

class Printing final : public ProcessEvents {
 public:
  void OnOutput(OutputStream /*stream*/, std::string_view line) override {
    std::printf("%.*s\n", static_cast<int>(line.size()), line.data());
    std::fflush(stdout);
  }
  void OnEnded(const ProcessEnd& end) override { std::printf("ended %s\n", ToString(end).c_str()); }
};

}  // namespace

int main(int argc, char** argv) {
  if (IsSpawner(argc, argv)) return RunSpawner();
  auto spawner = Spawner::Start();
  if (!spawner) return 1;
  std::printf("%d %d\n", getpid(), (*spawner)->pid());
  std::fflush(stdout);
  weir::net::EventLoop loop;
  ProcessClient client(loop, std::move(*spawner));
  SpawnRequest request;
  for (int i = 1; i < argc; ++i) request.command.emplace_back(argv[i]);
  Printing printing;
  static_cast<void>(client.Spawn(request, printing));
  loop.Run();
  return 0;
}
