#include "net/socket.h"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <array>
#include <atomic>
#include <chrono>
#include <thread>
#include <vector>

namespace weir::net::testing {
namespace {

// Reads what waits at `fd`; how many datagrams that were.
std::size_t ReadAll(int fd) {
  std::array<char, 16> buffer{};
  std::size_t count = 0;
  while (recv(fd, buffer.data(), buffer.size(), MSG_DONTWAIT) >= 0) ++count;
  return count;
}

class UdpSenderTest : public ::testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    auto bound = BindUdp({IpAddress::Parse(GetParam()).value(), 0});
    ASSERT_TRUE(bound);
    receiver_ = std::move(*bound);
    local_ = LocalEndpoint(receiver_.get());
    auto asked = local_;
    if (asked.address.is_wildcard())
      asked.address = IpAddress::Parse(asked.address.is_v4() ? "127.0.0.1" : "::1").value();
    to_ = SocketAddress::From(asked);
  }
  [[nodiscard]] UniqueFd Client() const { return UniqueFd(socket(to_.get()->sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0)); }
  [[nodiscard]] bool Ask(const UniqueFd& client) const {
    return sendto(client.get(), "?", 1, 0, to_.get(), to_.size) == 1;
  }

  UniqueFd receiver_;
  Endpoint local_;
  SocketAddress to_;
};

TEST_P(UdpSenderTest, SendsFromThePortAndReceivesNothing) {
  const auto sender = OpenUdpSender(local_);
  ASSERT_TRUE(sender) << sender.error().message;
  const UniqueFd client = Client();
  for (int i = 0; i < 50; ++i) ASSERT_TRUE(Ask(client));
  EXPECT_EQ(ReadAll(sender->get()), 0U);
  EXPECT_EQ(ReadAll(receiver_.get()), 50U);

  auto peer = LocalEndpoint(client.get());
  peer.address = SocketAddress::ToEndpoint(to_.get()).address;
  const auto back = SocketAddress::From(peer);
  ASSERT_EQ(sendto(sender->get(), "!", 1, 0, back.get(), back.size), 1);
  SocketAddress from;
  from.size = sizeof(from.storage);
  char byte = 0;
  ASSERT_EQ(recvfrom(client.get(), &byte, 1, 0, from.get(), &from.size), 1);
  EXPECT_EQ(SocketAddress::ToEndpoint(from.get()), SocketAddress::ToEndpoint(to_.get()));
}

// Several receivers share the port, each with its sender: what the system deals out goes to receivers alone.
TEST_P(UdpSenderTest, TakesNoReceiversShare) {
  std::vector<UniqueFd> receivers;
  std::vector<UniqueFd> senders;
  receivers.push_back(std::move(receiver_));
  for (int i = 0; i < 3; ++i) receivers.push_back(std::move(BindUdp(local_).value()));
  for (int i = 0; i < 4; ++i) senders.push_back(std::move(OpenUdpSender(local_).value()));
  for (int i = 0; i < 400; ++i) ASSERT_TRUE(Ask(Client()));
  for (const auto& sender : senders) EXPECT_EQ(ReadAll(sender.get()), 0U);
  std::size_t sum = 0;
  for (const auto& receiver : receivers) {
    const std::size_t share = ReadAll(receiver.get());
    EXPECT_GT(share, 50U);
    sum += share;
  }
  EXPECT_EQ(sum, 400U);
}

TEST_P(UdpSenderTest, WhatArrivesWhileItOpensWaitsToBeRead) {
  constexpr std::size_t kQueries = 20'000;
  constexpr std::size_t kWindow = 100;  // what the system's buffer surely holds
  std::atomic<std::size_t> received = 0;
  std::atomic<bool> asked_all = false;
  std::thread asking([&] {
    const UniqueFd client = Client();
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    for (std::size_t sent = 0; sent < kQueries && std::chrono::steady_clock::now() < deadline;) {
      if (sent - received >= kWindow) {
        std::this_thread::yield();
      } else if (Ask(client)) {
        ++sent;
      }
    }
    asked_all = true;
  });
  while (!asked_all) {
    const auto sender = OpenUdpSender(local_);
    ASSERT_TRUE(sender) << sender.error().message;
    received += ReadAll(sender->get());
    received += ReadAll(receiver_.get());
  }
  asking.join();
  received += ReadAll(receiver_.get());
  // A datagram that the system is just handing over may be lost, at most one each time.
  EXPECT_GE(received, kQueries - kQueries / 100);
}

INSTANTIATE_TEST_SUITE_P(Addresses, UdpSenderTest, ::testing::Values("127.0.0.1", "0.0.0.0", "::1", "::"));

}  // namespace
}  // namespace weir::net::testing
