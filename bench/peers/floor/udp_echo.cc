// The floor of a DNS server: datagrams back to where they came from, in batches, with nothing read out of them.
//
//   floor_udp_echo --port PORT [--discard]
//
// A query comes back with its QR bit set, which is all that a load generator needs to take it for an answer. --discard
// only receives: what a proxy logs to.
#include "sockets.h"

#include <poll.h>

#include <array>

namespace {

using namespace floor_bench;

constexpr std::size_t kBatch = 32;
constexpr std::size_t kDatagramBytesMax = 4096;

struct Batch {
  std::array<std::array<unsigned char, kDatagramBytesMax>, kBatch> bytes{};
  std::array<sockaddr_storage, kBatch> senders{};
  std::array<iovec, kBatch> parts{};
  std::array<mmsghdr, kBatch> messages{};

  void Prepare() {
    for (std::size_t i = 0; i < kBatch; ++i) {
      parts[i] = {bytes[i].data(), bytes[i].size()};
      messages[i] = {};
      messages[i].msg_hdr.msg_name = &senders[i];
      messages[i].msg_hdr.msg_namelen = sizeof senders[i];
      messages[i].msg_hdr.msg_iov = &parts[i];
      messages[i].msg_hdr.msg_iovlen = 1;
    }
  }

  void TurnIntoAnswers(std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
      parts[i].iov_len = messages[i].msg_len;
      if (messages[i].msg_len > 2) bytes[i][2] |= 0x80;
    }
  }
};

[[noreturn]] void Run(int fd, bool discard) {
  static Batch batch;
  while (true) {
    batch.Prepare();
    const int count = recvmmsg(fd, batch.messages.data(), kBatch, MSG_DONTWAIT, nullptr);
    if (count < 0 && errno == EAGAIN) {
      pollfd waiting{.fd = fd, .events = POLLIN, .revents = 0};
      poll(&waiting, 1, -1);
      continue;
    }
    if (count < 0 && errno != EINTR) Refuse(3, "recvmmsg", std::strerror(errno));
    if (count <= 0 || discard) continue;
    batch.TurnIntoAnswers(static_cast<std::size_t>(count));
    sendmmsg(fd, batch.messages.data(), static_cast<unsigned>(count), 0);
  }
}

}  // namespace

int main(int argc, char** argv) {
  std::uint16_t port = 0;
  bool discard = false;
  for (int i = 1; i < argc; ++i) {
    const std::string_view option = argv[i];
    if (option == "--port" && i + 1 < argc) {
      port = ParsePort(option, argv[++i]);
    } else if (option == "--discard") {
      discard = true;
    } else {
      Refuse(2, option, "usage: floor_udp_echo --port PORT [--discard]");
    }
  }
  if (port == 0) Refuse(2, "floor_udp_echo", "--port PORT is required");
  const int fd = Bind(SOCK_DGRAM, port, Scope::kLoopbackAddress);
  SetOption(fd, SOL_SOCKET, SO_RCVBUF, 4 * 1024 * 1024);
  Run(fd, discard);
}
