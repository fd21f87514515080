#pragma once

#include <chrono>
#include <cstddef>

namespace weir::functions {

// What a function may do. Its program is somebody else's: each of these holds whatever it does. AWS's numbers where AWS
// says some; docs/lambda.md lists them.

inline constexpr std::size_t kResponseBytesMax = 1'048'576;  // of what ALB takes of a function; spec: alb.md 7.4
inline constexpr std::size_t kErrorBytesMax = 64 * 1024;     // of an error's JSON that is read; what is more is dropped
inline constexpr std::size_t kDiscardBytesMax = 64 << 20;  // of content that is too large, before the connection is cut
inline constexpr std::size_t kRuntimeConnectionsMax = 8;   // at the Runtime API of one instance
inline constexpr std::size_t kQueueMax = 1'000;            // invocations that wait for an instance of a function
inline constexpr std::size_t kQueueBytesMax = 64 << 20;    // of their events

// Times of instances; tests have shorter ones.
struct InstanceTimes {
  std::chrono::milliseconds init_timeout{10'000};  // to the first `next`, as Lambda
  std::chrono::milliseconds idle_max{300'000};     // without an invocation, then it ends
  std::chrono::milliseconds end_grace{500};        // between SIGTERM and SIGKILL of one that is not needed
  std::chrono::milliseconds back_off_first{100};   // after a start that failed; doubled each time
  std::chrono::milliseconds back_off_max{10'000};
};

}  // namespace weir::functions
