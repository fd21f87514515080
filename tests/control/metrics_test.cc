#include "control/metrics.h"

#include "control/metrics_writer.h"
#include "net/tls_facts.h"
#include "proxy/error.h"
#include "tests/control/control_fixture.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <set>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>

namespace weir::control {
namespace {

std::string ShopMetrics(const std::shared_ptr<View>& view) {
  Runtime runtime;
  runtime.dns_counters = std::make_shared<dns::ResponderCountersTable>(1);
  return MetricsText(*view, runtime, {.version = "1.2.3", .commit = "abc"}, WallTime(std::chrono::seconds(10)));
}

TEST(MetricsWriterTest, EscapesLabelValues) {
  MetricsWriter out;
  out.Family("x_total", "counter", "Things.");
  out.Sample({{"name", "a\"b\\c\nd"}}, std::uint64_t{1});
  EXPECT_EQ(out.Take(), "# HELP x_total Things.\n# TYPE x_total counter\nx_total{name=\"a\\\"b\\\\c\\nd\"} 1\n");
}

TEST(MetricsWriterTest, AFamilyWithoutSamplesLeavesNothingBehind) {
  MetricsWriter out;
  out.Family("x_total", "counter", "Things.");
  EXPECT_EQ(out.Take(), "");
}

TEST(MetricsTest, EveryLineIsPrometheusText) {
  const auto text = ShopMetrics(MakeView(kShopYaml));
  const auto sample = testing::MatchesRegex(R"([a-z_:][a-z0-9_:]*(\{([a-z_]+="[^"]*",?)+\})? [0-9.e+-]+)");
  std::istringstream lines(text);
  std::set<std::string> families;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("# TYPE ")) {
      EXPECT_TRUE(families.insert(line).second) << "twice: " << line;
    } else if (!line.starts_with("# HELP ")) {
      EXPECT_THAT(line, sample);
    }
  }
  EXPECT_GT(families.size(), 40U);
}

TEST(MetricsTest, NamesEverySubject) {
  const auto text = ShopMetrics(MakeView(kShopYaml));
  for (const char* line : {
           R"(weir_build_info{version="1.2.3",commit="abc"} 1)",
           "weir_config_revision 7",
           R"(weir_listener_requests_total{load_balancer="shop",listener="8080"} 0)",
           R"(weir_rule_requests_total{load_balancer="shop",listener="8080",rule="30",name="ping"} 0)",
           R"(weir_rule_weight{load_balancer="shop",listener="8080",rule="default",target_group="blue"} 8)",
           R"(weir_target_group_healthy_targets{target_group="blue"} 2)",
           R"(weir_target_requests_total{target_group="blue",target="[::1]:9001",zone="b"} 3)",
           R"(weir_health_target_state{target_group="green",target="127.0.0.1:9002",zone="",state="healthy"} 1)",
           R"(weir_health_target_state{target_group="green",target="127.0.0.1:9002",zone="",state="draining"} 0)",
           R"(weir_zone_targets{target_group="blue",zone="a",state="healthy"} 1)",
           R"(weir_health_check_healthy{health_check="eu",type="TCP"} 1)",
           R"(weir_dns_zone_queries_total{zone="example.test."} 0)",
           R"(weir_dns_queries_total{transport="udp"} 0)",
       }) {
    EXPECT_NE(text.find(std::string(line) + "\n"), std::string::npos) << line;
  }
}

constexpr std::string_view kSecureYaml = R"(
load-balancers:
  - name: shop
    addresses: [127.0.0.1]
    listeners: [{port: 8080, default-actions: [{forward: {target-group: secure}}]}]
target-groups:
  - {name: secure, protocol: HTTPS, targets: [{address: 127.0.0.1, port: 9443}]}
  - {name: plain, targets: [{address: 127.0.0.1, port: 9001}]}
)";

