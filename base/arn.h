#pragma once

// Names that things have in AWS, for logs and events. Thread: any.

#include "base/text_writer.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace weir {

inline constexpr std::string_view kArnAccount = "000000000000";

// FNV-1a: the same id on every appliance and after every restart.
[[nodiscard]] std::uint64_t HashOfName(std::string_view name);

// `arn:aws:elasticloadbalancing:REGION:ACCOUNT:targetgroup/NAME/16 hex digits`; the region is `local` where it is
// empty.
void PutTargetGroupArn(TextWriter& out, std::string_view group, std::string_view region);
[[nodiscard]] std::string TargetGroupArn(std::string_view group, std::string_view region);

}  // namespace weir
