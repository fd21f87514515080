#include "dns/responder.h"

#include "dns/tcp_budget.h"
#include "dns/udp_messages.h"
#include "net/socket.h"
#include "tests/dns/dns_fixture.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <future>
#include <thread>

namespace weir::dns::testing {
namespace {

using ::testing::ElementsAre;

config::Model OneRecord(const std::string& value) {
  config::Model model;
  model.zones = {MakeZone(
      "example.test.",
      {MakeRecord("www.example.test.", rr::kA, {.values = {value}}),
       MakeRecord("big.example.test.", rr::kTxt, {.values = std::vector<std::string>(150, std::string(200, 'x'))})})};
  return model;
}

// A loop with both responders on a thread of its own.
class ResponderTest : public ::testing::TestWithParam<const char*> {
 protected:
  void Start(const TcpLimits& limits = {}) {
    const Endpoint any{IpAddress::Parse(GetParam()).value(), 0};
    auto udp = net::BindUdp(any);
    Result<UniqueFd> tcp = Failure("not bound yet");
    // Another program may hold the TCP port of the same number: a fresh pair is tried then.
    for (int attempt = 0; udp && !tcp && attempt < 50; ++attempt) {
      if (attempt > 0) udp = net::BindUdp(any);
      if (!udp) break;
      port_ = net::LocalEndpoint(udp->get()).port;
      tcp = net::ListenTcp({any.address, port_});
    }
    ASSERT_TRUE(udp);
    ASSERT_TRUE(tcp);
    udp_ = std::make_unique<UdpResponder>(loop_, std::move(*udp), (*registry_.responders())[0], 0, 1);
    tcp_ = std::make_unique<TcpResponder>(loop_, std::move(*tcp), budget_, (*registry_.responders())[0], 0, 2, limits);
    ASSERT_TRUE(udp_->Start());
    ASSERT_TRUE(tcp_->Start());
    SetView("192.0.2.1");
    thread_ = std::thread([this] { loop_.Run(); });
  }
  void TearDown() override {
    if (!thread_.joinable()) return;
    OnLoop([this] {
      udp_.reset();
      tcp_.reset();
    });
    loop_.Stop();
    thread_.join();
  }
  void SetView(const std::string& value) {
    CounterRegistry& registry = registry_;
    auto zones = ZoneSet::Build(std::make_shared<const config::Model>(OneRecord(value)), registry).value();
    auto status = std::make_shared<const health::StatusTable>();
    udp_->SetView(zones, status);
    tcp_->SetView(zones, status);
  }
  template <class Call>
  void OnLoop(Call call) {
    std::promise<void> done;
    loop_.Post([&] {
      call();
      done.set_value();
    });
    done.get_future().wait();
  }
  UniqueFd Connect(int type) {
    IpAddress address = IpAddress::Parse(GetParam()).value();
    if (address.is_wildcard()) address = IpAddress::Parse(address.is_v4() ? "127.0.0.3" : "::1").value();
    const auto to = net::SocketAddress::From({address, port_});
    UniqueFd fd(socket(to.get()->sa_family, type, 0));
    EXPECT_EQ(connect(fd.get(), to.get(), to.size), 0);
    const timeval wait{.tv_sec = 5, .tv_usec = 0};
    setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));
    return fd;
  }
  static void SendAll(int fd, std::span<const std::uint8_t> bytes) {
    EXPECT_EQ(send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL), static_cast<ssize_t>(bytes.size()));
  }
  static std::vector<std::uint8_t> Framed(const std::vector<std::uint8_t>& message) {
    std::vector<std::uint8_t> out = {static_cast<std::uint8_t>(message.size() >> 8),
                                     static_cast<std::uint8_t>(message.size())};
    out.insert(out.end(), message.begin(), message.end());
    return out;
  }
  // The next message of a TCP connection; empty at its end.
  static std::vector<std::uint8_t> ReadFramed(int fd) {
    std::vector<std::uint8_t> length(2);
    if (recv(fd, length.data(), 2, MSG_WAITALL) != 2) return {};
    std::vector<std::uint8_t> message(static_cast<std::size_t>(length[0]) << 8 | length[1]);
    EXPECT_EQ(recv(fd, message.data(), message.size(), MSG_WAITALL), static_cast<ssize_t>(message.size()));
    return message;
  }
  std::uint64_t Count(Counter TransportCounters::* counter, Transport transport) {
    return ((*registry_.responders())[0].of(transport).*counter).value();
  }

  net::EventLoop loop_;
  CounterRegistry registry_{1};
  std::unique_ptr<UdpResponder> udp_;
  TcpBudget budget_;
  std::unique_ptr<TcpResponder> tcp_;
  std::thread thread_;
  std::uint16_t port_ = 0;
};

