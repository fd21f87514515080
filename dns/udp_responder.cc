#include "dns/responder.h"
#include "dns/response_counts.h"
#include "dns/udp_messages.h"
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

constexpr std::size_t kBatch = UdpMessages::kAnswersMax;
// Batches answered in one turn before other descriptors get theirs.
constexpr int kBatchesPerTurn = 4;
// A query is one question and a few options; what is longer is cut off and so malformed.
constexpr std::size_t kDatagramBytesMax = 4'096;
constexpr std::size_t kControlBytes = 64;
// Queries that wait while the worker is busy elsewhere; the system's default holds under 300. The system may allow
// less.
constexpr int kReceiveBufferBytes = 1 << 20;
static_assert(kControlBytes >= CMSG_SPACE(sizeof(in6_pktinfo)) && kControlBytes >= CMSG_SPACE(sizeof(in_pktinfo)));

void SetOption(int fd, int level, int option, int value) { setsockopt(fd, level, option, &value, sizeof(value)); }

// Messages about the path's MTU are ignored: anybody can forge them, to have answers cut in fragments that can be
// forged too (RFC 9715 3.1 and appendix C).
enum class DontFragment : bool { kNo, kYes };

void PrepareSocket(int fd, const IpAddress& local, DontFragment dont_fragment) {
  const bool wildcard = local.is_wildcard();
  SetOption(fd, SOL_SOCKET, SO_RCVBUF, kReceiveBufferBytes);
  if (local.is_v4()) {
    SetOption(fd, IPPROTO_IP, IP_MTU_DISCOVER,
              dont_fragment == DontFragment::kYes ? IP_PMTUDISC_PROBE : IP_PMTUDISC_OMIT);
    if (wildcard) SetOption(fd, IPPROTO_IP, IP_PKTINFO, 1);
  } else {
    // Answers fit the least MTU of IPv6.
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

// Everything the two system calls need, allocated and tied together once. What a usual batch touches lies close
// together: the kernel's buffers push the rest out of the caches between two batches.
struct UdpResponder::Batch {
  explicit Batch(bool with_control);
  // Makes header `i` ready to receive with.
  void Renew(std::size_t i);

  // Not a multiple of 4,096: the queries' first lines would all share one cache set.
  struct QueryBuffer {
    std::array<std::uint8_t, kDatagramBytesMax> bytes;
    std::array<std::uint8_t, 64> gap;
  };
  struct ControlBuffer {
    alignas(cmsghdr) std::array<std::uint8_t, kControlBytes> bytes;
  };
  std::array<mmsghdr, kBatch> headers;  // of the queries
  std::array<iovec, kBatch> pieces;
  std::array<sockaddr_in6, kBatch> peers;  // room for either family
  std::array<ControlBuffer, kBatch> controls;
  std::array<std::span<const std::uint8_t>, kBatch> received;  // the queries of this turn
  UdpMessages messages;
  std::array<std::uint8_t, kBatch * kUdpPayloadMax> answers;  // one behind the other, so that they can be joined
  std::array<QueryBuffer, kBatch> queries;
  bool wants_control;
};

UdpResponder::Batch::Batch(bool with_control) : headers{}, peers{}, wants_control(with_control) {
  for (std::size_t i = 0; i < kBatch; ++i) Renew(i);
}

void UdpResponder::Batch::Renew(std::size_t i) {
  pieces[i] = {queries[i].bytes.data(), queries[i].bytes.size()};
  msghdr& header = headers[i].msg_hdr;
  header.msg_name = &peers[i];
  header.msg_namelen = sizeof(peers[i]);
  header.msg_iov = &pieces[i];
  header.msg_iovlen = 1;
  header.msg_control = wants_control ? controls[i].bytes.data() : nullptr;
  header.msg_controllen = wants_control ? controls[i].bytes.size() : 0;
}

UdpResponder::UdpResponder(net::EventLoop& loop, UniqueFd socket, ResponderCounters& counters, std::size_t worker,
                           std::uint64_t seed)
    : loop_(loop), socket_(std::move(socket)), counters_(counters), worker_(worker), answerer_(seed) {
  const Endpoint local = net::LocalEndpoint(socket_.get());
  batch_ = std::make_unique<Batch>(local.address.is_wildcard());
  PrepareSocket(socket_.get(), local.address, DontFragment::kNo);
}

UdpResponder::~UdpResponder() { Stop(); }

bool UdpResponder::Start() {
  OpenSender();
  watching_ = loop_.WatchLevel(socket_.get(), EPOLLIN, *this);
  return watching_;
}

void UdpResponder::OpenSender() {
  const Endpoint local = net::LocalEndpoint(socket_.get());
  auto sender = net::OpenUdpSender(local);
  if (!sender) return;  // the watched socket can send too
  sender_ = std::move(*sender);
  PrepareSocket(sender_.get(), local.address, DontFragment::kYes);
  while (AnswerBatch(sender_.get())) {
  }
}

void UdpResponder::SetView(std::shared_ptr<const ZoneSet> zones, std::shared_ptr<const health::StatusTable> status) {
  answerer_.SetView(std::move(zones), std::move(status));
}

void UdpResponder::Stop() {
  Unwatch();
  socket_.Reset();
  sender_.Reset();
}

void UdpResponder::Unwatch() {
  if (std::exchange(watching_, false)) loop_.Unwatch(socket_.get(), *this);
}

void UdpResponder::Drain() {
  // Bounded: new queries may arrive as fast as old ones are answered.
  constexpr int kBatchesMax = 64;
  for (int i = 0; socket_.valid() && i < kBatchesMax && AnswerBatch(socket_.get()); ++i) {
  }
  Stop();
}

void UdpResponder::OnEvents(std::uint32_t /*events*/) {
  if (!AnswerBatch(socket_.get())) return;
  // More wait: nobody needs to be woken for each.
  Unwatch();
  loop_.RunSoon(*this);
}

void UdpResponder::RunTask() {
  if (!socket_.valid()) return;
  for (int i = 0; i < kBatchesPerTurn; ++i) {
    if (AnswerBatch(socket_.get())) continue;
    watching_ = loop_.WatchLevel(socket_.get(), EPOLLIN, *this);
    if (watching_) return;
    break;  // the system has no room to watch it: read it in each turn instead
  }
  loop_.RunSoon(*this);
}

bool UdpResponder::AnswerBatch(int socket) {
  const int received = recvmmsg(socket, batch_->headers.data(), kBatch, MSG_DONTWAIT, nullptr);
  // Errors that ICMP left behind are taken off the socket by asking again; the loop does.
  if (received <= 0) return false;
  const auto count = static_cast<std::size_t>(received);
  AnswerReceived(count);
  const UdpMessages::Report report =
      batch_->messages.Send({.whole = sender_.valid() ? sender_.get() : socket_.get(), .in_fragments = socket_.get()});
  counters_.udp.responses.Add(report.sent);
  if (report.dropped > 0) counters_.udp.dropped.Add(report.dropped);
  for (std::size_t i = 0; i < count; ++i) batch_->Renew(i);
  return count == kBatch;
}

void UdpResponder::AnswerReceived(std::size_t received) {
  Batch& batch = *batch_;
  for (std::size_t i = 0; i < received; ++i) {
    batch.received[i] = std::span(batch.queries[i].bytes).first(batch.headers[i].msg_len);
  }
  answerer_.Expect(std::span(batch.received).first(received));
  batch.messages.Clear();
  std::size_t answer_at = 0;
  for (std::size_t i = 0; i < received; ++i) {
    const Endpoint peer = net::SocketAddress::ToEndpoint(reinterpret_cast<const sockaddr*>(&batch.peers[i]));
    const ClientQuery query{.message = batch.received[i], .client = peer.address, .transport = Transport::kUdp};
    const auto answer = std::span(batch.answers).subspan(answer_at, kUdpPayloadMax);
    AnswerReport report;
    // Port 0 cannot be answered.
    if (peer.port != 0) report = answerer_.Answer(query, answer);
    CountResponse(counters_.udp, answerer_.zones().get(), worker_, report);
    if (report.size == 0) continue;
    answer_at += report.size;
    msghdr& header = batch.headers[i].msg_hdr;
    if (batch.wants_control) AimControl(header);
    const std::span control(static_cast<const std::uint8_t*>(header.msg_control), header.msg_controllen);
    batch.messages.Add({.address = static_cast<const sockaddr*>(header.msg_name),
                        .address_size = header.msg_namelen,
                        .control = control},
                       answer.first(report.size));
  }
}

}  // namespace weir::dns
