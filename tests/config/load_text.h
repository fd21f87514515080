#pragma once

#include "config/load.h"

#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace weir::config {

// Loads a text named t.yaml with an environment of its own.
inline LoadResult LoadFor(std::string_view text, const std::map<std::string, std::string>& environment = {},
                          bool aws_limits = false) {
  LoadOptions options;
  options.aws_limits = aws_limits;
  options.environment = [&environment](const std::string& name) -> std::optional<std::string> {
    const auto found = environment.find(name);
    return found == environment.end() ? std::nullopt : std::optional(found->second);
  };
  return LoadText(text, "t.yaml", options);
}

// Every finding, a line each; empty when there is none.
inline std::string FindingsOf(std::string_view text, bool aws_limits = false) {
  return LoadFor(text, {}, aws_limits).diagnostics.FormatAll();
}

// A listener with these rules (each line already indented by ten), one target group `blue`, and nothing to warn of.
inline std::string WithRules(std::string_view rules) {
  return std::string("load-balancers:\n  - name: a\n    listeners:\n      - port: 80\n        rules:\n")
      .append(rules)
      .append(
          "        default-actions: [{forward: {target-group: blue}}]\n"
          "target-groups: [{name: blue, targets: [{address: 127.0.0.1, port: 1}]}]\n");
}

// A zone example.test with these records (each line already indented by six).
inline std::string WithRecords(std::string_view records, std::string_view more = {}) {
  return std::string("dns: {port: 5353}\n")
      .append(more)
      .append("zones:\n  - name: example.test\n    name-servers: [ns1]\n    records:\n")
      .append(records);
}

}  // namespace weir::config
