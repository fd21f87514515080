#include "control/status_json.h"

#include "base/counters.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace weir::control {
namespace {

namespace json = boost::json;

// ---- writing

template <class Range, class Write>
json::array ArrayOf(const Range& range, Write write) {
  json::array out;
  out.reserve(range.size());
  for (const auto& item : range) out.push_back(write(item));
  return out;
}

json::value Text(const std::string& text) { return json::value(text); }

json::value Weights(const std::vector<WeightedGroup>& groups) {
  return ArrayOf(groups, [](const WeightedGroup& g) { return json::value{{"name", g.name}, {"weight", g.weight}}; });
}

json::array Actions(const ActionReport& action) {
  json::object body;
  if (action.type == "forward") {
    body["target-groups"] = Weights(action.groups);
  } else {
    body["status-code"] = action.status_code;
    if (!action.location.empty()) body["location"] = action.location;
  }
  return json::array{json::object{{action.type, std::move(body)}}};
}

json::value Write(const RuleReport& rule) {
  json::object out;
  if (rule.priority == 0) {
    out["priority"] = "default";
  } else {
    out["priority"] = rule.priority;
  }
  out["name"] = rule.name;
  out["actions"] = Actions(rule.action);
  out["requests"] = rule.requests;
  out["weights-overridden"] = rule.weights_overridden;
  return out;
}

json::value Write(const CertificateReport& certificate) {
  return json::object{{"certificate", certificate.certificate},
                      {"names", ArrayOf(certificate.names, Text)},
                      {"not-after", certificate.not_after},
                      {"valid", certificate.valid}};
}

json::value Write(const ListenerReport& listener) {
  json::object out{{"port", listener.port},
                   {"protocol", listener.protocol},
                   {"bound", ArrayOf(listener.bound, Text)},
                   {"requests", listener.requests},
                   {"active-connections", listener.active_connections}};
  if (!listener.ssl_policy.empty()) {
    out["ssl-policy"] = listener.ssl_policy;
    out["certificates"] = ArrayOf(listener.certificates, [](const auto& c) { return Write(c); });
    if (!listener.mutual_authentication.empty()) {
      json::object clients{{"mode", listener.mutual_authentication}};
      if (!listener.trust_store.empty()) clients["trust-store"] = listener.trust_store;
      out["mutual-authentication"] = std::move(clients);
    }
  }
  out["rules"] = ArrayOf(listener.rules, [](const auto& r) { return Write(r); });
  return out;
}

json::value Write(const NodeReport& node) {
  return json::object{{"name", node.zone},
                      {"addresses", ArrayOf(node.addresses, Text)},
                      {"advertise", ArrayOf(node.advertise, Text)},
                      {"healthy", node.healthy},
                      {"shifted", node.shifted},
                      {"answers", node.answers}};
}

json::value Write(const LoadBalancerReport& balancer) {
  json::object out{
      {"name", balancer.name}, {"healthy", balancer.healthy}, {"addresses", ArrayOf(balancer.addresses, Text)}};
  if (!balancer.nodes.empty()) out["zones"] = ArrayOf(balancer.nodes, [](const auto& n) { return Write(n); });
  out["listeners"] = ArrayOf(balancer.listeners, [](const auto& l) { return Write(l); });
  return out;
}

json::value Write(const TargetReport& target) {
  json::object out{{"id", target.id},
                   {"zone", target.zone},
                   {"state", target.state},
                   {"reason", target.reason},
                   {"description", target.description},
                   {"since", target.since},
                   {"admin-state", target.admin_state},
                   {"measured-state", target.measured_state},
                   {"routable", target.routable},
                   {"deregistered", target.deregistered},
                   {"requests", target.requests},
                   {"active-requests", target.active_requests}};
  if (!target.host.empty()) out["host"] = target.host;
  if (target.weight != 1) out["weight"] = target.weight;
  // ELBv2's AnomalyDetection.
  out["anomaly-detection"] = json::object{{"result", target.anomalous ? "anomalous" : "normal"},
                                          {"mitigation-in-effect", target.mitigated ? "yes" : "no"},
                                          {"description", target.anomaly}};
  if (!target.zonal_override.empty()) out["administrative-override"] = target.zonal_override;
  return out;
}

json::value Write(const UnresolvedHostReport& host) {
  return json::object{
      {"host", host.host}, {"port", host.port}, {"reason", host.reason}, {"addresses-kept", host.addresses_kept}};
}

constexpr std::array<std::string_view, 5> kClasses = {"1xx", "2xx", "3xx", "4xx", "5xx"};

json::value Responses(const std::array<std::uint64_t, kClasses.size()>& counts) {
  json::object out;
  for (std::size_t i = 0; i < kClasses.size(); ++i) out[kClasses[i]] = counts[i];
  return out;
}

json::value Write(const ResponseTimeReport& recorded) {
  const auto number = [](std::uint64_t value) { return json::value(value); };
  return json::object{{"bounds-microseconds", ArrayOf(LatencyHistogram::kBoundsMicroseconds, number)},
                      {"counts", ArrayOf(recorded.counts, number)}};
}

json::value Write(const GroupZoneReport& zone) {
  return json::object{
      {"name", zone.zone}, {"healthy", zone.healthy}, {"registered", zone.registered}, {"fail-open", zone.fail_open}};
}

json::value Write(const TargetGroupReport& group) {
  json::object out{{"name", group.name},
                   {"protocol", group.protocol},
                   {"protocol-version", group.protocol_version},
                   {"in-use", group.in_use},
                   {"healthy", group.healthy},
                   {"registered", group.registered},
                   {"fail-open", group.fail_open},
                   {"requests", group.requests},
                   {"no-target", group.no_target},
                   {"failures", group.failures},
                   {"responses", Responses(group.responses)},
                   {"response-time", Write(group.response_time)},
                   {"targets", ArrayOf(group.targets, [](const auto& t) { return Write(t); })},
                   {"unresolved-hosts", ArrayOf(group.unresolved_hosts, [](const auto& h) { return Write(h); })}};
  if (group.is_function) out["target-type"] = "lambda";
  if (!group.versions.empty()) out["versions"] = group.versions;
  if (!group.ssl_policy.empty()) out["ssl-policy"] = group.ssl_policy;
  if (!group.stickiness.empty()) out["stickiness"] = group.stickiness;
  if (!group.zones.empty()) out["zones"] = ArrayOf(group.zones, [](const auto& z) { return Write(z); });
  return out;
}

json::value Write(const HealthCheckReport& check) {
  return json::object{{"name", check.name},
                      {"type", check.type},
                      {"status", check.status},
                      {"measured-status", check.measured_status},
                      {"since", check.since},
                      {"last-result", check.last_result},
                      {"admin-state", check.admin_state}};
}

json::value Write(const RecordReport& record) {
  return json::object{{"name", record.name},     {"type", record.type},       {"set", record.set},
                      {"policy", record.policy}, {"routing", record.routing}, {"health-check", record.health_check},
                      {"alias", record.alias},   {"health", record.health}};
}

json::value Write(const ZoneReport& zone) {
  return json::object{{"name", zone.name},
                      {"record-count", zone.record_count},
                      {"records", ArrayOf(zone.records, [](const auto& r) { return Write(r); })},
                      {"records-omitted", zone.records_omitted}};
}

json::value Write(const OverrideReport& entry) {
  json::object out{{"kind", entry.kind}};
  if (!entry.group.empty()) out["target-group"] = entry.group;
  out["id"] = entry.id;
  if (!entry.state.empty()) out["state"] = entry.state;
  if (!entry.weights.empty()) {
    json::object weights;
    for (const auto& group : entry.weights) weights[group.name] = group.weight;
    out["weights"] = std::move(weights);
  }
  out["since"] = entry.since;
  return out;
}

json::value Write(const ZonalShiftReport& shift) {
  return json::object{{"zone", shift.zone},
                      {"status", shift.status},
                      {"started", shift.started},
                      {"expires", shift.expires},
                      {"comment", shift.comment},
                      {"load-balancers", ArrayOf(shift.load_balancers, Text)},
                      {"survives-restart", shift.survives}};
}

json::value Write(const std::optional<ZonalShiftReport>& shift) { return shift ? Write(*shift) : json::value(nullptr); }

// ---- reading

const json::object kNoMembers;
const json::array kNoElements;

std::string ReadText(const json::object& from, std::string_view key) {
  const auto* value = from.if_contains(key);
  return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
}

template <class Number = std::uint64_t>
Number ReadNumber(const json::object& from, std::string_view key) {
  const auto* value = from.if_contains(key);
  if (value == nullptr) return 0;
  boost::system::error_code error;
  const auto number = value->to_number<Number>(error);
  return error ? Number{0} : number;
}

bool ReadFlag(const json::object& from, std::string_view key) {
  const auto* value = from.if_contains(key);
  return value != nullptr && value->is_bool() && value->get_bool();
}

const json::object& Members(const json::value& value) { return value.is_object() ? value.get_object() : kNoMembers; }

const json::object& ReadObject(const json::object& from, std::string_view key) {
  const auto* value = from.if_contains(key);
  return value != nullptr ? Members(*value) : kNoMembers;
}

template <class T, class Read>
std::vector<T> ReadList(const json::object& from, std::string_view key, Read read) {
  const auto* value = from.if_contains(key);
  const json::array& elements = value != nullptr && value->is_array() ? value->get_array() : kNoElements;
  std::vector<T> out;
  out.reserve(elements.size());
  for (const auto& element : elements) out.push_back(read(element));
  return out;
}

std::vector<std::string> ReadTexts(const json::object& from, std::string_view key) {
  return ReadList<std::string>(from, key, [](const json::value& value) {
    return value.is_string() ? std::string(value.get_string()) : std::string();
  });
}

ActionReport ReadAction(const json::value& value) {
  ActionReport out;
  const auto& members = Members(value);
  if (members.empty()) return out;
  out.type = members.begin()->key();
  const auto& body = Members(members.begin()->value());
  out.groups = ReadList<WeightedGroup>(body, "target-groups", [](const json::value& group) {
    return WeightedGroup{ReadText(Members(group), "name"), ReadNumber<std::uint32_t>(Members(group), "weight")};
  });
  out.status_code = ReadNumber<std::uint32_t>(body, "status-code");
  out.location = ReadText(body, "location");
  return out;
}

RuleReport ReadRule(const json::value& value) {
  const auto& from = Members(value);
  RuleReport out;
  out.priority = ReadNumber<std::uint32_t>(from, "priority");
  out.name = ReadText(from, "name");
  auto actions = ReadList<ActionReport>(from, "actions", ReadAction);
  if (!actions.empty()) out.action = std::move(actions.front());
  out.requests = ReadNumber(from, "requests");
  out.weights_overridden = ReadFlag(from, "weights-overridden");
  return out;
}

CertificateReport ReadCertificate(const json::value& value) {
  const auto& from = Members(value);
  return {.certificate = ReadText(from, "certificate"),
          .names = ReadTexts(from, "names"),
          .not_after = ReadText(from, "not-after"),
          .valid = ReadFlag(from, "valid")};
}

ListenerReport ReadListener(const json::value& value) {
  const auto& from = Members(value);
  const json::value* const clients = from.if_contains("mutual-authentication");
  const json::object none;
  const json::object& authentication = clients == nullptr ? none : Members(*clients);
  return {.port = ReadNumber<std::uint32_t>(from, "port"),
          .protocol = ReadText(from, "protocol"),
          .bound = ReadTexts(from, "bound"),
          .requests = ReadNumber(from, "requests"),
          .active_connections = ReadNumber(from, "active-connections"),
          .ssl_policy = ReadText(from, "ssl-policy"),
          .certificates = ReadList<CertificateReport>(from, "certificates", ReadCertificate),
          .mutual_authentication = ReadText(authentication, "mode"),
          .trust_store = ReadText(authentication, "trust-store"),
          .rules = ReadList<RuleReport>(from, "rules", ReadRule)};
}

NodeReport ReadNode(const json::value& value) {
  const auto& from = Members(value);
  return {.zone = ReadText(from, "name"),
          .addresses = ReadTexts(from, "addresses"),
          .advertise = ReadTexts(from, "advertise"),
          .healthy = ReadFlag(from, "healthy"),
          .shifted = ReadFlag(from, "shifted"),
          .answers = ReadFlag(from, "answers")};
}

LoadBalancerReport ReadLoadBalancer(const json::value& value) {
  const auto& from = Members(value);
  return {.name = ReadText(from, "name"),
          .healthy = ReadFlag(from, "healthy"),
          .addresses = ReadTexts(from, "addresses"),
          .nodes = ReadList<NodeReport>(from, "zones", ReadNode),
          .listeners = ReadList<ListenerReport>(from, "listeners", ReadListener)};
}

TargetReport ReadTarget(const json::value& value) {
  const auto& from = Members(value);
  const auto& anomaly = ReadObject(from, "anomaly-detection");
  return {.id = ReadText(from, "id"),
          .host = ReadText(from, "host"),
          .zone = ReadText(from, "zone"),
          .state = ReadText(from, "state"),
          .reason = ReadText(from, "reason"),
          .description = ReadText(from, "description"),
          .since = ReadText(from, "since"),
          .admin_state = ReadText(from, "admin-state"),
          .measured_state = ReadText(from, "measured-state"),
          .zonal_override = ReadText(from, "administrative-override"),
          .deregistered = ReadFlag(from, "deregistered"),
          .routable = ReadFlag(from, "routable"),
          .weight = from.contains("weight") ? ReadNumber<std::uint32_t>(from, "weight") : 1,
          .anomalous = ReadText(anomaly, "result") == "anomalous",
          .mitigated = ReadText(anomaly, "mitigation-in-effect") == "yes",
          .anomaly = ReadText(anomaly, "description"),
          .requests = ReadNumber(from, "requests"),
          .active_requests = ReadNumber(from, "active-requests")};
}

UnresolvedHostReport ReadUnresolvedHost(const json::value& value) {
  const auto& from = Members(value);
  return {.host = ReadText(from, "host"),
          .port = ReadNumber<std::uint32_t>(from, "port"),
          .reason = ReadText(from, "reason"),
          .addresses_kept = ReadNumber<std::uint32_t>(from, "addresses-kept")};
}

std::array<std::uint64_t, kClasses.size()> ReadResponses(const json::object& from) {
  std::array<std::uint64_t, kClasses.size()> out{};
  for (std::size_t i = 0; i < kClasses.size(); ++i) out[i] = ReadNumber(from, kClasses[i]);
  return out;
}

// Nothing from an appliance that has other bounds than this program.
ResponseTimeReport ReadResponseTime(const json::object& from) {
  const auto number = [](const json::value& value) {
    boost::system::error_code error;
    const auto read = value.to_number<std::uint64_t>(error);
    return error ? std::uint64_t{0} : read;
  };
  ResponseTimeReport out;
  const auto bounds = ReadList<std::uint64_t>(from, "bounds-microseconds", number);
  const auto counts = ReadList<std::uint64_t>(from, "counts", number);
  if (!std::ranges::equal(bounds, LatencyHistogram::kBoundsMicroseconds) || counts.size() != out.counts.size()) {
    return out;
  }
  std::ranges::copy(counts, out.counts.begin());
  return out;
}

GroupZoneReport ReadGroupZone(const json::value& value) {
  const auto& from = Members(value);
  return {.zone = ReadText(from, "name"),
          .healthy = ReadNumber<std::uint32_t>(from, "healthy"),
          .registered = ReadNumber<std::uint32_t>(from, "registered"),
          .fail_open = ReadFlag(from, "fail-open")};
}

TargetGroupReport ReadTargetGroup(const json::value& value) {
  const auto& from = Members(value);
  return {.name = ReadText(from, "name"),
          .protocol = ReadText(from, "protocol"),
          .protocol_version = ReadText(from, "protocol-version"),
          .is_function = ReadText(from, "target-type") == "lambda",
          .versions = ReadText(from, "versions"),
          .ssl_policy = ReadText(from, "ssl-policy"),
          .stickiness = ReadText(from, "stickiness"),
          .healthy = ReadNumber<std::uint32_t>(from, "healthy"),
          .registered = ReadNumber<std::uint32_t>(from, "registered"),
          .fail_open = ReadFlag(from, "fail-open"),
          .in_use = ReadFlag(from, "in-use"),
          .requests = ReadNumber(from, "requests"),
          .no_target = ReadNumber(from, "no-target"),
          .failures = ReadNumber(from, "failures"),
          .responses = ReadResponses(ReadObject(from, "responses")),
          .response_time = ReadResponseTime(ReadObject(from, "response-time")),
          .zones = ReadList<GroupZoneReport>(from, "zones", ReadGroupZone),
          .targets = ReadList<TargetReport>(from, "targets", ReadTarget),
          .unresolved_hosts = ReadList<UnresolvedHostReport>(from, "unresolved-hosts", ReadUnresolvedHost)};
}

std::optional<ZonalShiftReport> ReadZonalShift(const json::object& from) {
  const auto* const value = from.if_contains("zonal-shift");
  if (value == nullptr || !value->is_object()) return std::nullopt;
  const auto& shift = value->get_object();
  return ZonalShiftReport{.zone = ReadText(shift, "zone"),
                          .status = ReadText(shift, "status"),
                          .started = ReadText(shift, "started"),
                          .expires = ReadText(shift, "expires"),
                          .comment = ReadText(shift, "comment"),
                          .load_balancers = ReadTexts(shift, "load-balancers"),
                          .survives = ReadFlag(shift, "survives-restart")};
}

HealthCheckReport ReadHealthCheck(const json::value& value) {
  const auto& from = Members(value);
  return {.name = ReadText(from, "name"),
          .type = ReadText(from, "type"),
          .status = ReadText(from, "status"),
          .measured_status = ReadText(from, "measured-status"),
          .since = ReadText(from, "since"),
          .last_result = ReadText(from, "last-result"),
          .admin_state = ReadText(from, "admin-state")};
}

RecordReport ReadRecord(const json::value& value) {
  const auto& from = Members(value);
  return {.name = ReadText(from, "name"),
          .type = ReadText(from, "type"),
          .set = ReadText(from, "set"),
          .policy = ReadText(from, "policy"),
          .routing = ReadText(from, "routing"),
          .health_check = ReadText(from, "health-check"),
          .alias = ReadText(from, "alias"),
          .health = ReadText(from, "health")};
}

ZoneReport ReadZone(const json::value& value) {
  const auto& from = Members(value);
  return {.name = ReadText(from, "name"),
          .record_count = ReadNumber(from, "record-count"),
          .records = ReadList<RecordReport>(from, "records", ReadRecord),
          .records_omitted = ReadNumber(from, "records-omitted")};
}

OverrideReport ReadOverride(const json::value& value) {
  const auto& from = Members(value);
  OverrideReport out;
  out.kind = ReadText(from, "kind");
  out.group = ReadText(from, "target-group");
  out.id = ReadText(from, "id");
  out.state = ReadText(from, "state");
  const auto& weights = ReadObject(from, "weights");
  for (const auto& member : weights) {
    out.weights.push_back({std::string(member.key()), ReadNumber<std::uint32_t>(weights, member.key())});
  }
  out.since = ReadText(from, "since");
  return out;
}

}  // namespace

