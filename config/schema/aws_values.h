#pragma once

// What AWS has against one value of a condition; nothing when it takes it. Columns of config/schema/conditions.cc.
// Pure. spec: alb.md 4.2.

#include "config/schema/conditions.h"

#include <optional>
#include <string_view>

namespace weir::config {

[[nodiscard]] std::optional<AwsObjection> AwsHost(std::string_view value);
[[nodiscard]] std::optional<AwsObjection> AwsPath(std::string_view value);
[[nodiscard]] std::optional<AwsObjection> AwsFieldName(std::string_view name);
[[nodiscard]] std::optional<AwsObjection> AwsFieldValue(std::string_view value);
[[nodiscard]] std::optional<AwsObjection> AwsMethod(std::string_view value);
[[nodiscard]] std::optional<AwsObjection> AwsQueryKey(std::string_view value);
[[nodiscard]] std::optional<AwsObjection> AwsQueryValue(std::string_view value);

}  // namespace weir::config
