#pragma once

#include "base/unique_fd.h"
#include "dns/answer.h"
#include "dns/counters.h"
#include "dns/tcp_budget.h"
#include "dns/zone/zone_set.h"
#include "health/status.h"
#include "net/acceptor.h"
#include "net/event_loop.h"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>

namespace weir::dns {

// Answers queries on one UDP socket in batches of 32: recvmmsg, answer, sendmmsg. On a wildcard socket each answer
// leaves from the address that the query came to. While whole batches wait, the socket is read in each turn without
// being watched. Answers leave by a second socket of the same address that nobody watches (net::OpenUdpSender): for
// each datagram that leaves a watched one the kernel looks for whom to wake. They are not to be fragmented on their way
// (DF), whatever ICMP says of its MTU, unless the link itself is too narrow (RFC 9715 3.1). Locks nothing and allocates
// nothing per query. Thread: its loop's.
class UdpResponder final : private net::FdWatcher, private net::Task {
 public:
  // `socket` is bound and non-blocking (net::BindUdp); `counters` is the worker's own and outlives the responder.
  UdpResponder(net::EventLoop& loop, UniqueFd socket, ResponderCounters& counters, std::size_t worker,
               std::uint64_t seed);
  ~UdpResponder();
  UdpResponder(const UdpResponder&) = delete;
  UdpResponder& operator=(const UdpResponder&) = delete;

  // Begins to answer. False when the loop refuses the socket.
  [[nodiscard]] bool Start();
  // Neither is null. Until the first call every query is answered REFUSED.
  void SetView(std::shared_ptr<const ZoneSet> zones, std::shared_ptr<const health::StatusTable> status);
  // Stops at once: what the system still holds is not answered. Safe to call twice.
  void Stop();
  // Answers what has already arrived, then stops.
  void Drain();

 private:
  struct Batch;
  void OnEvents(std::uint32_t events) override;
  // Goes on where more than one batch waits.
  void RunTask() override;
  void Unwatch();
  void OpenSender();
  // One batch of those that wait at `socket`; false when fewer than a batch did.
  bool AnswerBatch(int socket);
  void AnswerReceived(std::size_t received);

  net::EventLoop& loop_;
  UniqueFd socket_;
  UniqueFd sender_;  // invalid where the system has none to give
  ResponderCounters& counters_;
  std::size_t worker_;
  Answerer answerer_;
  std::unique_ptr<Batch> batch_;
  bool watching_ = false;
};

struct TcpLimits {
  std::size_t connections_max = 1'000;  // one more closes the one that has been idle longest
  // From the last whole query, or from accept, until the next one is whole or its answer is taken: a peer that sends a
  // byte now and then gains nothing (RFC 7766 6.2.3).
  std::chrono::milliseconds idle_timeout{10'000};
  std::chrono::milliseconds drain_timeout{2'000};
};

// Answers queries on connections accepted from one listening socket (RFC 7766): length-prefixed, pipelined, answered in
// order. In one turn of the loop all connections together answer what TcpBudget allows; those that want more wait in a
// line, so that UDP is looked at after a fraction of a millisecond. A connection holds at most 4 KiB of queries and,
// for a moment, 128 KiB of answers; it is not read, and no further answer is made, while the peer does not take what it
// has. Thread: its loop's.
class TcpResponder final : private net::AcceptorEvents {
 public:
  // `socket` listens and is non-blocking (net::ListenTcp); `budget` and `counters` are the worker's own, for all of its
  // responders, and outlive them.
  TcpResponder(net::EventLoop& loop, UniqueFd socket, TcpBudget& budget, ResponderCounters& counters,
               std::size_t worker, std::uint64_t seed, const TcpLimits& limits = {});
  ~TcpResponder();
  TcpResponder(const TcpResponder&) = delete;
  TcpResponder& operator=(const TcpResponder&) = delete;

  // Begins to accept. False when the loop refuses the socket.
  [[nodiscard]] bool Start();
  // Neither is null. Until the first call every query is answered REFUSED.
  void SetView(std::shared_ptr<const ZoneSet> zones, std::shared_ptr<const health::StatusTable> status);
  // Closes the listening socket and every connection at once. Safe to call twice.
  void Stop();
  // Accepts no more, closes connections that wait for a query, and closes the others once their answers are taken or
  // drain_timeout has passed.
  void Drain();
  // From now on; those that are too many close, the longest idle first.
  void SetConnectionsMax(std::size_t connections_max);
  [[nodiscard]] std::size_t connections() const;

 private:
  class Connection;
  struct Shared;
  void OnAccepted(std::unique_ptr<net::TcpStream> stream) override;
  [[nodiscard]] bool MakeRoom() override;
  void Evict();

  net::Acceptor acceptor_;
  std::unique_ptr<Shared> shared_;
};

}  // namespace weir::dns
