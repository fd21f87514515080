// A canary's steps: each is an edit of the document.

#include "app/appliance.h"
#include "config/document/json_writer.h"
#include "config/load.h"
#include "control/canary.h"
#include "control/rule_name.h"

#include <fmt/format.h>

#include <string_view>
#include <utility>

namespace weir::app {
namespace {

std::unexpected<control::Refusal> Refuse(control::RefusalKind kind, Error error) {
  return std::unexpected(control::Refusal{.kind = kind, .error = std::move(error), .diagnostics = {}});
}

std::string_view WordOf(control::CanaryStep::Kind kind) {
  using enum control::CanaryStep::Kind;
  switch (kind) {
    case kSet:
      return "set";
    case kPromote:
      return "promote";
    case kDisable:
      return "disable";
  }
  std::unreachable();
}

}  // namespace

control::ChangeResult RunningAppliance::Make(const control::CanaryChange& change) {
  const auto view = CurrentView();
  const auto rule = control::FindRule(*view->routing, change.rule);
  if (!rule) return Refuse(control::RefusalKind::kNotFound, rule.error());
  auto patch = control::CanaryPatch(*view, *rule, change.step, config::DocumentJson(*adoption_.document()));
  if (!patch) return Refuse(control::RefusalKind::kConflict, patch.error());
  return Make(control::DocumentChange{.patch = std::move(*patch),
                                      .origin = fmt::format("api: canary {}", WordOf(change.step.kind))});
}

}  // namespace weir::app
