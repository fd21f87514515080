#include "config/check/checks.h"
#include "config/decode/decode.h"
#include "config/findings.h"
#include "config/forwarding.h"

#include <fmt/format.h>

#include <cstdint>
#include <map>
#include <string_view>
#include <vector>

namespace weir::config {
namespace {

// spec: alb.md 5.1, 9.
void CheckStickiness(const Rule& rule, const ForwardAction& forward, const std::vector<TargetGroup>& groups,
                     Findings& findings) {
  if (forward.target_groups.size() < 2) return;
  for (const WeightedTargetGroup& choice : forward.target_groups) {
    const TargetGroup& group = groups[choice.target_group];
    if (!group.stickiness.enabled) continue;
    if (group.stickiness.type == StickinessType::kAppCookie) {
      findings.AddError(rule.position,
                        fmt::format("target group {} with `app_cookie` among several groups of one forward action",
                                    Quoted(group.name)),
                        "lb_cookie, or this group alone");
    } else if (!forward.stickiness) {
      findings.AddError(rule.position,
                        fmt::format("target group {} is sticky, and the forward action with several groups is not",
                                    Quoted(group.name)),
                        "`stickiness: {enabled: true, duration: 1h}` beside `target-groups`");
    }
  }
}

void MarkUses(std::span<const ZoneUnit> zones, NameKind kind, std::vector<bool>& used) {
  for (const ZoneUnit& zone : zones) {
    if (zone.uses == nullptr) continue;
    for (const NameUse& use : *zone.uses) {
      if (use.kind == kind) used[use.index] = true;
    }
  }
}

}  // namespace

void CheckBindings(const Model& model, Position admin, Findings& findings) {
  struct Owner {
    std::string what;
    Position position;
  };
  std::map<Endpoint, Owner> bound;
  const auto bind = [&](const IpAddress& address, std::uint16_t port, std::string what, Position position) {
    if (port == 0) return;
    const auto [at, fresh] = bound.emplace(Endpoint{address, port}, Owner{what, position});
    if (fresh) return;
    findings.AddError(position,
                      fmt::format("{} binds {}, which {} binds too", what, at->first.ToString(), at->second.what),
                      "another port or address");
  };
  for (const LoadBalancer& balancer : model.load_balancers) {
    for (const Listener& listener : balancer.listeners) {
      for (const IpAddress& address : balancer.addresses) {
        bind(address, listener.port, fmt::format("load balancer {}", Quoted(balancer.name)), listener.position);
      }
    }
  }
  if (model.dns) {
    for (const IpAddress& address : model.dns->addresses) bind(address, model.dns->port, "dns", model.dns->position);
  }
  bind(model.admin.address, model.admin.port, "admin", admin);
}

void CheckTargetGroups(const NameTable& names, Model& model, Findings& findings) {
  for (const LoadBalancer& balancer : model.load_balancers) {
    EachForwardedGroup(balancer, [&](std::uint32_t group) { model.target_groups[group].in_use = true; });
    EachForward(balancer, [&](const Rule& rule, const ForwardAction& forward) {
      CheckStickiness(rule, forward, model.target_groups, findings);
    });
  }
  for (const TargetGroup& group : model.target_groups) {
    if (!group.in_use) {
      if (names.MayBeMeant(group.name)) continue;
      findings.AddWarning(group.position, fmt::format("no rule forwards to target group {}", Quoted(group.name)),
                          "it is not probed");
    } else if (group.targets.empty() && !group.function) {
      findings.AddWarning(group.position, fmt::format("target group {} has no targets", Quoted(group.name)),
                          "its requests are answered 503");
    }
  }
}

void CheckTrustStoreUse(const NameTable& names, const Model& model, Findings& findings) {
  std::vector<bool> used(model.trust_stores.size(), false);
  for (const LoadBalancer& balancer : model.load_balancers) {
    for (const Listener& listener : balancer.listeners) {
      if (listener.mutual_authentication.trust_store) used[*listener.mutual_authentication.trust_store] = true;
    }
  }
  for (std::size_t i = 0; i < used.size(); ++i) {
    if (used[i] || names.MayBeMeant(model.trust_stores[i].name)) continue;
    findings.AddWarning(model.trust_stores[i].position,
                        fmt::format("no listener uses trust store {}", Quoted(model.trust_stores[i].name)));
  }
}

void CheckHealthCheckUse(const NameTable& names, const Model& model, std::span<const ZoneUnit> zones,
                         Findings& findings) {
  std::vector<bool> used(model.health_checks.size(), false);
  for (const HealthCheck& check : model.health_checks) {
    for (const std::uint32_t child : check.children) used[child] = true;
  }
  MarkUses(zones, NameKind::kHealthCheck, used);
  for (std::size_t i = 0; i < used.size(); ++i) {
    if (used[i] || names.MayBeMeant(model.health_checks[i].name)) continue;
    findings.AddWarning(model.health_checks[i].position,
                        fmt::format("no record uses health check {}", Quoted(model.health_checks[i].name)));
  }
}

void CheckCidrCollectionUse(const NameTable& names, const Model& model, std::span<const ZoneUnit> zones,
                            Findings& findings) {
  std::vector<bool> used(model.cidr_collections.size(), false);
  MarkUses(zones, NameKind::kCidrCollection, used);
  for (std::size_t i = 0; i < used.size(); ++i) {
    if (used[i] || names.MayBeMeant(model.cidr_collections[i].name)) continue;
    findings.AddWarning(model.cidr_collections[i].position,
                        fmt::format("no record uses CIDR collection {}", Quoted(model.cidr_collections[i].name)));
  }
}

}  // namespace weir::config
