#include "app/socket_table.h"

#include "config/load.h"
#include "net/socket.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>

namespace weir::app {
namespace {

std::shared_ptr<const config::Model> Model(const std::string& listeners, const std::string& rest = {}) {
  const auto loaded = config::LoadText(
      "load-balancers:\n  - name: shop\n    addresses: [127.0.0.1, 127.0.0.2]\n    listeners: " + listeners +
          "\ntarget-groups: [{name: blue, targets: [{address: 127.0.0.1, port: 1}]}]\n" + rest,
      "shop.yaml");
  EXPECT_TRUE(loaded.model) << loaded.diagnostics.FormatAll();
  return loaded.model;
}

std::string Listener(std::uint16_t port) {
  return "{port: " + std::to_string(port) + ", protocol: HTTP, default-actions: [{forward: {target-group: blue}}]}";
}

TEST(SocketTableTest, AFreePortIsTheSameOnEveryAddressAndForEveryWorker) {
  const SocketTable table(2);
  const auto plan = table.Plan(*Model("[" + Listener(0) + "]"));
  ASSERT_TRUE(plan) << plan.error().message;
  ASSERT_EQ(plan->listeners_added.size(), 2U);
  const auto port = plan->listeners_added[0].bound.port;
  EXPECT_NE(port, 0);
  EXPECT_EQ(plan->listeners_added[1].bound.port, port);
  for (const auto& added : plan->listeners_added) {
    ASSERT_EQ(added.per_worker.size(), 2U);
    for (const auto& fd : added.per_worker) EXPECT_EQ(net::LocalEndpoint(fd.get()), added.bound);
  }
}

TEST(SocketTableTest, TheModelGetsTheBoundPort) {
  const SocketTable table(1);
  const auto model = Model("[" + Listener(0) + "]", "dns: {addresses: [127.0.0.1], port: 0}\n");
  const auto plan = table.Plan(*model);
  ASSERT_TRUE(plan) << plan.error().message;
  const auto bound = WithBoundPorts(model, *plan);
  EXPECT_EQ(bound->load_balancers[0].listeners[0].port, plan->listeners[0].endpoints[0].port);
  EXPECT_EQ(bound->dns->port, plan->dns[0].port);
  EXPECT_EQ(plan->dns_added[0].udp.size(), plan->dns_added[0].tcp.size());
}

TEST(SocketTableTest, SocketsAreKeptAndRemovedByAddressAndPort) {
  SocketTable table(1);
  auto first = table.Plan(*Model("[" + Listener(0) + "]"));
  ASSERT_TRUE(first) << first.error().message;
  const auto port = first->listeners[0].endpoints[0].port;
  table.Commit(*first);

  auto same = table.Plan(*Model("[" + Listener(0) + "]"));
  ASSERT_TRUE(same) << same.error().message;
  EXPECT_TRUE(same->listeners_added.empty());
  EXPECT_TRUE(same->listeners_removed.empty());
  EXPECT_EQ(same->listeners[0].endpoints[0].port, port);
  table.Commit(*same);

  auto grown = table.Plan(*Model("[" + Listener(0) + ", " + Listener(0) + "]"));
  ASSERT_TRUE(grown) << grown.error().message;
  EXPECT_EQ(grown->listeners_added.size(), 2U);
  EXPECT_TRUE(grown->listeners_removed.empty());
  table.Commit(*grown);

  auto shrunk = table.Plan(*Model("[" + Listener(0) + "]"));
  ASSERT_TRUE(shrunk) << shrunk.error().message;
  EXPECT_TRUE(shrunk->listeners_added.empty());
  EXPECT_EQ(shrunk->listeners_removed.size(), 2U);
}

TEST(SocketTableTest, AnotherProgramsPortIsRefusedAlthoughItCouldBeShared) {
  const auto taken = net::ListenTcp({IpAddress::V4({127, 0, 0, 2}), 0});
  ASSERT_TRUE(taken);
  const auto port = net::LocalEndpoint(taken->get()).port;
  const SocketTable table(1);
  const auto plan = table.Plan(*Model("[" + Listener(port) + "]"));
  ASSERT_FALSE(plan);
  EXPECT_NE(plan.error().message.find("cannot bind 127.0.0.2:" + std::to_string(port)), std::string::npos)
      << plan.error().message;
}

}  // namespace
}  // namespace weir::app
