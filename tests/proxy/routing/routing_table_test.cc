#include "proxy/routing/routing_table.h"

#include "tests/proxy/routing/routing_models.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace weir::proxy {
namespace {

using namespace weir::proxy::testing;

const Forward& ForwardOf(const Rule& rule) { return std::get<Forward>(rule.action); }

TEST(RoutingTableTest, HoldsWhatTheModelSays) {
  auto rule = MakeRule(10, {Path({"/a"})}, ForwardTo({{0, 8}, {1, 2}}));
  rule.name = std::string("beta");
  const auto model = MakeModel({rule}, ForwardTo({{2, 1}}));
  const auto table = BuildTable(model);
  EXPECT_EQ(table->revision(), 1U);
  ASSERT_EQ(table->groups().size(), 3U);
  EXPECT_EQ(table->groups()[1].name, "green");
  EXPECT_EQ(table->groups()[1].config, &model->target_groups[1]);
  const Listener* listener = table->FindListener("shop", 0);
  ASSERT_NE(listener, nullptr);
  EXPECT_EQ(listener->port, 8080);
  ASSERT_EQ(listener->rules.size(), 2U);
  EXPECT_EQ(listener->rules[0].name, "beta");
  EXPECT_EQ(ForwardOf(listener->rules[0]).weight_total, 10U);
  EXPECT_TRUE(listener->rules[1].is_default());
  EXPECT_EQ(table->FindListener("shop", 1), nullptr);
  EXPECT_EQ(table->FindListener("other", 0), nullptr);
  // Two draws of two and one numbers, side by side.
  EXPECT_EQ(table->draws(), 3U);
  EXPECT_NE(ForwardOf(listener->rules[0]).draw_id, ForwardOf(listener->rules[1]).draw_id);
}

TEST(RoutingTableTest, RulesShareEqualHostConditions) {
  const auto table = BuildTable(
      MakeModel({MakeRule(1, {Host({"a.test"}), Path({"/1"})}), MakeRule(2, {Path({"/2"}), Host({"a.test"})}),
                 MakeRule(3, {Host({"a.test", "b.test"})}), MakeRule(4, {Host({}, {"a.test"})})}));
  const auto& rules = table->listeners()[0]->rules;
  EXPECT_EQ(rules[0].conditions[0], rules[1].conditions[1]);
  EXPECT_NE(rules[0].conditions[0], rules[2].conditions[0]);
  EXPECT_NE(rules[0].conditions[0], rules[3].conditions[0]) << "one is an expression";
}

TEST(RoutingTableTest, CountersGoOnThroughReloads) {
  CounterRegistry counters(2);
  const auto model = MakeModel({MakeRule(10, {Path({"/a"})})});
  const auto first = RoutingTable::Build(model, 1, {}, counters).value();
  (*first->listeners()[0]->rules[0].counters)[1].requests.Add(3);
  const auto second = RoutingTable::Build(MakeModel({MakeRule(10, {Path({"/b"})})}), 2, {}, counters).value();
  EXPECT_EQ(second->listeners()[0]->rules[0].counters, first->listeners()[0]->rules[0].counters);
  EXPECT_EQ(second->listeners()[0]->counters, counters.Listener("shop/8080", {}));
  EXPECT_EQ(second->listeners()[0]->rules[0].counters, counters.Rule("shop/8080/10"));
  EXPECT_EQ(second->listeners()[0]->rules[1].counters, counters.Rule("shop/8080/default"));
  EXPECT_EQ(second->groups()[0].counters, counters.Group("blue"));
  EXPECT_EQ(counters.Rule("shop/8080/10")->Sum([](const RuleCounters& c) { return c.requests.value(); }), 3U);
}

TEST(RoutingTableTest, ListenersOnAFreePortAreToldApartByTheirIndex) {
  auto model = MakeModel({});
  auto& listeners = model->load_balancers[0].listeners;
  listeners.push_back(listeners[0]);
  listeners[0].port = 0;
  listeners[1].port = 0;
  CounterRegistry counters(1);
  const auto table = RoutingTable::Build(model, 1, {}, counters).value();
  EXPECT_EQ(table->listeners()[1]->counters, counters.Listener("shop/1", {}));
  EXPECT_NE(table->listeners()[0]->counters, table->listeners()[1]->counters);
}

TEST(RoutingTableTest, AnOverrideReplacesTheWeightsOfItsRule) {
  const auto model =
      MakeModel({MakeRule(10, {Path({"/a"})}, ForwardTo({{0, 8}, {1, 2}}))}, ForwardTo({{0, 1}, {1, 1}}));
  const auto table = BuildTable(
      model, {{.load_balancer = "shop", .port = 8080, .priority = 10, .weights = {{"blue", 0}, {"green", 100}}}});
  const auto& rules = table->listeners()[0]->rules;
  EXPECT_TRUE(rules[0].weights_overridden);
  EXPECT_EQ(ForwardOf(rules[0]).choices[0].weight, 0);
  EXPECT_EQ(ForwardOf(rules[0]).choices[1].weight, 100);
  EXPECT_EQ(ForwardOf(rules[0]).weight_total, 100U);
  EXPECT_FALSE(rules[1].weights_overridden);
}

struct OverrideRow {
  const char* name;
  WeightOverride change;
};

TEST(RoutingTableTest, AnOverrideForSomethingElseIsLeftOut) {
  const auto model = MakeModel({MakeRule(20, {Path({"/b"})})}, ForwardTo({{0, 1}, {1, 1}}));
  const std::vector<OverrideRow> rows = {
      {"another load balancer", {.load_balancer = "x", .port = 8080, .weights = {{"blue", 5}, {"green", 5}}}},
      {"another port", {.load_balancer = "shop", .port = 81, .weights = {{"blue", 5}, {"green", 5}}}},
      {"a rule that is gone",
       {.load_balancer = "shop", .port = 8080, .priority = 9, .weights = {{"blue", 5}, {"green", 5}}}},
      {"a rule that does not forward",
       {.load_balancer = "shop", .port = 8080, .priority = 20, .weights = {{"blue", 5}}}},
      {"a group too few", {.load_balancer = "shop", .port = 8080, .weights = {{"blue", 5}}}},
      {"a group too many", {.load_balancer = "shop", .port = 8080, .weights = {{"blue", 5}, {"green", 5}, {"red", 5}}}},
      {"other groups", {.load_balancer = "shop", .port = 8080, .weights = {{"blue", 5}, {"red", 5}}}},
  };
  for (const auto& row : rows) {
    const auto table = BuildTable(model, {row.change});
    EXPECT_EQ(ForwardOf(table->listeners()[0]->rules.back()).weight_total, 2U) << row.name;
    EXPECT_FALSE(table->listeners()[0]->rules.back().weights_overridden) << row.name;
  }
}

TEST(RoutingTableTest, AFixedResponseWithABodyIsPlainTextUnlessTold) {
  const auto table = BuildTable(
      MakeModel({MakeRule(1, {Path({"/a"})},
                          config::FixedResponseAction{.status_code = 200, .content_type = {}, .message_body = "pong"}),
                 MakeRule(2, {Path({"/b"})},
                          config::FixedResponseAction{.status_code = 503, .content_type = {}, .message_body = {}})}));
  const auto& rules = table->listeners()[0]->rules;
  EXPECT_EQ(std::get<FixedResponse>(rules[0].action).content_type, "text/plain");
  EXPECT_EQ(std::get<FixedResponse>(rules[1].action).content_type, "");
}

TEST(RoutingTableTest, EveryInvalidExpressionIsReported) {
  CounterRegistry counters(1);
  const auto table = RoutingTable::Build(
      MakeModel({MakeRule(1, {Host({}, {"("})}), MakeRule(2, {Header("X-Beta", {}, {"[b-a]"})})}), 1, {}, counters);
  ASSERT_FALSE(table.has_value());
  ASSERT_EQ(table.error().size(), 2U);
  EXPECT_EQ(table.error()[1].path, "load-balancers[0].listeners[0].rules[1].conditions[0].http-header.regex-values[0]");
}

}  // namespace
}  // namespace weir::proxy