std::string StatusJson(const StatusReport& report) {
  const json::object out{{"version", report.version},
                         {"revision", report.revision},
                         {"state", report.phase},
                         {"started-at", report.started_at},
                         {"workers", report.workers},
                         {"state-directory", report.state_directory},
                         {"admin", report.admin},
                         {"dns", ArrayOf(report.dns, Text)},
                         {"configuration", json::object{{"file", report.file},
                                                        {"loaded-at", report.loaded_at},
                                                        {"reloads-refused", report.reloads_refused},
                                                        {"last-error", report.last_reload_error}}},
                         {"client-connections", json::object{{"limit", report.client_connections_max},
                                                             {"waiting", report.clients_wait},
                                                             {"waits", report.client_waits}}},
                         {"load-balancers", ArrayOf(report.load_balancers, [](const auto& x) { return Write(x); })},
                         {"target-groups", ArrayOf(report.target_groups, [](const auto& x) { return Write(x); })},
                         {"health-checks", ArrayOf(report.health_checks, [](const auto& x) { return Write(x); })},
                         {"zones", ArrayOf(report.zones, [](const auto& x) { return Write(x); })},
                         {"overrides", ArrayOf(report.overrides, [](const auto& x) { return Write(x); })},
                         {"zonal-shift", Write(report.zonal_shift)}};
  return json::serialize(out);
}

