#pragma once

// The kinds of conditions: one function here and one file each, which defines the class behind it.

#include "config/model.h"
#include "proxy/routing/conditions.h"

#include <expected>
#include <memory>
#include <string>
#include <vector>

namespace weir::proxy {

using BuiltCondition = std::expected<std::shared_ptr<const CompiledCondition>, std::vector<config::Diagnostic>>;

// `path` is where the condition stands in the file: rules[0].conditions[1]. Thread: any.
[[nodiscard]] BuiltCondition BuildHostHeader(const config::Condition& condition, const std::string& path);
[[nodiscard]] BuiltCondition BuildPathPattern(const config::Condition& condition, const std::string& path);
[[nodiscard]] BuiltCondition BuildHttpHeader(const config::Condition& condition, const std::string& path);
[[nodiscard]] BuiltCondition BuildRequestMethod(const config::Condition& condition, const std::string& path);
[[nodiscard]] BuiltCondition BuildQueryString(const config::Condition& condition, const std::string& path);
[[nodiscard]] BuiltCondition BuildSourceIp(const config::Condition& condition, const std::string& path);

}  // namespace weir::proxy
