#pragma once

#include "net/stream.h"

#include <sys/uio.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace weir::net {

// Counts what a stream tells.
struct Events final : StreamEvents {
  void OnConnected(int result) override {
    ++connected;
    error = result;
  }
  void OnReadable() override { ++readable; }
  void OnWritable() override { ++writable; }
  int connected = 0;
  int error = 0;
  int readable = 0;
  int writable = 0;
};

// `bytes` bytes that differ from place to place, so that one that is lost or comes twice is noticed.
inline std::string Pattern(std::size_t bytes) {
  std::string text(bytes, '\0');
  std::uint32_t state = 1;
  for (char& byte : text) {
    state = state * 1'664'525U + 1'013'904'223U;
    byte = static_cast<char>(state >> 24U);
  }
  return text;
}

inline IoResult WriteOnce(Stream& stream, std::string_view text) {
  const iovec piece{.iov_base = const_cast<char*>(text.data()), .iov_len = text.size()};
  return stream.Write({&piece, 1});
}

}  // namespace weir::net
