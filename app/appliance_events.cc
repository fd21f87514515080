#include "app/appliance_events.h"

#include "control/status_report.h"
#include "net/tls_certificate.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace weir::app {
namespace {

using control::EventKind;
using Fields = std::vector<std::pair<std::string, std::string>>;

// The three parts of a rule's name, as the paths of the admin API have them.
Fields RuleFields(std::string_view load_balancer, std::uint16_t port, std::uint32_t priority) {
  return {{"load-balancer", std::string(load_balancer)},
          {"listener", std::to_string(port)},
          {"rule", control::PriorityText(priority)}};
}

// `target 127.0.0.1:9001 of green`, `health check eu`.
std::string ThingText(std::string_view group, std::string_view id) {
  return group.empty() ? fmt::format("health check {}", id) : fmt::format("target {} of {}", id, group);
}

Fields ThingFields(const std::string& group, const std::string& id) {
  if (group.empty()) return {{"health-check", id}};
  return {{"target-group", group}, {"target", id}};
}

// The fields with the author behind them, where somebody said who.
Fields Signed(Fields fields, std::string_view author) {
  if (!author.empty()) fields.emplace_back("author", author);
  return fields;
}

const health::Override* Same(const std::vector<health::Override>& overrides, const health::Override& wanted) {
  const auto found = std::ranges::find_if(overrides, [&](const health::Override& each) {
    return each.kind == wanted.kind && each.group == wanted.group && each.id == wanted.id;
  });
  return found == overrides.end() ? nullptr : &*found;
}

}  // namespace

void ApplianceEvents::Ready(std::uint64_t revision) {
  journal_.Add(EventKind::kLife, clock_.WallNow(), fmt::format("ready, revision {}", revision),
               {{"state", "ready"}, {"revision", std::to_string(revision)}});
}

void ApplianceEvents::Draining() {
  journal_.Add(EventKind::kLife, clock_.WallNow(), "draining", {{"state", "draining"}});
}

void ApplianceEvents::Changed(const health::Transition& transition) {
  auto text = fmt::format("{}: {} -> {}", ThingText(transition.group, transition.id), transition.from, transition.to);
  auto fields = ThingFields(transition.group, transition.id);
  fields.insert(fields.end(), {{"from", transition.from}, {"to", transition.to}});
  if (!transition.reason.empty()) fields.emplace_back("reason", transition.reason);
  if (!transition.seen.empty()) fields.emplace_back("seen", transition.seen);
  const bool both = !transition.reason.empty() && !transition.seen.empty();
  const auto why = transition.reason + (both ? "; " : "") + transition.seen;
  if (!why.empty()) text += " (" + why + ")";
  journal_.Add(EventKind::kHealth, transition.time, std::move(text), std::move(fields));
}

void ApplianceEvents::Reloaded(std::uint64_t revision, std::string_view file, std::string_view author) {
  journal_.Add(
      EventKind::kReload, clock_.WallNow(), fmt::format("configuration reloaded, revision {}", revision),
      Signed({{"result", "accepted"}, {"file", std::string(file)}, {"revision", std::to_string(revision)}}, author));
}

void ApplianceEvents::Refused(std::uint64_t revision, std::string_view file, std::string_view finding) {
  journal_.Add(EventKind::kReload, clock_.WallNow(),
               fmt::format("configuration refused, revision {} serves on: {}", revision, finding),
               {{"result", "refused"},
                {"file", std::string(file)},
                {"revision", std::to_string(revision)},
                {"error", std::string(finding)}});
}

void ApplianceEvents::Edited(std::uint64_t revision, std::string_view origin, const std::vector<std::string>& paths,
                             std::string_view author) {
  const std::string listed = fmt::format("{}", fmt::join(paths, " "));
  journal_.Add(EventKind::kEdit, clock_.WallNow(), fmt::format("edited {}, revision {}", listed, revision),
               Signed({{"result", "accepted"},
                       {"origin", std::string(origin)},
                       {"paths", listed},
                       {"revision", std::to_string(revision)}},
                      author));
}

