#pragma once

#include "process/spawn_request.h"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace weir::process {

// What weir and the spawner say to each other: one message each, in the byte order of the machine, over a socket that
// keeps their bounds (SOCK_SEQPACKET). Both sides are the same program; the version in front of each message is there
// for a program file that was replaced meanwhile.
inline constexpr std::size_t kMessageBytesMax = 128 * 1024;

// ---- from weir. `child` is a number that weir chooses and never uses twice.

// Comes with two or three descriptors: standard output, standard error and, with has_input, standard input.
struct SpawnOrder {
  std::uint64_t child = 0;
  std::vector<std::string> command = {};
  std::vector<std::string> environment = {};  // NAME=VALUE
  std::string directory = {};
  bool has_input = false;
  Limits limits = {};
  std::chrono::milliseconds timeout{0};
  std::chrono::milliseconds grace{0};
  friend bool operator==(const SpawnOrder&, const SpawnOrder&) = default;
};
// To the whole group of the child. Nothing when it has ended.
struct SignalOrder {
  std::uint64_t child = 0;
  int number = 0;
  friend bool operator==(const SignalOrder&, const SignalOrder&) = default;
};
// SIGTERM, and after `grace` SIGKILL; at once when that is 0.
struct EndOrder {
  std::uint64_t child = 0;
  std::chrono::milliseconds grace{0};
  friend bool operator==(const EndOrder&, const EndOrder&) = default;
};
using Order = std::variant<SpawnOrder, SignalOrder, EndOrder>;

// ---- from the spawner: for each child StartedNotice and later EndedNotice, or EndedNotice alone when it never ran.

struct StartedNotice {
  std::uint64_t child = 0;
  int pid = 0;
  friend bool operator==(const StartedNotice&, const StartedNotice&) = default;
};
struct EndedNotice {
  std::uint64_t child = 0;
  ProcessEnd end = {};
  friend bool operator==(const EndedNotice&, const EndedNotice&) = default;
};
using Notice = std::variant<StartedNotice, EndedNotice>;

[[nodiscard]] std::string Encode(const Order& order);
[[nodiscard]] std::string Encode(const Notice& notice);
// Absent for what Encode of this version does not give, a longer or a shorter one included.
[[nodiscard]] std::optional<Order> DecodeOrder(std::string_view message);
[[nodiscard]] std::optional<Notice> DecodeNotice(std::string_view message);

}  // namespace weir::process
