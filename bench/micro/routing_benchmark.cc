// What a match costs as a listener grows: the last rule matches, which is the worst for a list. The label shows the
// memory of the table, the time to build it is a benchmark of its own.

#include "config/model.h"
#include "proxy/counters.h"
#include "proxy/routing/routing_table.h"

#include <benchmark/benchmark.h>
#include <fmt/format.h>
#include <malloc.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace {

using namespace weir;

config::LocatedText Text(std::string text) { return {.text = std::move(text), .position = {}}; }

enum class Shape : std::uint8_t { kHostAndPath, kPathPrefix, kWildcardHost, kGlobPath, kRegexPrefix, kRegexFloating };

std::vector<config::Condition> Conditions(Shape shape, std::int64_t i) {
  config::Condition host{.kind = config::ConditionKind::kHostHeader};
  config::Condition path{.kind = config::ConditionKind::kPathPattern};
  switch (shape) {
    case Shape::kHostAndPath:
      host.values = {Text(fmt::format("shop-{}.example.test", i % 1'000))};
      path.values = {Text(fmt::format("/services/{}/*", i))};
      break;
    case Shape::kPathPrefix:
      path.values = {Text(fmt::format("/services/{}/*", i))};
      break;
    case Shape::kWildcardHost:
      host.values = {Text(fmt::format("*.tenant-{}.example.test", i))};
      break;
    case Shape::kGlobPath:
      path.values = {Text(fmt::format("*/services/*/{}.json", i))};
      break;
    case Shape::kRegexPrefix:
      path.regex_values = {Text(fmt::format("^/services/{}/[a-z]+/[0-9]+$", i))};
      break;
    case Shape::kRegexFloating:
      path.regex_values = {Text(fmt::format("/item-{}/[a-z]+$", i))};
      break;
  }
  std::vector<config::Condition> conditions;
  if (shape == Shape::kHostAndPath || shape == Shape::kWildcardHost) conditions.push_back(host);
  if (shape != Shape::kWildcardHost) conditions.push_back(path);
  return conditions;
}

std::shared_ptr<const config::Model> MakeModel(Shape shape, std::int64_t rules) {
  auto model = std::make_shared<config::Model>();
  model->load_balancers.resize(1);
  model->load_balancers[0].name = "shop";
  auto& listener = model->load_balancers[0].listeners.emplace_back();
  listener.port = 80;
  listener.default_rule.action = config::FixedResponseAction{};
  for (std::int64_t i = 1; i <= rules; ++i) {
    config::Rule rule;
    rule.priority = static_cast<std::uint32_t>(i);
    rule.conditions = Conditions(shape, i);
    rule.action = config::FixedResponseAction{};
    listener.rules.push_back(std::make_shared<const config::Rule>(std::move(rule)));
  }
  return model;
}

struct Question {
  std::string host = "www.example.test";
  std::string path = "/";
};

Question LastOf(Shape shape, std::int64_t i) {
  switch (shape) {
    case Shape::kHostAndPath:
      return {.host = fmt::format("shop-{}.example.test", i % 1'000), .path = fmt::format("/services/{}/cart/42", i)};
    case Shape::kPathPrefix:
      return {.path = fmt::format("/services/{}/cart/42", i)};
    case Shape::kWildcardHost:
      return {.host = fmt::format("www.tenant-{}.example.test", i)};
    case Shape::kGlobPath:
      return {.path = fmt::format("/v1/services/cart/{}.json", i)};
    case Shape::kRegexPrefix:
      return {.path = fmt::format("/services/{}/cart/42", i)};
    case Shape::kRegexFloating:
      return {.path = fmt::format("/services/cart/item-{}/show", i)};
  }
  return {};
}

void MatchLastRule(benchmark::State& state, Shape shape) {
  const auto model = MakeModel(shape, state.range(0));
  proxy::CounterRegistry counters(2);
  const auto before = ::mallinfo2().uordblks;
  const auto table = proxy::RoutingTable::Build(model, 1, {}, counters).value();
  state.counters["table_MB"] = static_cast<double>(::mallinfo2().uordblks - before) / 1e6;
  const proxy::Listener& listener = *table->listeners().front();
  const Question question = LastOf(shape, state.range(0));
  const std::vector<http::Field> fields;
  const proxy::RequestFacts facts{
      .method = "GET", .host = question.host, .path = question.path, .query = {}, .fields = &fields, .client = {}};
  if (listener.Match(facts).priority != static_cast<std::uint32_t>(state.range(0))) {
    state.SkipWithError("another rule matches");
  }
  for (auto _ : state) benchmark::DoNotOptimize(&listener.Match(facts));
}

void BuildTable(benchmark::State& state, Shape shape) {
  const auto model = MakeModel(shape, state.range(0));
  for (auto _ : state) {
    proxy::CounterRegistry counters(2);
    benchmark::DoNotOptimize(proxy::RoutingTable::Build(model, 1, {}, counters));
  }
  state.SetLabel("build");
}

BENCHMARK_CAPTURE(MatchLastRule, host_and_path, Shape::kHostAndPath)->RangeMultiplier(10)->Range(10, 10'000);
BENCHMARK_CAPTURE(MatchLastRule, path_prefix, Shape::kPathPrefix)->RangeMultiplier(10)->Range(10, 10'000);
BENCHMARK_CAPTURE(MatchLastRule, wildcard_host, Shape::kWildcardHost)->RangeMultiplier(10)->Range(10, 10'000);
BENCHMARK_CAPTURE(MatchLastRule, glob_path, Shape::kGlobPath)->RangeMultiplier(10)->Range(10, 10'000);
BENCHMARK_CAPTURE(MatchLastRule, regex_with_prefix, Shape::kRegexPrefix)->RangeMultiplier(10)->Range(10, 1'000);
BENCHMARK_CAPTURE(MatchLastRule, regex_floating, Shape::kRegexFloating)->RangeMultiplier(10)->Range(10, 1'000);
BENCHMARK_CAPTURE(BuildTable, host_and_path, Shape::kHostAndPath)->Arg(10'000)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(BuildTable, regex_floating, Shape::kRegexFloating)->Arg(1'000)->Unit(benchmark::kMillisecond);

}  // namespace
