#include "dns/responder.h"
#include "dns/response_counts.h"
#include "net/socket.h"

#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

namespace weir::dns {
namespace {

constexpr std::size_t kBatch = 32;
// Batches answered in one turn before other descriptors get theirs.
constexpr int kBatchesPerTurn = 4;
// A query is one question and a few options; what is longer is cut off and so malformed.
constexpr std::size_t kQueryBytesMax = 4'096;
constexpr std::size_t kControlBytes = 64;
// Queries that wait while the worker is busy elsewhere; the system's default holds under 300. The system may allow
// less.
constexpr int kReceiveBufferBytes = 1 << 20;
static_assert(kControlBytes >= CMSG_SPACE(sizeof(in6_pktinfo)) && kControlBytes >= CMSG_SPACE(sizeof(in_pktinfo)));

void SetOption(int fd, int level, int option, int value) { setsockopt(fd, level, option, &value, sizeof(value)); }

// Answers fit kUdpPayloadMax; path MTU messages, which anybody can forge, must not make them smaller (RFC 9715 3.1).
void PrepareSocket(int fd, bool v4, bool wildcard) {
  SetOption(fd, SOL_SOCKET, SO_RCVBUF, kReceiveBufferBytes);
  if (v4) {
    SetOption(fd, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_OMIT);
    if (wildcard) SetOption(fd, IPPROTO_IP, IP_PKTINFO, 1);
  } else {
    SetOption(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, IPV6_PMTUDISC_OMIT);
    if (wildcard) SetOption(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1);
  }
}

// Turns the received control data, which names the address that was asked, into the one that sets the source of the
// answer. For IPv6 they are the same; for IPv4 the interface must not be forced.
void AimControl(msghdr& header) {
  for (cmsghdr* control = CMSG_FIRSTHDR(&header); control != nullptr; control = CMSG_NXTHDR(&header, control)) {
    if (control->cmsg_level != IPPROTO_IP || control->cmsg_type != IP_PKTINFO) continue;
    in_pktinfo info{};
    std::memcpy(&info, CMSG_DATA(control), sizeof(info));
    info.ipi_spec_dst = info.ipi_addr;
    info.ipi_ifindex = 0;
    std::memcpy(CMSG_DATA(control), &info, sizeof(info));
  }
}

}  // namespace

// Everything the two system calls need, allocated once.
struct UdpResponder::Batch {
  struct Slot {
    std::array<std::uint8_t, kQueryBytesMax> query;
    std::array<std::uint8_t, kUdpPayloadMax> answer;
    alignas(cmsghdr) std::array<std::uint8_t, kControlBytes> control;
    sockaddr_storage peer;
    iovec in;
    iovec out;
  };
  std::array<Slot, kBatch> slots;
  std::array<mmsghdr, kBatch> received;
  std::array<mmsghdr, kBatch> sending;
  bool wants_control = false;
};

UdpResponder::UdpResponder(net::EventLoop& loop, UniqueFd socket, ResponderCounters& counters, std::size_t worker,
                           std::uint64_t seed)
    : loop_(loop),
      socket_(std::move(socket)),
      counters_(counters),
      worker_(worker),
      answerer_(seed),
      batch_(std::make_unique<Batch>()) {
  const Endpoint local = net::LocalEndpoint(socket_.get());
  batch_->wants_control = local.address.is_wildcard();
  PrepareSocket(socket_.get(), local.address.is_v4(), batch_->wants_control);
}

UdpResponder::~UdpResponder() { Stop(); }

bool UdpResponder::Start() {
  watching_ = loop_.WatchLevel(socket_.get(), EPOLLIN, *this);
  return watching_;
}

void UdpResponder::SetView(std::shared_ptr<const ZoneSet> zones, std::shared_ptr<const health::StatusTable> status) {
  answerer_.SetView(std::move(zones), std::move(status));
}

void UdpResponder::Stop() {
  if (std::exchange(watching_, false)) loop_.Unwatch(socket_.get());
  socket_.Reset();
}

void UdpResponder::Drain() {
  // Bounded: new queries may arrive as fast as old ones are answered.
  constexpr int kBatchesMax = 64;
  for (int i = 0; socket_.valid() && i < kBatchesMax && AnswerBatch(); ++i) {
  }
  Stop();
}

void UdpResponder::OnEvents(std::uint32_t /*events*/) {
  for (int i = 0; i < kBatchesPerTurn && socket_.valid() && AnswerBatch(); ++i) {
  }
}

bool UdpResponder::AnswerBatch() {
  Batch& batch = *batch_;
  for (std::size_t i = 0; i < kBatch; ++i) {
    auto& slot = batch.slots[i];
    slot.in = {slot.query.data(), slot.query.size()};
    auto& header = batch.received[i].msg_hdr;
    header = {};
    header.msg_name = &slot.peer;
    header.msg_namelen = sizeof(slot.peer);
    header.msg_iov = &slot.in;
    header.msg_iovlen = 1;
    if (batch.wants_control) {
      header.msg_control = slot.control.data();
      header.msg_controllen = slot.control.size();
    }
  }
  const int received = recvmmsg(socket_.get(), batch.received.data(), kBatch, MSG_DONTWAIT, nullptr);
  // Errors that ICMP left behind are taken off the socket by asking again; the loop does.
  if (received <= 0) return false;
  Send(AnswerReceived(static_cast<std::size_t>(received)));
  return static_cast<std::size_t>(received) == kBatch;
}

// How many answers stand in `sending`.
std::size_t UdpResponder::AnswerReceived(std::size_t received) {
  Batch& batch = *batch_;
  std::size_t count = 0;
  for (std::size_t i = 0; i < received; ++i) {
    auto& slot = batch.slots[i];
    auto& header = batch.received[i].msg_hdr;
    const Endpoint peer = net::SocketAddress::ToEndpoint(reinterpret_cast<const sockaddr*>(&slot.peer));
    const ClientQuery query{.message = std::span(slot.query).first(batch.received[i].msg_len),
                            .client = peer.address,
                            .transport = Transport::kUdp};
    AnswerReport report;
    // Port 0 cannot be answered.
    if (peer.port != 0) report = answerer_.Answer(query, slot.answer);
    CountResponse(counters_.udp, answerer_.zones().get(), worker_, report);
    if (report.size == 0) continue;
    slot.out = {slot.answer.data(), report.size};
    auto& out = batch.sending[count++].msg_hdr;
    out = {};
    out.msg_name = &slot.peer;
    out.msg_namelen = header.msg_namelen;
    out.msg_iov = &slot.out;
    out.msg_iovlen = 1;
    if (!batch.wants_control || header.msg_controllen == 0) continue;
    AimControl(header);
    out.msg_control = header.msg_control;
    out.msg_controllen = header.msg_controllen;
  }
  return count;
}

void UdpResponder::Send(std::size_t count) {
  std::size_t sent = 0;
  while (sent < count) {
    const int done =
        sendmmsg(socket_.get(), batch_->sending.data() + sent, static_cast<unsigned>(count - sent), MSG_DONTWAIT);
    if (done > 0) {
      sent += static_cast<std::size_t>(done);
      counters_.udp.responses.Add(static_cast<std::uint64_t>(done));
    } else if (errno == EAGAIN || errno == ENOBUFS) {
      // No room in the send buffer: resolvers ask again.
      counters_.udp.dropped.Add(count - sent);
      return;
    } else if (errno != EINTR) {
      // This answer cannot be sent (no route, a forged source); the others may be.
      counters_.udp.dropped.Add();
      ++sent;
    }
  }
}

}  // namespace weir::dns
