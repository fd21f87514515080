#include "control/admin_api.h"

#include "base/clock.h"
#include "base/text.h"
#include "control/event_journal.h"
#include "control/explain.h"
#include "control/query_string.h"
#include "control/status_json.h"
#include "control/status_report.h"

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <expected>
#include <utility>

namespace weir::control {
namespace {

namespace json = boost::json;

// Our choice: a name and a machine.
constexpr std::size_t kAuthorBytesMax = 200;

template <class T>
using Parsed = std::expected<T, AdminResponse>;

// ---- the request target

std::vector<std::string> PathSegments(std::string_view path) {
  std::vector<std::string> out;
  while (!path.empty()) {
    path.remove_prefix(1);  // the slash
    const auto end = std::min(path.find('/'), path.size());
    out.push_back(PercentDecode(path.substr(0, end), false));
    path.remove_prefix(end);
  }
  return out;
}

// ---- browsers

// The host of `example.test:9900` or `[::1]:9900`, without port and brackets.
std::string_view HostOf(std::string_view authority) {
  if (authority.starts_with('[')) {
    const auto end = authority.find(']');
    return end == std::string_view::npos ? std::string_view() : authority.substr(1, end - 1);
  }
  return authority.substr(0, std::min(authority.rfind(':'), authority.size()));
}

bool IsAddressOrLocalhost(std::string_view host) {
  return EqualsIgnoreCase(host, "localhost") || IpAddress::Parse(host).has_value();
}

// An Origin is SCHEME://AUTHORITY; `null` (a file, a sandbox) is nobody's.
bool SameOrigin(std::string_view origin, std::string_view host) {
  const auto scheme_end = origin.find("://");
  return scheme_end != std::string_view::npos && EqualsIgnoreCase(origin.substr(scheme_end + 3), host);
}

std::optional<AdminResponse> RefuseBrowser(const AdminRequest& request, bool loopback) {
  if (loopback && !request.host.empty() && !IsAddressOrLocalhost(HostOf(request.host))) {
    return ErrorResponse(403, "this Host is not the appliance's", "use its address or localhost");
  }
  const bool foreign_origin = !request.origin.empty() && !SameOrigin(request.origin, request.host);
  const bool foreign_fetch = request.fetch_site == "cross-site" || request.fetch_site == "same-site";
  if (foreign_origin || foreign_fetch) {
    return ErrorResponse(403, "a page of another origin asks",
                         "the admin API answers its own origin and programs only");
  }
  return std::nullopt;
}

AdminResponse JsonResponse(unsigned status, std::string body) {
  return {.status = status, .content_type = "application/json", .body = std::move(body), .allow = {}};
}

// ---- the calls that change something

Parsed<json::object> ParseBody(std::string_view body, std::string_view example) {
  boost::system::error_code error;
  json::value parsed = json::parse(body, error);
  if (error || !parsed.is_object()) {
    return std::unexpected(
        ErrorResponse(400, error ? "the body is no JSON: " + error.message() : "the body is no JSON object",
                      "send " + std::string(example)));
  }
  return std::move(parsed.get_object());
}

Parsed<health::AdminState> ParseState(std::string_view body, bool draining_allowed) {
  const std::string allowed =
      draining_allowed ? "healthy, unhealthy, draining or measured" : "healthy, unhealthy or measured";
  const auto members = ParseBody(body, R"({"state": "unhealthy"})");
  if (!members) return std::unexpected(members.error());
  const auto* value = members->if_contains("state");
  if (value == nullptr || !value->is_string() || members->size() != 1) {
    return std::unexpected(
        ErrorResponse(400, "the body must have exactly one member, the text `state`", "state is " + allowed));
  }
  const std::string_view text = value->get_string();
  for (const auto state : {health::AdminState::kMeasured, health::AdminState::kHealthy, health::AdminState::kUnhealthy,
                           health::AdminState::kDraining}) {
    if (text == ToString(state) && (draining_allowed || state != health::AdminState::kDraining)) return state;
  }
  return std::unexpected(ErrorResponse(400, "state `" + std::string(text) + "` is none", "state is " + allowed));
}

// The one state that a request asks for: of the body of a PUT, `measured` for a DELETE.
Parsed<health::AdminState> AskedState(const AdminRequest& request, bool draining_allowed) {
  if (request.method == "DELETE") return health::AdminState::kMeasured;
  return ParseState(request.body, draining_allowed);
}

Parsed<PendingChange> TargetState(const AdminRequest& request, const std::string& group, const std::string& target) {
  const auto endpoint = Endpoint::Parse(target);
  if (!endpoint) {
    return std::unexpected(
        ErrorResponse(404, "`" + target + "` is no target", "a target is ADDRESS:PORT, an IPv6 address in brackets"));
  }
  const auto state = AskedState(request, true);
  if (!state) return std::unexpected(state.error());
  return PendingChange{{.what = TargetStateChange{group, *endpoint, *state}}, std::string(ToString(*state))};
}

Parsed<PendingChange> CheckState(const AdminRequest& request, const std::string& check) {
  const auto state = AskedState(request, false);
  if (!state) return std::unexpected(state.error());
  return PendingChange{{.what = CheckStateChange{check, *state}}, std::string(ToString(*state))};
}

Parsed<std::map<std::string, std::uint32_t>> ParseWeights(std::string_view body) {
  const auto members = ParseBody(body, R"({"blue": 0, "green": 100})");
  if (!members) return std::unexpected(members.error());
  std::map<std::string, std::uint32_t> out;
  for (const auto& member : *members) {
    boost::system::error_code error;
    const auto weight = member.value().to_number<std::uint32_t>(error);
    if (error || weight > 999) {
      return std::unexpected(ErrorResponse(400, "the weight of `" + std::string(member.key()) + "` is none",
                                           "a weight is a whole number from 0 to 999"));
    }
    out[std::string(member.key())] = weight;
  }
  if (out.empty()) {
    return std::unexpected(
        ErrorResponse(400, "the body names no target group", "send every group of the rule with its weight"));
  }
  return out;
}

// Of a path /v1/load-balancers/LB/listeners/PORT/rules/RULE/….
Parsed<RuleName> RuleOf(const std::vector<std::string>& segments) {
  RuleName out;
  out.load_balancer = segments[2];
  const auto port = ParseDecimal(segments[4]);
  if (!port || *port == 0 || *port > 65'535) {
    return std::unexpected(
        ErrorResponse(404, "`" + segments[4] + "` is no port", "a port is a number from 1 to 65535"));
  }
  out.port = static_cast<std::uint16_t>(*port);
  // A name that looks like a priority stays one: what a call means must not depend on the names of a file.
  const std::string& rule = segments[6];
  const bool numeric = rule.find_first_not_of("0123456789") == std::string::npos;
  if (numeric) {
    const auto priority = ParseDecimal(rule);
    if (!priority || *priority == 0 || *priority > 50'000) {
      return std::unexpected(
          ErrorResponse(404, "`" + rule + "` is no priority", "a priority is `default` or a number from 1 to 50000"));
    }
    out.priority = static_cast<std::uint32_t>(*priority);
  } else if (rule != "default") {
    out.name = rule;
  }
  return out;
}

Parsed<PendingChange> Weights(const AdminRequest& request, const std::vector<std::string>& segments) {
  auto rule = RuleOf(segments);
  if (!rule) return std::unexpected(rule.error());
  WeightsChange change{.load_balancer = std::move(rule->load_balancer),
                       .port = rule->port,
                       .priority = rule->priority,
                       .rule_name = std::move(rule->name),
                       .weights = {}};
  if (request.method == "PUT") {
    auto weights = ParseWeights(request.body);
    if (!weights) return std::unexpected(weights.error());
    change.weights = std::move(*weights);
  }
  return PendingChange{{.what = std::move(change)}, {}};
}

Parsed<CanaryStep> ReadCanarySet(std::string_view body) {
  constexpr std::string_view kExample = R"({"percent": 10, "target-group": "green"})";
  const auto members = ParseBody(body, kExample);
  if (!members) return std::unexpected(members.error());
  CanaryStep step;
  bool has_percent = false;
  for (const auto& member : *members) {
    if (member.key() == "target-group" && member.value().is_string()) {
      step.group = member.value().get_string();
    } else if (member.key() == "percent" && member.value().is_number()) {
      step.percent = member.value().to_number<double>();
      has_percent = true;
    } else {
      return std::unexpected(
          ErrorResponse(400, "`" + std::string(member.key()) + "` is no member of a canary, or of another type",
                        "send " + std::string(kExample)));
    }
  }
  if (!has_percent || !(step.percent >= 0 && step.percent <= 100)) {
    return std::unexpected(ErrorResponse(400, "the percent of the canary is missing, or none", "from 0.0 to 100.0"));
  }
  if (std::abs(step.percent * 10 - std::round(step.percent * 10)) > 1e-6) {
    return std::unexpected(ErrorResponse(400, "the percent of the canary has more than one digit behind the point",
                                         "such as 0.1 or 12.5"));
  }
  return step;
}

Parsed<PendingChange> Canary(const AdminRequest& request, const std::vector<std::string>& segments) {
  auto rule = RuleOf(segments);
  if (!rule) return std::unexpected(rule.error());
  CanaryStep step{.kind = request.method == "POST" ? CanaryStep::Kind::kPromote : CanaryStep::Kind::kDisable};
  if (request.method == "PUT") {
    auto asked = ReadCanarySet(request.body);
    if (!asked) return std::unexpected(asked.error());
    step = std::move(*asked);
  }
  return PendingChange{{.what = CanaryChange{std::move(*rule), std::move(step)}}, {}};
}

AdminResponse CanaryResponse(const std::vector<std::string>& segments, const Appliance& appliance) {
  const auto name = RuleOf(segments);
  if (!name) return name.error();
  const auto view = appliance.CurrentView();
  if (!view) return ErrorResponse(503, "nothing is served yet", "ask again when /healthz answers 200");
  const auto rule = FindRule(*view->routing, *name);
  if (!rule) return ErrorResponse(404, rule.error().message, rule.error().hint);
  const auto report = DescribeCanary(*view, *rule);
  if (!report) return ErrorResponse(409, report.error().message, report.error().hint);
  return JsonResponse(200, CanaryJson(*report));
}

Parsed<PendingChange> StartOfZonalShift(std::string_view body) {
  constexpr std::string_view kExample = R"({"away-from": "a", "expires-in": "1h"})";
  const auto members = ParseBody(body, kExample);
  if (!members) return std::unexpected(members.error());
  ZonalShiftChange change;
  std::string expires;
  for (const auto& member : *members) {
    const bool is_flag = member.key() == "force";
    std::string* const text = member.key() == "away-from"    ? &change.zone
                              : member.key() == "expires-in" ? &expires
                              : member.key() == "comment"    ? &change.comment
                                                             : nullptr;
    if (!is_flag && text == nullptr) {
      return std::unexpected(ErrorResponse(400, "`" + std::string(member.key()) + "` is no member of a zonal shift",
                                           "away-from, expires-in, comment, force"));
    }
    if (is_flag ? !member.value().is_bool() : !member.value().is_string()) {
      return std::unexpected(ErrorResponse(400, "`" + std::string(member.key()) + "` is of another type",
                                           is_flag ? "true or false" : "a text"));
    }
    if (is_flag) {
      change.force = member.value().get_bool();
    } else {
      text->assign(member.value().get_string());
    }
  }
  if (change.zone.empty() || expires.empty()) {
    return std::unexpected(
        ErrorResponse(400, "the zone or the time until it expires is missing", "send " + std::string(kExample)));
  }
  if (change.comment.size() > kZonalShiftCommentMax) {
    return std::unexpected(
        ErrorResponse(400, "the comment is too long", "at most " + std::to_string(kZonalShiftCommentMax) + " bytes"));
  }
  const auto expiry = ParseExpiry(expires);
  if (!expiry) return std::unexpected(ErrorResponse(400, expiry.error().message, expiry.error().hint));
  change.expires_in = *expiry;
  return PendingChange{{.what = std::move(change)}, {}};
}

// The revision of an If-Match field (RFC 9110, 13.1.1): `"12"`. Absent where there is none, or `*`: any will do.
std::optional<std::uint64_t> ExpectedRevision(std::string_view tag) {
  if (tag.empty() || tag == "*") return std::nullopt;
  const bool quoted = tag.size() > 2 && tag.starts_with('"') && tag.ends_with('"');
  const auto revision = quoted ? ParseDecimal(tag.substr(1, tag.size() - 2)) : std::nullopt;
  // What never was the tag of a revision matches none.
  return revision ? *revision : 0;
}

// What every change says beside what it is.
Parsed<PendingChange> Signed(Parsed<PendingChange> pending, const AdminRequest& request) {
  if (!pending) return pending;
  if (request.author.size() > kAuthorBytesMax) {
    return std::unexpected(ErrorResponse(400, "the author is too long",
                                         "Weir-Author has at most " + std::to_string(kAuthorBytesMax) + " bytes"));
  }
  pending->change.expected = ExpectedRevision(request.if_match);
  pending->change.author = request.author;
  return pending;
}

std::string EntityTag(std::uint64_t revision) { return "\"" + std::to_string(revision) + "\""; }

// ---- the table of paths

enum class Call : std::uint8_t {
  kStatus,
  kDocument,
  kEvents,
  kReload,
  kExplainHttp,
  kExplainDns,
  kTargetState,
  kCheckState,
  kWeights,
  kCanary,
  kPromoteCanary,
  kZonalShift,
  kPublicKey,
  kMetrics,
  kHealth
};

struct Route {
  Call call;
  std::array<std::string_view, 9> path;  // `*` holds any segment; unused places are empty
  std::string_view allow;
};

constexpr std::array kRoutes = {
    Route{Call::kStatus, {"v1", "status"}, "GET, HEAD"},
    Route{Call::kDocument, {"v1", "document"}, "GET, HEAD, PATCH"},
    Route{Call::kEvents, {"v1", "events"}, "GET, HEAD"},
    Route{Call::kReload, {"v1", "reload"}, "POST"},
    Route{Call::kExplainHttp, {"v1", "explain", "http"}, "GET, HEAD"},
    Route{Call::kExplainDns, {"v1", "explain", "dns"}, "GET, HEAD"},
    Route{Call::kTargetState, {"v1", "target-groups", "*", "targets", "*", "admin-state"}, "PUT, DELETE"},
    Route{Call::kCheckState, {"v1", "health-checks", "*", "admin-state"}, "PUT, DELETE"},
    Route{Call::kWeights, {"v1", "load-balancers", "*", "listeners", "*", "rules", "*", "weights"}, "PUT, DELETE"},
    Route{Call::kCanary,
          {"v1", "load-balancers", "*", "listeners", "*", "rules", "*", "canary"},
          "GET, HEAD, PUT, DELETE"},
    Route{Call::kPromoteCanary,
          {"v1", "load-balancers", "*", "listeners", "*", "rules", "*", "canary", "promote"},
          "POST"},
    Route{Call::kZonalShift, {"v1", "zonal-shift"}, "GET, HEAD, PUT, DELETE"},
    Route{Call::kPublicKey, {"v1", "public-keys", "*"}, "GET, HEAD"},
    Route{Call::kMetrics, {"metrics"}, "GET, HEAD"},
    Route{Call::kHealth, {"healthz"}, "GET, HEAD"},
};

bool Fits(const Route& route, const std::vector<std::string>& segments) {
  if (segments.size() > route.path.size()) return false;
  for (std::size_t i = 0; i < route.path.size(); ++i) {
    if (i >= segments.size()) return route.path[i].empty();
    // A segment is never empty: /v1/status/ is another path.
    if (segments[i].empty() || (route.path[i] != "*" && route.path[i] != segments[i])) return false;
  }
  return true;
}

bool Allows(const Route& route, std::string_view method) {
  std::string_view rest = route.allow;
  while (!rest.empty()) {
    const auto end = std::min(rest.find(", "), rest.size());
    if (rest.substr(0, end) == method) return true;
    rest.remove_prefix(std::min(end + 2, rest.size()));
  }
  return false;
}

AdminResponse ExplainResponse(const Result<ExplainAnswer>& answer) {
  if (!answer) return ErrorResponse(400, answer.error().message, answer.error().hint);
  return JsonResponse(200, answer->json);
}

HttpQuestion ReadHttpQuestion(const QueryPairs& pairs) {
  HttpQuestion question{.method = Find(pairs, "method"),
                        .url = Find(pairs, "url"),
                        .headers = {},
                        .from = Find(pairs, "from"),
                        .load_balancer = Find(pairs, "load-balancer")};
  question.http_version = Find(pairs, "http-version");
  if (question.method.empty()) question.method = "GET";
  for (const auto& [key, value] : pairs) {
    if (key == "sni") question.server_name = value;
    if (key == "signature") question.signatures.push_back(value);
    if (key != "header") continue;
    const auto colon = std::min(value.find(':'), value.size());
    auto start = std::min(colon + 1, value.size());
    while (start < value.size() && value[start] == ' ') ++start;
    question.headers.emplace_back(value.substr(0, colon), value.substr(start));
  }
  return question;
}

AdminResponse ConfigurationResponse(const Refusal& refusal) {
  if (refusal.diagnostics.items.empty()) return ErrorResponse(422, refusal.error.message, refusal.error.hint);
  json::array errors;
  for (const auto& item : refusal.diagnostics.items) {
    if (item.severity != config::Severity::kError) continue;
    const auto& files = refusal.diagnostics.files;
    errors.push_back(json::object{{"file", item.position.file < files.size() ? files[item.position.file] : ""},
                                  {"line", item.position.line},
                                  {"column", item.position.column},
                                  {"path", item.path},
                                  {"message", item.message},
                                  {"hint", item.hint}});
  }
  return JsonResponse(422, json::serialize(json::object{{"errors", std::move(errors)}}));
}

AdminResponse HealthResponse(const Runtime& runtime) {
  const bool serving = runtime.ready && !runtime.draining;
  return {.status = serving ? 200U : 503U,
          .content_type = "text/plain; charset=utf-8",
          .body = serving            ? "ok\n"
                  : runtime.draining ? "draining\n"
                                     : "starting\n",
          .allow = {}};
}

AdminResponse EventsResponse(const QueryPairs& pairs, const Appliance& appliance, WallTime started) {
  std::uint64_t since = 0;
  std::uint64_t limit = EventJournal::kEventsMax;
  for (const auto& [key, text] : pairs) {
    const auto number = ParseDecimal(text);
    const bool fits = number && (key != "limit" || (*number > 0 && *number <= EventJournal::kEventsMax));
    if (key != "since" && key != "limit") {
      return ErrorResponse(400, "`" + key + "` is no parameter of this path", "the parameters are since and limit");
    }
    if (!fits) {
      return ErrorResponse(400, "`" + text + "` is no value of " + key,
                           key == "since" ? "since is the sequence of the last event that you know"
                                          : "limit is from 1 to " + std::to_string(EventJournal::kEventsMax));
    }
    (key == "since" ? since : limit) = *number;
  }
  return JsonResponse(200, EventsJson(appliance.events().Since(since, limit), started, SystemClock().WallNow()));
}

// The families that `name[]=NAME` asks for, as exporters for Prometheus commonly spell it.
std::vector<std::string> MetricNames(const QueryPairs& pairs) {
  std::vector<std::string> names;
  for (const auto& [key, value] : pairs) {
    if (key == "name[]") names.push_back(value);
  }
  return names;
}

// What targets verify claims of users with (spec: alb.md 5.4).
AdminResponse PublicKeyResponse(const proxy::RoutingTable& routing, std::string_view id) {
  for (const auto& key : routing.claim_keys()) {
    if (key->id() == id) {
      return {.status = 200, .content_type = "application/x-pem-file", .body = key->public_pem(), .allow = {}};
    }
  }
  return ErrorResponse(404, "no key `" + std::string(id) + "` signs claims",
                       "the `kid` of a token that this appliance, or one with the same keys, has signed");
}

// The calls that change nothing. `segments` are those of the path.
AdminResponse Read(Call call, const std::vector<std::string>& segments, std::string_view query, std::string_view accept,
                   const Appliance& appliance, const BuildFacts& build) {
  const auto runtime = appliance.CurrentRuntime();
  if (call == Call::kHealth) return HealthResponse(runtime);
  if (call == Call::kEvents) return EventsResponse(ParseQuery(query), appliance, runtime.started);
  if (call == Call::kDocument) {
    if (runtime.document == nullptr)
      return ErrorResponse(503, "nothing is served yet", "ask again when /healthz answers 200");
    auto response = JsonResponse(200, config::DocumentJson(*runtime.document));
    response.etag = EntityTag(runtime.document_revision);
    return response;
  }
  const auto view = appliance.CurrentView();
  if (!view) return ErrorResponse(503, "nothing is served yet", "ask again when /healthz answers 200");
  if (call == Call::kPublicKey) return PublicKeyResponse(*view->routing, segments[2]);
  if (call == Call::kZonalShift) return JsonResponse(200, ZonalShiftJson(DescribeZonalShift(*view, runtime)));
  if (call == Call::kStatus) return JsonResponse(200, StatusJson(BuildStatusReport(*view, runtime, build.version)));
  if (call == Call::kMetrics) {
    const MetricsFormat format = FormatFor(accept);
    return {.status = 200,
            .content_type = std::string(ContentTypeOf(format)),
            .body = MetricsText(*view, runtime, build, SystemClock().WallNow(), MetricNames(ParseQuery(query)), format),
            .allow = {}};
  }
  const auto pairs = ParseQuery(query);
  if (call == Call::kExplainHttp) return ExplainResponse(ExplainHttp(*view, ReadHttpQuestion(pairs)));
  return ExplainResponse(
      ExplainDns(*view, {.name = Find(pairs, "name"), .type = Find(pairs, "type"), .from = Find(pairs, "from")}));
}

unsigned StatusOf(RefusalKind kind) {
  switch (kind) {
    case RefusalKind::kNotFound:
      return 404;
    case RefusalKind::kInvalid:
      return 400;
    case RefusalKind::kConflict:
      return 409;
    case RefusalKind::kMoved:
      return 412;
    case RefusalKind::kConfiguration:
      return 422;
  }
  return 500;
}

}  // namespace

AdminResponse ErrorResponse(unsigned status, std::string_view error, std::string_view hint) {
  return JsonResponse(status, json::serialize(json::object{{"error", error}, {"hint", hint}}));
}

std::variant<AdminResponse, PendingChange> AdminApi::Answer(const AdminRequest& request) const {
  if (auto refusal = RefuseBrowser(request, loopback_)) return std::move(*refusal);
  const auto query_start = std::min(request.target.find('?'), request.target.size());
  const auto path = request.target.substr(0, query_start);
  const auto query = query_start < request.target.size() ? request.target.substr(query_start + 1) : std::string_view();
  if (!path.starts_with('/')) return ErrorResponse(400, "the request target is no path");
  const auto segments = PathSegments(path);
  const auto* route = std::ranges::find_if(kRoutes, [&](const Route& r) { return Fits(r, segments); });
  if (route == kRoutes.end()) return ErrorResponse(404, "no such path", "docs/admin-api.md lists the calls");
  if (!Allows(*route, request.method)) {
    auto response = ErrorResponse(405, "this path does not take " + std::string(request.method),
                                  "use " + std::string(route->allow));
    response.allow = route->allow;
    return response;
  }
  const auto settle = [&](Parsed<PendingChange> asked) -> std::variant<AdminResponse, PendingChange> {
    auto change = Signed(std::move(asked), request);
    if (!change) return std::move(change.error());
    return std::move(*change);
  };
  switch (route->call) {
    case Call::kTargetState:
      return settle(TargetState(request, segments[2], segments[4]));
    case Call::kCheckState:
      return settle(CheckState(request, segments[2]));
    case Call::kWeights:
      return settle(Weights(request, segments));
    case Call::kCanary:
      if (request.method == "PUT" || request.method == "DELETE") return settle(Canary(request, segments));
      return CanaryResponse(segments, appliance_);
    case Call::kPromoteCanary:
      return settle(Canary(request, segments));
    case Call::kDocument:
      if (request.method == "PATCH") {
        return settle(PendingChange{
            {.what = DocumentChange{.patch = std::string(request.body), .origin = "api: PATCH /v1/document"}}, {}});
      }
      return Read(route->call, segments, query, request.accept, appliance_, build_);
    case Call::kZonalShift:
      if (request.method == "PUT") return settle(StartOfZonalShift(request.body));
      if (request.method == "DELETE") return settle(PendingChange{{.what = ZonalShiftChange{}}, {}});
      return Read(route->call, segments, query, request.accept, appliance_, build_);
    case Call::kReload:
      return settle(PendingChange{{.what = ReloadChange{}}, {}});
    default:
      return Read(route->call, segments, query, request.accept, appliance_, build_);
  }
}

AdminResponse AdminApi::Conclude(const PendingChange& pending, const ChangeResult& result) {
  if (result) {
    json::object out{{"revision", *result}};
    if (!pending.state.empty()) out["state"] = pending.state;
    auto response = JsonResponse(200, json::serialize(out));
    response.etag = EntityTag(*result);
    return response;
  }
  const auto& refusal = result.error();
  if (refusal.kind == RefusalKind::kConfiguration) return ConfigurationResponse(refusal);
  return ErrorResponse(StatusOf(refusal.kind), refusal.error.message, refusal.error.hint);
}

}  // namespace weir::control
