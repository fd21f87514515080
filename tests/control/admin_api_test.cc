#include "control/admin_api.h"

#include "config/load.h"
#include "tests/control/control_fixture.h"

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <gtest/gtest.h>

#include <chrono>
#include <ostream>
#include <string>
#include <variant>

namespace weir::control {
namespace {

class AdminApiTest : public ::testing::Test {
 protected:
  AdminApiTest() {
    appliance_.view = MakeView(kShopYaml);
    appliance_.runtime.ready = true;
  }
  std::variant<AdminResponse, PendingChange> Ask(AdminRequest request) {
    if (request.host.empty()) request.host = "127.0.0.1:9900";
    return api_.Answer(request);
  }
  AdminResponse Response(const AdminRequest& request) {
    auto answer = Ask(request);
    EXPECT_TRUE(std::holds_alternative<AdminResponse>(answer)) << request.target;
    return std::holds_alternative<AdminResponse>(answer) ? std::get<AdminResponse>(answer) : AdminResponse{};
  }
  Change AskedChange(const AdminRequest& request) {
    auto answer = Ask(request);
    const auto* pending = std::get_if<PendingChange>(&answer);
    EXPECT_NE(pending, nullptr) << request.target << ": " << std::get<AdminResponse>(answer).body;
    return pending == nullptr ? Change{} : pending->change;
  }
  template <class T>
  T Asked(const AdminRequest& request) {
    auto change = AskedChange(request);
    EXPECT_TRUE(std::holds_alternative<T>(change.what)) << request.target;
    return std::holds_alternative<T>(change.what) ? std::get<T>(change.what) : T{};
  }

