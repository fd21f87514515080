#include "process/message.h"

#include <gtest/gtest.h>

#include <cstddef>
#include <string>
#include <vector>

namespace weir::process {
namespace {

using namespace std::chrono_literals;

SpawnOrder FullOrder() {
  return {.child = 77,
          .command = {"sh", "-c", "", std::string("a\nb")},
          .environment = {"PATH=/bin", "EMPTY="},
          .directory = "/srv/function",
          .has_input = true,
          .limits = {.open_files = 64, .address_space_bytes = 1ULL << 40, .cpu_seconds = std::nullopt, .file_bytes = 0},
          .timeout = 30s,
          .grace = 500ms};
}

std::vector<Order> Orders() {
  return {FullOrder(), SpawnOrder{.child = 1, .command = {"x"}}, SignalOrder{.child = 3, .number = 15},
          EndOrder{.child = 1ULL << 63, .grace = 2s}};
}

std::vector<Notice> Notices() {
  return {StartedNotice{.child = 9, .pid = 4711},
          EndedNotice{.child = 9,
                      .end = {.kind = ProcessEnd::Kind::kNotStarted, .value = 2, .stage = StartStage::kDirectory}},
          EndedNotice{.child = 9, .end = {.kind = ProcessEnd::Kind::kSignaled, .value = 9, .timed_out = true}}};
}

TEST(MessageTest, WhatIsEncodedIsDecoded) {
  for (const Order& order : Orders()) EXPECT_EQ(DecodeOrder(Encode(order)), order);
  for (const Notice& notice : Notices()) EXPECT_EQ(DecodeNotice(Encode(notice)), notice);
}

TEST(MessageTest, APartOfAMessageIsNone) {
  for (const Order& order : Orders()) {
    const auto bytes = Encode(order);
    for (std::size_t size = 0; size < bytes.size(); ++size) EXPECT_FALSE(DecodeOrder(bytes.substr(0, size))) << size;
    EXPECT_FALSE(DecodeOrder(bytes + '\0'));
  }
  for (const Notice& notice : Notices()) {
    const auto bytes = Encode(notice);
    for (std::size_t size = 0; size < bytes.size(); ++size) EXPECT_FALSE(DecodeNotice(bytes.substr(0, size))) << size;
    EXPECT_FALSE(DecodeNotice(bytes + '\0'));
  }
}

TEST(MessageTest, AnotherVersionIsRefused) {
  auto bytes = Encode(Orders().front());
  bytes[0] = static_cast<char>(bytes[0] + 1);
  EXPECT_FALSE(DecodeOrder(bytes));
}

TEST(MessageTest, OrdersAndNoticesAreNotTakenForEachOther) {
  for (const Order& order : Orders()) EXPECT_FALSE(DecodeNotice(Encode(order)));
  for (const Notice& notice : Notices()) EXPECT_FALSE(DecodeOrder(Encode(notice)));
}

TEST(MessageTest, AnOrderWithoutAProgramIsRefused) { EXPECT_FALSE(DecodeOrder(Encode(Order(SpawnOrder{.child = 1})))); }

TEST(MessageTest, NoChangedByteDoesHarm) {
  const auto bytes = Encode(Order(FullOrder()));
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    for (const int change : {1, 0x7F, 0x80, 0xFF}) {
      auto changed = bytes;
      changed[at] = static_cast<char>(changed[at] ^ change);
      const auto order = DecodeOrder(changed);
      if (order) {
        EXPECT_LE(Encode(*order).size(), kMessageBytesMax);
      }
    }
  }
}

}  // namespace
}  // namespace weir::process
