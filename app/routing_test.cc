#include "app/routing_test.h"

#include "app/offline_view.h"
#include "control/explain.h"
#include "control/status_report.h"
#include "dns/wire/types.h"

#include <algorithm>
#include <optional>
#include <utility>

namespace weir::app {
namespace {

template <class T>
std::string Text(const T& value) {
  if constexpr (requires { std::to_string(value); }) {
    return std::to_string(value);
  } else {
    return value;
  }
}

// Notes a difference between an expectation, if there is one, and what was found, if anything was.
template <class T>
void Compare(std::string what, const std::optional<T>& expected, const std::optional<T>& got,
             std::vector<Difference>& out) {
  if (!expected || expected == got) return;
  out.push_back({std::move(what), Text(*expected), got ? Text(*got) : "none"});
}

std::string RuleTitle(const proxy::RuleExplanation& rule) {
  return rule.name.empty() ? control::PriorityText(rule.priority) : rule.name;
}

void CompareRule(const proxy::RequestExplanation& found, const std::string& expected, std::vector<Difference>& out) {
  const auto& rule = found.matched();
  if (expected == rule.name || expected == control::PriorityText(rule.priority)) return;
  out.push_back({"rule", expected, RuleTitle(rule)});
}

// Any group that can be drawn will do.
void CompareGroup(const proxy::RequestExplanation& found, const std::string& expected, std::vector<Difference>& out) {
  std::string drawn;
  for (const auto& group : found.groups) {
    if (group.weight == 0) continue;
    if (group.name == expected) return;
    drawn += (drawn.empty() ? "" : " or ") + group.name;
  }
  if (drawn.empty()) drawn = "none (the action is " + std::string(ToString(found.action)) + ")";
  out.push_back({"target-group", expected, drawn});
}

Result<RoutingTestResult> DecideRequest(const control::View& view, const config::RoutingTest& test) {
  // A CIDR block stands for its first address.
  const auto block = test.from.empty() ? Result<CidrBlock>(CidrBlock()) : CidrBlock::Parse(test.from);
  if (!block) return std::unexpected(block.error());
  const control::HttpQuestion question{.method = test.method,
                                       .url = test.url,
                                       .headers = test.headers,
                                       .from = test.from.empty() ? std::string() : block->address().ToString(),
                                       .load_balancer = {}};
  const auto found = control::FindRequestExplanation(view, question);
  if (!found) return std::unexpected(found.error());
  RoutingTestResult out{.differences = {}, .explanation = proxy::RenderExplanation(*found)};
  const auto& expect = test.expect;
  if (expect.rule) CompareRule(*found, *expect.rule, out.differences);
  if (expect.target_group) CompareGroup(*found, *expect.target_group, out.differences);
  Compare("status", expect.status, found->status, out.differences);
  std::optional<std::string> location;
  std::optional<std::string> body;
  switch (found->action) {
    case proxy::ActionKind::kForward:
      break;
    case proxy::ActionKind::kRedirect:
      location = found->location;
      break;
    case proxy::ActionKind::kFixedResponse:
      body = found->body;
      break;
  }
  Compare("location", expect.location, location, out.differences);
  Compare("body", expect.body, body, out.differences);
  return out;
}

// In any order, one text for all.
std::string Sorted(std::vector<std::string> values) {
  std::ranges::sort(values);
  std::string out;
  for (const auto& value : values) out += (out.empty() ? "" : ", ") + value;
  return "[" + out + "]";
}

Result<RoutingTestResult> DecideQuery(const control::View& view, const config::RoutingTest& test) {
  const auto found =
      control::FindQueryExplanation(view, {.name = test.query_name, .type = test.query_type, .from = test.from});
  if (!found) return std::unexpected(found.error());
  RoutingTestResult out{.differences = {}, .explanation = dns::RenderText(*found)};
  const auto& expect = test.expect;
  if (expect.values) {
    Compare("values", std::optional(Sorted(*expect.values)), std::optional(Sorted(found->values)), out.differences);
  }
  Compare("rcode", expect.rcode, std::optional(dns::RcodeName(found->rcode)), out.differences);
  Compare("ttl", expect.ttl_seconds, found->ttl_seconds, out.differences);
  return out;
}

}  // namespace

Result<RoutingTestResult> DecideRoutingTest(const control::View& view, const config::RoutingTest& test) {
  std::vector<std::string> unhealthy;
  for (const auto& name : test.unhealthy) unhealthy.push_back(name.text);
  const auto changed = WithUnhealthy(view, unhealthy);
  if (!changed) return std::unexpected(changed.error());
  return test.is_query() ? DecideQuery(**changed, test) : DecideRequest(**changed, test);
}

std::string TitleOf(const config::RoutingTest& test) {
  return test.is_query() ? test.query_name + " " + test.query_type : test.method + " " + test.url;
}

}  // namespace weir::app