void ApplianceEvents::EditReplaced(std::uint64_t revision, const std::string& path) {
  journal_.Add(EventKind::kEdit, clock_.WallNow(), fmt::format("the edit of {} is gone: the file was loaded", path),
               {{"result", "replaced"}, {"paths", path}, {"revision", std::to_string(revision)}});
}

void ApplianceEvents::Overridden(const std::vector<health::Override>& before, const std::vector<health::Override>& now,
                                 std::string_view author) {
  const auto add = [&](const health::Override& changed, std::string_view state) {
    auto fields = ThingFields(changed.group, changed.id);
    fields.emplace_back("state", state);
    const bool gone = state == ToString(health::AdminState::kMeasured);
    const auto verb = gone ? std::string("no longer overridden") : fmt::format("{} by order", state);
    journal_.Add(EventKind::kOverride, clock_.WallNow(),
                 fmt::format("{}: {}", ThingText(changed.group, changed.id), verb), Signed(std::move(fields), author));
  };
  for (const auto& each : before) {
    if (Same(now, each) == nullptr) add(each, ToString(health::AdminState::kMeasured));
  }
  for (const auto& each : now) {
    const auto* known = Same(before, each);
    if (known == nullptr || known->state != each.state) add(each, ToString(each.state));
  }
}

void ApplianceEvents::Shifted(const Shift& shift) {
  auto fields = RuleFields(shift.load_balancer, shift.port, shift.priority);
  fields.insert(fields.end(), {{"from", std::string(shift.from)},
                               {"to", std::string(shift.to)},
                               {"released", shift.released ? "true" : "false"},
                               {"revision", std::to_string(shift.revision)}});
  journal_.Add(
      EventKind::kShift, clock_.WallNow(),
      fmt::format("{}/{} rule {}: {} -> {}{}", shift.load_balancer, shift.port, control::PriorityText(shift.priority),
                  shift.from, shift.to, shift.released ? ", as configured" : ""),
      Signed(std::move(fields), shift.author));
}

void ApplianceEvents::ShiftDropped(const control::ShiftOverride& shift) {
  const auto& rule = shift.weights;
  auto fields = RuleFields(rule.load_balancer, rule.port, rule.priority);
  fields.emplace_back("dropped", "true");
  journal_.Add(EventKind::kShift, clock_.WallNow(),
               fmt::format("{}/{} rule {}: the weights by order are dropped, the rule or its target groups changed",
                           rule.load_balancer, rule.port, control::PriorityText(rule.priority)),
               std::move(fields));
}

void ApplianceEvents::ZonalShiftStarted(const control::ZonalShift& shift, std::uint64_t revision,
                                        std::string_view author) {
  std::vector<std::pair<std::string, std::string>> fields{{"zone", shift.zone},
                                                          {"status", std::string(ToString(shift.status))},
                                                          {"expires", FormatIso8601(shift.expires)},
                                                          {"revision", std::to_string(revision)}};
  if (!shift.comment.empty()) fields.emplace_back("comment", shift.comment);
  journal_.Add(EventKind::kZonalShift, clock_.WallNow(),
               fmt::format("zonal shift away from {} until {}", shift.zone, FormatIso8601(shift.expires)),
               Signed(std::move(fields), author));
}

void ApplianceEvents::ZonalShiftEnded(const control::ZonalShift& shift, std::string_view why, std::string_view author) {
  journal_.Add(EventKind::kZonalShift, clock_.WallNow(),
               fmt::format("the zonal shift away from {} is over: {}", shift.zone, why),
               Signed({{"zone", shift.zone}, {"status", std::string(ToString(shift.status))}}, author));
}

std::string ApplianceEvents::Expires(const CertificateExpiry::Notice& notice) {
  const std::string not_after = net::FormatCertificateTime(notice.certificate.not_after);
  std::string text = fmt::format("certificate {} expires at {}, in less than {} day{}", notice.certificate.file,
                                 not_after, notice.days, notice.days == 1 ? "" : "s");
  journal_.Add(
      EventKind::kCertificate, clock_.WallNow(), text,
      {{"certificate", notice.certificate.file}, {"not-after", not_after}, {"days", std::to_string(notice.days)}});
  return text;
}

}  // namespace weir::app
