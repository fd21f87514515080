#pragma once

#include <sys/socket.h>
#include <sys/uio.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace weir::dns {

// Where an answer goes. The views live until the messages were sent.
struct UdpDestination {
  const sockaddr* address = nullptr;
  socklen_t address_size = 0;
  std::span<const std::uint8_t> control = {};  // sets the source address; may be empty
};

// By which sockets messages leave; may be one and the same.
struct UdpSockets {
  int whole = -1;         // all that fit the link
  int in_fragments = -1;  // those that do not: its datagrams may be fragmented
};

// The answers of one batch as sendmmsg takes them. Answers of one size to one peer, one behind the other in memory,
// become one message that the kernel cuts into datagrams at the end of its way (UDP_SEGMENT, udp(7)): the way costs
// more than all the rest of an answer. The last of them may be shorter. Allocates nothing. Thread: that of its
// responder.
class UdpMessages {
 public:
  static constexpr std::size_t kAnswersMax = 32;
  // What one message may hold, IPv4's headers taken off 65,535.
  static constexpr std::size_t kBytesMax = 65'507;

  struct Report {
    std::size_t sent = 0;     // answers
    std::size_t dropped = 0;  // answers
  };

  // Forgets all messages.
  void Clear() { count_ = 0; }
  // At most kAnswersMax between two calls of Clear. `answer` is not empty and lives until it was sent.
  void Add(const UdpDestination& to, std::span<const std::uint8_t> answer);
  // Sends everything, in the order of the calls of Add; never blocks. An answer that cannot be sent is dropped, and the
  // next one tried; without room in the socket's buffer all that are left are.
  Report Send(const UdpSockets& sockets);

  // ---- what would be sent, for tests
  [[nodiscard]] std::size_t size() const { return count_; }
  [[nodiscard]] const msghdr& header(std::size_t message) const { return headers_[message].msg_hdr; }
  [[nodiscard]] std::size_t answers(std::size_t message) const { return facts_[message].answers; }

 private:
  // A message that could not be cut is a matter of the path (its MTU, a device that cannot checksum): after one, so
  // many batches go out answer by answer.
  static constexpr int kRestAfterFailure = 1'000;
  static constexpr std::size_t kControlBytes = 64;

  struct Facts {
    std::size_t answers = 0;
    std::size_t segment_bytes = 0;  // of every answer but the last
    bool open = false;              // another answer may join
  };
  [[nodiscard]] bool Joins(const UdpDestination& to, std::span<const std::uint8_t> answer) const;
  void BeginSegments(std::size_t message);
  // The answers of one message, each as a datagram of its own; how many were sent.
  [[nodiscard]] std::size_t SendOneByOne(const UdpSockets& sockets, std::size_t message);

  std::size_t count_ = 0;
  int resting_ = 0;  // batches
  std::array<mmsghdr, kAnswersMax> headers_{};
  std::array<iovec, kAnswersMax> pieces_{};
  std::array<Facts, kAnswersMax> facts_{};
  struct Control {
    alignas(cmsghdr) std::array<std::uint8_t, kControlBytes> bytes;
  };
  std::array<Control, kAnswersMax> controls_;
};

}  // namespace weir::dns