TEST_P(ResponderTest, AnswersOverUdpFromTheAddressThatWasAsked) {
  Start();
  const UniqueFd fd = Connect(SOCK_DGRAM);  // connected: an answer from elsewhere would not arrive
  for (std::uint16_t i = 0; i < 100; ++i) SendAll(fd.get(), EncodeQuery("www.example.test.", rr::kA, {.id = i}));
  for (int i = 0; i < 100; ++i) {
    std::vector<std::uint8_t> buffer(2'000);
    const ssize_t got = recv(fd.get(), buffer.data(), buffer.size(), 0);
    ASSERT_GT(got, 0);
    EXPECT_THAT(ParseResponse(std::span(buffer).first(static_cast<std::size_t>(got)))->values(),
                ElementsAre("192.0.2.1"));
  }
  SendAll(fd.get(), EncodeQuery("www.example.test.", rr::kA, {.flags = 0x8000}));
  OnLoop([this] { SetView("192.0.2.2"); });
  SendAll(fd.get(), EncodeQuery("www.example.test.", rr::kA));
  std::vector<std::uint8_t> buffer(2'000);
  const ssize_t got = recv(fd.get(), buffer.data(), buffer.size(), 0);
  ASSERT_GT(got, 0);
  EXPECT_THAT(ParseResponse(std::span(buffer).first(static_cast<std::size_t>(got)))->values(),
              ElementsAre("192.0.2.2"));
  OnLoop([] {});
  EXPECT_EQ(Count(&TransportCounters::queries, Transport::kUdp), 102U);
  EXPECT_EQ(Count(&TransportCounters::responses, Transport::kUdp), 101U);
  EXPECT_EQ(Count(&TransportCounters::dropped, Transport::kUdp), 1U);
}

TEST_P(ResponderTest, ABatchOfOnePeerIsAnsweredInOrderWhateverTheSizes) {
  Start();
  const UniqueFd fd = Connect(SOCK_DGRAM);
  constexpr std::uint16_t kQueries = 100;
  const auto name_of = [](std::uint16_t id) { return id % 7 == 3 ? "nobody.example.test." : "www.example.test."; };
  // The responder waits for the end of this call: it finds whole batches.
  OnLoop([&] {
    for (std::uint16_t id = 0; id < kQueries; ++id) SendAll(fd.get(), EncodeQuery(name_of(id), rr::kA, {.id = id}));
  });
  for (std::uint16_t id = 0; id < kQueries; ++id) {
    std::vector<std::uint8_t> buffer(2'000);
    const ssize_t got = recv(fd.get(), buffer.data(), buffer.size(), 0);
    ASSERT_GT(got, 0);
    const auto response = ParseResponse(std::span(buffer).first(static_cast<std::size_t>(got)));
    EXPECT_EQ(buffer[0] << 8 | buffer[1], id);
    if (id % 7 == 3) {
      EXPECT_THAT(response->values(), ElementsAre());
    } else {
      EXPECT_THAT(response->values(), ElementsAre("192.0.2.1"));
    }
  }
  OnLoop([] {});
  EXPECT_EQ(Count(&TransportCounters::responses, Transport::kUdp), kQueries);
  EXPECT_EQ(Count(&TransportCounters::dropped, Transport::kUdp), 0U);
}

TEST_P(ResponderTest, ABatchOfManyPeersIsAnsweredToEach) {
  Start();
  constexpr std::size_t kPeers = 24;
  std::vector<UniqueFd> peers;
  for (std::size_t i = 0; i < kPeers; ++i) peers.push_back(Connect(SOCK_DGRAM));
  OnLoop([&] {
    for (std::uint16_t id = 0; id < 2 * kPeers; ++id) {
      SendAll(peers[id / 4U % kPeers].get(), EncodeQuery("www.example.test.", rr::kA, {.id = id}));
    }
  });
  for (std::uint16_t id = 0; id < 2 * kPeers; ++id) {
    std::vector<std::uint8_t> buffer(2'000);
    ASSERT_GT(recv(peers[id / 4U % kPeers].get(), buffer.data(), buffer.size(), 0), 0);
    EXPECT_EQ(buffer[0] << 8 | buffer[1], id);
  }
}

// SO_NO_CHECK stands for a path that cannot carry segments: Linux refuses them together.
TEST(UdpSendTest, WhatCannotBeCutIsSentOneByOne) {
  auto receiver = net::BindUdp({IpAddress::Parse("127.0.0.1").value(), 0});
  const UniqueFd sender(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  const int on = 1;
  ASSERT_EQ(setsockopt(sender.get(), SOL_SOCKET, SO_NO_CHECK, &on, sizeof(on)), 0);
  const auto to = net::SocketAddress::From(net::LocalEndpoint(receiver->get()));
  const UdpDestination destination{.address = to.get(), .address_size = to.size};
  const std::vector<std::uint8_t> bytes = {1, 1, 1, 2, 2, 2, 3, 3, 4, 4};
  UdpMessages messages;
  for (int round = 0; round < 2; ++round) {
    messages.Clear();
    std::size_t at = 0;
    for (const std::size_t size : {3U, 3U, 2U, 2U}) {
      messages.Add(destination, std::span(bytes).subspan(at, size));
      at += size;
    }
    EXPECT_EQ(messages.size(), round == 0 ? 2U : 4U) << "a path that failed is spared";
    const auto report = messages.Send({.whole = sender.get(), .in_fragments = sender.get()});
    EXPECT_EQ(report.sent, 4U);
    EXPECT_EQ(report.dropped, 0U);
    for (const std::size_t size : {3U, 3U, 2U, 2U}) {
      std::vector<std::uint8_t> buffer(16);
      EXPECT_EQ(recv(receiver->get(), buffer.data(), buffer.size(), 0), static_cast<ssize_t>(size));
    }
  }
}

TEST(UdpSendTest, AnAnswerThatCannotBeSentIsDroppedAlone) {
  auto receiver = net::BindUdp({IpAddress::Parse("127.0.0.1").value(), 0});
  const auto to = net::SocketAddress::From(net::LocalEndpoint(receiver->get()));
  const auto nowhere = net::SocketAddress::From({IpAddress::Parse("255.255.255.255").value(), 9});
  const std::vector<std::uint8_t> bytes(90, 7);
  UdpMessages messages;
  for (std::size_t i = 0; i < 9; ++i) {
    const auto& address = i / 3 == 1 ? nowhere : to;
    messages.Add({.address = address.get(), .address_size = address.size}, std::span(bytes).subspan(10 * i, 10));
  }
  const auto report =
      messages.Send({.whole = receiver->get(), .in_fragments = receiver->get()});  // not allowed to broadcast
  EXPECT_EQ(report.sent, 6U);
  EXPECT_EQ(report.dropped, 3U);
  for (int i = 0; i < 6; ++i) {
    std::vector<std::uint8_t> buffer(16);
    EXPECT_EQ(recv(receiver->get(), buffer.data(), buffer.size(), 0), 10);
  }
}

TEST_P(ResponderTest, AnswersPipelinedTcpQueriesInOrder) {
  Start();
  const UniqueFd fd = Connect(SOCK_STREAM);
  std::vector<std::uint8_t> bytes;
  for (std::uint16_t i = 0; i < 50; ++i) {
    const auto query = Framed(
        EncodeQuery(i % 2 == 0 ? "www.example.test." : "big.example.test.", i % 2 == 0 ? rr::kA : rr::kTxt, {.id = i}));
    bytes.insert(bytes.end(), query.begin(), query.end());
  }
  // In pieces that do not end where messages end.
  for (std::size_t at = 0; at < bytes.size(); at += 7)
    SendAll(fd.get(), std::span(bytes).subspan(at, std::min<std::size_t>(7, bytes.size() - at)));
  for (std::uint16_t i = 0; i < 50; ++i) {
    const auto response = ParseResponse(ReadFramed(fd.get()));
    ASSERT_TRUE(response->parsed);
    EXPECT_EQ(response->id, i);
    EXPECT_EQ(response->answer.size(), i % 2 == 0 ? 1U : 150U);
  }
}

TEST_P(ResponderTest, APeerThatDoesNotReadIsNotReadAndLosesNothing) {
  Start();
  const UniqueFd fd = Connect(SOCK_STREAM);
  constexpr std::uint16_t kQueries = 250;  // 7 MB of answers: more than the system buffers
  std::thread writer([&] {
    for (std::uint16_t i = 0; i < kQueries; ++i)
      SendAll(fd.get(), Framed(EncodeQuery("big.example.test.", rr::kTxt, {.id = i})));
  });
  std::this_thread::yield();
  for (std::uint16_t i = 0; i < kQueries; ++i) {
    const auto message = ReadFramed(fd.get());
    ASSERT_GT(message.size(), 30'000U);
    EXPECT_EQ(ParseResponse(message)->id, i);
  }
  writer.join();
}

TEST_P(ResponderTest, SlowAndIdleConnectionsAreClosed) {
  Start({.connections_max = 10, .idle_timeout = std::chrono::milliseconds(150)});
  const UniqueFd idle = Connect(SOCK_STREAM);
  const UniqueFd slow = Connect(SOCK_STREAM);
  const auto query = Framed(EncodeQuery("www.example.test.", rr::kA));
  const auto begin = std::chrono::steady_clock::now();
  // A byte now and then does not move the deadline.
  std::size_t sent = 0;
  pollfd closed{slow.get(), POLLIN, 0};
  while (poll(&closed, 1, 20) == 0 && sent + 1 < query.size())
    static_cast<void>(send(slow.get(), &query[sent++], 1, MSG_NOSIGNAL));
  EXPECT_TRUE(ReadFramed(slow.get()).empty());
  EXPECT_TRUE(ReadFramed(idle.get()).empty());
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(3));
  OnLoop([] {});
  EXPECT_EQ(Count(&TransportCounters::connections_timed_out, Transport::kTcp), 2U);
}

TEST_P(ResponderTest, TheLongestIdleConnectionMakesRoom) {
  Start({.connections_max = 2});
  const auto query = Framed(EncodeQuery("www.example.test.", rr::kA));
  const UniqueFd first = Connect(SOCK_STREAM);
  SendAll(first.get(), query);
  EXPECT_FALSE(ReadFramed(first.get()).empty());
  const UniqueFd second = Connect(SOCK_STREAM);
  SendAll(second.get(), query);
  EXPECT_FALSE(ReadFramed(second.get()).empty());
  SendAll(first.get(), query);
  EXPECT_FALSE(ReadFramed(first.get()).empty());
  const UniqueFd third = Connect(SOCK_STREAM);
  SendAll(third.get(), query);
  EXPECT_FALSE(ReadFramed(third.get()).empty());
  EXPECT_TRUE(ReadFramed(second.get()).empty());  // closed
  SendAll(first.get(), query);
  EXPECT_FALSE(ReadFramed(first.get()).empty());
}

TEST_P(ResponderTest, ALowerLimitHoldsForConnectionsThatAreThere) {
  Start({.connections_max = 10});
  const auto query = Framed(EncodeQuery("www.example.test.", rr::kA));
  const UniqueFd first = Connect(SOCK_STREAM);
  SendAll(first.get(), query);
  EXPECT_FALSE(ReadFramed(first.get()).empty());
  const UniqueFd second = Connect(SOCK_STREAM);
  SendAll(second.get(), query);
  EXPECT_FALSE(ReadFramed(second.get()).empty());
  OnLoop([this] { tcp_->SetConnectionsMax(1); });
  EXPECT_TRUE(ReadFramed(first.get()).empty());  // closed
  SendAll(second.get(), query);
  EXPECT_FALSE(ReadFramed(second.get()).empty());
  const UniqueFd third = Connect(SOCK_STREAM);
  SendAll(third.get(), query);
  EXPECT_FALSE(ReadFramed(third.get()).empty());
  EXPECT_TRUE(ReadFramed(second.get()).empty());
}

TEST_P(ResponderTest, DrainClosesIdleConnectionsAndTheSockets) {
  Start({.connections_max = 10,
         .idle_timeout = std::chrono::seconds(10),
         .drain_timeout = std::chrono::milliseconds(100)});
  const UniqueFd idle = Connect(SOCK_STREAM);
  const auto query = Framed(EncodeQuery("www.example.test.", rr::kA));
  SendAll(idle.get(), query);
  EXPECT_FALSE(ReadFramed(idle.get()).empty());
  const UniqueFd partial = Connect(SOCK_STREAM);
  SendAll(partial.get(), std::span(query).first(5));
  OnLoop([this] {
    udp_->Drain();
    tcp_->Drain();
  });
  EXPECT_TRUE(ReadFramed(idle.get()).empty());
  EXPECT_TRUE(ReadFramed(partial.get()).empty());
}

// The peer closes after what it must not send; what it asked before is answered, and its end arrives, not a reset.
TEST_P(ResponderTest, AnswersThatWereMadeArriveBeforeAConnectionIsClosed) {
  Start();
  const auto query = Framed(EncodeQuery("big.example.test.", rr::kTxt));
  std::vector<std::uint8_t> response = query;
  response[4] |= 0x80U;  // QR
  const std::vector<std::uint8_t> too_long = {0xFF, 0xFF};
  for (const auto& tail : {response, too_long}) {
    const UniqueFd fd = Connect(SOCK_STREAM);
    std::vector<std::uint8_t> bytes;
    for (int i = 0; i < 3; ++i) bytes.insert(bytes.end(), query.begin(), query.end());
    bytes.insert(bytes.end(), tail.begin(), tail.end());
    bytes.insert(bytes.end(), 30'000, 0);  // more than is read at once
    SendAll(fd.get(), bytes);
    for (int i = 0; i < 3; ++i) EXPECT_GT(ReadFramed(fd.get()).size(), 30'000U);
    std::uint8_t more = 0;
    EXPECT_EQ(recv(fd.get(), &more, 1, 0), 0) << "a reset";
    static_cast<void>(send(fd.get(), bytes.data(), 100, MSG_NOSIGNAL));
  }
}

TEST_P(ResponderTest, APeerThatKeepsAClosedConnectionOpenIsLeft) {
  Start();
  const UniqueFd fd = Connect(SOCK_STREAM);
  SendAll(fd.get(), std::vector<std::uint8_t>{0xFF, 0xFF});
  EXPECT_TRUE(ReadFramed(fd.get()).empty());
  const auto begin = std::chrono::steady_clock::now();
  std::size_t left = 1;
  while (left > 0 && std::chrono::steady_clock::now() - begin < std::chrono::seconds(8)) {
    OnLoop([&] { left = tcp_->connections(); });
    std::this_thread::yield();
  }
  EXPECT_EQ(left, 0U);
  EXPECT_EQ(Count(&TransportCounters::connections_timed_out, Transport::kTcp), 0U);
}

// The loop runs here, turn by turn, so that what one turn does can be counted.
TEST(TcpWritersTest, UdpIsAnsweredInEveryTurnHoweverMuchTcpPeersWant) {
  const Endpoint any{IpAddress::Parse("127.0.0.1").value(), 0};
  net::EventLoop loop;
  CounterRegistry registry{1};
  ResponderCounters& counters = (*registry.responders())[0];
  auto udp_socket = net::BindUdp(any);
  auto tcp_socket = net::ListenTcp(any);
  ASSERT_TRUE(udp_socket && tcp_socket);
  const auto udp_to = net::SocketAddress::From(net::LocalEndpoint(udp_socket->get()));
  const auto tcp_to = net::SocketAddress::From(net::LocalEndpoint(tcp_socket->get()));
  UdpResponder udp(loop, std::move(*udp_socket), counters, 0, 1);
  TcpBudget budget;
  TcpResponder tcp(loop, std::move(*tcp_socket), budget, counters, 0, 2);
  config::Model model;
  model.zones = {MakeZone(
      "example.test.",
      {MakeRecord("big.example.test.", rr::kTxt, {.values = std::vector<std::string>(250, std::string(245, 'x'))})})};
  auto zones = ZoneSet::Build(std::make_shared<const config::Model>(std::move(model)), registry).value();
  udp.SetView(zones, std::make_shared<const health::StatusTable>());
  tcp.SetView(zones, std::make_shared<const health::StatusTable>());
  ASSERT_TRUE(udp.Start() && tcp.Start());

  constexpr std::size_t kPeers = 60;
  constexpr std::size_t kQueries = 100;
  std::vector<std::uint8_t> queries;
  for (std::uint16_t id = 0; id < kQueries; ++id) {
    const auto message = EncodeQuery("big.example.test.", rr::kTxt, {.id = id});
    queries.push_back(static_cast<std::uint8_t>(message.size() >> 8));
    queries.push_back(static_cast<std::uint8_t>(message.size()));
    queries.insert(queries.end(), message.begin(), message.end());
  }
  std::vector<UniqueFd> peers;
  for (std::size_t i = 0; i < kPeers; ++i) {
    UniqueFd& peer = peers.emplace_back(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    ASSERT_EQ(connect(peer.get(), tcp_to.get(), tcp_to.size), 0);
    ASSERT_EQ(send(peer.get(), queries.data(), queries.size(), MSG_NOSIGNAL), static_cast<ssize_t>(queries.size()));
  }
  const UniqueFd asker(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  ASSERT_EQ(connect(asker.get(), udp_to.get(), udp_to.size), 0);
  const auto question = EncodeQuery("big.example.test.", rr::kA);

  const std::uint64_t answer_bytes = 60'000;
  const std::uint64_t turn_max = TcpBudgetLimits{}.turn_bytes / answer_bytes + 1;
  constexpr std::uint64_t kTurns = 300;
  std::uint64_t most = 0;
  for (std::uint64_t turn = 1; turn <= kTurns; ++turn) {
    ASSERT_EQ(send(asker.get(), question.data(), question.size(), 0), static_cast<ssize_t>(question.size()));
    const std::uint64_t before = counters.tcp.responses.value();
    loop.RunOnce(std::chrono::milliseconds(100));
    most = std::max(most, counters.tcp.responses.value() - before);
    ASSERT_EQ(counters.udp.responses.value(), turn);
  }
  EXPECT_GE(most, 1U);
  EXPECT_LE(most, turn_max);
  // What nobody takes is not made: an answer or two are on their way to each peer, and one waits at most.
  EXPECT_GE(counters.tcp.responses.value(), kPeers);
  EXPECT_LE(counters.tcp.responses.value(), kPeers * 6);
  EXPECT_EQ(tcp.connections(), kPeers);

  // A peer that reads gets all of its answers beside those that do not.
  std::vector<std::uint8_t> received;
  std::array<std::uint8_t, 1 << 16> buffer;
  const auto size_of_all = [&] { return kQueries * (2U + (std::size_t{received[0]} << 8) + received[1]); };
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  while ((received.size() < 2 || received.size() < size_of_all()) && std::chrono::steady_clock::now() < deadline) {
    loop.RunOnce(std::chrono::milliseconds(1));
    for (ssize_t got = 0; (got = recv(peers[0].get(), buffer.data(), buffer.size(), MSG_DONTWAIT)) > 0;) {
      received.insert(received.end(), buffer.begin(), buffer.begin() + got);
    }
  }
  ASSERT_GT(received.size(), answer_bytes);
  EXPECT_EQ(received.size(), size_of_all());
}

INSTANTIATE_TEST_SUITE_P(Addresses, ResponderTest, ::testing::Values("127.0.0.1", "0.0.0.0", "::1", "::"));

}  // namespace
}  // namespace weir::dns::testing
