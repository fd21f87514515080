// What each change becomes before it is adopted.

#include "app/appliance.h"
#include "app/configuration.h"
#include "base/log.h"
#include "base/printable.h"
#include "base/text.h"
#include "control/rule_name.h"
#include "control/status_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <string_view>
#include <utility>
#include <variant>

namespace weir::app {
namespace {

std::unexpected<control::Refusal> Refuse(control::RefusalKind kind, std::string message, std::string hint = {}) {
  return std::unexpected(control::Refusal{
      .kind = kind, .error = {.message = std::move(message), .hint = std::move(hint)}, .diagnostics = {}});
}

bool ServesNothing(const config::Model& model) { return model.load_balancers.empty() && !model.dns; }

std::unexpected<control::Refusal> NotFound(std::string message, std::string hint = {}) {
  return Refuse(control::RefusalKind::kNotFound, std::move(message), std::move(hint));
}

std::string WeightsText(const proxy::Forward& forward, const proxy::RoutingTable& table) {
  std::string out;
  for (const auto& choice : forward.choices) {
    out += fmt::format("{}{}:{}", out.empty() ? "" : " ", table.groups()[choice.group].name, choice.weight);
  }
  return out;
}

// What is wrong with `weights`, which must name exactly the groups of the action; nothing when they do.
std::optional<Error> GroupMismatch(const proxy::Forward& forward, const proxy::RoutingTable& table,
                                   const std::map<std::string, std::uint32_t>& weights) {
  std::vector<std::string_view> groups;
  std::string listed;
  for (const auto& choice : forward.choices) {
    const auto& name = table.groups()[choice.group].name;
    groups.push_back(name);
    listed += (listed.empty() ? "" : ", ") + name;
  }
  const auto all = "the weights must name exactly the target groups of the rule: " + listed;
  for (const auto& [name, weight] : weights) {
    if (std::ranges::find(groups, name) != groups.end()) continue;
    const auto near = NearestWord(name, groups);
    return Error{fmt::format("the rule has no target group {}", name),
                 near.empty() ? all : fmt::format("did you mean {}?", near)};
  }
  for (const auto group : groups) {
    if (!weights.contains(std::string(group))) return Error{fmt::format("the weight of {} is missing", group), all};
  }
  return std::nullopt;
}

}  // namespace

control::ChangeResult RunningAppliance::Make(const control::Change& change) {
  if (change.expected && *change.expected != adoption_.revision()) {
    return Refuse(control::RefusalKind::kMoved, fmt::format("revision {} serves", adoption_.revision()),
                  "GET /v1/document again; its ETag is the revision");
  }
  author_ = change.author;
  return std::visit([this](const auto& asked) { return Make(asked); }, change.what);
}

std::string RunningAppliance::AuthorText() const {
  return author_.empty() ? std::string() : fmt::format(" author=\"{}\"", Printable(author_));
}

control::ChangeResult RunningAppliance::Make(const control::ReloadChange& /*change*/) {
  if (watcher_) watcher_->NoteState();
  auto loaded = options_.load();
  control::ChangeResult result;
  if (loaded.model && ServesNothing(*loaded.model) && !ServesNothing(*adoption_.model())) {
    // Most likely a file that somebody is about to write: the last good state serves on.
    result = Refuse(control::RefusalKind::kConfiguration, "the file has neither load balancers nor dns",
                    "end the program if nothing is to be served");
  } else if (loaded.model) {
    for (const auto& item : loaded.diagnostics.items) LogWarning(loaded.diagnostics.Format(item));
    result = Adopt({.model = std::move(loaded.model),
                    .document = std::move(loaded.document),
                    .files = loaded.diagnostics.files,
                    .shifts = CurrentRuntime().shifts});
    if (result) LogRoutingWarnings();
  } else {
    result = std::unexpected(
        control::Refusal{.kind = control::RefusalKind::kConfiguration, .error = {}, .diagnostics = loaded.diagnostics});
  }
  // The files of a refused configuration are watched too: one of them is about to be put right.
  WatchedPaths watched{.files = loaded.diagnostics.files, .patterns = loaded.include_patterns};
  if (result) {
    include_patterns_ = loaded.include_patterns;
    loaded_files_ = loaded.diagnostics.files;
  } else {
    watched.files.insert(watched.files.end(), loaded_files_.begin(), loaded_files_.end());
    watched.patterns.insert(watched.patterns.end(), include_patterns_.begin(), include_patterns_.end());
  }
  WatchFiles(std::move(watched));
  if (!result) {
    NoteRefusal(result.error());
    return result;
  }
  LogInfo(fmt::format("configuration loaded revision={} file={} load_balancers={} target_groups={} zones={}{}", *result,
                      options_.name, adoption_.model()->load_balancers.size(), adoption_.model()->target_groups.size(),
                      adoption_.model()->zones.size(), AuthorText()));
  NoteLoaded();
  NoteReplacedEdits();
  events_.Reloaded(*result, options_.name, author_);
  Tell(fmt::format("configuration reloaded, revision {}", *result));
  const std::lock_guard lock(runtime_mutex_);
  ++runtime_.reloads_accepted;
  runtime_.last_reload_accepted = true;
  runtime_.last_reload_error.clear();
  return result;
}

control::ChangeResult RunningAppliance::Make(const control::DocumentChange& change) {
  auto loaded = LoadPatchedConfiguration(*adoption_.document(), *adoption_.model(), change.patch, change.origin);
  control::ChangeResult result;
  if (!loaded.model) {
    result = std::unexpected(control::Refusal{
        .kind = control::RefusalKind::kConfiguration, .error = {}, .diagnostics = std::move(loaded.diagnostics)});
  } else if (ServesNothing(*loaded.model) && !ServesNothing(*adoption_.model())) {
    result = Refuse(control::RefusalKind::kConfiguration, "neither load balancers nor dns would be left",
                    "end the program if nothing is to be served");
  } else {
    result = Adopt({.model = std::move(loaded.model),
                    .document = std::move(loaded.document),
                    .files = loaded.diagnostics.files,
                    .shifts = CurrentRuntime().shifts,
                    .is_edit = true});
  }
  if (!result) {
    LogWarning(fmt::format("edit refused origin=\"{}\" serving_revision={}{}", change.origin, adoption_.revision(),
                           AuthorText()));
    return result;
  }
  for (const std::string& path : loaded.edited) edited_paths_.Add(path);
  // It may have brought certificates and other files.
  WatchFiles({.files = loaded_files_, .patterns = include_patterns_});
  LogInfo(fmt::format("document edited revision={} origin=\"{}\" paths=\"{}\"{}", *result, change.origin,
                      fmt::join(loaded.edited, " "), AuthorText()));
  events_.Edited(*result, change.origin, loaded.edited, author_);
  Tell(fmt::format("document edited, revision {}", *result));
  return result;
}

void RunningAppliance::NoteReplacedEdits() {
  const auto note = [this](const std::string& path) {
    LogWarning(fmt::format("edit replaced by the file path={} revision={}", path, adoption_.revision()));
    events_.EditReplaced(adoption_.revision(), path);
  };
  for (const std::string& path : edited_paths_.paths()) note(path);
  if (edited_paths_.more() > 0) note(fmt::format("... and {} more", edited_paths_.more()));
  edited_paths_ = {};
}

health::AdminState RunningAppliance::OverrideBefore(std::string_view group, std::string_view id) const {
  // Only this thread writes it: reading needs no lock.
  const auto known = std::ranges::find_if(
      runtime_.health_overrides, [&](const health::Override& each) { return each.group == group && each.id == id; });
  return known == runtime_.health_overrides.end() ? health::AdminState::kMeasured : known->state;
}

control::ChangeResult RunningAppliance::AdoptOverride(const std::function<void()>& set_back) {
  auto result = Adopt(adoption_.Again(CurrentRuntime().shifts));
  if (!result) set_back();
  return result;
}

control::ChangeResult RunningAppliance::Make(const control::TargetStateChange& change) {
  const auto before = OverrideBefore(change.group, change.target.ToString());
  if (auto set = adoption_.engine().SetTargetOverride(change.group, change.target, change.state); !set) {
    return NotFound(set.error().message, set.error().hint);
  }
  auto result = AdoptOverride(
      [&] { static_cast<void>(adoption_.engine().SetTargetOverride(change.group, change.target, before)); });
  if (!result) return result;
  // The engine logs the state.
  LogInfo(fmt::format("override kind=target id={}/{} state={} revision={}{}", change.group, change.target.ToString(),
                      ToString(change.state), *result, AuthorText()));
  Tell(fmt::format("target {} of {} is now {} by order", change.target.ToString(), change.group,
                   ToString(change.state)));
  return result;
}

control::ChangeResult RunningAppliance::Make(const control::CheckStateChange& change) {
  const auto before = OverrideBefore("", change.check);
  if (auto set = adoption_.engine().SetCheckOverride(change.check, change.state); !set) {
    return NotFound(set.error().message, set.error().hint);
  }
  auto result = AdoptOverride([&] { static_cast<void>(adoption_.engine().SetCheckOverride(change.check, before)); });
  if (!result) return result;
  LogInfo(fmt::format("override kind=health-check id={} state={} revision={}{}", change.check, ToString(change.state),
                      *result, AuthorText()));
  Tell(fmt::format("health check {} is now {} by order", change.check, ToString(change.state)));
  return result;
}

control::ChangeResult RunningAppliance::Make(const control::WeightsChange& asked) {
  const auto view = CurrentView();
  const auto rule = control::FindRule(*view->routing, asked.rule());
  if (!rule) return Refuse(control::RefusalKind::kNotFound, rule.error().message, rule.error().hint);
  // From here on the rule goes by its priority, as an override does.
  auto change = asked;
  change.priority = rule->rule->priority;
  change.rule_name.clear();
  const auto* forward = std::get_if<proxy::Forward>(&rule->rule->action);
  if (forward == nullptr) {
    return Refuse(control::RefusalKind::kConflict, "this rule does not forward", "only forward actions have weights");
  }
  const auto before = WeightsText(*forward, *view->routing);
  auto shifts = CurrentRuntime().shifts;
  const auto same_rule = [&](const control::ShiftOverride& shift) {
    return shift.weights.load_balancer == change.load_balancer && shift.weights.port == change.port &&
           shift.weights.priority == change.priority;
  };
  const bool was_overridden = std::erase_if(shifts, same_rule) > 0;
  if (change.weights.empty() && !was_overridden) return adoption_.revision();
  if (!change.weights.empty()) {
    if (const auto wrong = GroupMismatch(*forward, *view->routing, change.weights)) {
      return Refuse(control::RefusalKind::kInvalid, wrong->message, wrong->hint);
    }
    control::ShiftOverride shift{.weights = {.load_balancer = change.load_balancer,
                                             .port = change.port,
                                             .priority = change.priority,
                                             .weights = {}},
                                 .since = SystemClock().WallNow()};
    for (const auto& [name, weight] : change.weights) shift.weights.weights[name] = static_cast<std::uint16_t>(weight);
    shifts.push_back(std::move(shift));
  }
  auto result = Adopt(adoption_.Again(std::move(shifts)));
  if (!result) return result;
  const auto now = CurrentView();
  const auto changed = control::FindRule(*now->routing, change.rule());
  const auto* after = changed ? std::get_if<proxy::Forward>(&changed->rule->action) : nullptr;
  const auto after_text = after != nullptr ? WeightsText(*after, *now->routing) : std::string();
  LogInfo(fmt::format("{} kind=weights rule={}/{}/{} from=\"{}\" to=\"{}\" revision={}{}",
                      change.weights.empty() ? "override removed" : "override", change.load_balancer, change.port,
                      control::PriorityText(change.priority), before, after_text, *result, AuthorText()));
  events_.Shifted({.load_balancer = change.load_balancer,
                   .port = change.port,
                   .priority = change.priority,
                   .from = before,
                   .to = after_text,
                   .released = change.weights.empty(),
                   .revision = *result,
                   .author = author_});
  Tell(fmt::format("shift: {}/{} rule {} from {} to {}, revision {}", change.load_balancer, change.port,
                   control::PriorityText(change.priority), before, after_text, *result));
  return result;
}

void RunningAppliance::Tell(const std::string& sentence) const {
  if (options_.on_change) options_.on_change(sentence);
}

}  // namespace weir::app
