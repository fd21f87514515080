// What choosing a target costs: the weighted draw of a group and the next of its targets, with 2 and with 2,000 of
// them.

#include "config/model.h"
#include "health/status.h"
#include "proxy/balancing/selector.h"
#include "proxy/counters.h"
#include "proxy/routing/routing_table.h"

#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <cstdint>
#include <memory>
#include <utility>
#include <variant>
#include <vector>

namespace {

using namespace weir;

// A listener whose default rule draws one of `groups` target groups.
std::shared_ptr<const proxy::RoutingTable> BuildTable(std::int64_t groups, proxy::CounterRegistry& counters) {
  auto model = std::make_shared<config::Model>();
  config::ForwardAction forward;
  for (std::int64_t i = 0; i < groups; ++i) {
    config::TargetGroup group;
    group.name = fmt::format("group-{}", i);
    model->target_groups.push_back(std::move(group));
    config::WeightedTargetGroup choice;
    choice.target_group = static_cast<std::uint32_t>(i);
    choice.weight = static_cast<std::uint16_t>(1 + i % 10);
    forward.target_groups.push_back(choice);
  }
  model->load_balancers.resize(1);
  model->load_balancers[0].name = "shop";
  auto& listener = model->load_balancers[0].listeners.emplace_back();
  listener.port = 80;
  listener.default_rule.action = std::move(forward);
  return proxy::RoutingTable::Build(model, 1, {}, counters).value();
}

// `targets` of them, every third one out of service.
health::GroupStatus MakeStatus(std::int64_t targets) {
  health::GroupStatus status;
  status.targets.resize(static_cast<std::size_t>(targets));
  for (std::int64_t i = 0; i < targets; ++i) {
    if (i % 3 != 2) status.routable.push_back(static_cast<std::uint32_t>(i));
  }
  return status;
}

void SelectTarget(benchmark::State& state) {
  proxy::CounterRegistry counters(1);
  const auto table = BuildTable(2, counters);
  const auto& forward = std::get<proxy::Forward>(table->listeners().front()->rules.back().action);
  const std::vector<health::GroupStatus> groups(2, MakeStatus(state.range(0)));
  proxy::Selector selector;
  selector.Reset(*table, 1);
  for (auto _ : state) {
    const auto group = selector.SelectGroup(forward);
    benchmark::DoNotOptimize(selector.NextTarget(*group, groups[*group]));
  }
}
BENCHMARK(SelectTarget)->Arg(2)->Arg(2'000);

void DrawGroup(benchmark::State& state) {
  proxy::CounterRegistry counters(1);
  const auto table = BuildTable(state.range(0), counters);
  const auto& forward = std::get<proxy::Forward>(table->listeners().front()->rules.back().action);
  proxy::Selector selector;
  selector.Reset(*table, 1);
  for (auto _ : state) benchmark::DoNotOptimize(selector.SelectGroup(forward));
}
BENCHMARK(DrawGroup)->Arg(1)->Arg(2)->Arg(5);

}  // namespace
