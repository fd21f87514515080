#include "tests/app/model_dump.h"

#include <fmt/format.h>

#include <utility>
#include <variant>
#include <vector>

namespace weir::app::testing {
namespace {

class Dump {
 public:
  explicit Dump(Places places) : places_(places) {}

  std::string& text() { return out_; }

  void Add(const config::Model& model) {
    Line("node {} {} {} complete={}", model.node.name, model.node.region, model.node.zone, model.complete);
    for (const auto& region : model.regions) Line("region {} {} {}", region.name, region.latitude, region.longitude);
    for (const auto& balancer : model.load_balancers) Add(balancer);
    for (const auto& group : model.target_groups) Add(group);
    if (model.dns) {
      Line("dns {} {} {} {}", model.dns->port, Texts(model.dns->addresses), model.dns->nsid, At(model.dns->position));
    }
    for (const auto& check : model.health_checks) Add(check);
    for (const auto& collection : model.cidr_collections) Add(collection);
    for (const auto& zone : model.zones) Add(*zone);
    for (const auto& key : model.tls_ticket_keys) Line("ticket key {}", Text(key));
    for (const auto& key : model.stickiness_keys) Line("stickiness key {}", Text(key));
    Line("state {}", Text(model.state_directory));
    Line("latency {} {}", Text(model.latency.table), Text(model.latency.geoip));
    Line("admin {} {}", model.admin.address.ToString(), model.admin.port);
    for (const auto& test : model.tests)
      Line("test {} {} {} {}", test.method, test.url, test.query_name, test.query_type);
  }

 private:
  template <class... Values>
  void Line(fmt::format_string<Values...> format, Values&&... values) {
    out_ += fmt::format(format, std::forward<Values>(values)...) + "\n";
  }
  [[nodiscard]] std::string At(const config::Position& position) const {
    if (places_ == Places::kLeftOut) return {};
    return fmt::format("@{}:{}:{}", position.file, position.line, position.column);
  }
  [[nodiscard]] std::string Text(const config::LocatedText& text) const { return text.text + At(text.position); }
  [[nodiscard]] std::string Texts(const std::vector<config::LocatedText>& texts) const {
    std::string out;
    for (const auto& text : texts) out += "'" + Text(text) + "' ";
    return out;
  }
  [[nodiscard]] static std::string Texts(const std::vector<IpAddress>& addresses) {
    std::string out;
    for (const auto& address : addresses) out += address.ToString() + " ";
    return out;
  }

  void Add(const config::LoadBalancer& balancer) {
    Line("load balancer {} {} binds {} advertises {} idle {} {}", balancer.name,
         std::to_underlying(balancer.ip_address_type), Texts(balancer.addresses), Texts(balancer.advertise),
         balancer.attributes.idle_timeout.count(), At(balancer.position));
    for (const auto& node : balancer.nodes) {
      Line(" node {} {} binds {} advertises {} {}", node.zone, node.zone_index, Texts(node.addresses),
           Texts(node.advertise), At(node.position));
    }
    for (const auto& listener : balancer.listeners) {
      Line(" listener {} {} {} {} certificates {}", listener.port, std::to_underlying(listener.protocol),
           Text(listener.ssl_policy), At(listener.position), listener.certificates.size());
      for (const auto& one : listener.certificates) {
        Line("  certificate {} {} ocsp {}", Text(one.certificate), Text(one.key), Text(one.ocsp_response));
      }
      for (const auto& rule : listener.rules) Add(*rule);
      Add(listener.default_rule);
    }
  }
  void Add(const config::Rule& rule) {
    Line("  rule {} {} {}", rule.priority, rule.name, At(rule.position));
    for (const auto& condition : rule.conditions) {
      std::string pairs;
      for (const auto& pair : condition.pairs) {
        pairs += fmt::format("{}={} ", pair.key ? Text(*pair.key) : "-", Text(pair.value));
      }
      for (const auto& block : condition.blocks) pairs += block.ToString() + " ";
      Line("   condition {} {} {} {} {} {}", std::to_underlying(condition.kind), condition.name,
           Texts(condition.values), Texts(condition.regex_values), pairs, At(condition.position));
    }
    for (const auto& transform : rule.transforms) {
      Line("   transform {} {} {}", std::to_underlying(transform.kind), Text(transform.regex), Text(transform.replace));
    }
    for (const auto& leading : rule.leading_actions) {
      std::visit([this](const auto& action) { Add(action); }, leading);
    }
    std::visit([this](const auto& action) { Add(action); }, rule.action);
  }
  void Add(const config::AuthenticateOidcAction& action) {
    Line("   authenticate {} {} {} {} {} {} {} {} {} {} {}", action.cognito, Text(action.issuer),
         Text(action.authorization_endpoint), Text(action.token_endpoint), Text(action.user_info_endpoint),
         action.client_id, action.session_cookie_name, action.scope, action.session_timeout.count(),
         std::to_underlying(action.on_unauthenticated_request), At(action.position));
    Line("   authenticate {} {} {} {} {}", action.client_secret ? action.client_secret->text : "",
         action.client_secret ? action.client_secret->file : "", action.nonce, action.pkce, Text(action.ca_bundle));
    for (const auto& [name, value] : action.extra_params) Line("    param {} {}", name, value);
  }
  void Add(const config::JwtValidationAction& action) {
    Line("   jwt {} {} {} {} {}", Text(action.jwks_endpoint), action.issuer, fmt::join(action.algorithms, ","),
         Text(action.ca_bundle), At(action.position));
    for (const auto& claim : action.additional_claims) {
      Line("    claim {} {} {}", claim.name, std::to_underlying(claim.format), fmt::join(claim.values, ","));
    }
  }
  void Add(const config::ForwardAction& action) {
    for (const auto& group : action.target_groups) Line("   forward {}:{}", group.target_group, group.weight);
    if (action.stickiness) Line("   sticky {}", action.stickiness->count());
    if (action.canary) {
      Line("   canary {} {}", action.canary->target_group,
           action.canary->access_log ? action.canary->access_log->path : "");
    }
  }
  void Add(const config::RedirectAction& action) {
    Line("   redirect {} {} {} {} {} {}", action.protocol, action.host, action.port, action.path, action.query,
         action.status_code);
  }
  void Add(const config::FixedResponseAction& action) {
    Line("   fixed {} {} {}", action.status_code, action.content_type, action.message_body);
  }

