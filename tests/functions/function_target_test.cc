#include "functions/function_target.h"

#include "base/random.h"
#include "functions/function_targets.h"

#include <gtest/gtest.h>

#include <map>

namespace weir::functions {
namespace {

FunctionTarget TargetOf(std::vector<double> weights) {
  std::vector<VersionTarget> versions;
  for (const double weight : weights) {
    versions.push_back({.name = std::to_string(versions.size() + 1), .weight = weight, .invoker = nullptr});
  }
  return {"arn", Values::kLast, "live", std::move(versions)};
}

TEST(FunctionTargetTest, TheFractionChoosesByWeight) {
  const FunctionTarget target = TargetOf({0.9, 0.1});
  EXPECT_EQ(target.Draw(0).name, "1");
  EXPECT_EQ(target.Draw(0.89).name, "1");
  EXPECT_EQ(target.Draw(0.91).name, "2");
  EXPECT_EQ(target.Draw(0.999999999).name, "2");
}

TEST(FunctionTargetTest, AVersionWithoutWeightIsNeverDrawn) {
  for (const auto& weights : {std::vector<double>{0, 1, 0}, {1, 0}, {0, 0, 1}}) {
    const FunctionTarget target = TargetOf(weights);
    Random random(7);
    for (int i = 0; i < 1'000; ++i) EXPECT_GT(target.Draw(random.Fraction()).weight, 0);
    EXPECT_GT(target.Draw(1).weight, 0);  // as rounding may give it
    EXPECT_GT(target.Draw(0).weight, 0);
  }
}

TEST(FunctionTargetTest, DrawsAreIndependentAndRightOnAverage) {
  const FunctionTarget target = TargetOf({0.75, 0.25});
  Random random(1);
  std::map<std::string, int> counts;
  for (int i = 0; i < 10'000; ++i) ++counts[target.Draw(random.Fraction()).name];
  EXPECT_NEAR(counts["1"], 7'500, 150);
}

TEST(FunctionTargetTest, OnlyNamedVersionsAreNamedInResponses) {
  EXPECT_TRUE(TargetOf({1}).has_versions());
  EXPECT_FALSE(
      FunctionTarget("arn", Values::kLast, "", {{.name = "$LATEST", .weight = 1, .invoker = nullptr}}).has_versions());
}

class NoPrograms final : public InvokerSource {
 public:
  std::shared_ptr<FunctionInvoker> Invoker(const Program& program) override {
    asked.push_back(program);
    return nullptr;
  }
  std::vector<Program> asked;
};

TEST(FunctionTargetsTest, AnEndpointThatDidNotChangeIsKept) {
  config::Model model;
  model.node.region = "eu-west-1";
  model.target_groups.resize(2);
  model.target_groups[1].name = "fn";
  model.target_groups[1].function.emplace().versions.resize(1);
  model.target_groups[1].function->versions[0].code.invoke = "http://127.0.0.1:9000/x";
  NoPrograms programs;
  FunctionTargets targets(&programs);
  const auto first = targets.Build(model);
  ASSERT_EQ(first.size(), 2U);
  EXPECT_EQ(first[0], nullptr);
  EXPECT_TRUE(
      first[1]->target_group_arn().starts_with("arn:aws:elasticloadbalancing:eu-west-1:000000000000:targetgroup/fn/"));
  const auto second = targets.Build(model);
  EXPECT_EQ(first[1], second[1]);
  EXPECT_EQ(first[1]->versions()[0].invoker, second[1]->versions()[0].invoker);
  model.target_groups[1].function->versions[0].weight = 0.5;
  EXPECT_EQ(first[1]->versions()[0].invoker, targets.Build(model)[1]->versions()[0].invoker);
  model.target_groups[1].function->versions[0].code.timeout = std::chrono::seconds(1);
  EXPECT_NE(first[1]->versions()[0].invoker, targets.Build(model)[1]->versions()[0].invoker);
  EXPECT_TRUE(programs.asked.empty());
}

TEST(FunctionTargetsTest, ProgramsComeFromTheirSource) {
  config::Model model;
  model.target_groups.resize(1);
  model.target_groups[0].name = "fn";
  model.target_groups[0].function.emplace().versions.push_back({.name = "2"});
  model.target_groups[0].function->versions[0].code.command = {"./bootstrap"};
  NoPrograms programs;
  FunctionTargets targets(&programs);
  EXPECT_NE(targets.Build(model)[0], nullptr);
  ASSERT_EQ(programs.asked.size(), 1U);
  EXPECT_EQ(programs.asked[0].name, "fn");
  EXPECT_EQ(programs.asked[0].version, "2");
  EXPECT_EQ(programs.asked[0].region, "us-east-1");
}

}  // namespace
}  // namespace weir::functions
