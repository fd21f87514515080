#include "app/descriptor_budget.h"

#include <gtest/gtest.h>

#include <string>

namespace weir::app {
namespace {

// One load balancer with a listener at one address, an access log and a group of that many targets.
config::Model Shop(std::size_t targets = 1) {
  config::Model model;
  config::LoadBalancer balancer;
  balancer.name = "shop";
  balancer.addresses = {IpAddress::V4({127, 0, 0, 1})};
  balancer.listeners.resize(1);
  balancer.access_log = config::LogFile{.path = "access.log"};
  model.load_balancers.push_back(balancer);
  config::TargetGroup group;
  group.name = "blue";
  config::Target target;
  target.address = IpAddress::V4({127, 0, 0, 1});
  group.targets.resize(targets, target);
  model.target_groups.push_back(group);
  return model;
}

config::Model WithDns(config::Model model) {
  model.dns.emplace();
  model.dns->addresses = {IpAddress::AnyV4(), IpAddress::AnyV6()};
  return model;
}

// Everything that clients, their targets and their transfers may take.
std::size_t Taken(const DescriptorBudget& budget, std::size_t workers) {
  return workers * (budget.per_worker.clients + budget.per_worker.targets + 2 * budget.per_worker.pipes);
}

TEST(FdExhaustionTest, ClientsAndTheirTargetsLeaveRoomForEverythingElse) {
  for (const std::size_t limit : {64U, 128U, 1'024U, 65'536U, 1'048'576U}) {
    for (const std::size_t workers : {1U, 2U, 4U}) {
      const auto budget = DivideDescriptors(limit, workers, Shop());
      // The loops, sockets and logs that are open from the start, the admin API's connections and the one probe.
      const std::size_t needed = 13 + 1 + workers * 3 + AdminConnectionsMax(limit) + 1;
      EXPECT_LE(Taken(budget, workers) + needed, limit) << limit << " " << workers;
      EXPECT_GE(budget.per_worker.targets, budget.per_worker.clients);
    }
  }
}

TEST(FdExhaustionTest, MostDescriptorsAreForClientsAndTheirTargets) {
  EXPECT_GT(Taken(DivideDescriptors(1'024, 2, Shop()), 2), 1'024U * 8 / 10);
  EXPECT_GT(Taken(DivideDescriptors(1'048'576, 2, Shop()), 2), 1'048'576U * 9 / 10);
  EXPECT_GE(DivideDescriptors(64, 2, Shop()).per_worker.clients, 5U);
}

TEST(FdExhaustionTest, EveryWorkerHasOneClientHoweverLittleThereIs) {
  EXPECT_EQ(DivideDescriptors(16, 8, WithDns(Shop())).per_worker.clients, 1U);
  EXPECT_EQ(DivideDescriptors(16, 8, WithDns(Shop())).dns_connections, 1U);
}

TEST(FdExhaustionTest, FewDescriptorsHaveNoPipesAndManyHaveAllOfThem) {
  EXPECT_EQ(DivideDescriptors(64, 2, Shop()).per_worker.pipes, 0U);
  EXPECT_EQ(DivideDescriptors(1'048'576, 2, Shop()).per_worker.pipes, net::PipePool::kOutMax);
}

TEST(FdExhaustionTest, ProbesAreReservedForEveryTargetUpToTheirLimit) {
  const auto few = DivideDescriptors(4'096, 1, Shop(10)).per_worker.clients;
  EXPECT_GT(few - DivideDescriptors(4'096, 1, Shop(510)).per_worker.clients, 200U);
  const auto many = DivideDescriptors(4'096, 1, Shop(5'000)).per_worker.clients;
  EXPECT_EQ(many, DivideDescriptors(4'096, 1, Shop(50'000)).per_worker.clients);
  EXPECT_GT(many, 1'000U);
}

TEST(FdExhaustionTest, InstancesOfFunctionsCountToo) {
  auto model = Shop();
  const auto without = DivideDescriptors(4'096, 1, model).per_worker.clients;
  config::TargetGroup group;
  group.function.emplace();
  group.function->versions.resize(1);
  group.function->versions[0].code.command = {"./bootstrap"};
  group.function->versions[0].code.concurrency = 10;
  model.target_groups.push_back(group);
  const auto with = DivideDescriptors(4'096, 1, model).per_worker.clients;
  EXPECT_GE(without - with, 20U);
  model.target_groups.back().function->versions[0].code.concurrency = 10'000;
  EXPECT_GT(DivideDescriptors(4'096, 1, model).per_worker.clients, without / 2);
  // An endpoint is asked by connections of the workers.
  model.target_groups.back().function->versions[0].code.command.clear();
  model.target_groups.back().function->versions[0].code.invoke = "http://127.0.0.1:9000/";
  EXPECT_EQ(DivideDescriptors(4'096, 1, model).per_worker.clients, without);
}

TEST(FdExhaustionTest, DnsConnectionsCountToo) {
  const auto without = DivideDescriptors(4'096, 2, Shop());
  const auto with = DivideDescriptors(4'096, 2, WithDns(Shop()));
  EXPECT_EQ(with.dns_connections, 4'096U / 8 / 2 / 2);
  EXPECT_LT(with.per_worker.clients, without.per_worker.clients - with.dns_connections / 2);
  EXPECT_EQ(DivideDescriptors(1'048'576, 2, WithDns(Shop())).dns_connections, 1'000U);
}

}  // namespace
}  // namespace weir::app
