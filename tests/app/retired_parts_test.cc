#include "app/retired_parts.h"

#include "proxy/counters.h"

#include <gtest/gtest.h>

#include <memory>
#include <utility>

namespace weir::app {
namespace {

control::View MakeView(std::shared_ptr<const config::Model> model) {
  static proxy::CounterRegistry counters(1);
  control::View view;
  view.routing = *proxy::RoutingTable::Build(model, 1, {}, counters);
  view.model = std::move(model);
  return view;
}

TEST(RetiredPartsTest, KeepsPartsUntilNobodyElseHoldsThem) {
  control::View before = MakeView(std::make_shared<config::Model>());
  const control::View now = MakeView(std::make_shared<config::Model>());
  const std::weak_ptr<const proxy::RoutingTable> routing = before.routing;
  const std::weak_ptr<const config::Model> model = before.model;
  auto worker = before.routing;
  RetiredParts retired;
  retired.Add(before, now);
  before = {};
  EXPECT_FALSE(retired.Sweep());
  EXPECT_FALSE(routing.expired());
  worker.reset();
  EXPECT_FALSE(routing.expired()) << "the worker took it apart";
  EXPECT_TRUE(retired.Sweep());
  EXPECT_TRUE(routing.expired());
  EXPECT_TRUE(model.expired());
}

TEST(RetiredPartsTest, LeavesWhatBothViewsShare) {
  control::View before = MakeView(std::make_shared<config::Model>());
  const control::View now = MakeView(before.model);
  RetiredParts retired;
  retired.Add({}, before);
  EXPECT_TRUE(retired.Sweep()) << "there was nothing before the first view";
  retired.Add(now, now);
  EXPECT_TRUE(retired.Sweep());
  retired.Add(before, now);
  EXPECT_FALSE(retired.Sweep());
  const long holders = before.model.use_count();
  before.routing.reset();
  EXPECT_TRUE(retired.Sweep()) << "the model serves on";
  EXPECT_EQ(before.model.use_count(), holders - 1);
}

}  // namespace
}  // namespace weir::app