  FakeAppliance appliance_;
  AdminApi api_{appliance_, {.version = "1.2.3", .commit = "abc"}, true};
};

TEST_F(AdminApiTest, StatusIsJsonWithTheRevision) {
  const auto response = Response({.method = "GET", .target = "/v1/status"});
  EXPECT_EQ(response.status, 200U);
  const auto parsed = boost::json::parse(response.body);
  EXPECT_EQ(parsed.at("revision").as_int64(), 7);
  EXPECT_EQ(parsed.at("version").as_string(), "1.2.3");
}

TEST_F(AdminApiTest, HealthzSaysWhetherItServes) {
  EXPECT_EQ(Response({.method = "GET", .target = "/healthz"}).status, 200U);
  appliance_.runtime.draining = true;
  EXPECT_EQ(Response({.method = "GET", .target = "/healthz"}).status, 503U);
  appliance_.runtime = {};
  EXPECT_EQ(Response({.method = "GET", .target = "/healthz"}).status, 503U);
}

TEST_F(AdminApiTest, TheDocumentIsServedWithItsRevisionAsTag) {
  EXPECT_EQ(Response({.method = "GET", .target = "/v1/document"}).status, 503U);
  config::LoadOptions options;
  options.environment = [](const std::string&) { return std::optional<std::string>("of-the-environment"); };
  auto loaded = config::LoadText("node: {name: \"${NAME}\"}\ndns: {port: 5353}\n", "t.yaml", options);
  ASSERT_TRUE(loaded.document) << loaded.diagnostics.FormatAll();
  appliance_.runtime.document = loaded.document;
  appliance_.runtime.document_revision = 12;
  const auto response = Response({.method = "GET", .target = "/v1/document"});
  EXPECT_EQ(response.status, 200U);
  EXPECT_EQ(response.etag, "\"12\"");
  EXPECT_EQ(response.body, R"({"node":{"name":"${NAME}"},"dns":{"port":5353}})");
}

TEST_F(AdminApiTest, EveryChangeIsOfTheRevisionThatItNamesAndSaysWhoAsks) {
  for (AdminRequest request :
       {AdminRequest{.method = "PATCH", .target = "/v1/document", .body = "[]"},
        AdminRequest{.method = "POST", .target = "/v1/reload"},
        AdminRequest{.method = "DELETE", .target = "/v1/health-checks/eu/admin-state"},
        AdminRequest{.method = "DELETE", .target = "/v1/load-balancers/a/listeners/1/rules/2/weights"}}) {
    request.if_match = "\"7\"";
    request.author = "alice@laptop";
    const auto change = AskedChange(request);
    EXPECT_EQ(change.expected, std::uint64_t{7}) << request.target;
    EXPECT_EQ(change.author, "alice@laptop") << request.target;
  }
  const std::string long_name(201, 'a');
  EXPECT_EQ(Response({.method = "POST", .target = "/v1/reload", .author = long_name}).status, 400U);
}

TEST_F(AdminApiTest, APatchIsAChangeOfTheRevisionThatItNames) {
  const auto asked = [&](std::string_view tag) {
    return AskedChange({.method = "PATCH", .target = "/v1/document", .if_match = tag, .body = "[]"});
  };
  EXPECT_EQ(asked("").expected, std::nullopt);
  EXPECT_EQ(asked("*").expected, std::nullopt);
  EXPECT_EQ(asked("\"12\"").expected, std::uint64_t{12});
  for (const char* none : {"12", "W/\"12\"", "\"x\"", "\"\"", "\""})
    EXPECT_EQ(asked(none).expected, std::uint64_t{0}) << none;
  const auto edit = std::get<DocumentChange>(asked("").what);
  EXPECT_EQ(edit.patch, "[]");
  EXPECT_EQ(edit.origin, "api: PATCH /v1/document");
  EXPECT_EQ(Response({.method = "PUT", .target = "/v1/document"}).allow, "GET, HEAD, PATCH");
}

TEST_F(AdminApiTest, NothingIsServedBeforeTheFirstView) {
  appliance_.view = nullptr;
  EXPECT_EQ(Response({.method = "GET", .target = "/v1/status"}).status, 503U);
}

TEST_F(AdminApiTest, EventsAreThereBeforeAnythingIsServed) {
  appliance_.view = nullptr;
  appliance_.journal.Add(EventKind::kReload, {}, "one", {});
  appliance_.journal.Add(EventKind::kShift, {}, "two", {});
  const auto all = Response({.method = "GET", .target = "/v1/events"});
  EXPECT_EQ(all.status, 200U);
  EXPECT_EQ(boost::json::parse(all.body).at("events").as_array().size(), 2U);
  const auto first = boost::json::parse(Response({.method = "GET", .target = "/v1/events?limit=1"}).body);
  EXPECT_EQ(first.at("events").at(0).at("text").as_string(), "one");
  EXPECT_TRUE(first.at("more").as_bool());
  const auto second = boost::json::parse(Response({.method = "GET", .target = "/v1/events?since=1"}).body);
  ASSERT_EQ(second.at("events").as_array().size(), 1U);
  EXPECT_EQ(second.at("events").at(0).at("text").as_string(), "two");
}

TEST_F(AdminApiTest, AWrongQueryForEventsIsRefused) {
  for (const std::string query :
       {"since=x", "since=-1", "since", "limit=0", "limit=4097", "from=1", "since=1&limit="}) {
    const auto response = Response({.method = "GET", .target = "/v1/events?" + query});
    EXPECT_EQ(response.status, 400U) << query;
    EXPECT_FALSE(boost::json::parse(response.body).at("hint").as_string().empty()) << query;
  }
  EXPECT_EQ(Response({.method = "POST", .target = "/v1/events"}).status, 405U);
}

TEST_F(AdminApiTest, MetricsMayBeAskedForByName) {
  const auto body = Response({.method = "GET", .target = "/metrics?name[]=weir_workers&name%5B%5D=weir_draining"}).body;
  EXPECT_EQ(body,
            "# HELP weir_workers Worker threads.\n# TYPE weir_workers gauge\nweir_workers 0\n"
            "# HELP weir_draining 1 while the appliance finishes what is in flight before it ends.\n"
            "# TYPE weir_draining gauge\nweir_draining 0\n");
  EXPECT_EQ(Response({.method = "GET", .target = "/metrics?name[]=none"}).body, "");
}

TEST_F(AdminApiTest, AnIpv6TargetIsNamedInBracketsPercentEncodedOrNot) {
  for (const std::string target : {"/v1/target-groups/blue/targets/[::1]:9001/admin-state",
                                   "/v1/target-groups/blue/targets/%5B::1%5d:9001/admin-state"}) {
    const auto change =
        Asked<TargetStateChange>({.method = "PUT", .target = target, .body = R"({"state":"draining"})"});
    EXPECT_EQ(change.group, "blue");
    EXPECT_EQ(change.target.ToString(), "[::1]:9001");
    EXPECT_EQ(change.state, health::AdminState::kDraining);
  }
}

TEST_F(AdminApiTest, DeleteTakesAnOverrideAway) {
  EXPECT_EQ(
      Asked<TargetStateChange>({.method = "DELETE", .target = "/v1/target-groups/b/targets/127.0.0.1:1/admin-state"})
          .state,
      health::AdminState::kMeasured);
  EXPECT_EQ(Asked<CheckStateChange>({.method = "DELETE", .target = "/v1/health-checks/eu/admin-state"}).state,
            health::AdminState::kMeasured);
  const auto weights =
      Asked<WeightsChange>({.method = "DELETE", .target = "/v1/load-balancers/shop/listeners/8080/rules/30/weights"});
  EXPECT_TRUE(weights.weights.empty());
  EXPECT_EQ(weights.priority, 30U);
}

TEST_F(AdminApiTest, WeightsNameTheRuleAndItsGroups) {
  const auto change = Asked<WeightsChange>({.method = "PUT",
                                            .target = "/v1/load-balancers/shop/listeners/8080/rules/default/weights",
                                            .body = R"({"blue": 0, "green": 100})"});
  EXPECT_EQ(change.load_balancer, "shop");
  EXPECT_EQ(change.port, 8080);
  EXPECT_EQ(change.priority, 0U);
  EXPECT_EQ(change.weights, (std::map<std::string, std::uint32_t>{{"blue", 0}, {"green", 100}}));
}

TEST_F(AdminApiTest, WeightsNameTheRuleByItsNameUnlessThatLooksLikeAPriority) {
  const auto asked = [&](const std::string& rule) {
    const auto target = "/v1/load-balancers/shop/listeners/8080/rules/" + rule + "/weights";
    return Asked<WeightsChange>({.method = "PUT", .target = target, .body = R"({"blue": 0, "green": 100})"});
  };
  EXPECT_EQ(asked("beta%20users").rule_name, "beta users");
  EXPECT_EQ(asked("1st").rule_name, "1st");
  EXPECT_EQ(asked("30").rule_name, "");
  EXPECT_EQ(asked("30").priority, 30U);
  EXPECT_EQ(asked("default").rule_name, "");
  EXPECT_EQ(asked("default").priority, 0U);
}

struct Refused {
  const char* name;
  const char* method;
  const char* target;
  const char* body;
  unsigned status;
  friend void PrintTo(const Refused& row, std::ostream* out) { *out << row.name; }
};

class AdminApiRefusalTest : public AdminApiTest, public ::testing::WithParamInterface<Refused> {};

TEST_P(AdminApiRefusalTest, IsAnErrorWithAHintAndChangesNothing) {
  const auto& row = GetParam();
  const auto response = Response({.method = row.method, .target = row.target, .body = row.body});
  EXPECT_EQ(response.status, row.status) << response.body;
  const auto parsed = boost::json::parse(response.body);
  EXPECT_FALSE(parsed.at("error").as_string().empty());
  EXPECT_TRUE(parsed.at("hint").is_string());
  EXPECT_EQ(appliance_.submitted(), 0U);
}

constexpr const char* kTarget = "/v1/target-groups/blue/targets/127.0.0.1:9001/admin-state";
constexpr const char* kWeights = "/v1/load-balancers/shop/listeners/8080/rules/default/weights";

INSTANTIATE_TEST_SUITE_P(
    Table, AdminApiRefusalTest,
    testing::Values(
        Refused{"UnknownPath", "GET", "/v1/nothing", "", 404}, Refused{"TrailingSlash", "GET", "/v1/status/", "", 404},
        Refused{"NoPath", "GET", "*", "", 400}, Refused{"WrongMethod", "POST", "/v1/status", "", 405},
        Refused{"GetOnReload", "GET", "/v1/reload", "", 405}, Refused{"PostOnState", "POST", kTarget, "{}", 405},
        Refused{"BodyIsNoJson", "PUT", kTarget, "state=healthy", 400}, Refused{"BodyIsEmpty", "PUT", kTarget, "", 400},
        Refused{"BodyIsAList", "PUT", kTarget, "[]", 400},
        Refused{"UnknownState", "PUT", kTarget, R"({"state": "ill"})", 400},
        Refused{"StateIsNoText", "PUT", kTarget, R"({"state": 1})", 400},
        Refused{"AnotherMember", "PUT", kTarget, R"({"state": "healthy", "for": "1h"})", 400},
        Refused{"TargetIsNoEndpoint", "PUT", "/v1/target-groups/blue/targets/nine/admin-state",
                R"({"state":"healthy"})", 404},
        Refused{"ChecksDoNotDrain", "PUT", "/v1/health-checks/eu/admin-state", R"({"state": "draining"})", 400},
        Refused{"WeightTooLarge", "PUT", kWeights, R"({"blue": 1000, "green": 1})", 400},
        Refused{"WeightIsNegative", "PUT", kWeights, R"({"blue": -1, "green": 1})", 400},
        Refused{"WeightIsText", "PUT", kWeights, R"({"blue": "1", "green": 1})", 400},
        Refused{"NoWeights", "PUT", kWeights, "{}", 400},
        Refused{"PriorityIsNone", "PUT", "/v1/load-balancers/shop/listeners/8080/rules/0/weights", R"({"blue":1})",
                404},
        Refused{"PriorityIsTooHigh", "PUT", "/v1/load-balancers/shop/listeners/8080/rules/50001/weights",
                R"({"blue":1})", 404},
        Refused{"PortIsNone", "PUT", "/v1/load-balancers/shop/listeners/0/rules/default/weights", R"({"blue":1})", 404},
        Refused{"PostOnZonalShift", "POST", "/v1/zonal-shift", "{}", 405},
        Refused{"ZonalShiftWithoutZone", "PUT", "/v1/zonal-shift", R"({"expires-in": "1h"})", 400},
        Refused{"ZonalShiftWithoutEnd", "PUT", "/v1/zonal-shift", R"({"away-from": "a"})", 400},
        Refused{"ZonalShiftOfWrongLength", "PUT", "/v1/zonal-shift", R"({"away-from": "a", "expires-in": "73h"})", 400},
        Refused{"ZonalShiftZoneIsNoText", "PUT", "/v1/zonal-shift", R"({"away-from": 1, "expires-in": "1h"})", 400},
        Refused{"ZonalShiftForceIsNoFlag", "PUT", "/v1/zonal-shift",
                R"({"away-from": "a", "expires-in": "1h", "force": "yes"})", 400},
        Refused{"ZonalShiftOtherMember", "PUT", "/v1/zonal-shift",
                R"({"away-from": "a", "expires-in": "1h", "until": ""})", 400},
        Refused{"ExplainWithoutUrl", "GET", "/v1/explain/http?method=GET", "", 400},
        Refused{"ExplainUnknownVersion", "GET", "/v1/explain/http?url=http%3A%2F%2Fshop%3A8080%2F&http-version=3", "",
                400},
        Refused{"ExplainHttp2WhereItIsNotTaken", "GET",
                "/v1/explain/http?url=http%3A%2F%2Fshop%3A8080%2F&http-version=2", "", 400},
        Refused{"ExplainUnknownType", "GET", "/v1/explain/dns?name=www.example.test&type=NOPE", "", 400}),
    [](const auto& row) { return std::string(row.param.name); });

TEST_F(AdminApiTest, AZonalShiftIsStartedAndCancelled) {
  const auto start = Asked<ZonalShiftChange>(
      {.method = "PUT",
       .target = "/v1/zonal-shift",
       .body = R"({"away-from": "a", "expires-in": "90m", "comment": "power", "force": true})"});
  EXPECT_EQ(start.zone, "a");
  EXPECT_EQ(start.expires_in, std::chrono::minutes(90));
  EXPECT_EQ(start.comment, "power");
  EXPECT_TRUE(start.force);
  const auto cancel = Asked<ZonalShiftChange>({.method = "DELETE", .target = "/v1/zonal-shift"});
  EXPECT_EQ(cancel.zone, "");
  const std::string long_comment =
      R"({"away-from": "a", "expires-in": "1h", "comment": ")" + std::string(129, 'x') + "\"}";
  EXPECT_EQ(Response({.method = "PUT", .target = "/v1/zonal-shift", .body = long_comment}).status, 400U);
}

TEST_F(AdminApiTest, MethodNotAllowedNamesTheMethods) {
  EXPECT_EQ(Response({.method = "POST", .target = "/v1/status"}).allow, "GET, HEAD");
}

TEST_F(AdminApiTest, PagesOfOtherOriginsAreRefused) {
  const auto ask = [&](std::string_view host, std::string_view origin, std::string_view site) {
    return Response({.method = "GET", .target = "/healthz", .host = host, .origin = origin, .fetch_site = site}).status;
  };
  EXPECT_EQ(ask("127.0.0.1:9900", "", ""), 200U);
  EXPECT_EQ(ask("localhost:9900", "http://localhost:9900", "same-origin"), 200U);
  EXPECT_EQ(ask("[::1]:9900", "http://[::1]:9900", ""), 200U);
  EXPECT_EQ(ask("127.0.0.1:9900", "https://evil.example", ""), 403U);
  EXPECT_EQ(ask("127.0.0.1:9900", "null", ""), 403U);
  EXPECT_EQ(ask("127.0.0.1:9900", "", "cross-site"), 403U);
  // A name that a foreign page made resolve to loopback (DNS rebinding).
  EXPECT_EQ(ask("evil.example:9900", "", ""), 403U);
}

TEST_F(AdminApiTest, ExplainsARequestAsTextAndMembers) {
  const auto response =
      Response({.method = "GET", .target = "/v1/explain/http?method=GET&url=http%3A%2F%2Fshop%3A8080%2Fping"});
  ASSERT_EQ(response.status, 200U) << response.body;
  const auto parsed = boost::json::parse(response.body);
  EXPECT_EQ(parsed.at("rule").at("name").as_string(), "ping");
  EXPECT_EQ(parsed.at("action").as_string(), "fixed-response");
  EXPECT_EQ(parsed.at("http-version").as_string(), "1.1");
  EXPECT_FALSE(parsed.at("text").as_string().empty());
}

TEST_F(AdminApiTest, ExplainsAQueryAsTextAndMembers) {
  const auto response = Response({.method = "GET", .target = "/v1/explain/dns?name=www.example.test&type=A"});
  ASSERT_EQ(response.status, 200U) << response.body;
  const auto parsed = boost::json::parse(response.body);
  EXPECT_EQ(parsed.at("rcode").as_string(), "NOERROR");
  EXPECT_EQ(parsed.at("values").as_array().at(0).as_string(), "192.0.2.10");
  EXPECT_EQ(parsed.at("decisions").as_array().at(0).at("policy").as_string(), "failover");
}

TEST(AdminApiConclusionTest, AnAcceptedChangeAnswersTheRevision) {
  const auto response = AdminApi::Conclude({.change = {.what = ReloadChange{}}, .state = {}}, std::uint64_t{12});
  EXPECT_EQ(response.status, 200U);
  EXPECT_EQ(response.body, R"({"revision":12})");
}

TEST(AdminApiConclusionTest, AnEditAnswersItsTagOrThatTheRevisionMoved) {
  const PendingChange pending{.change = {.what = DocumentChange{}}, .state = {}};
  const auto done = AdminApi::Conclude(pending, std::uint64_t{13});
  EXPECT_EQ(done.body, R"({"revision":13})");
  EXPECT_EQ(done.etag, "\"13\"");
  Refusal refusal{
      .kind = RefusalKind::kMoved, .error = {.message = "revision 12 serves", .hint = {}}, .diagnostics = {}};
  EXPECT_EQ(AdminApi::Conclude(pending, std::unexpected(refusal)).status, 412U);
}

TEST(AdminApiConclusionTest, AWrongFileAnswersEveryErrorWithItsPlace) {
  Refusal refusal{.kind = RefusalKind::kConfiguration, .error = {}, .diagnostics = {}};
  refusal.diagnostics.files = {"a.yaml", "b.yaml"};
  refusal.diagnostics.items.push_back({config::Severity::kWarning, {0, 1, 1}, "", "unused", ""});
  refusal.diagnostics.items.push_back(
      {config::Severity::kError, {1, 4, 9}, "x.y", "no such group `gren`", "did you mean green?"});
  const auto response = AdminApi::Conclude({.change = {.what = ReloadChange{}}, .state = {}}, std::unexpected(refusal));
  EXPECT_EQ(response.status, 422U);
  EXPECT_EQ(
      response.body,
      R"({"errors":[{"file":"b.yaml","line":4,"column":9,"path":"x.y","message":"no such group `gren`","hint":"did you mean green?"}]})");
}

TEST(AdminApiConclusionTest, RefusalsHaveTheirStatus) {
  const auto status = [](RefusalKind kind) {
    const Refusal refusal{.kind = kind, .error = {"no", "yes"}, .diagnostics = {}};
    return AdminApi::Conclude({.change = {.what = ReloadChange{}}, .state = {}}, std::unexpected(refusal)).status;
  };
  EXPECT_EQ(status(RefusalKind::kNotFound), 404U);
  EXPECT_EQ(status(RefusalKind::kInvalid), 400U);
  EXPECT_EQ(status(RefusalKind::kConflict), 409U);
  EXPECT_EQ(status(RefusalKind::kConfiguration), 422U);
}

}  // namespace
}  // namespace weir::control
