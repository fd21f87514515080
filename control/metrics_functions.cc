#include "control/metrics_functions.h"

#include "proxy/routing/routing_table.h"

#include <string_view>

namespace weir::control {
namespace {

void Write(MetricsWriter& out, const View& view, std::string_view name, std::string_view help,
           Counter proxy::GroupCounters::* member) {
  out.Family(name, "counter", help);
  for (const auto& group : view.routing->groups()) {
    if (!group.config->function) continue;
    out.Sample({{"target_group", group.name}}, group.counters->Sum([=](const auto& c) { return (c.*member).value(); }));
  }
}

}  // namespace

void WriteFunctionMetrics(MetricsWriter& out, const View& view) {
  using proxy::GroupCounters;
  Write(out, view, "weir_target_group_lambda_user_errors_total",
        "LambdaUserError: requests that failed by the function's own fault.", &GroupCounters::lambda_user_errors);
  Write(out, view, "weir_target_group_lambda_internal_errors_total",
        "LambdaInternalError: requests that failed because of what runs it.", &GroupCounters::lambda_internal_errors);
  Write(out, view, "weir_target_group_lambda_processed_bytes_total",
        "LambdaTargetProcessedBytes: bytes of events and of the function's responses.", &GroupCounters::lambda_bytes);
}

}  // namespace weir::control
