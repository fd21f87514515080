#include "dns/udp_messages.h"

#include <netinet/in.h>
#include <netinet/udp.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace weir::dns {
namespace {

// One answer alone; false when it cannot be sent at all.
bool SendOne(const UdpSockets& sockets, const msghdr& header) {
  int socket = sockets.whole;
  for (;;) {
    if (sendmsg(socket, &header, MSG_DONTWAIT) >= 0) return true;
    if (errno == EMSGSIZE && socket != sockets.in_fragments) {
      socket = sockets.in_fragments;
    } else if (errno != EINTR) {
      return false;
    }
  }
}

}  // namespace

void UdpMessages::Add(const UdpDestination& to, std::span<const std::uint8_t> answer) {
  if (count_ > 0 && Joins(to, answer)) {
    const std::size_t last = count_ - 1;
    Facts& facts = facts_[last];
    if (facts.answers == 1) BeginSegments(last);
    ++facts.answers;
    facts.open = answer.size() == facts.segment_bytes;
    pieces_[last].iov_len += answer.size();
    return;
  }
  const std::size_t message = count_++;
  facts_[message] = {.answers = 1, .segment_bytes = answer.size(), .open = resting_ == 0};
  // What is sent is not written to.
  pieces_[message] = {const_cast<std::uint8_t*>(answer.data()), answer.size()};
  msghdr& header = headers_[message].msg_hdr;
  header.msg_name = const_cast<sockaddr*>(to.address);
  header.msg_namelen = to.address_size;
  header.msg_iov = &pieces_[message];
  header.msg_iovlen = 1;
  header.msg_control = to.control.empty() ? nullptr : const_cast<std::uint8_t*>(to.control.data());
  header.msg_controllen = to.control.size();
}

bool UdpMessages::Joins(const UdpDestination& to, std::span<const std::uint8_t> answer) const {
  const Facts& facts = facts_[count_ - 1];
  const iovec& piece = pieces_[count_ - 1];
  const msghdr& header = headers_[count_ - 1].msg_hdr;
  // With a control for the segments, the message's own comes first.
  const std::size_t control = header.msg_controllen - (facts.answers > 1 ? CMSG_SPACE(sizeof(std::uint16_t)) : 0);
  return facts.open && answer.size() <= facts.segment_bytes && piece.iov_len + answer.size() <= kBytesMax &&
         static_cast<const std::uint8_t*>(piece.iov_base) + piece.iov_len == answer.data() &&
         header.msg_namelen == to.address_size && std::memcmp(header.msg_name, to.address, to.address_size) == 0 &&
         control == to.control.size() &&
         (control == 0 || std::memcmp(header.msg_control, to.control.data(), control) == 0) &&
         control + CMSG_SPACE(sizeof(std::uint16_t)) <= kControlBytes;
}

void UdpMessages::BeginSegments(std::size_t message) {
  msghdr& header = headers_[message].msg_hdr;
  std::uint8_t* const bytes = controls_[message].bytes.data();
  if (header.msg_controllen > 0) std::memcpy(bytes, header.msg_control, header.msg_controllen);
  cmsghdr segment{};
  segment.cmsg_level = SOL_UDP;
  segment.cmsg_type = UDP_SEGMENT;
  segment.cmsg_len = CMSG_LEN(sizeof(std::uint16_t));
  const auto size = static_cast<std::uint16_t>(facts_[message].segment_bytes);
  std::memcpy(bytes + header.msg_controllen, &segment, sizeof(segment));
  std::memcpy(bytes + header.msg_controllen + CMSG_LEN(0), &size, sizeof(size));
  header.msg_control = bytes;
  header.msg_controllen += CMSG_SPACE(sizeof(size));
}

UdpMessages::Report UdpMessages::Send(const UdpSockets& sockets) {
  Report report;
  std::size_t next = 0;
  const auto answers_of = [this](std::size_t from, std::size_t to) {
    std::size_t sum = 0;
    for (; from < to; ++from) sum += facts_[from].answers;
    return sum;
  };
  while (next < count_) {
    const int done =
        sendmmsg(sockets.whole, headers_.data() + next, static_cast<unsigned>(count_ - next), MSG_DONTWAIT);
    if (done > 0) {
      report.sent += answers_of(next, next + static_cast<std::size_t>(done));
      next += static_cast<std::size_t>(done);
    } else if (errno == EAGAIN || errno == ENOBUFS) {
      // No room in the send buffer: resolvers ask again.
      report.dropped += answers_of(next, count_);
      break;
    } else if (errno != EINTR) {
      // This message cannot be sent: cut on its way, whole, or at all (no route, a forged source). The others may be.
      const bool has_another_way = facts_[next].answers > 1 || errno == EMSGSIZE;
      const std::size_t sent = has_another_way ? SendOneByOne(sockets, next) : 0;
      report.sent += sent;
      report.dropped += facts_[next].answers - sent;
      ++next;
    }
  }
  resting_ = std::max(resting_ - 1, 0);
  return report;
}

std::size_t UdpMessages::SendOneByOne(const UdpSockets& sockets, std::size_t message) {
  msghdr header = headers_[message].msg_hdr;
  const bool joined = facts_[message].answers > 1;
  if (joined) header.msg_controllen -= CMSG_SPACE(sizeof(std::uint16_t));
  if (header.msg_controllen == 0) header.msg_control = nullptr;
  iovec rest = pieces_[message];
  std::size_t sent = 0;
  while (rest.iov_len > 0) {
    iovec answer{rest.iov_base, std::min(rest.iov_len, facts_[message].segment_bytes)};
    header.msg_iov = &answer;
    if (SendOne(sockets, header)) ++sent;
    rest = {static_cast<std::uint8_t*>(rest.iov_base) + answer.iov_len, rest.iov_len - answer.iov_len};
  }
  if (joined && sent > 0) resting_ = kRestAfterFailure;
  return sent;
}

}  // namespace weir::dns
