#include "proxy/balancing/selector.h"

#include "base/random.h"
#include "tests/proxy/routing/routing_models.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <map>
#include <vector>

namespace weir::proxy {
namespace {

using namespace weir::proxy::testing;

const Forward& DefaultForward(const RoutingTable& table) {
  return std::get<Forward>(table.listeners().front()->rules.back().action);
}

TEST(SelectorTest, TenThousandDrawsAtEightToTwoAreExact) {
  const auto table = BuildTable(MakeModel({}, ForwardTo({{0, 8}, {1, 2}})));
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    Selector selector;
    selector.Reset(*table, seed);
    std::map<std::uint32_t, int> drawn;
    for (int i = 0; i < 10'000; ++i) ++drawn[selector.SelectGroup(DefaultForward(*table)).value()];
    EXPECT_NEAR(drawn[0], 8'000, 1);
    EXPECT_NEAR(drawn[1], 2'000, 1);
  }
}

TEST(SelectorTest, EveryRunOfDrawsIsNearItsShares) {
  Random random(3);
  for (int round = 0; round < 30; ++round) {
    const std::vector<std::pair<std::uint32_t, std::uint16_t>> groups = {
        {0, static_cast<std::uint16_t>(random.Below(1'000))},
        {1, static_cast<std::uint16_t>(random.Below(10))},
        {2, static_cast<std::uint16_t>(1 + random.Below(300))}};
    const auto table = BuildTable(MakeModel({}, ForwardTo(groups)));
    Selector selector;
    selector.Reset(*table, random.Next());
    const Forward& forward = DefaultForward(*table);
    std::vector<int> drawn(3);
    for (int i = 1; i <= 1'000; ++i) {
      ++drawn[selector.SelectGroup(forward).value()];
      for (std::size_t g = 0; g < 3; ++g) {
        ASSERT_LT(std::abs(drawn[g] - i * static_cast<double>(groups[g].second) / forward.weight_total), 3.0);
      }
    }
  }
}

TEST(SelectorTest, AGroupOfWeightZeroIsNeverDrawn) {
  const auto table = BuildTable(MakeModel({}, ForwardTo({{0, 0}, {1, 1}})));
  Selector selector;
  selector.Reset(*table, 1);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(selector.SelectGroup(DefaultForward(*table)), 1U);
}

TEST(SelectorTest, NothingIsDrawnWhenEveryWeightIsZero) {
  const auto table =
      BuildTable(MakeModel({MakeRule(1, {Path({"/a"})}, ForwardTo({{2, 0}}))}, ForwardTo({{0, 0}, {1, 0}})));
  Selector selector;
  selector.Reset(*table, 1);
  for (const Rule& rule : table->listeners().front()->rules) {
    EXPECT_EQ(selector.SelectGroup(std::get<Forward>(rule.action)), std::nullopt);
  }
}

TEST(SelectorTest, DrawsOfDifferentRulesDoNotDisturbEachOther) {
  const auto table =
      BuildTable(MakeModel({MakeRule(1, {Path({"/a"})}, ForwardTo({{0, 1}, {1, 1}}))}, ForwardTo({{1, 1}, {2, 3}})));
  Selector selector;
  selector.Reset(*table, 9);
  const auto& rules = table->listeners().front()->rules;
  std::map<std::uint32_t, int> first;
  std::map<std::uint32_t, int> second;
  for (int i = 0; i < 400; ++i) {
    ++first[selector.SelectGroup(std::get<Forward>(rules[0].action)).value()];
    ++second[selector.SelectGroup(std::get<Forward>(rules[1].action)).value()];
  }
  EXPECT_EQ(first, (std::map<std::uint32_t, int>{{0, 200}, {1, 200}}));
  EXPECT_EQ(second, (std::map<std::uint32_t, int>{{1, 100}, {2, 300}}));
}

TEST(SelectorTest, TargetsTakeTurns) {
  const auto table = BuildTable(MakeModel({}));
  Selector selector;
  selector.Reset(*table, 4);
  health::GroupStatus status;
  status.targets.resize(4);
  status.routable = {0, 2, 3};
  const auto first = selector.NextTarget(0, status).value();
  std::map<std::uint32_t, int> taken;
  for (int i = 1; i < 300; ++i) {
    const auto target = selector.NextTarget(0, status).value();
    if (i % 3 == 0) {
      EXPECT_EQ(target, first);
    }
    ++taken[target];
  }
  ++taken[first];
  EXPECT_EQ(taken, (std::map<std::uint32_t, int>{{0, 100}, {2, 100}, {3, 100}}));
  status.routable = {3};
  EXPECT_EQ(selector.NextTarget(0, status), 3U);
  status.routable.clear();
  EXPECT_EQ(selector.NextTarget(0, status), std::nullopt);
}

// spec: alb.md 10.1: requests that come in at two nodes in turn find all targets of either zone.
TEST(SelectorTest, EachNodeTakesTurnsOfItsOwn) {
  auto model = MakeModel({});
  model->availability_zones = {"a", "b"};
  model->target_groups[0].node_zones = model->availability_zones;
  const auto table = BuildTable(model);
  Selector selector;
  selector.Reset(*table, 4);
  std::vector<health::GroupStatus> nodes(2);
  for (std::uint32_t i = 0; i < 2; ++i) {
    nodes[i].targets.resize(4);
    nodes[i].routable = {2 * i, 2 * i + 1};
    nodes[i].node = i + 1;
  }
  std::map<std::uint32_t, int> taken;
  for (int i = 0; i < 400; ++i) ++taken[selector.NextTarget(0, nodes[static_cast<std::size_t>(i % 2)]).value()];
  EXPECT_EQ(taken, (std::map<std::uint32_t, int>{{0, 100}, {1, 100}, {2, 100}, {3, 100}}));
}

TEST(SelectorTest, WorkersBeginAtDifferentPlaces) {
  const auto table = BuildTable(MakeModel({}));
  health::GroupStatus status;
  status.targets.resize(8);
  status.routable = {0, 1, 2, 3, 4, 5, 6, 7};
  std::map<std::uint32_t, int> first;
  for (std::uint64_t seed = 0; seed < 32; ++seed) {
    Selector selector;
    selector.Reset(*table, seed);
    ++first[selector.NextTarget(0, status).value()];
  }
  EXPECT_GT(first.size(), 4U);
}

TEST(SelectorTest, AnExchangeWithAnOlderTableStillGetsAChoice) {
  const auto old_table =
      BuildTable(MakeModel({MakeRule(1, {Path({"/a"})}, ForwardTo({{0, 1}, {1, 1}}))}, ForwardTo({{0, 0}, {2, 5}})));
  const auto new_table = BuildTable(MakeModel({}));
  Selector selector;
  selector.Reset(*new_table, 1);
  EXPECT_EQ(selector.SelectGroup(DefaultForward(*old_table)), 2U);
  health::GroupStatus status;
  status.targets.resize(1);
  status.routable = {0};
  EXPECT_EQ(selector.NextTarget(99, status), 0U);
}

}  // namespace
}  // namespace weir::proxy
