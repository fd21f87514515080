#include "proxy/counters.h"

#include <gtest/gtest.h>

#include <array>
#include <cstdint>

namespace weir::proxy {
namespace {

const IpAddress kA = IpAddress::V4({127, 0, 1, 1});
const IpAddress kB = IpAddress::V4({127, 0, 2, 1});

constexpr auto kRequests = [](const ListenerCounters& counters) { return counters.requests.value(); };

TEST(ListenerCountersTest, EachAddressCountsForItself) {
  CounterRegistry registry(2);
  const auto table = registry.Listener("shop/80", std::array{kA, kB});
  table->At(kA, 0).requests.Add(3);
  table->At(kA, 1).requests.Add(1);
  table->At(kB, 1).requests.Add(5);
  EXPECT_EQ(table->SumOf(kA, kRequests), 4U);
  EXPECT_EQ(table->SumOf(kB, kRequests), 5U);
  EXPECT_EQ(table->Sum(kRequests), 9U);
  EXPECT_EQ(table->SumOf(IpAddress::V4({127, 0, 3, 1}), kRequests), 0U);
}

TEST(ListenerCountersTest, AReloadKeepsThemAndAnAddressThatIsGoneStaysInTheSum) {
  CounterRegistry registry(1);
  const auto first = registry.Listener("shop/80", std::array{kA});
  ListenerCounters& of_a = first->At(kA, 0);
  of_a.requests.Add(3);
  EXPECT_EQ(registry.Listener("shop/80", std::array{kA}), first);
  const auto moved = registry.Listener("shop/80", std::array{kB});
  EXPECT_NE(moved, first);
  EXPECT_EQ(&moved->At(kA, 0), &of_a) << "connections that are left count on";
  EXPECT_EQ(moved->Sum(kRequests), 3U);
  EXPECT_EQ(moved->SumOf(kB, kRequests), 0U);
  EXPECT_EQ(registry.Listener("shop/80", std::array{kA}), moved);
  EXPECT_NE(&registry.Listener("shop/81", std::array{kA})->At(kA, 0), &of_a);
}

TEST(ListenerCountersTest, WhatBindsNothingCountsAllTheSame) {
  CounterRegistry registry(1);
  const auto table = registry.Listener("shop/80", {});
  table->At(kA, 0).requests.Add();
  EXPECT_EQ(table->Sum(kRequests), 1U);
}

TEST(TlsCountersTest, FailuresAreThoseByAlertsOfEitherSideAndWithoutAny) {
  TlsCounters counters;
  counters.Note(net::TlsFailure{.reason = "x", .alert_sent = {}, .alert_received = 40});
  counters.Note(net::TlsFailure{.reason = "x", .alert_sent = 48, .alert_received = {}});
  counters.Note(net::TlsFailure{});
  EXPECT_EQ(counters.Failures(), 3U);
}

}  // namespace
}  // namespace weir::proxy
