#include "proxy/routing/explain.h"

#include "base/clock.h"
#include "proxy/balancing/stickiness.h"
#include "tests/proxy/routing/routing_models.h"

#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <variant>
#include <vector>

namespace weir::proxy {
namespace {

using namespace weir::proxy::testing;

std::shared_ptr<config::Model> Shop() {
  auto beta = MakeRule(10, {Path({"/cart/*"}), Header("X-Beta", {"yes"})}, ForwardTo({{1, 1}}));
  beta.name = std::string("beta");
  return MakeModel(
      {beta, MakeRule(20, {Path({"/old/*"})}, config::RedirectAction{.path = "/new/#{path}"}),
       MakeRule(30, {Path({"/ping"})},
                config::FixedResponseAction{.status_code = 200, .content_type = "text/plain", .message_body = "pong"})},
      ForwardTo({{0, 8}, {1, 2}}));
}

health::TargetStatus Target(const char* endpoint, health::HealthState state) {
  health::TargetStatus target;
  target.endpoint = Endpoint::Parse(endpoint).value();
  target.state = state;
  return target;
}

health::StatusTable ShopStatus() {
  using enum health::HealthState;
  health::StatusTable status;
  status.groups.resize(3);
  auto& blue = status.groups[0];
  blue.targets = {Target("127.0.0.1:9001", kHealthy), Target("127.0.0.1:9002", kUnhealthy),
                  Target("[::1]:9001", kHealthy)};
  blue.targets[1].reason = health::HealthReason::kTimeout;
  blue.routable = {0, 2};
  blue.healthy = 2;
  blue.registered = 3;
  auto& green = status.groups[1];
  green.targets = {Target("127.0.0.1:9003", kUnhealthy)};
  green.routable = {0};
  green.fail_open = true;
  green.registered = 1;
  return status;
}

RequestExplanation Explain(const RoutingTable& table, const Request& request, const health::StatusTable* status,
                           http::Version version = http::Version::kHttp11) {
  const RequestTargetParts parts{
      .scheme = "http", .host = request.host, .port = 1, .path = request.path, .query = request.query};
  return ExplainRequest(table, *table.listeners().front(), *Facts(request), parts, status, version);
}

class Greeting final : public LeadingAction {
 public:
  [[nodiscard]] ActionOutcome Run(const ActionRequest& /*request*/) const override { return ActionOutcome::GoOn(); }
  [[nodiscard]] std::string_view name() const override { return "greet"; }
  [[nodiscard]] std::string Explain() const override { return "greets whoever asks"; }
};

TEST(ExplainTest, SaysWhatIsDoneBeforeTheLastAction) {
  const auto table = BuildTable(Shop());
  Listener listener = *table->listeners().front();
  const auto counters = std::make_shared<LeadingActionCountersTable>(2);
  listener.rules.back().leading_actions =
      std::vector<CountedAction>{{.action = std::make_shared<const Greeting>(), .counters = counters}};
  const auto explanation = ExplainRequest(*table, listener, *Facts(Request()), RequestTargetParts(), nullptr);
  EXPECT_EQ(explanation.leading_actions, std::vector<std::string>{"greets whoever asks"});
  EXPECT_NE(RenderExplanation(explanation).find("\nfirst: greets whoever asks\naction: forward\n"), std::string::npos);
}

TEST(ExplainTest, SaysWhatBecameOfWhatIsDoneBeforeTheLastAction) {
  const auto table = BuildTable(Shop());
  const auto status = ShopStatus();
  Listener listener = *table->listeners().front();
  const auto counters = std::make_shared<LeadingActionCountersTable>(2);
  listener.rules.back().leading_actions =
      std::vector<CountedAction>{{.action = std::make_shared<const Greeting>(), .counters = counters}};
  const auto asked = [&] {
    return ExplainRequest(*table, listener, *Facts(Request()), RequestTargetParts(), &status).leading_actions.at(0);
  };
  EXPECT_EQ(asked(), "greets whoever asks");
  (*counters)[0].passed.Add(2);
  (*counters)[1].passed.Add();
  (*counters)[1].answered.Add();
  (*counters)[0].failed[std::to_underlying(ErrorCode::kActionTimeout)].Add();
  (*counters)[1].failed[std::to_underlying(ErrorCode::kAuthMissingHost)].Add(2);
  const auto reason = [](ErrorCode code) { return std::string(TraitsOf(code).reason); };
  const std::string late = "1 " + reason(ErrorCode::kActionTimeout);
  const std::string nameless = "2 " + reason(ErrorCode::kAuthMissingHost);
  const bool late_first = ErrorCode::kActionTimeout < ErrorCode::kAuthMissingHost;
  EXPECT_EQ(asked(), "greets whoever asks; so far it let 3 of 7 requests go on, answered 1, failed 3: " +
                         (late_first ? late + ", " + nameless : nameless + ", " + late));
}

TEST(ExplainTest, SaysWhyEachEarlierRuleDidNotMatchAndWhereTheRequestGoes) {
  const auto table = BuildTable(Shop());
  const auto status = ShopStatus();
  EXPECT_EQ(RenderExplanation(Explain(*table, {.path = "/cart"}, &status)),
            "listener shop:8080\n"
            "rule 10 (beta): does not match\n"
            "  path-pattern: \"/cart\" does not match \"/cart/*\"\n"
            "  http-header X-Beta: the request has no such field\n"
            "rule 20: does not match\n"
            "  path-pattern: \"/cart\" does not match \"/old/*\"\n"
            "rule 30: does not match\n"
            "  path-pattern: \"/cart\" does not match \"/ping\"\n"
            "rule default: matches\n"
            "action: forward\n"
            "  target group blue: weight 8, share 80%, 2 of 3 healthy\n"
            "    target 127.0.0.1:9001: healthy, share 40%\n"
            "    target 127.0.0.1:9002: unhealthy (Target.Timeout), takes no requests\n"
            "    target [::1]:9001: healthy, share 40%\n"
            "  target group green: weight 2, share 20%, 0 of 1 healthy, fail-open: too few are healthy, so requests go "
            "to all\n"
            "    target 127.0.0.1:9003: unhealthy, share 20%\n");
}

TEST(ExplainTest, WithoutHealthItSaysNothingAboutTargets) {
  const auto table = BuildTable(Shop());
  EXPECT_EQ(RenderExplanation(Explain(*table, {.path = "/cart/1", .headers = {{"x-beta", "Yes"}}}, nullptr)),
            "listener shop:8080\n"
            "rule 10 (beta): matches\n"
            "  path-pattern: \"/cart/1\" matches \"/cart/*\"\n"
            "  http-header X-Beta: \"Yes\" matches \"yes\"\n"
            "action: forward\n"
            "  target group green: weight 1, share 100%\n");
}

TEST(ExplainTest, ARedirectShowsItsLocationWithTheListenersPort) {
  const auto table = BuildTable(Shop());
  const auto explanation = Explain(*table, {.path = "/old/x", .query = "a=1"}, nullptr);
  EXPECT_EQ(explanation.status, 301);
  EXPECT_EQ(explanation.location, "http://shop.example.test:8080/new/old/x?a=1");
  EXPECT_TRUE(RenderExplanation(explanation)
                  .ends_with("action: redirect 301 to http://shop.example.test:8080/new/old/x?a=1\n"));
}

TEST(ExplainTest, ALocationThatIsTooLongIs507) {
  const auto table = BuildTable(Shop());
  const auto explanation = Explain(*table, {.path = "/old/" + std::string(9'000, 'x')}, nullptr);
  EXPECT_EQ(explanation.status, 507);
  EXPECT_TRUE(
      RenderExplanation(explanation).ends_with("action: redirect 507: the location would be longer than 8192 bytes\n"));
}

TEST(ExplainTest, AFixedResponseShowsItsBody) {
  const auto table = BuildTable(Shop());
  EXPECT_TRUE(RenderExplanation(Explain(*table, {.path = "/ping"}, nullptr))
                  .ends_with("action: fixed-response 200 text/plain\n  body: pong\n"));
}

TEST(ExplainTest, AGroupWithoutTargetsAnswers503) {
  const auto table = BuildTable(MakeModel({}, ForwardTo({{2, 1}})));
  const auto status = ShopStatus();
  const auto explanation = Explain(*table, {}, &status);
  EXPECT_EQ(explanation.status, 503);
  EXPECT_TRUE(RenderExplanation(explanation).ends_with("    no target takes requests: 503\n"));
}

TEST(ExplainTest, WeightsOfZeroEverywhereAnswer503) {
  const auto table = BuildTable(MakeModel({}, ForwardTo({{0, 0}, {1, 0}})));
  const auto explanation = Explain(*table, {}, nullptr);
  EXPECT_EQ(explanation.status, 503);
  EXPECT_TRUE(RenderExplanation(explanation).contains("every weight is 0"));
}

// spec: alb.md 7.1.
TEST(ExplainTest, SaysWhichVersionsAGroupDoesNotTake) {
  using config::TargetProtocolVersion;
  using http::Version;
  const Request grpc = {.method = "POST", .headers = {{"content-type", "application/grpc+proto"}}};
  struct Row {
    TargetProtocolVersion group;
    Version version;
    Request request;
    const char* refusal;  // null: it is taken
  };
  const std::vector<Row> rows = {
      {TargetProtocolVersion::kHttp1, Version::kHttp2, {}, nullptr},
      {TargetProtocolVersion::kHttp1, Version::kHttp2, grpc, "takes no gRPC"},
      {TargetProtocolVersion::kHttp1, Version::kHttp11, grpc, nullptr},
      {TargetProtocolVersion::kHttp2, Version::kHttp11, {}, "takes no HTTP/1.1"},
      {TargetProtocolVersion::kHttp2, Version::kHttp10, {}, "takes no HTTP/1.0"},
      {TargetProtocolVersion::kHttp2, Version::kHttp2, grpc, nullptr},
      {TargetProtocolVersion::kGrpc, Version::kHttp11, grpc, "takes no HTTP/1.1"},
      {TargetProtocolVersion::kGrpc, Version::kHttp2, {}, "takes no GET"},
      {TargetProtocolVersion::kGrpc, Version::kHttp2, grpc, nullptr},
  };
  const auto status = ShopStatus();
  for (const Row& row : rows) {
    auto model = MakeModel({}, ForwardTo({{0, 1}}));
    model->target_groups[0].protocol_version = row.group;
    const auto table = BuildTable(model);
    const auto explanation = Explain(*table, row.request, &status, row.version);
    const std::string text = RenderExplanation(explanation);
    EXPECT_EQ(explanation.groups[0].refusal, row.refusal == nullptr ? "" : row.refusal);
    EXPECT_EQ(explanation.status.value_or(0), row.refusal == nullptr ? 0 : 464) << text;
    EXPECT_EQ(explanation.groups[0].targets[0].share_percent, row.refusal == nullptr ? 50 : 0);
    if (row.refusal == nullptr) continue;
    EXPECT_NE(text.find("\naction: forward 464\n"), std::string::npos) << text;
    EXPECT_TRUE(text.ends_with("    " + std::string(row.refusal) + ": 464\n")) << text;
  }
}

TEST(ExplainTest, AGroupThatTakesTheVersionAnswersForItsShare) {
  auto model = MakeModel({}, ForwardTo({{0, 8}, {1, 2}}));
  model->target_groups[0].protocol_version = config::TargetProtocolVersion::kHttp2;
  const auto status = ShopStatus();
  EXPECT_EQ(Explain(*BuildTable(model), {}, &status).status, std::nullopt);
  model->target_groups[0].takes_http1 = true;
  EXPECT_EQ(Explain(*BuildTable(model), {}, &status).groups[0].refusal, "");
}

TEST(ExplainTest, SharesAreOfAllRequestsOfTheRule) {
  const auto table = BuildTable(Shop());
  const auto status = ShopStatus();
  const auto explanation = Explain(*table, {.path = "/x"}, &status);
  double sum = 0;
  for (const auto& group : explanation.groups) {
    for (const auto& target : group.targets) sum += target.share_percent;
  }
  EXPECT_DOUBLE_EQ(sum, 100.0);
}

TEST(ExplainTest, SaysWhyARequestSticks) {
  auto model = Shop();
  model->target_groups[0].stickiness.enabled = true;
  auto& action = std::get<config::ForwardAction>(model->load_balancers[0].listeners[0].default_rule.action);
  action.stickiness = std::chrono::hours(1);
  const auto table = BuildTable(model);
  const auto status = ShopStatus();
  const auto& forward = std::get<Forward>(table->listeners().front()->rules.back().action);
  Stickiness stickiness;
  stickiness.Reset(*table);
  std::string lines;
  const WallTime now = SystemClock().WallNow();
  stickiness.AppendGroupCookies(forward, *table, 0, now, lines);
  stickiness.AppendTargetCookies(table->groups()[0], status.groups[0].targets[2].endpoint, 2, {}, false, now, lines);
  std::string cookies;
  for (const std::string name : {"AWSALBTG=", "AWSALB="}) {
    const auto at = lines.find("Set-Cookie: " + name) + 12;
    cookies += lines.substr(at, lines.find(';', at) - at) + "; ";
  }
  const auto sticky = RenderExplanation(Explain(*table, {.path = "/", .headers = {{"Cookie", cookies}}}, &status));
  EXPECT_NE(sticky.find("  sticky: the cookie AWSALBTG chooses blue (until "), std::string::npos) << sticky;
  EXPECT_NE(sticky.find("    sticky: the cookie AWSALB chooses [::1]:9001 (until "), std::string::npos) << sticky;
  EXPECT_NE(sticky.find("target [::1]:9001: healthy, share 100%"), std::string::npos) << sticky;
  EXPECT_NE(sticky.find("target 127.0.0.1:9001: healthy, share 0%"), std::string::npos) << sticky;
  const auto hostile =
      RenderExplanation(Explain(*table, {.path = "/", .headers = {{"Cookie", "AWSALB=x; AWSALBTG=y"}}}, &status));
  EXPECT_NE(hostile.find("  sticky: the cookie AWSALBTG is none that these keys made: chosen anew\n"),
            std::string::npos);
  EXPECT_NE(hostile.find("    sticky: the cookie AWSALB is none that these keys made: chosen anew\n"),
            std::string::npos);
  EXPECT_NE(hostile.find("target 127.0.0.1:9001: healthy, share 40%"), std::string::npos) << hostile;
  const auto fresh = RenderExplanation(Explain(*table, {.path = "/"}, &status));
  EXPECT_NE(fresh.find("  sticky: the cookie AWSALBTG is not there: chosen anew\n"), std::string::npos) << fresh;
}

TEST(ExplainTest, SaysWhomAHashChooses) {
  auto model = Shop();
  model->target_groups[0].algorithm = config::BalancingAlgorithm::kConsistentHash;
  model->target_groups[0].hash_key = {.source = config::HashSource::kHeader, .name = "X-User"};
  const auto table = BuildTable(model);
  const auto status = ShopStatus();
  const auto explanation = Explain(*table, {.path = "/", .headers = {{"X-User", "anna"}}}, &status);
  const std::string& chosen = explanation.groups[0].hash.chosen;
  const auto text = RenderExplanation(explanation);
  EXPECT_NE(text.find("    hash: header X-User chooses " + chosen + "\n"), std::string::npos) << text;
  EXPECT_NE(text.find("target " + chosen + ": healthy, share 80%"), std::string::npos) << text;
  const auto without = RenderExplanation(Explain(*table, {.path = "/"}, &status));
  EXPECT_NE(without.find("    hash: the request has no header X-User: in turn\n"), std::string::npos) << without;
}

TEST(ExplainTest, SharesFollowTheWeightsOfTargets) {
  auto status = ShopStatus();
  status.groups[0].targets[2].weight = 3;
  status.groups[0].weight_sums = {1, 4};
  const auto text = RenderExplanation(Explain(*BuildTable(Shop()), {.path = "/"}, &status));
  EXPECT_NE(text.find("target 127.0.0.1:9001: healthy, share 20%\n"), std::string::npos) << text;
  EXPECT_NE(text.find("target [::1]:9001: healthy, share 60%, weight 3\n"), std::string::npos) << text;
}

}  // namespace
}  // namespace weir::proxy