Result<StatusReport> ParseStatusJson(std::string_view text) {
  boost::system::error_code error;
  const json::value parsed = json::parse(text, error);
  if (error) return Failure("the answer is no JSON: " + error.message());
  const auto& from = Members(parsed);
  if (!from.contains("revision") || !from.contains("load-balancers")) {
    return Failure("the answer is no status of a weir appliance");
  }
  const auto& configuration = ReadObject(from, "configuration");
  const auto& clients = ReadObject(from, "client-connections");
  StatusReport out;
  out.version = ReadText(from, "version");
  out.revision = ReadNumber(from, "revision");
  out.phase = ReadText(from, "state");
  out.started_at = ReadText(from, "started-at");
  out.workers = ReadNumber(from, "workers");
  out.state_directory = ReadText(from, "state-directory");
  out.admin = ReadText(from, "admin");
  out.dns = ReadTexts(from, "dns");
  out.file = ReadText(configuration, "file");
  out.loaded_at = ReadText(configuration, "loaded-at");
  out.reloads_refused = ReadNumber(configuration, "reloads-refused");
  out.last_reload_error = ReadText(configuration, "last-error");
  out.client_connections_max = ReadNumber(clients, "limit");
  out.clients_wait = ReadFlag(clients, "waiting");
  out.client_waits = ReadNumber(clients, "waits");
  out.load_balancers = ReadList<LoadBalancerReport>(from, "load-balancers", ReadLoadBalancer);
  out.target_groups = ReadList<TargetGroupReport>(from, "target-groups", ReadTargetGroup);
  out.health_checks = ReadList<HealthCheckReport>(from, "health-checks", ReadHealthCheck);
  out.zones = ReadList<ZoneReport>(from, "zones", ReadZone);
  out.overrides = ReadList<OverrideReport>(from, "overrides", ReadOverride);
  out.zonal_shift = ReadZonalShift(from);
  return out;
}

std::string ZonalShiftJson(const std::optional<ZonalShiftReport>& shift) {
  return json::serialize(json::object{{"zonal-shift", Write(shift)}});
}

Result<std::optional<ZonalShiftReport>> ParseZonalShiftJson(std::string_view text) {
  boost::system::error_code error;
  const auto parsed = json::parse(text, error);
  if (error || !parsed.is_object() || !parsed.get_object().contains("zonal-shift")) {
    return Failure("what answers at the admin address says nothing of zonal shifts");
  }
  return ReadZonalShift(parsed.get_object());
}

}  // namespace weir::control
