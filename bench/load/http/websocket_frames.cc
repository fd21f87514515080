#include "bench/load/http/websocket_frames.h"

#include <algorithm>
#include <array>
#include <cstddef>

namespace weir::bench {
namespace {

constexpr std::uint8_t kFinal = 0x80;
constexpr std::uint8_t kMasked = 0x80;
constexpr std::uint64_t kControlBytesMax = 125;

std::string Frame(std::uint8_t opcode, std::string_view content, std::uint32_t key) {
  std::string out;
  out += static_cast<char>(kFinal | opcode);
  const auto append = [&out](std::uint64_t number, unsigned bytes) {
    while (bytes-- > 0) out += static_cast<char>(number >> (8 * bytes) & 0xffU);
  };
  if (content.size() <= kControlBytesMax) {
    append(kMasked | content.size(), 1);
  } else if (content.size() <= 0xffff) {
    append(kMasked | 126U, 1);
    append(content.size(), 2);
  } else {
    append(kMasked | 127U, 1);
    append(content.size(), 8);
  }
  append(key, 4);
  const std::array<std::uint8_t, 4> mask = {static_cast<std::uint8_t>(key >> 24U),
                                            static_cast<std::uint8_t>(key >> 16U), static_cast<std::uint8_t>(key >> 8U),
                                            static_cast<std::uint8_t>(key)};
  for (std::size_t i = 0; i < content.size(); ++i) {
    out += static_cast<char>(static_cast<std::uint8_t>(content[i]) ^ mask[i % mask.size()]);
  }
  return out;
}

std::uint8_t ByteAt(std::string_view bytes, std::size_t at) { return static_cast<std::uint8_t>(bytes[at]); }

// Bytes of a head that says so at its second one.
std::size_t HeadBytes(std::uint8_t length) {
  if (length < 126) return 2;
  return length == 126 ? 4 : 10;
}

}  // namespace

std::string ClientMessage(std::string_view content, std::uint32_t key) { return Frame(2, content, key); }
std::string ClientPong(std::string_view content, std::uint32_t key) { return Frame(10, content, key); }

bool ServerFrames::Refuse(std::string_view why) {
  why_ = why;
  return false;
}

// False where more bytes are needed, or with why_.
bool ServerFrames::TakeHead(std::string_view& bytes) {
  while (!bytes.empty()) {
    head_ += bytes.front();
    bytes.remove_prefix(1);
    if (head_.size() >= 2 && head_.size() == HeadBytes(ByteAt(head_, 1) & 0x7fU)) return ReadHead();
  }
  return false;
}

bool ServerFrames::ReadHead() {
  const std::uint8_t first = ByteAt(head_, 0);
  const std::uint8_t second = ByteAt(head_, 1);
  if ((first & 0x70U) != 0) return Refuse("a frame with an extension that was not agreed on");
  if ((second & kMasked) != 0) return Refuse("a frame that a server has masked");
  is_final_ = (first & kFinal) != 0;
  opcode_ = static_cast<Opcode>(first & 0x0fU);
  left_ = second;
  if (head_.size() > 2) {
    left_ = 0;
    for (std::size_t i = 2; i < head_.size(); ++i) left_ = left_ << 8U | ByteAt(head_, i);
  }
  head_.clear();
  in_frame_ = true;
  switch (opcode_) {
    case Opcode::kContinuation:
      return in_message_ ? true : Refuse("a continuation of nothing");
    case Opcode::kText:
    case Opcode::kBinary:
      if (in_message_) return Refuse("a message within a message");
      in_message_ = true;
      return true;
    case Opcode::kClose:
    case Opcode::kPing:
    case Opcode::kPong:
      control_.clear();
      return is_final_ && left_ <= kControlBytesMax ? true : Refuse("a control frame that is long or in pieces");
  }
  return Refuse("a frame of an unknown kind");
}

ServerFrames::Event ServerFrames::Take(std::string_view& bytes) {
  for (;;) {
    if (!in_frame_ && !TakeHead(bytes)) return why_.empty() ? Event::kNeedMore : Event::kRefused;
    const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(left_, bytes.size()));
    if (is_control()) control_ += bytes.substr(0, size);
    bytes.remove_prefix(size);
    left_ -= size;
    if (left_ > 0) return Event::kNeedMore;
    in_frame_ = false;
    if (opcode_ == Opcode::kClose) return Event::kClose;
    if (opcode_ == Opcode::kPing) return Event::kPing;
    if (is_control() || !is_final_) continue;
    in_message_ = false;
    return Event::kMessage;
  }
}

}  // namespace weir::bench
