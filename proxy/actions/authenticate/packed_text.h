#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace weir::proxy {

// Numbers and texts, one behind the other: what is sealed. Numbers have 8 bytes in network order, texts their size in
// front.
inline void PackNumber(std::string& out, std::uint64_t value) {
  for (unsigned shift = 64; shift > 0; shift -= 8) out += static_cast<char>(value >> (shift - 8) & 0xffU);
}
inline void PackText(std::string& out, std::string_view text) {
  PackNumber(out, text.size());
  out += text;
}

// Takes them back in the same order. What is not there is 0 or empty, and `whole` is false.
class Unpacker {
 public:
  explicit Unpacker(std::string_view text) : rest_(text) {}

  [[nodiscard]] std::uint64_t Number() {
    std::uint64_t value = 0;
    for (const char c : Take(8)) value = value << 8U | static_cast<unsigned char>(c);
    return value;
  }
  [[nodiscard]] std::string Text() {
    const std::uint64_t size = Number();
    return std::string(Take(size));
  }
  // All was there, and nothing is left.
  [[nodiscard]] bool whole() const { return good_ && rest_.empty(); }

 private:
  std::string_view Take(std::uint64_t size) {
    good_ = good_ && size <= rest_.size();
    if (!good_) return {};
    const std::string_view taken = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return taken;
  }

  std::string_view rest_;
  bool good_ = true;
};

}  // namespace weir::proxy