  void Add(const config::TargetGroup& group) {
    Line("target group {} used={} {} {} algorithm {} slow start {}", group.name, group.in_use, group.health_check.path,
         At(group.position), std::to_underlying(group.algorithm), group.slow_start.count());
    Line(" hash {} {} mitigation {}", std::to_underlying(group.hash_key.source), group.hash_key.name,
         group.anomaly_mitigation);
    Line(" sticky {} {} {} {} {}", group.stickiness.enabled, std::to_underlying(group.stickiness.type),
         group.stickiness.duration.count(), group.stickiness.cookie_name, At(group.stickiness.position));
    Line(" cross-zone {} nodes in {} shifted from {}", std::to_underlying(group.cross_zone),
         fmt::join(group.node_zones, ","), fmt::join(group.shift_zones, ","));
    if (group.function) Add(*group.function);
    for (const auto& target : group.targets) {
      Line(" target {} {} {} {} {} {}", target.address ? target.address->ToString() : "-", target.host, target.port,
           target.zone, target.weight, At(target.position));
    }
  }
  void Add(const config::Function& function) {
    Line(" function {} multi-value {}", function.alias, function.multi_value_headers);
    for (const auto& version : function.versions) {
      const config::FunctionCode& code = version.code;
      Line("  version {} {} [{}] {} {} {} {} {} {} {}", version.name, version.weight, fmt::join(code.command, " "),
           code.runtime ? static_cast<int>(*code.runtime) : -1, code.invoke, code.handler, code.root,
           code.timeout.count(), code.concurrency, At(version.position));
      for (const auto& [name, value] : code.environment) Line("   {}={}", name, value);
    }
  }
  void Add(const config::HealthCheck& check) {
    Line("health check {} {} {} {} {} children {} {}", check.name, std::to_underlying(check.type),
         check.address ? check.address->ToString() : "-", check.host, check.port, fmt::join(check.children, ","),
         At(check.position));
  }
  void Add(const config::CidrCollection& collection) {
    Line("collection {} {}", collection.name, At(collection.position));
    for (const auto& location : collection.locations) {
      Line(" location {}", location.name);
      for (const auto& block : location.blocks) Line("  block {} {}", block.block.ToString(), At(block.position));
    }
  }
  void Add(const config::Zone& zone) {
    Line("zone {} {} {} {} servers {} {} plain {} {}", zone.name, zone.soa.mname, zone.soa.rname, zone.soa.serial,
         fmt::join(zone.name_servers, ","), zone.ns_ttl_seconds, zone.plain_record_count, At(zone.position));
    for (const auto& record : zone.records) {
      Line(" record {} {} ttl {} {} policy {} set {} weight {} {} region {} check {} {}", record.name, record.type,
           record.ttl_seconds.value_or(0), Texts(record.values), std::to_underlying(record.policy), record.set,
           record.weight, std::to_underlying(record.failover), record.region, Number(record.health_check),
           At(record.position));
      if (record.cidr) Line("  cidr {} {}", record.cidr->collection, Number(record.cidr->location));
      if (const auto& geo = record.geolocation)
        Line("  geolocation {} {} {}", geo->continent, geo->country, geo->subdivision);
      if (const auto& near = record.geoproximity) {
        Line("  geoproximity {} {} {} {}", Number(near->region), near->latitude, near->longitude, near->bias);
      }
      if (!record.alias) continue;
      Line("  alias {} {} {} {}", Number(record.alias->load_balancer), record.alias->record,
           record.alias->evaluate_target_health, At(record.alias->position));
    }
  }
  [[nodiscard]] static std::string Number(const std::optional<std::uint32_t>& number) {
    return number ? std::to_string(*number) : "-";
  }

  Places places_;
  std::string out_;
};

}  // namespace

std::string DumpModel(const config::Model& model, Places places) {
  Dump dump(places);
  dump.Add(model);
  return std::move(dump.text());
}

}  // namespace weir::app::testing
