// What AWS would refuse; spec: alb.md 1.2, 4, 5, 7.2, 11 and 20, dns.md 2.

#include "base/overloaded.h"
#include "base/record_type.h"
#include "base/text.h"
#include "config/action_groups.h"
#include "config/check/checks.h"
#include "config/decode/decode.h"
#include "config/decode/dns_name.h"
#include "config/document/scalar.h"
#include "config/findings.h"
#include "config/forwarding.h"
#include "config/http_versions.h"
#include "config/schema/conditions.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <map>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <variant>
#include <vector>

namespace weir::config {
namespace {

constexpr std::size_t kListenersMax = 50;
constexpr std::size_t kRulesMax = 100;
constexpr std::size_t kGroupsPerBalancerMax = 100;
constexpr std::size_t kGroupsPerActionMax = 5;
constexpr std::size_t kTargetsMax = 1'000;
constexpr std::size_t kFunctionVersionsMax = 2;
constexpr std::size_t kValuesPerRuleMax = 5;
constexpr std::size_t kWildcardsPerRuleMax = 5;
constexpr std::size_t kPatternMax = 128;
constexpr std::size_t kNameMax = 32;
constexpr std::size_t kRedirectPartMax = 128;
constexpr std::size_t kRecordValuesMax = 400;
constexpr std::size_t kRecordSetsMax = 10'000;
constexpr std::size_t kPolicyRecordsMax = 100;
constexpr std::size_t kGeoproximityRecordsMax = 30;
// Countries that Route 53 does not route by, and those whose subdivisions it knows (spec: dns.md 2 and 3.3).
constexpr auto kCountriesUnsupported = std::to_array<std::string_view>({"BV", "CX", "EH", "HM"});
constexpr auto kCountriesDivided = std::to_array<std::string_view>({"UA", "US"});
constexpr std::size_t kHealthChecksMax = 200;
constexpr std::size_t kCertificatesMax = 25;
constexpr std::size_t kTrustStoresMax = 20;
constexpr std::size_t kVerifyingListenersMax = 2;
constexpr std::size_t kRevocationsMax = 30;
constexpr std::size_t kCidrCollectionsMax = 5;
constexpr std::size_t kCidrBlocksMax = 1'000;
constexpr unsigned kCidrV4BitsMax = 24;
constexpr unsigned kCidrV6BitsMax = 48;

constexpr auto kContentTypes = std::to_array<std::string_view>(
    {"text/plain", "text/css", "text/html", "application/javascript", "application/json"});

// A value that is counted, for the warning where it stands.
struct Place {
  Position position;
  std::string written;  // as the file has it, else the default
};

// A position as something that is compared.
using FilePlace = std::tuple<std::uint32_t, std::uint32_t, std::uint32_t>;
FilePlace FilePlaceOf(const Position& position) { return {position.file, position.line, position.column}; }

class AwsLimits {
 public:
  AwsLimits(const Model& model, const Node& root, Findings& findings)
      : model_(model), root_(root), findings_(findings) {
    for (const Diagnostic& item : findings.items()) {
      if (item.severity == Severity::kError) wrong_.insert(FilePlaceOf(item.position));
    }
  }

  void Check() {
    const auto balancers = root_.List("load-balancers");
    for (std::size_t i = 0; i < balancers.size(); ++i) CheckBalancer(model_.load_balancers[i], Fields(balancers[i]));
    const auto groups = root_.List("target-groups");
    for (std::size_t i = 0; i < groups.size(); ++i) CheckGroup(model_.target_groups[i], Fields(groups[i]));
    CheckGroupOwners();
    for (const TrustStore& store : model_.trust_stores) CheckTrustStore(store);
    AtMost(model_.trust_stores.size(), kTrustStoresMax, "trust stores", "an account",
           model_.trust_stores.empty() ? Position{} : model_.trust_stores.back().position);
    const auto checks = root_.List("health-checks");
    for (std::size_t i = 0; i < checks.size(); ++i) CheckHealthCheck(model_.health_checks[i], Fields(checks[i]));
    AtMost(model_.health_checks.size(), kHealthChecksMax, "health checks", "an account",
           model_.health_checks.empty() ? Position{} : model_.health_checks.back().position);
    for (const CidrCollection& collection : model_.cidr_collections) CheckCidrCollection(collection);
    AtMost(model_.cidr_collections.size(), kCidrCollectionsMax, "CIDR collections", "an account",
           model_.cidr_collections.empty() ? Position{} : model_.cidr_collections.back().position);
    for (const auto& zone : model_.zones) CheckZone(*zone);
  }

