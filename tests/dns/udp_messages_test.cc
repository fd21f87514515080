#include "dns/udp_messages.h"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/udp.h>

#include <cstring>
#include <vector>

namespace weir::dns::testing {
namespace {

// Answers one behind the other, as a responder writes them, and who gets them.
class UdpMessagesTest : public ::testing::Test {
 protected:
  struct Peer {
    sockaddr_in address{};
    [[nodiscard]] UdpDestination Destination(std::span<const std::uint8_t> control = {}) const {
      return {
          .address = reinterpret_cast<const sockaddr*>(&address), .address_size = sizeof(address), .control = control};
    }
  };
  static Peer MakePeer(std::uint16_t port) {
    Peer peer;
    peer.address.sin_family = AF_INET;
    peer.address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    peer.address.sin_port = htons(port);
    return peer;
  }
  void Add(const UdpDestination& to, std::size_t size) {
    messages_.Add(to, std::span(space_).subspan(at_, size));
    at_ += size;
  }
  // The size told to the kernel, 0 when there is none.
  [[nodiscard]] std::size_t SegmentBytes(std::size_t message) const {
    msghdr header = messages_.header(message);
    for (cmsghdr* control = CMSG_FIRSTHDR(&header); control != nullptr; control = CMSG_NXTHDR(&header, control)) {
      if (control->cmsg_level != SOL_UDP || control->cmsg_type != UDP_SEGMENT) continue;
      std::uint16_t size = 0;
      std::memcpy(&size, CMSG_DATA(control), sizeof(size));
      return size;
    }
    return 0;
  }
  [[nodiscard]] std::size_t Bytes(std::size_t message) const { return messages_.header(message).msg_iov[0].iov_len; }

  Peer one_ = MakePeer(1001);
  Peer two_ = MakePeer(1002);
  UdpMessages messages_;
  std::vector<std::uint8_t> space_ = std::vector<std::uint8_t>(128 * 1024);
  std::size_t at_ = 0;
};

TEST_F(UdpMessagesTest, AnAnswerAloneCarriesNoControl) {
  Add(one_.Destination(), 100);
  Add(two_.Destination(), 100);
  Add(one_.Destination(), 100);
  ASSERT_EQ(messages_.size(), 3U);
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(messages_.header(i).msg_control, nullptr);
    EXPECT_EQ(messages_.header(i).msg_controllen, 0U);
    EXPECT_EQ(messages_.answers(i), 1U);
    EXPECT_EQ(Bytes(i), 100U);
  }
}

TEST_F(UdpMessagesTest, AnswersOfOneSizeToOnePeerAreOneMessage) {
  for (int i = 0; i < 5; ++i) Add(one_.Destination(), 60);
  ASSERT_EQ(messages_.size(), 1U);
  EXPECT_EQ(messages_.answers(0), 5U);
  EXPECT_EQ(Bytes(0), 300U);
  EXPECT_EQ(SegmentBytes(0), 60U);
}

TEST_F(UdpMessagesTest, AShorterAnswerEndsTheMessage) {
  Add(one_.Destination(), 60);
  Add(one_.Destination(), 60);
  Add(one_.Destination(), 59);
  Add(one_.Destination(), 59);
  ASSERT_EQ(messages_.size(), 2U);
  EXPECT_EQ(messages_.answers(0), 3U);
  EXPECT_EQ(Bytes(0), 179U);
  EXPECT_EQ(SegmentBytes(0), 60U);
  EXPECT_EQ(messages_.answers(1), 1U);
  EXPECT_EQ(SegmentBytes(1), 0U);
}

TEST_F(UdpMessagesTest, ALongerAnswerBeginsAnotherMessage) {
  Add(one_.Destination(), 60);
  Add(one_.Destination(), 61);
  Add(one_.Destination(), 61);
  ASSERT_EQ(messages_.size(), 2U);
  EXPECT_EQ(messages_.answers(1), 2U);
  EXPECT_EQ(SegmentBytes(1), 61U);
}

TEST_F(UdpMessagesTest, AnAnswerElsewhereInMemoryBeginsAnotherMessage) {
  Add(one_.Destination(), 60);
  at_ += 4;
  Add(one_.Destination(), 60);
  EXPECT_EQ(messages_.size(), 2U);
}

TEST_F(UdpMessagesTest, TheSourceAddressStaysInFrontOfTheSize) {
  std::vector<std::uint8_t> from_a(CMSG_SPACE(sizeof(in_pktinfo)), 0);
  cmsghdr control{.cmsg_len = CMSG_LEN(sizeof(in_pktinfo)), .cmsg_level = IPPROTO_IP, .cmsg_type = IP_PKTINFO};
  std::memcpy(from_a.data(), &control, sizeof(control));
  auto same = from_a;
  auto from_b = from_a;
  from_b.back() = 7;
  Add(one_.Destination(from_a), 60);
  Add(one_.Destination(same), 60);
  Add(one_.Destination(same), 60);
  Add(one_.Destination(from_b), 60);
  Add(one_.Destination(), 60);
  ASSERT_EQ(messages_.size(), 3U);
  EXPECT_EQ(messages_.answers(0), 3U);
  EXPECT_EQ(messages_.header(0).msg_controllen, from_a.size() + CMSG_SPACE(sizeof(std::uint16_t)));
  EXPECT_EQ(std::memcmp(messages_.header(0).msg_control, from_a.data(), from_a.size()), 0);
  EXPECT_EQ(SegmentBytes(0), 60U);
  EXPECT_EQ(messages_.header(1).msg_controllen, from_b.size());
  EXPECT_EQ(messages_.header(2).msg_controllen, 0U);
}

TEST_F(UdpMessagesTest, AMessageHoldsNoMoreThanOneDatagramMay) {
  for (std::size_t i = 0; i < UdpMessages::kAnswersMax; ++i) Add(one_.Destination(), 4'000);
  ASSERT_EQ(messages_.size(), 2U);
  EXPECT_EQ(messages_.answers(0), 16U);
  EXPECT_LE(Bytes(0), UdpMessages::kBytesMax);
  EXPECT_EQ(messages_.answers(1), 16U);
}

TEST_F(UdpMessagesTest, ClearForgetsAll) {
  Add(one_.Destination(), 60);
  Add(one_.Destination(), 60);
  messages_.Clear();
  EXPECT_EQ(messages_.size(), 0U);
  Add(one_.Destination(), 60);
  ASSERT_EQ(messages_.size(), 1U);
  EXPECT_EQ(messages_.answers(0), 1U);
  EXPECT_EQ(messages_.header(0).msg_controllen, 0U);
}

}  // namespace
}  // namespace weir::dns::testing
