#pragma once

#include "base/check.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace weir {

// Writes text through a bare pointer into room that its owner has made: one check for the room instead of one for each
// piece. For what is written with every request. Thread: one owner.
class TextWriter {
 public:
  static constexpr std::size_t kDecimalBytesMax = 20;

  TextWriter(char* begin, std::size_t room) : at_(begin), end_(begin + room) {}

  void Put(char c) {
    WEIR_DCHECK(at_ < end_);
    *at_++ = c;
  }
  void Put(std::string_view text) {
    WEIR_DCHECK(text.size() <= static_cast<std::size_t>(end_ - at_));
    at_ += text.copy(at_, text.size());  // unlike memcpy, an empty view may point nowhere
  }
  void PutDecimal(std::uint64_t value) {
    // Parts of addresses and status codes are most of what is written.
    if (value >= 1000) return PutLongDecimal(value);
    if (value >= 100) Put(static_cast<char>('0' + value / 100));
    if (value >= 10) Put(static_cast<char>('0' + value / 10 % 10));
    Put(static_cast<char>('0' + value % 10));
  }
  // The lowest `digits` (1-16) hexadecimal digits of `value`, the highest first, in lower case.
  void PutHex(std::uint64_t value, unsigned digits);

  [[nodiscard]] const char* position() const { return at_; }

 private:
  void PutLongDecimal(std::uint64_t value);

  char* at_;
  [[maybe_unused]] char* end_;
};

// Appends to `out` what `write(TextWriter&)` writes, at most `bytes_max` bytes.
template <class Write>
void AppendWith(std::string& out, std::size_t bytes_max, Write&& write) {
  const std::size_t before = out.size();
  out.resize_and_overwrite(before + bytes_max, [&](char* text, std::size_t /*room*/) {
    TextWriter writer(text + before, bytes_max);
    write(writer);
    return static_cast<std::size_t>(writer.position() - text);
  });
}

}  // namespace weir
