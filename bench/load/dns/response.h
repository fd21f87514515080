#pragma once

#include "dns/wire/name.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace weir::bench {

// A response as far as a load run looks at it. Spans point into the message.
struct Response {
  std::uint16_t rcode = 0;  // with the extended bits of OPT
  bool truncated = false;
  std::span<const std::uint8_t> question = {};  // name, type and class as sent; empty when the response repeats none
  // The value that counts for the shares: the first answer of the type asked for, else the first answer. Names in the
  // data may be compressed. Absent without answers: `value_type` is 0.
  std::uint16_t value_type = 0;
  std::size_t value_offset = 0;
  std::size_t value_bytes = 0;
};

// The identifier of a message of at least two bytes.
[[nodiscard]] inline std::uint16_t MessageId(std::span<const std::uint8_t> message) {
  return static_cast<std::uint16_t>(message[0] << 8 | message[1]);
}

// Walks the whole message; false when it is no response, is cut off, holds more or less than its counts say, or a name
// that breaks RFC 1035. `type` is the type asked for. Allocates nothing.
[[nodiscard]] bool ReadResponse(std::span<const std::uint8_t> message, std::uint16_t type, Response& response);

// The data of one record with its names written in full, so that equal values have equal bytes.
class PlainRdata {
 public:
  // The data at `offset` of `message`, `bytes` long, of a record of `type`. False when a name in it is broken.
  [[nodiscard]] bool Assign(std::span<const std::uint8_t> message, std::uint16_t type, std::size_t offset,
                            std::size_t bytes);
  // Valid until the next Assign, and as long as the message.
  [[nodiscard]] std::span<const std::uint8_t> view() const { return view_; }

 private:
  std::array<std::uint8_t, 2 + dns::kNameBytesMax> expanded_{};
  std::span<const std::uint8_t> view_;
};

// Plain data in presentation form: addresses, names, texts; `\# 4 0A000001` (RFC 3597) for other types and for data
// that breaks its type's rules. At most about 80 characters, cut with `...`.
[[nodiscard]] std::string ValueText(std::uint16_t type, std::span<const std::uint8_t> rdata);

}  // namespace weir::bench
