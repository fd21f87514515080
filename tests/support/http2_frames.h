#pragma once

// Raw HTTP/2 frames for tests: what a peer puts on the wire, right or wrong, and what it reads there.

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace weir::http2_frames {

enum Type : std::uint8_t {
  kData = 0,
  kHeaders = 1,
  kPriority = 2,
  kRstStream = 3,
  kSettings = 4,
  kPushPromise = 5,
  kPing = 6,
  kGoAway = 7,
  kWindowUpdate = 8,
  kContinuation = 9,
};
inline constexpr std::uint8_t kEndStream = 0x1;
inline constexpr std::uint8_t kAck = 0x1;
inline constexpr std::uint8_t kEndHeaders = 0x4;
inline constexpr std::uint8_t kPadded = 0x8;

inline constexpr std::string_view kPreface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

inline std::string Number(std::uint32_t value, int bytes) {
  std::string out;
  for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8) out += static_cast<char>(value >> shift);
  return out;
}

inline std::string Frame(std::uint8_t type, std::uint8_t flags, std::uint32_t stream, std::string_view payload = {}) {
  std::string out = Number(static_cast<std::uint32_t>(payload.size()), 3);
  out += static_cast<char>(type);
  out += static_cast<char>(flags);
  return out.append(Number(stream, 4)).append(payload);
}

using Fields = std::vector<std::pair<std::string, std::string>>;

// Literals without indexing, without Huffman coding (RFC 7541 section 6.2.2).
inline std::string Text(std::string_view text) {
  std::string out;
  if (text.size() < 127) {
    out += static_cast<char>(text.size());
  } else {
    out += '\x7f';
    std::size_t rest = text.size() - 127;
    for (; rest >= 128; rest >>= 7) out += static_cast<char>(0x80 | (rest & 0x7f));
    out += static_cast<char>(rest);
  }
  return out.append(text);
}
inline std::string Block(const Fields& fields) {
  std::string out;
  for (const auto& [name, value] : fields) out.append(1, '\0').append(Text(name)).append(Text(value));
  return out;
}
inline std::string Headers(std::uint32_t stream, const Fields& fields, std::uint8_t flags = kEndStream) {
  return Frame(kHeaders, static_cast<std::uint8_t>(flags | kEndHeaders), stream, Block(fields));
}
inline std::string Settings(const std::vector<std::pair<std::uint16_t, std::uint32_t>>& values = {}) {
  std::string payload;
  for (const auto& [id, value] : values) payload += Number(id, 2) + Number(value, 4);
  return Frame(kSettings, 0, 0, payload);
}
inline Fields Get(std::string path = "/", std::string method = "GET") {
  return {{":method", std::move(method)}, {":scheme", "https"}, {":authority", "a.test"}, {":path", std::move(path)}};
}
inline Fields With(Fields fields, const Fields& more) {
  fields.insert(fields.end(), more.begin(), more.end());
  return fields;
}

struct Seen {
  std::uint8_t type = 0;
  std::uint8_t flags = 0;
  std::uint32_t stream = 0;
  std::string payload;
  // The error code of RST_STREAM and GOAWAY.
  [[nodiscard]] std::uint32_t code() const { return At(type == kGoAway ? 4 : 0); }
  // GOAWAY's last stream identifier, WINDOW_UPDATE's increment.
  [[nodiscard]] std::uint32_t first() const { return At(0) & 0x7fffffff; }

 private:
  [[nodiscard]] std::uint32_t At(std::size_t from) const {
    std::uint32_t value = 0;
    for (std::size_t i = from; i < from + 4 && i < payload.size(); ++i) {
      value = value << 8 | static_cast<unsigned char>(payload[i]);
    }
    return value;
  }
};

// The whole frames of `bytes`.
inline std::vector<Seen> Split(std::string_view bytes) {
  std::vector<Seen> frames;
  while (bytes.size() >= 9) {
    const auto byte = [&](std::size_t at) { return static_cast<std::uint32_t>(static_cast<unsigned char>(bytes[at])); };
    const std::size_t size = byte(0) << 16 | byte(1) << 8 | byte(2);
    if (bytes.size() < 9 + size) break;
    frames.push_back({.type = static_cast<std::uint8_t>(byte(3)),
                      .flags = static_cast<std::uint8_t>(byte(4)),
                      .stream = (byte(5) << 24 | byte(6) << 16 | byte(7) << 8 | byte(8)) & 0x7fffffff,
                      .payload = std::string(bytes.substr(9, size))});
    bytes.remove_prefix(9 + size);
  }
  return frames;
}

}  // namespace weir::http2_frames
