#pragma once

// Frames of WebSocket (RFC 6455 section 5), as far as a load generator needs them.

#include <cstdint>
#include <string>
#include <string_view>

namespace weir::bench {

// A whole binary message of a client as one frame, masked by `key` (section 5.3).
[[nodiscard]] std::string ClientMessage(std::string_view content, std::uint32_t key);
// A client's pong (section 5.5.3); `content` is that of the ping.
[[nodiscard]] std::string ClientPong(std::string_view content, std::uint32_t key);

// Follows what a server sends; the content of messages is passed over. A value.
class ServerFrames {
 public:
  enum class Event : std::uint8_t {
    kNeedMore,  // all bytes were taken
    kMessage,   // a message has come whole
    kPing,      // control() is its content
    kClose,     // control() begins with the code, where there is one
    kRefused,   // no frames of a server; why() says how
  };
  // Takes `bytes` up to the next event, and leaves what follows it. After kRefused nothing can be taken.
  [[nodiscard]] Event Take(std::string_view& bytes);
  [[nodiscard]] std::string_view control() const { return control_; }
  [[nodiscard]] std::string_view why() const { return why_; }

 private:
  enum class Opcode : std::uint8_t { kContinuation = 0, kText = 1, kBinary = 2, kClose = 8, kPing = 9, kPong = 10 };
  [[nodiscard]] bool TakeHead(std::string_view& bytes);
  [[nodiscard]] bool ReadHead();
  [[nodiscard]] bool Refuse(std::string_view why);
  [[nodiscard]] bool is_control() const { return opcode_ >= Opcode::kClose; }

  std::string head_;       // of a frame that has not come whole
  bool in_frame_ = false;  // its head was read
  bool in_message_ = false;
  bool is_final_ = false;
  Opcode opcode_ = Opcode::kContinuation;
  std::uint64_t left_ = 0;  // of the frame
  std::string control_;
  std::string_view why_;
};

}  // namespace weir::bench