TEST(MetricsTest, TlsTowardsTargetsIsCountedByGroup) {
  const auto view = MakeView(kSecureYaml);
  auto& counted = (*view->routing->groups()[0].tls_counters)[0];
  net::TlsFacts agreed;
  agreed.version = net::TlsVersion::k12;
  agreed.is_resumed = true;
  counted.Note(agreed);
  counted.Note(net::TlsFailure{.reason = "x", .alert_sent = {}, .alert_received = 40});
  counted.Note(net::TlsFailure{.reason = "x", .alert_sent = 48, .alert_received = {}});
  counted.Note(net::TlsFailure{});
  const auto text = ShopMetrics(view);
  for (
      const char* line : {
          R"(weir_target_group_info{target_group="secure",protocol="HTTPS",protocol_version="HTTP1"} 1)",
          R"(weir_target_group_info{target_group="plain",protocol="HTTP",protocol_version="HTTP1"} 1)",
          R"(weir_target_group_tls_handshakes_total{target_group="secure",policy="ELBSecurityPolicy-2016-08",version="TLSv1.2",resumed="true"} 1)",
          R"(weir_target_group_tls_failures_total{target_group="secure",sender="target",alert="handshake_failure"} 1)",
          R"(weir_target_group_tls_failures_total{target_group="secure",sender="weir",alert="unknown_ca"} 1)",
          R"(weir_target_group_tls_failures_total{target_group="secure",sender="nobody",alert="none"} 1)",
      }) {
    EXPECT_NE(text.find(std::string(line) + "\n"), std::string::npos) << line;
  }
  EXPECT_EQ(text.find(R"(_tls_handshakes_total{target_group="plain")"), std::string::npos);
}

TEST(MetricsTest, HistogramBucketsAddUp) {
  const auto view = MakeView(kShopYaml);
  auto& counters = view->routing->listeners().front()->counters->At(IpAddress(), 0);
  counters.exchange_duration.Record(std::chrono::microseconds(90));
  counters.exchange_duration.Record(std::chrono::milliseconds(2));
  counters.exchange_duration.Record(std::chrono::seconds(60));
  const auto text = ShopMetrics(view);
  const std::string name = R"(weir_proxy_exchange_duration_seconds_bucket{load_balancer="shop",listener="8080",le=)";
  EXPECT_NE(text.find(name + "\"0.0001\"} 1\n"), std::string::npos);
  EXPECT_NE(text.find(name + "\"0.0025\"} 2\n"), std::string::npos);
  EXPECT_NE(text.find(name + "\"10\"} 2\n"), std::string::npos);
  EXPECT_NE(text.find(name + "\"+Inf\"} 3\n"), std::string::npos);
  EXPECT_NE(text.find("weir_proxy_exchange_duration_seconds_count{load_balancer=\"shop\",listener=\"8080\"} 3\n"),
            std::string::npos);
}

TEST(MetricsTest, OpenMetricsIsForWhomAsksForItFirst) {
  EXPECT_EQ(FormatFor(""), MetricsFormat::kPrometheus);
  EXPECT_EQ(FormatFor("*/*"), MetricsFormat::kPrometheus);
  EXPECT_EQ(FormatFor("text/plain;version=0.0.4, application/openmetrics-text"), MetricsFormat::kPrometheus);
  EXPECT_EQ(FormatFor("application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5"),
            MetricsFormat::kOpenMetrics);
  EXPECT_TRUE(ContentTypeOf(MetricsFormat::kOpenMetrics).starts_with("application/openmetrics-text; version=1.0.0;"));
}

TEST(MetricsTest, OpenMetricsHasExemplarsAndAnEnd) {
  const auto view = MakeView(kShopYaml);
  auto& counters = view->routing->listeners().front()->counters->At(IpAddress(), 0);
  const std::size_t bucket = counters.exchange_duration.Record(std::chrono::milliseconds(2));
  counters.exemplars.Note(bucket, SteadyTime(), "Root=1-65f0a1b2-0123456789abcdef01234567",
                          std::chrono::milliseconds(2), WallTime(std::chrono::milliseconds(1500)));
  const auto text = [&](MetricsFormat format) {
    return MetricsText(*view, Runtime(), {.version = "1", .commit = "a"}, WallTime(), {}, format);
  };
  const std::string open = text(MetricsFormat::kOpenMetrics);
  EXPECT_NE(open.find("# TYPE weir_listener_requests counter\nweir_listener_requests_total{"), std::string::npos);
  EXPECT_NE(open.find(R"(listener="8080",le="0.0025"} 1 # {trace_id="1-65f0a1b2-0123456789abcdef01234567"} 0.002 1.500)"
                      "\n"),
            std::string::npos);
  EXPECT_TRUE(open.ends_with("\n# EOF\n"));
  const std::string plain = text(MetricsFormat::kPrometheus);
  EXPECT_EQ(plain.find("trace_id"), std::string::npos);
  EXPECT_EQ(plain.find("# EOF"), std::string::npos);
}

