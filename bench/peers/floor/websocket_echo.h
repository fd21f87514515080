// The target's WebSockets: each message comes back as it came, without its mask.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace floor_bench {

// Takes whole frames of up to 64 KiB out of `frames`, which keeps the rest, and appends each to `out` without its mask
// (RFC 6455 section 5.2). False when a frame is longer.
inline bool EchoFrames(std::string& frames, std::string& out) {
  constexpr unsigned kTwoByteSize = 126;
  constexpr std::size_t kMaskBytes = 4;
  std::size_t at = 0;
  while (frames.size() - at >= 2) {
    const auto byte = [&](std::size_t index) { return static_cast<unsigned char>(frames[at + index]); };
    const unsigned short_size = byte(1) & 0x7fU;
    if (short_size > kTwoByteSize) return false;
    const bool is_long = short_size == kTwoByteSize;
    const std::size_t head_bytes = (is_long ? 4U : 2U) + kMaskBytes;
    if (frames.size() - at < head_bytes) break;
    const std::size_t size = is_long ? byte(2) << 8U | byte(3) : short_size;
    if (frames.size() - at < head_bytes + size) break;
    out += frames[at];
    out += static_cast<char>(short_size);
    if (is_long) out.append(frames, at + 2, 2);
    for (std::size_t i = 0; i < size; ++i) {
      out += static_cast<char>(byte(head_bytes + i) ^ byte(head_bytes - kMaskBytes + i % kMaskBytes));
    }
    at += head_bytes + size;
  }
  frames.erase(0, at);
  return true;
}

}  // namespace floor_bench
