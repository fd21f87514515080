// What AWS would refuse; spec: alb.md 1.2, 4, 5, 7.2, 11 and 20, dns.md 2.

#include "base/text.h"
#include "config/checks.h"
#include "config/findings.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <string_view>
#include <variant>

namespace weir::config {
namespace {

constexpr std::size_t kListenersMax = 50;
constexpr std::size_t kRulesMax = 100;
constexpr std::size_t kGroupsPerBalancerMax = 100;
constexpr std::size_t kGroupsPerActionMax = 5;
constexpr std::size_t kTargetsMax = 1'000;
constexpr std::size_t kValuesPerConditionMax = 3;
constexpr std::size_t kValuesPerRuleMax = 5;
constexpr std::size_t kWildcardsPerRuleMax = 5;
constexpr std::size_t kPatternMax = 128;
constexpr std::size_t kHeaderNameMax = 40;
constexpr std::size_t kMethodMax = 40;
constexpr std::size_t kNameMax = 32;
constexpr std::size_t kRedirectPartMax = 128;
constexpr std::size_t kRecordValuesMax = 400;
constexpr std::size_t kRecordSetsMax = 10'000;
constexpr std::size_t kPolicyRecordsMax = 100;
constexpr std::size_t kHealthChecksMax = 200;
constexpr std::size_t kCidrCollectionsMax = 5;
constexpr std::size_t kCidrBlocksMax = 1'000;
constexpr unsigned kCidrV4BitsMax = 24;
constexpr unsigned kCidrV6BitsMax = 48;

constexpr auto kContentTypes = std::to_array<std::string_view>(
    {"text/plain", "text/css", "text/html", "application/javascript", "application/json"});

class AwsLimits {
 public:
  AwsLimits(const Model& model, Findings& findings) : model_(model), findings_(findings) {}

  void Check() {
    for (const LoadBalancer& balancer : model_.load_balancers) CheckBalancer(balancer);
    for (const TargetGroup& group : model_.target_groups) CheckGroup(group);
    CheckGroupOwners();
    for (const HealthCheck& check : model_.health_checks) CheckHealthCheck(check);
    AtMost(model_.health_checks.size(), kHealthChecksMax, "health checks", "an account",
           model_.health_checks.empty() ? Position{} : model_.health_checks.back().position);
    for (const CidrCollection& collection : model_.cidr_collections) CheckCidrCollection(collection);
    AtMost(model_.cidr_collections.size(), kCidrCollectionsMax, "CIDR collections", "an account",
           model_.cidr_collections.empty() ? Position{} : model_.cidr_collections.back().position);
    for (const Zone& zone : model_.zones) CheckZone(zone);
  }

 private:
  void Warn(Position position, std::string message, std::string limit) {
    findings_.AddWarning(position, "AWS: " + std::move(message), std::move(limit));
  }
  void AtMost(std::size_t count, std::size_t limit, std::string_view what, std::string_view where, Position position) {
    if (count > limit) Warn(position, fmt::format("{} {} in {}", count, what, where), fmt::format("at most {}", limit));
  }
  template <class Number>
  void Within(Number value, Number low, Number high, std::string_view what, Position position) {
    if (value < low || value > high)
      Warn(position, fmt::format("{} of {}", what, value), fmt::format("{} to {}", low, high));
  }

  void CheckName(std::string_view name, std::string_view what, Position position);
  void CheckBalancer(const LoadBalancer& balancer);
  void CheckRule(const Rule& rule);
  void CheckPatterns(std::span<const LocatedText> patterns, std::string_view what);
  void CheckAction(const Rule& rule);
  void CheckGroup(const TargetGroup& group);
  void CheckGroupOwners();
  void CheckHealthCheck(const HealthCheck& check);
  void CheckCidrCollection(const CidrCollection& collection);
  void CheckZone(const Zone& zone);
  void CheckRecordSet(const RecordSet& record);