// spec: alb.md 17.
TEST(MetricsTest, WhatOnlyCloudWatchCountsHasItsFamily) {
  const auto view = MakeView(R"(
load-balancers:
  - name: shop
    addresses: [127.0.0.1, "::1"]
    listeners: [{port: 8080, default-actions: [{forward: {target-group: calls}}]}]
target-groups:
  - {name: calls, protocol-version: GRPC, targets: [{address: 127.0.0.1, port: 9001}]}
  - {name: plain, targets: [{address: 127.0.0.1, port: 9001}]}
)");
  const auto& table = *view->routing->listeners()[0]->counters;
  auto& v4 = table.At(IpAddress::V4({127, 0, 0, 1}), 0);
  auto& v6 = table.At(*IpAddress::Parse("::1"), 0);
  v4.requests.Add(5);
  v6.requests.Add(3);
  v6.bytes_received.Add(100);
  v6.bytes_sent.Add(20);
  v4.fixed_responses.Add(2);
  v6.redirects.Add(4);
  v4.rule_evaluations.Add(9);
  v4.NoteServerError(502);
  v6.NoteServerError(504);
  v6.NoteServerError(561);
  v4.dropped_invalid_field_names.Add();
  (*view->routing->groups()[0].counters)[0].requests.Add(8);
  (*view->routing->groups()[0].counters)[0].grpc_requests.Add(7);
  (*view->routing->groups()[1].counters)[0].requests.Add(8);
  const auto text = ShopMetrics(view);
  const auto listener = [](const std::string& name, const std::string& more, int value) {
    return name + R"({load_balancer="shop",listener="8080")" + more + "} " + std::to_string(value);
  };
  for (const std::string& line :
       {listener("weir_listener_ipv6_requests_total", "", 3), listener("weir_listener_ipv6_bytes_total", "", 120),
        listener("weir_listener_fixed_responses_total", "", 2), listener("weir_listener_redirects_total", "", 4),
        listener("weir_listener_rule_evaluations_total", "", 9),
        listener("weir_listener_generated_errors_total", R"(,code="500")", 0),
        listener("weir_listener_generated_errors_total", R"(,code="502")", 1),
        listener("weir_listener_generated_errors_total", R"(,code="504")", 1),
        listener("weir_listener_invalid_header_requests_total", R"(,action="dropped")", 1),
        listener("weir_listener_invalid_header_requests_total", R"(,action="forwarded")", 0),
        std::string(R"(weir_target_group_grpc_requests_total{target_group="calls"} 7)"),
        std::string(R"(weir_target_group_zones{target_group="calls",requirement="dns",state="healthy"} 1)"),
        std::string(R"(weir_target_group_zones{target_group="calls",requirement="routing",state="unhealthy"} 0)")}) {
    EXPECT_NE(text.find(line + "\n"), std::string::npos) << line;
  }
  EXPECT_EQ(text.find(R"(weir_target_group_grpc_requests_total{target_group="plain")"), std::string::npos);
  EXPECT_EQ(text.find(R"(weir_target_group_zones{target_group="plain")"), std::string::npos) << "no rule uses it";
  EXPECT_NE(text.find("# HELP weir_listener_rule_evaluations_total RuleEvaluations: "), std::string::npos);
}

