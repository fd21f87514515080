#include "control/canary.h"

#include "config/forwarding.h"
#include "proxy/routing/routing_table.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

namespace weir::control {
namespace {

namespace json = boost::json;

constexpr std::uint16_t kThousand = 1'000;

std::string TextOf(const json::value& value) {
  return value.is_string() ? std::string(value.get_string()) : json::serialize(value);
}

const config::Listener& ListenerOf(const proxy::Listener& listener) { return *listener.listener_config; }

const config::Rule* RuleConfigOf(const FoundRule& found) {
  const config::Listener& listener = ListenerOf(*found.listener);
  if (found.rule->is_default()) return &listener.default_rule;
  const auto rule = std::ranges::find(listener.rules, found.rule->priority, [](const auto& r) { return r->priority; });
  return rule == listener.rules.end() ? nullptr : rule->get();
}

const config::ForwardAction* ForwardOf(const FoundRule& found) {
  const config::Rule* const rule = RuleConfigOf(found);
  return rule == nullptr ? nullptr : std::get_if<config::ForwardAction>(&rule->action);
}

std::size_t IndexOfBalancer(const View& view, const FoundRule& found) {
  const auto& balancers = view.model->load_balancers;
  return static_cast<std::size_t>(
      std::ranges::find(balancers, found.listener->load_balancer, &config::LoadBalancer::name) - balancers.begin());
}

const json::value* Member(const json::value* value, std::string_view key) {
  return value != nullptr && value->is_object() ? value->get_object().if_contains(key) : nullptr;
}

const json::value* Item(const json::value* value, std::size_t index) {
  return value != nullptr && value->is_array() ? value->get_array().if_contains(index) : nullptr;
}

// Where the forward action of the rule stands in the document.
struct Place {
  std::string pointer;
  const json::value* forward = nullptr;
};

Result<Place> FindForward(const View& view, const FoundRule& found, const json::value& document) {
  const std::size_t balancer = IndexOfBalancer(view, found);
  std::string pointer = fmt::format("/load-balancers/{}/listeners/{}", balancer, found.listener->index);
  const json::value* at =
      Item(Member(Item(Member(&document, "load-balancers"), balancer), "listeners"), found.listener->index);
  const json::value* actions = nullptr;
  if (found.rule->is_default()) {
    pointer += "/default-actions";
    actions = Member(at, "default-actions");
  } else {
    const json::value* const rules = Member(at, "rules");
    for (std::size_t i = 0; Item(rules, i) != nullptr; ++i) {
      const json::value* const priority = Member(Item(rules, i), "priority");
      if (priority == nullptr || TextOf(*priority) != std::to_string(found.rule->priority)) continue;
      pointer += fmt::format("/rules/{}/actions", i);
      actions = Member(Item(rules, i), "actions");
      break;
    }
  }
  const std::size_t count = actions != nullptr && actions->is_array() ? actions->get_array().size() : 0;
  const json::value* const forward = count == 0 ? nullptr : Member(Item(actions, count - 1), "forward");
  if (forward == nullptr) {
    return Failure("the rule cannot be found in the document", "its priority is written as a number, without ${}");
  }
  return Place{fmt::format("{}/{}/forward", pointer, count - 1), forward};
}

// The two groups after `step`, by name.
struct Sides {
  std::string stage;
  std::string canary;  // of kDisable: the one that there was
};

Result<Sides> SidesFor(const View& view, const CanaryReport& now, const config::ForwardAction& forward,
                       const CanaryStep& step) {
  if (step.kind != CanaryStep::Kind::kSet) {
    if (now.canary.empty()) return Failure("the rule has no canary", "`weir canary set` begins one");
    return step.kind == CanaryStep::Kind::kPromote ? Sides{now.canary, now.stage} : Sides{now.stage, now.canary};
  }
  if (step.group.empty() || step.group == now.canary) {
    if (now.canary.empty()) return Failure("the rule has no canary", "say which target group it is to be");
    return Sides{now.stage, now.canary};
  }
  const auto& groups = view.model->target_groups;
  const auto group = std::ranges::find(groups, step.group, &config::TargetGroup::name);
  if (group == groups.end()) return Failure(fmt::format("there is no target group {}", step.group));
  const auto index = static_cast<std::uint32_t>(group - groups.begin());
  std::vector<std::uint32_t> others;
  for (const auto& choice : forward.target_groups) {
    if (choice.target_group != index) others.push_back(choice.target_group);
  }
  // One that there is gives way to the new one; of two others none is known to be the stage.
  if (forward.canary) std::erase(others, forward.canary->target_group);
  if (others.size() != 1) {
    return others.empty()
               ? Failure(fmt::format("{} is the stage's target group", step.group), "name another one")
               : Failure("the rule forwards to several target groups", "to one, or to a stage's and a canary's");
  }
  return Sides{groups[others.front()].name, step.group};
}

json::value GroupAndWeight(const std::string& name, std::uint16_t weight) {
  return json::object{{"name", name}, {"weight", weight}};
}

}  // namespace

CanaryWeights WeightsForPercent(double percent) {
  const auto tenths = static_cast<std::uint16_t>(std::lround(percent * 10));
  // Whole percents read best as what they are.
  const std::uint16_t divisor = tenths % 10 == 0 ? 10 : 1;
  return {static_cast<std::uint16_t>((kThousand - tenths) / divisor), static_cast<std::uint16_t>(tenths / divisor)};
}

Result<CanaryReport> DescribeCanary(const View& view, const FoundRule& found) {
  const auto* const forward = std::get_if<proxy::Forward>(&found.rule->action);
  const config::ForwardAction* const config = ForwardOf(found);
  if (forward == nullptr || config == nullptr) {
    return Failure("this rule does not forward", "only forward actions have a canary");
  }
  CanaryReport out;
  out.overridden = found.rule->weights_overridden;
  const auto name_of = [&](std::uint32_t group) { return view.model->target_groups[group].name; };
  if (!config->canary) {
    // By weight; of equal ones the first.
    const auto stage = std::ranges::max_element(forward->choices, {}, &proxy::ForwardChoice::weight);
    out.stage = name_of(stage->group);
    return out;
  }
  out.canary = name_of(config->canary->target_group);
  for (const proxy::ForwardChoice& choice : forward->choices) {
    if (choice.group != config->canary->target_group) {
      out.stage = name_of(choice.group);
    } else if (forward->weight_total > 0) {
      out.percent = 100.0 * choice.weight / forward->weight_total;
    }
  }
  if (found.rule->canary != nullptr) out.access_log = found.rule->canary->log.path;
  return out;
}

std::string CanaryJson(const CanaryReport& report) {
  json::object out{{"stage", report.stage}, {"canary", nullptr}, {"percent", report.percent}};
  if (!report.canary.empty()) out["canary"] = report.canary;
  out["overridden"] = report.overridden;
  if (!report.access_log.empty()) out["access-log"] = report.access_log;
  return json::serialize(out);
}

Result<std::string> CanaryPatch(const View& view, const FoundRule& found, const CanaryStep& step,
                                std::string_view document) {
  const auto now = DescribeCanary(view, found);
  if (!now) return std::unexpected(now.error());
  if (now->overridden) {
    return Failure("the weights of this rule are overridden", "`weir weights LISTENER RULE --reset` gives them back");
  }
  const auto sides = SidesFor(view, *now, *ForwardOf(found), step);
  if (!sides) return std::unexpected(sides.error());
  boost::system::error_code error;
  const json::value parsed = json::parse({document.data(), document.size()}, error);
  const auto place = FindForward(view, found, parsed);
  if (!place) return std::unexpected(place.error());
  const bool shifts = step.kind == CanaryStep::Kind::kSet;
  const CanaryWeights weights = WeightsForPercent(shifts ? step.percent : 0);
  json::array patch;
  const auto add = [&](std::string_view key, json::value value) {
    patch.push_back(
        json::object{{"op", "add"}, {"path", place->pointer + "/" + std::string(key)}, {"value", std::move(value)}});
  };
  const auto remove = [&](std::string_view key) {
    if (Member(place->forward, key) == nullptr) return;
    patch.push_back(json::object{{"op", "remove"}, {"path", place->pointer + "/" + std::string(key)}});
  };
  remove("target-group");
  add("target-groups",
      json::array{GroupAndWeight(sides->stage, weights.stage), GroupAndWeight(sides->canary, weights.canary)});
  if (step.kind == CanaryStep::Kind::kDisable) {
    remove("canary");
  } else {
    // The log stays where it is.
    const json::value* const before = Member(place->forward, "canary");
    json::object canary = before != nullptr && before->is_object() ? before->get_object() : json::object();
    canary["target-group"] = sides->canary;
    add("canary", std::move(canary));
  }
  return json::serialize(patch);
}

}  // namespace weir::control