  const Model& model_;
  Findings& findings_;
};

// spec: alb.md 1.2.
void AwsLimits::CheckName(std::string_view name, std::string_view what, Position position) {
  const auto fits = [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-';
  };
  if (name.size() > kNameMax || !std::ranges::all_of(name, fits) || name.starts_with('-') || name.ends_with('-')) {
    Warn(position, fmt::format("{} name {}", what, Quoted(name)),
         "at most 32 letters, digits and hyphens, no hyphen at either end");
  }
  if (what == "load balancer" && name.starts_with("internal-")) {
    Warn(position, fmt::format("load balancer name {}", Quoted(name)), "may not start with internal-");
  }
}

void AwsLimits::CheckBalancer(const LoadBalancer& balancer) {
  CheckName(balancer.name, "load balancer", balancer.position);
  if (balancer.ip_address_type == IpAddressType::kIpv6) {
    Warn(balancer.position, "a load balancer without IPv4", "ip-address-type ipv4 or dualstack");
  }
  Within<std::int64_t>(balancer.attributes.idle_timeout.count(), 1, 4'000, "idle_timeout.timeout_seconds",
                       balancer.position);
  Within<std::int64_t>(balancer.attributes.client_keep_alive.count(), 60, 604'800, "client_keep_alive.seconds",
                       balancer.position);
  AtMost(balancer.listeners.size(), kListenersMax, "listeners", "a load balancer", balancer.position);
  std::size_t rules = 0;
  std::set<std::uint32_t> groups;
  const auto add = [&](const Rule& rule) {
    CheckRule(rule);
    const auto* const forward = std::get_if<ForwardAction>(&rule.action);
    for (std::size_t i = 0; forward != nullptr && i < forward->target_groups.size(); ++i)
      groups.insert(forward->target_groups[i].target_group);
  };
  for (const Listener& listener : balancer.listeners) {
    if (listener.port == 0) Warn(listener.position, "port 0", "1 to 65535");
    rules += listener.rules.size();
    std::ranges::for_each(listener.rules, add);
    add(listener.default_rule);
  }
  AtMost(rules, kRulesMax, "rules", "a load balancer", balancer.position);
  AtMost(groups.size(), kGroupsPerBalancerMax, "target groups", "a load balancer", balancer.position);
}

void AwsLimits::CheckPatterns(std::span<const LocatedText> patterns, std::string_view what) {
  for (const LocatedText& pattern : patterns) {
    if (pattern.text.size() <= kPatternMax) continue;
    Warn(pattern.position, fmt::format("a {} of {} characters", what, pattern.text.size()),
         fmt::format("at most {}", kPatternMax));
  }
}

// The values of a condition and how often each kind stands in a rule; spec: alb.md 4.1 and 4.2.
void AwsLimits::CheckRule(const Rule& rule) {
  CheckAction(rule);
  if (rule.is_default()) return;
  if (rule.conditions.empty()) Warn(rule.position, "a rule without conditions", "at least one");
  std::size_t all_values = 0;
  std::size_t wildcards = 0;
  std::map<std::size_t, std::size_t> kinds;
  const auto count_wildcards = [&](std::span<const LocatedText> texts) {
    for (const LocatedText& text : texts)
      wildcards +=
          static_cast<std::size_t>(std::ranges::count_if(text.text, [](char c) { return c == '*' || c == '?'; }));
  };
  for (const Condition& condition : rule.conditions) {
    std::size_t values = 0;
    const auto take = [&](std::span<const LocatedText> texts, std::span<const LocatedText> regexes,
                          std::string_view what) {
      values += texts.size() + regexes.size();
      CheckPatterns(texts, what);
      CheckPatterns(regexes, "regular expression");
      count_wildcards(texts);
    };
    if (const auto* const host = std::get_if<HostHeaderCondition>(&condition.kind))
      take(host->values, host->regex_values, "host-header");
    if (const auto* const path = std::get_if<PathPatternCondition>(&condition.kind))
      take(path->values, path->regex_values, "path-pattern");
    if (const auto* const header = std::get_if<HttpHeaderCondition>(&condition.kind)) {
      take(header->values, header->regex_values, "http-header value");
      if (header->name.size() > kHeaderNameMax)
        Warn(condition.position, fmt::format("a header name of {} characters", header->name.size()),
             fmt::format("at most {}", kHeaderNameMax));
      if (EqualsIgnoreCase(header->name, "Host"))
        Warn(condition.position, "an http-header condition on Host", "host-header");
    }
    if (const auto* const method = std::get_if<RequestMethodCondition>(&condition.kind)) {
      values += method->values.size();
      for (const LocatedText& value : method->values) {
        const bool upper =
            std::ranges::all_of(value.text, [](char c) { return (c >= 'A' && c <= 'Z') || c == '-' || c == '_'; });
        if (!upper || value.text.size() > kMethodMax)
          Warn(value.position, fmt::format("method {}", Quoted(value.text)), "at most 40 of A-Z, - and _");
      }
    }
    if (const auto* const query = std::get_if<QueryStringCondition>(&condition.kind)) {
      for (const QueryStringPair& pair : query->pairs) {
        take({&pair.value, 1}, {}, "query-string value");
        if (pair.key) {
          CheckPatterns({&*pair.key, 1}, "query-string key");
          count_wildcards({&*pair.key, 1});
        }
      }
    }
    if (const auto* const source = std::get_if<SourceIpCondition>(&condition.kind)) values += source->blocks.size();
    const bool source_ip = std::holds_alternative<SourceIpCondition>(condition.kind);
    AtMost(values, source_ip ? kValuesPerRuleMax : kValuesPerConditionMax, "values", "a condition", condition.position);
    all_values += values;
    ++kinds[condition.kind.index()];
    const bool repeatable = std::holds_alternative<HttpHeaderCondition>(condition.kind) ||
                            std::holds_alternative<QueryStringCondition>(condition.kind);
    if (!repeatable && kinds[condition.kind.index()] == 2) {
      Warn(condition.position, "a second condition of this kind in one rule",
           "one each of host-header, path-pattern, http-request-method and source-ip");
    }
  }
  AtMost(all_values, kValuesPerRuleMax, "condition values", "a rule", rule.position);
  AtMost(wildcards, kWildcardsPerRuleMax, "wildcards", "a rule", rule.position);
}

void AwsLimits::CheckAction(const Rule& rule) {
  if (const auto* const forward = std::get_if<ForwardAction>(&rule.action)) {
    AtMost(forward->target_groups.size(), kGroupsPerActionMax, "target groups", "an action", rule.position);
  }
  if (const auto* const fixed = std::get_if<FixedResponseAction>(&rule.action)) {
    if (!fixed->content_type.empty() && std::ranges::find(kContentTypes, fixed->content_type) == kContentTypes.end()) {
      Warn(rule.position, fmt::format("content type {}", Quoted(fixed->content_type)),
           "one of " + JoinWords(kContentTypes));
    }
  }
  if (const auto* const redirect = std::get_if<RedirectAction>(&rule.action)) {
    AtMost(redirect->host.size(), kRedirectPartMax, "characters", "a redirect's host", rule.position);
    AtMost(redirect->path.size(), kRedirectPartMax, "characters", "a redirect's path", rule.position);
    AtMost(redirect->query.size(), kRedirectPartMax, "characters", "a redirect's query", rule.position);
  }
}

void AwsLimits::CheckGroup(const TargetGroup& group) {
  CheckName(group.name, "target group", group.position);
  AtMost(group.targets.size(), kTargetsMax, "targets", "a target group", group.position);
  std::set<IpFamily> families;
  for (const Target& target : group.targets) {
    if (target.address) families.insert(target.address->family());
    if (!target.host.empty()) Warn(target.position, "a target given by name", "an address, an instance or a function");
  }
  if (families.size() > 1)
    Warn(group.position, "IPv4 and IPv6 targets in one target group", "one address type in a group");
  const TargetHealthCheck& check = group.health_check;
  if (check.protocol == ProbeProtocol::kTcp) Warn(group.position, "a TCP health check", "HTTP or HTTPS");
  Within<double>(static_cast<double>(check.interval.count()) / 1000, 5, 300, "a health check interval in seconds",
                 group.position);
  Within<double>(static_cast<double>(check.timeout.count()) / 1000, 2, 120, "a health check timeout in seconds",
                 group.position);
  if (check.timeout >= check.interval)
    Warn(group.position, "a health check timeout as long as the interval", "shorter than the interval");
  Within<std::uint32_t>(check.healthy_threshold, 2, 10, "a healthy-threshold", group.position);
  Within<std::uint32_t>(check.unhealthy_threshold, 2, 10, "an unhealthy-threshold", group.position);
  AtMost(check.path.size(), 1024, "characters", "a health check path", group.position);
  for (const auto& [first, last] : check.matcher.ranges) {
    if (first < 200 || last > 499) Warn(group.position, fmt::format("a matcher with {}-{}", first, last), "200 to 499");
  }
  Within<std::int64_t>(group.deregistration_delay.count(), 0, 3'600, "deregistration_delay.timeout_seconds",
                       group.position);
  const auto dns = group.dns_failover.count;
  if (dns && group.unhealthy_state_routing.count && *dns < *group.unhealthy_state_routing.count) {
    Warn(group.position, "a DNS failover threshold below the routing threshold", "at least as high");
  }
}

// spec: alb.md 7.2: a group belongs to one load balancer.
void AwsLimits::CheckGroupOwners() {
  std::map<std::uint32_t, std::set<const LoadBalancer*>> owners;
  const auto add = [&](const LoadBalancer& balancer, const Rule& rule) {
    const auto* const forward = std::get_if<ForwardAction>(&rule.action);
    for (std::size_t i = 0; forward != nullptr && i < forward->target_groups.size(); ++i)
      owners[forward->target_groups[i].target_group].insert(&balancer);
  };
  for (const LoadBalancer& balancer : model_.load_balancers) {
    for (const Listener& listener : balancer.listeners) {
      for (const Rule& rule : listener.rules) add(balancer, rule);
      add(balancer, listener.default_rule);
    }
  }
  for (const auto& [group, balancers] : owners) {
    const TargetGroup& owned = model_.target_groups[group];
    AtMost(balancers.size(), 1, "load balancers", fmt::format("front of target group {}", Quoted(owned.name)),
           owned.position);
  }
}

// spec: dns.md 2.2.
void AwsLimits::CheckHealthCheck(const HealthCheck& check) {
  if (check.type == HealthCheckType::kCalculated) return;
  const auto interval = check.request_interval.count();
  if (interval != 10'000 && interval != 30'000) {
    Warn(check.position, fmt::format("a request-interval of {} ms", interval), "10s or 30s");
  }
  Within<std::uint32_t>(check.failure_threshold, 1, 10, "a failure-threshold", check.position);
  AtMost(check.path.size(), 255, "characters", "a health check path", check.position);
  AtMost(check.search_string.size(), 255, "characters", "a search-string", check.position);
  const std::int64_t timeout = check.type == HealthCheckType::kTcp ? 10'000 : 4'000;
  if (check.timeout.count() != timeout)
    Warn(check.position, "a timeout of its own", fmt::format("always {} ms", timeout));
}

void AwsLimits::CheckCidrCollection(const CidrCollection& collection) {
  std::size_t blocks = 0;
  for (const CidrLocation& location : collection.locations) {
    blocks += location.blocks.size();
    for (const LocatedBlock& located : location.blocks) {
      const unsigned bits = located.block.prefix_bits();
      const unsigned max = located.block.address().is_v4() ? kCidrV4BitsMax : kCidrV6BitsMax;
      if (bits < 1 || bits > max)
        Warn(located.position, fmt::format("CIDR block {}", located.block.ToString()), fmt::format("/1 to /{}", max));
    }
  }
  AtMost(blocks, kCidrBlocksMax, "blocks", "a CIDR collection", collection.position);
}

void AwsLimits::CheckZone(const Zone& zone) {
  AtMost(zone.records.size(), kRecordSetsMax, "record sets", "a zone", zone.position);
  std::map<std::pair<std::string_view, std::uint16_t>, std::size_t> members;
  for (const RecordSet& record : zone.records) {
    CheckRecordSet(record);
    const std::size_t count = ++members[{record.name, record.type}];
    if (count == kPolicyRecordsMax + 1)
      AtMost(count, kPolicyRecordsMax, "records or more", fmt::format("{}", record.name), record.position);
  }
}

void AwsLimits::CheckRecordSet(const RecordSet& record) {
  AtMost(record.values.size(), kRecordValuesMax, "values", "a record set", record.position);
  const bool single = record.policy == RoutingPolicy::kWeighted || record.policy == RoutingPolicy::kLatency;
  if (single) AtMost(record.values.size(), 1, "values", "a weighted or latency record set", record.position);
  AtMost(record.set.size(), 128, "characters", "a set identifier", record.position);
  if (record.alias && record.alias->load_balancer && record.ttl_seconds != 60U) {
    Warn(record.position, "an alias to a load balancer with a TTL of its own", "always 60s");
  }
}

}  // namespace

void CheckAwsLimits(const Model& model, Findings& findings) { AwsLimits(model, findings).Check(); }

}  // namespace weir::config