// spec: alb.md 17, the dimension AvailabilityZone.
TEST(MetricsTest, NodesOfZonesCountForThemselves) {
  const auto view = MakeView(R"(
load-balancers:
  - name: shop
    zones: [{name: a, addresses: [127.0.1.1, "::1"]}, {name: b, addresses: [127.0.2.1]}]
    listeners:
      - {port: 8080, default-actions: [{forward: {target-group: blue}}]}
      - {port: 8081, default-actions: [{forward: {target-group: blue}}]}
target-groups:
  - {name: blue, targets: [{address: 127.0.0.1, port: 9001, zone: a}, {address: 127.0.0.1, port: 9002, zone: b}]}
)");
  const auto count = [&](std::size_t listener, const IpAddress& address) {
    auto& counters = view->routing->listeners()[listener]->counters->At(address, 0);
    counters.connections_accepted.Add(2);
    counters.connections_active.Add();
    counters.requests.Add(3);
    counters.desync_requests.Add();
    counters.fail_open_requests.Add();
    counters.bytes_received.Add(100);
    counters.bytes_sent.Add(200);
    counters.responses.Add(200);
    counters.generated_responses.Add(503);
    counters.tls.Note(net::TlsFailure{});
  };
  const IpAddress a = IpAddress::V4({127, 0, 1, 1});
  count(0, a);
  count(1, a);
  count(0, *IpAddress::Parse("::1"));
  count(1, IpAddress::V4({127, 0, 2, 1}));
  view->routing->groups()[0].response_times->At("b", 0).Record(std::chrono::milliseconds(2));
  const auto text = ShopMetrics(view);
  for (const char* line : {
           R"(weir_zone_target_response_time_seconds_bucket{target_group="blue",zone="b",le="0.0025"} 1)",
           R"(weir_zone_target_response_time_seconds_count{target_group="blue",zone="a"} 0)",
           R"(weir_target_group_response_time_seconds_count{target_group="blue"} 1)",
           R"(weir_zone_fail_open_requests_total{load_balancer="shop",zone="a"} 3)",
           R"(weir_zone_connections_accepted_total{load_balancer="shop",zone="a"} 6)",
           R"(weir_zone_connections_active{load_balancer="shop",zone="a"} 3)",
           R"(weir_zone_tls_failures_total{load_balancer="shop",zone="a"} 3)",
           R"(weir_zone_requests_total{load_balancer="shop",zone="a"} 9)",
           R"(weir_zone_requests_total{load_balancer="shop",zone="b"} 3)",
           R"(weir_zone_desync_requests_total{load_balancer="shop",zone="b"} 1)",
           R"(weir_zone_received_bytes_total{load_balancer="shop",zone="b"} 100)",
           R"(weir_zone_sent_bytes_total{load_balancer="shop",zone="b"} 200)",
           R"(weir_zone_responses_total{load_balancer="shop",zone="a",class="2xx"} 3)",
           R"(weir_zone_generated_responses_total{load_balancer="shop",zone="b",class="5xx"} 1)",
           R"(weir_zone_anomalous_targets{target_group="blue",zone="a"} 0)",
           R"(weir_zone_mitigated_targets{target_group="blue",zone="b"} 0)",
           R"(weir_listener_requests_total{load_balancer="shop",listener="8080"} 6)",
           R"(weir_listener_requests_total{load_balancer="shop",listener="8081"} 6)",
       }) {
    EXPECT_NE(text.find(std::string(line) + "\n"), std::string::npos) << line;
  }
}

TEST(MetricsTest, HasOneErrorCounterForEachReason) {
  const auto view = MakeView(kShopYaml);
  auto& counters = view->routing->listeners().front()->counters->At(IpAddress(), 0);
  std::set<std::string_view> reasons;
  for (std::size_t i = 0; i < proxy::kErrorCodeCount; ++i) {
    counters.errors[i].Add(i + 1);
    const auto& traits = proxy::TraitsOf(static_cast<proxy::ErrorCode>(i));
    EXPECT_TRUE(reasons.insert(traits.reason).second) << traits.reason;
  }
  const auto text = ShopMetrics(view);
  for (const auto& [code, labels] :
       {std::pair{proxy::ErrorCode::kMalformedRequest, "downstream\",reason=\"MalformedRequest"},
        {proxy::ErrorCode::kNoTarget, "internal\",reason=\"NoTarget"},
        {proxy::ErrorCode::kResponseStalled, "downstream\",reason=\"ClientStoppedReading"},
        {proxy::ErrorCode::kTargetReset, "upstream\",reason=\"TargetConnectionReset"}}) {
    const std::string line = "weir_proxy_errors_total{load_balancer=\"shop\",listener=\"8080\",source=\"" +
                             std::string(labels) + "\"} " + std::to_string(std::to_underlying(code) + 1) + "\n";
    EXPECT_NE(text.find(line), std::string::npos) << line;
  }
}

}  // namespace
}  // namespace weir::control
