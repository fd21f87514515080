#pragma once

// A target group's function as requests and health checks see it: one invoker for each version, drawn by weight.

#include "functions/event.h"
#include "functions/function_invoker.h"

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

namespace weir::functions {

struct VersionTarget {
  std::string name;  // `$LATEST` of a function without versions
  double weight = 1;
  std::shared_ptr<FunctionInvoker> invoker;
  friend bool operator==(const VersionTarget&, const VersionTarget&) = default;
};

// What the requests of one target group invoke. Immutable. Thread: any.
class FunctionTarget {
 public:
  // At least one version; weights are not negative, and one of them is not 0.
  FunctionTarget(std::string target_group_arn, Values values, std::string alias, std::vector<VersionTarget> versions);

  // The version for `fraction`, which is drawn anew for each request: uniform in [0, 1). Independent draws, as those of
  // Lambda's aliases: the shares are right on average (spec: resilience.md 4.1). One without weight is never drawn.
  [[nodiscard]] const VersionTarget& Draw(double fraction) const;

  [[nodiscard]] const std::string& target_group_arn() const { return target_group_arn_; }
  [[nodiscard]] Values values() const { return values_; }
  // Empty where there are no versions: responses do not say then which one ran.
  [[nodiscard]] const std::string& alias() const { return alias_; }
  [[nodiscard]] bool has_versions() const { return has_versions_; }
  [[nodiscard]] const std::vector<VersionTarget>& versions() const { return versions_; }
  friend bool operator==(const FunctionTarget&, const FunctionTarget&) = default;

 private:
  std::string target_group_arn_;
  Values values_;
  std::string alias_;
  bool has_versions_;
  std::vector<VersionTarget> versions_;
  std::vector<double> weight_sums_;  // by version: its weight and those before it
};

}  // namespace weir::functions
