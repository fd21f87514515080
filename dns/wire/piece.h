#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace weir::dns {

// Small pieces of a message put together on the stack, at most N bytes: options, the data of a TSIG record.
template <std::size_t N>
class Piece {
 public:
  void U8(std::size_t value) { bytes_[size_++] = static_cast<std::uint8_t>(value); }
  void U16(std::size_t value) {
    U8(value >> 8);
    U8(value & 0xFFU);
  }
  void Bytes(std::span<const std::uint8_t> bytes) {
    std::ranges::copy(bytes, bytes_.begin() + static_cast<std::ptrdiff_t>(size_));
    size_ += bytes.size();
  }
  [[nodiscard]] std::span<const std::uint8_t> view() const { return {bytes_.data(), size_}; }

 private:
  std::array<std::uint8_t, N> bytes_;  // the first size_ are set
  std::size_t size_ = 0;
};

}  // namespace weir::dns
