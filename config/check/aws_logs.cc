// What AWS would refuse of logs that lead to S3; spec: alb.md 2.

#include "config/check/checks.h"
#include "config/decode/decode.h"
#include "config/document/node.h"
#include "config/findings.h"

#include <fmt/format.h>

#include <string>
#include <string_view>

namespace weir::config {
namespace {

// Which AWS writes below the prefix itself.
constexpr std::string_view kReservedPart = "AWSLogs";

void CheckLog(const Fields& attributes, std::string_view log, Findings& findings) {
  const auto key = [log](std::string_view name) { return fmt::format("{}.s3.{}", log, name); };
  if (attributes.Boolean(key("enabled"), false) && attributes.Text(key("bucket")).empty()) {
    findings.AddWarning(attributes.PositionOf(key("enabled")),
                        fmt::format("AWS: `{}` without a bucket", key("enabled")), fmt::format("`{}`", key("bucket")));
  }
  const std::string prefix = attributes.Text(key("prefix"));
  if (prefix.find(kReservedPart) != std::string::npos) {
    findings.AddWarning(attributes.PositionOf(key("prefix")),
                        fmt::format("AWS: {} in `{}`", Quoted(prefix), key("prefix")),
                        fmt::format("a text without {}", kReservedPart));
  }
}

}  // namespace

void CheckAwsLogs(const Node& root, Findings& findings) {
  for (const Node& balancer : Fields(root).List("load-balancers")) {
    const Node* const attributes = Fields(balancer).Map("attributes");
    if (attributes == nullptr) continue;
    for (const std::string_view log : {"access_logs", "connection_logs", "health_check_logs"})
      CheckLog(Fields(*attributes), log, findings);
  }
}

}  // namespace weir::config
