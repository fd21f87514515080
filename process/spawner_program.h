#pragma once

#include <string_view>

namespace weir::process {

// The one argument of a program that is to be the spawner; its descriptor 3 is the socket. No command of weir: main
// asks for it before it reads the command line.
inline constexpr std::string_view kSpawnerArgument = "--spawner";
inline constexpr int kSpawnerSocket = 3;

// True when the arguments of main are those of a spawner.
[[nodiscard]] bool IsSpawner(int argc, const char* const* argv);

// Is the spawner until the other end of the socket closes; then kills every child, whatever it left behind, and returns
// the exit status of the program. Called with one thread.
[[nodiscard]] int RunSpawner();

}  // namespace weir::process