 private:
  [[nodiscard]] bool IsWrong(const Position& position) const { return wrong_.contains(FilePlaceOf(position)); }
  // Nothing of a value that has an error: what AWS says of the right one is not known.
  void Warn(Position position, std::string message, std::string limit) {
    if (IsWrong(position)) return;
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
  void DurationWithin(std::chrono::milliseconds value, std::chrono::seconds low, std::chrono::seconds high,
                      std::string_view what, const Place& place) {
    if (value >= low && value <= high) return;
    Warn(place.position, fmt::format("{} of {}", what, place.written),
         fmt::format("{} to {}", DurationText(low), DurationText(high)));
  }

  void CheckName(std::string_view name, std::string_view what, Position position);
  void CheckBalancer(const LoadBalancer& balancer, const Fields& fields);
  void CheckProtocolVersions(const Listener& listener);
  void CheckSecurity(const Listener& listener);
  void CheckTls(const LoadBalancer& balancer);
  void CheckTrustStore(const TrustStore& store);
  void CheckRule(const Rule& rule);
  void CheckTexts(std::span<const LocatedText> texts, std::string_view noun, AwsValueCheck check);
  void CheckCondition(const Condition& condition, const ConditionRow& row);
  void CheckAction(const Rule& rule);
  void CheckGroup(const TargetGroup& group, const Fields& fields);
  void CheckTargetHealthCheck(const TargetGroup& group, const Fields& fields);
  void CheckTargetTimeout(const TargetHealthCheck& check, const Fields& fields, Position interval);
  void CheckFunction(const Function& function);
  void CheckGroupOwners();
  void CheckHealthCheck(const HealthCheck& check, const Fields& fields);
  void CheckCidrCollection(const CidrCollection& collection);
  void CheckGeoLocation(const GeoLocation& location, Position position);
  void CheckZone(const Zone& zone);
  void CheckRecordSet(const RecordSet& record);

  const Model& model_;
  const Fields root_;
  Findings& findings_;
  std::set<FilePlace> wrong_;
};

std::size_t CountValues(const Condition& condition) {
  return condition.values.size() + condition.regex_values.size() + condition.pairs.size() + condition.blocks.size();
}

std::size_t CountWildcards(const Condition& condition) {
  const auto count = [](std::string_view text) {
    return static_cast<std::size_t>(std::ranges::count_if(text, [](char c) { return c == '*' || c == '?'; }));
  };
  std::size_t out = 0;
  for (const LocatedText& value : condition.values) out += count(value.text);
  for (const QueryStringPair& pair : condition.pairs)
    out += count(pair.value.text) + (pair.key ? count(pair.key->text) : 0);
  return out;
}

// The kinds that a rule has once: `a, b and c`.
std::string SingleKinds() {
  std::vector<std::string_view> keys;
  for (const ConditionRow& row : kConditionRows) {
    if (!row.aws_repeatable) keys.push_back(row.field.key);
  }
  const std::string_view last = keys.back();
  keys.pop_back();
  return fmt::format("{} and {}", fmt::join(keys, ", "), last);
}

// Where the value of `key` stands below `section` of a thing, else the name of the thing.
Place PlaceOf(const Fields& fields, std::string_view section, std::string_view key, std::string written) {
  const Node* const map = fields.Map(section);
  const Node* const value = map == nullptr ? nullptr : Fields(*map).Scalar(key);
  if (value == nullptr) return {fields.PositionOf("name"), std::move(written)};
  return {value->position, std::string(value->text)};
}

// spec: alb.md 1.2.
void AwsLimits::CheckName(std::string_view name, std::string_view what, Position position) {
  if (name.empty()) return;  // an error already
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

void AwsLimits::CheckBalancer(const LoadBalancer& balancer, const Fields& fields) {
  CheckName(balancer.name, "load balancer", balancer.position);
  if (balancer.ip_address_type == IpAddressType::kIpv6) {
    Warn(fields.PositionOf("ip-address-type"), "a load balancer without IPv4", "ip-address-type ipv4 or dualstack");
  }
  const auto attribute = [&](std::string_view key) { return PlaceOf(fields, "attributes", key, {}).position; };
  if (fields.Has("zones") && balancer.nodes.size() == 1) {
    Warn(balancer.nodes.front().position, "one availability zone", "at least two");
  }
  if (!balancer.attributes.cross_zone) {
    Warn(attribute("load_balancing.cross_zone.enabled"), "cross-zone off for all of an application load balancer",
         "it is on; target groups may turn it off");
  }
  constexpr std::string_view kIdle = "idle_timeout.timeout_seconds";
  constexpr std::string_view kKeepAlive = "client_keep_alive.seconds";
  Within<std::int64_t>(balancer.attributes.idle_timeout.count(), 1, 4'000, kIdle, attribute(kIdle));
  Within<std::int64_t>(balancer.attributes.client_keep_alive.count(), 60, 604'800, kKeepAlive, attribute(kKeepAlive));
  AtMost(balancer.listeners.size(), kListenersMax, "listeners", "a load balancer", balancer.position);
  std::size_t rules = 0;
  for (const Listener& listener : balancer.listeners) {
    if (listener.port == 0) Warn(listener.position, "port 0", "1 to 65535");
    rules += listener.rules.size();
    EachRule(listener, [this](const Rule& rule) { CheckRule(rule); });
    CheckProtocolVersions(listener);
    CheckSecurity(listener);
  }
  std::set<std::uint32_t> groups;
  EachForwardedGroup(balancer, [&](std::uint32_t group) { groups.insert(group); });
  AtMost(rules, kRulesMax, "rules", "a load balancer", balancer.position);
  AtMost(groups.size(), kGroupsPerBalancerMax, "target groups", "a load balancer", balancer.position);
  CheckTls(balancer);
}

// spec: alb.md 7.1.
void AwsLimits::CheckProtocolVersions(const Listener& listener) {
  if (listener.protocol == ListenerProtocol::kHttps) return;
  EachRule(listener, [&](const Rule& rule) {
    for (const WeightedTargetGroup& choice : TargetGroupsOf(rule.action)) {
      const TargetGroup& group = model_.target_groups[choice.target_group];
      if (!SpeaksHttp2(group.protocol_version)) continue;
      Warn(rule.position, fmt::format("target group {} of HTTP2 or GRPC behind an HTTP listener", Quoted(group.name)),
           "behind HTTPS listeners only");
    }
  });
}

// spec: alb.md 5.2.
void AwsLimits::CheckSecurity(const Listener& listener) {
  if (listener.protocol != ListenerProtocol::kHttps) return;
  EachRule(listener, [this](const Rule& rule) {
    const auto* const redirect = std::get_if<Rare<RedirectAction>>(&rule.action);
    if (redirect == nullptr || (*redirect)->protocol != "HTTP") return;
    Warn(rule.position, "a redirect from HTTPS to HTTP", "HTTPS or #{protocol}");
  });
}

// spec: alb.md 18.1.
void AwsLimits::CheckTls(const LoadBalancer& balancer) {
  const auto is_plain = [](std::string_view policy) {
    return policy.find("-FIPS") == std::string_view::npos && policy.find("-PQ-") == std::string_view::npos;
  };
  const Listener* first = nullptr;
  std::size_t certificates = 0;
  std::size_t verifying = 0;
  for (const Listener& listener : balancer.listeners) {
    if (listener.protocol != ListenerProtocol::kHttps) continue;
    if (listener.mutual_authentication.mode == MutualAuthenticationMode::kVerify) ++verifying;
    if (!listener.certificates.empty()) certificates += listener.certificates.size() - 1;
    if (first == nullptr) first = &listener;
    if (is_plain(first->ssl_policy.text) == is_plain(listener.ssl_policy.text)) continue;
    Warn(listener.ssl_policy.position,
         fmt::format("{} beside {} in a load balancer", listener.ssl_policy.text, first->ssl_policy.text),
         "FIPS and post-quantum policies go together, but with no others");
  }
  AtMost(certificates, kCertificatesMax, "certificates besides the default ones", "a load balancer", balancer.position);
  AtMost(verifying, kVerifyingListenersMax, "listeners with `mode: verify`", "a load balancer", balancer.position);
}

// spec: alb.md 18.3; what is in the files is for the trust store to say.
void AwsLimits::CheckTrustStore(const TrustStore& store) {
  CheckName(store.name, "trust store", store.position);
  AtMost(store.revocations.size(), kRevocationsMax, "revocation lists", "a trust store", store.position);
}

void AwsLimits::CheckTexts(std::span<const LocatedText> texts, std::string_view noun, AwsValueCheck check) {
  for (const LocatedText& text : texts) {
    if (!noun.empty() && text.text.size() > kPatternMax) {
      Warn(text.position, fmt::format("a {} of {} characters", noun, text.text.size()),
           fmt::format("at most {}", kPatternMax));
    }
    const auto objection = check == nullptr ? std::nullopt : check(text.text);
    if (objection) Warn(text.position, objection->what, objection->limit);
  }
}

// The values of one condition, one by one.
void AwsLimits::CheckCondition(const Condition& condition, const ConditionRow& row) {
  CheckTexts(condition.values, row.aws_value_noun, row.aws_check_value);
  CheckTexts(condition.regex_values, "regular expression", nullptr);
  for (const QueryStringPair& pair : condition.pairs) {
    CheckTexts({&pair.value, 1}, row.aws_value_noun, row.aws_check_value);
    if (pair.key) CheckTexts({&*pair.key, 1}, row.aws_key_noun, row.aws_check_key);
  }
  const auto objection = row.aws_check_name == nullptr ? std::nullopt : row.aws_check_name(condition.name);
  if (objection) Warn(condition.position, objection->what, objection->limit);
  AtMost(CountValues(condition), row.aws_values_max, "values", "a condition", condition.position);
}

// The values of a rule and how often each kind stands in it; spec: alb.md 4.1 and 4.2.
void AwsLimits::CheckRule(const Rule& rule) {
  CheckAction(rule);
  if (rule.is_default()) return;
  if (rule.conditions.empty()) Warn(rule.position, "a rule without conditions", "at least one");
  std::size_t values = 0;
  std::size_t wildcards = 0;
  std::map<ConditionKind, std::size_t> kinds;
  for (const Condition& condition : rule.conditions) {
    const ConditionRow& row = RowOf(condition.kind);
    CheckCondition(condition, row);
    values += CountValues(condition);
    if (row.comparison != Comparison::kExact) wildcards += CountWildcards(condition);
    if (++kinds[condition.kind] == 2 && !row.aws_repeatable) {
      Warn(condition.position, "a second condition of this kind in one rule", "one each of " + SingleKinds());
    }
  }
  AtMost(values, kValuesPerRuleMax, "condition values", "a rule", rule.position);
  AtMost(wildcards, kWildcardsPerRuleMax, "wildcards", "a rule", rule.position);
}

void AwsLimits::CheckAction(const Rule& rule) {
  const auto forward = [&](const ForwardAction& action) {
    AtMost(action.target_groups.size(), kGroupsPerActionMax, "target groups", "an action", rule.position);
  };
  const auto fixed = [&](const FixedResponseAction& action) {
    if (action.content_type.empty() || std::ranges::find(kContentTypes, action.content_type) != kContentTypes.end()) {
      return;
    }
    Warn(rule.position, fmt::format("content type {}", Quoted(action.content_type)),
         "one of " + JoinWords(kContentTypes));
  };
  const auto redirect = [&](const RedirectAction& action) {
    AtMost(action.host.size(), kRedirectPartMax, "characters", "a redirect's host", rule.position);
    AtMost(action.path.size(), kRedirectPartMax, "characters", "a redirect's path", rule.position);
    AtMost(action.query.size(), kRedirectPartMax, "characters", "a redirect's query", rule.position);
  };
  std::visit(Overloaded{forward, fixed, redirect}, rule.action);
}

void AwsLimits::CheckGroup(const TargetGroup& group, const Fields& fields) {
  CheckName(group.name, "target group", group.position);
  AtMost(group.targets.size(), kTargetsMax, "targets", "a target group", group.position);
  std::set<IpFamily> families;
  for (const Target& target : group.targets) {
    if (target.address) families.insert(target.address->family());
    if (!target.host.empty()) Warn(target.position, "a target given by name", "an address, an instance or a function");
  }
  if (families.size() > 1)
    Warn(group.position, "IPv4 and IPv6 targets in one target group", "one address type in a group");
  if (fields.Has("tls")) {
    Warn(fields.PositionOf("tls"), "`tls` of a target group",
         "certificates of targets are not verified, and none is shown");
  }
  if (group.function) CheckFunction(*group.function);
  CheckTargetHealthCheck(group, fields);
  const auto attribute = [&](std::string_view key) { return PlaceOf(fields, "attributes", key, {}).position; };
  constexpr std::string_view kDelay = "deregistration_delay.timeout_seconds";
  Within<std::int64_t>(group.deregistration_delay.count(), 0, 3'600, kDelay, attribute(kDelay));
  if (group.takes_http1) {
    Warn(attribute("weir.http1_requests.enabled"), "HTTP/1.x to a target group of HTTP2", "HTTP/2; others get 464");
  }
  const auto dns = group.dns_failover.count;
  if (dns && group.unhealthy_state_routing.count && *dns < *group.unhealthy_state_routing.count) {
    Warn(attribute("target_group_health.dns_failover.minimum_healthy_targets.count"),
         "a DNS failover threshold below the routing threshold", "at least as high");
  }
}

// spec: alb.md 7.4, resilience.md 4.1.
void AwsLimits::CheckFunction(const Function& function) {
  using std::chrono::seconds;
  if (!function.versions.empty()) {
    AtMost(function.versions.size(), kFunctionVersionsMax, "versions", "an alias", function.versions.front().position);
  }
  for (const FunctionVersion& version : function.versions) {
    const bool is_number = std::ranges::all_of(version.name, [](char c) { return c >= '0' && c <= '9'; });
    if (!is_number && version.name != FunctionVersion{}.name) {
      Warn(version.position, fmt::format("version {}", Quoted(version.name)), "a number");
    }
    DurationWithin(version.code.timeout, seconds(1), seconds(900), "a `timeout`",
                   {version.position, DurationText(version.code.timeout)});
  }
}

// spec: alb.md section 11.
void AwsLimits::CheckTargetHealthCheck(const TargetGroup& group, const Fields& fields) {
  using std::chrono::seconds;
  const TargetHealthCheck& check = group.health_check;
  const auto place = [&](std::string_view key, std::string written = {}) {
    return PlaceOf(fields, "health-check", key, std::move(written));
  };
  if (check.protocol == ProbeProtocol::kTcp) Warn(place("protocol").position, "a TCP health check", "HTTP or HTTPS");
  const Place interval = place("interval", DurationText(check.interval));
  DurationWithin(check.interval, seconds(5), seconds(300), "an `interval`", interval);
  CheckTargetTimeout(check, fields, interval.position);
  Within<std::uint32_t>(check.healthy_threshold, 2, 10, "a healthy-threshold", place("healthy-threshold").position);
  Within<std::uint32_t>(check.unhealthy_threshold, 2, 10, "an unhealthy-threshold",
                        place("unhealthy-threshold").position);
  AtMost(check.path.size(), 1024, "characters", "a health check path", place("path").position);
  for (const auto& [first, last] : check.matcher.ranges) {
    if (check.version == TargetProtocolVersion::kGrpc) break;  // AWS takes all of its codes
    if (first >= 200 && last <= 499) continue;
    Warn(place("matcher").position, fmt::format("a matcher with {}-{}", first, last), "200 to 499");
  }
}

void AwsLimits::CheckTargetTimeout(const TargetHealthCheck& check, const Fields& fields, Position interval) {
  const Node* const map = fields.Map("health-check");
  const Node* const value = map == nullptr ? nullptr : map->Find("timeout");
  // A timeout that the file does not have follows a short interval, which is what to change then.
  if (value == nullptr && check.timeout < TargetHealthCheck{}.timeout) return;
  const Position position = value == nullptr ? interval : value->position;
  if (value != nullptr) {
    DurationWithin(check.timeout, std::chrono::seconds(2), std::chrono::seconds(120), "a `timeout`",
                   {position, std::string(value->text)});
  }
  if (check.timeout >= check.interval && !IsWrong(interval))
    Warn(position, "a health check timeout as long as the interval", "shorter than the interval");
}

// spec: alb.md 7.2: a group belongs to one load balancer.
void AwsLimits::CheckGroupOwners() {
  std::map<std::uint32_t, std::set<const LoadBalancer*>> owners;
  for (const LoadBalancer& balancer : model_.load_balancers) {
    EachForwardedGroup(balancer, [&](std::uint32_t group) { owners[group].insert(&balancer); });
  }
  for (const auto& [group, balancers] : owners) {
    const TargetGroup& owned = model_.target_groups[group];
    AtMost(balancers.size(), 1, "load balancers", fmt::format("front of target group {}", Quoted(owned.name)),
           owned.position);
  }
}

// spec: dns.md 2.2.
void AwsLimits::CheckHealthCheck(const HealthCheck& check, const Fields& fields) {
  if (check.type == HealthCheckType::kCalculated) return;
  const auto place = [&](std::string_view key) { return fields.Has(key) ? fields.PositionOf(key) : check.position; };
  const auto interval = check.request_interval.count();
  if (interval != 10'000 && interval != 30'000) {
    Warn(place("request-interval"),
         fmt::format("a request-interval of {}", fields.Text("request-interval", DurationText(check.request_interval))),
         "10s or 30s");
  }
  Within<std::uint32_t>(check.failure_threshold, 1, 10, "a failure-threshold", place("failure-threshold"));
  AtMost(check.path.size(), 255, "characters", "a health check path", place("path"));
  AtMost(check.search_string.size(), 255, "characters", "a search-string", place("search-string"));
  const std::chrono::seconds timeout(check.type == HealthCheckType::kTcp ? 10 : 4);
  if (check.timeout != timeout)
    Warn(place("timeout"), "a timeout of its own", fmt::format("always {}", DurationText(timeout)));
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
    const std::size_t limit =
        record.policy == RoutingPolicy::kGeoproximity ? kGeoproximityRecordsMax : kPolicyRecordsMax;
    if (count == limit + 1) AtMost(count, limit, "records or more", fmt::format("{}", record.name), record.position);
  }
}

void AwsLimits::CheckGeoLocation(const GeoLocation& location, Position position) {
  if (std::ranges::find(kCountriesUnsupported, location.country) != kCountriesUnsupported.end()) {
    Warn(position, fmt::format("a geolocation of {}", location.country), "every country but BV, CX, EH and HM");
  }
  if (!location.subdivision.empty() &&
      std::ranges::find(kCountriesDivided, location.country) == kCountriesDivided.end()) {
    Warn(position, fmt::format("a subdivision of {}", location.country), "those of the US and of UA");
  }
}

void AwsLimits::CheckRecordSet(const RecordSet& record) {
  AtMost(record.values.size(), kRecordValuesMax, "values", "a record set", record.position);
  const bool single = record.policy == RoutingPolicy::kWeighted || record.policy == RoutingPolicy::kLatency;
  if (single) AtMost(record.values.size(), 1, "values", "a weighted or latency record set", record.position);
  AtMost(record.set.size(), 128, "characters", "a set identifier", record.position);
  if (record.geolocation) CheckGeoLocation(*record.geolocation, record.position);
  if (record.alias && record.alias->load_balancer && record.ttl_seconds != 60U) {
    Warn(record.position, "an alias to a load balancer with a TTL of its own", "always 60s");
  }
  if (record.type != rr::kTxt && record.type != rr::kSpf) return;
  for (const LocatedText& value : record.values) {
    if (TextFormOf(value.text) != TextForm::kUnquoted) continue;
    Warn(value.position, fmt::format("{} without quotation marks", Quoted(value.text)), "'\"text\"'");
  }
}

}  // namespace

void CheckAwsLimits(const Model& model, const Node& root, Findings& findings) {
  AwsLimits(model, root, findings).Check();
}

}  // namespace weir::config
