#include "functions/function_target.h"

#include "base/check.h"
#include "config/model.h"

#include <algorithm>
#include <utility>

namespace weir::functions {

FunctionTarget::FunctionTarget(std::string target_group_arn, Values values, std::string alias,
                               std::vector<VersionTarget> versions)
    : target_group_arn_(std::move(target_group_arn)),
      values_(values),
      alias_(std::move(alias)),
      has_versions_(versions.size() != 1 || versions.front().name != config::FunctionVersion{}.name),
      versions_(std::move(versions)) {
  WEIR_CHECK(!versions_.empty());
  double sum = 0;
  for (const VersionTarget& version : versions_) weight_sums_.push_back(sum += version.weight);
}

const VersionTarget& FunctionTarget::Draw(double fraction) const {
  const double point = fraction * weight_sums_.back();
  auto found = std::ranges::upper_bound(weight_sums_, point);
  // Rounding may lead to the very end, behind which there is none: the first of those that end there has the weight.
  if (found == weight_sums_.end()) found = std::ranges::lower_bound(weight_sums_, weight_sums_.back());
  return versions_[static_cast<std::size_t>(found - weight_sums_.begin())];
}

}  // namespace weir::functions
