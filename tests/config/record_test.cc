// Invariants of record sets (spec: dns.md 2.1) and DNS health checks (2.2).

#include "tests/config/load_text.h"

#include <gtest/gtest.h>

namespace weir::config {
namespace {

struct Case {
  const char* name;
  const char* records;
  const char* finding;
};
void PrintTo(const Case& c, std::ostream* out) { *out << c.name; }
class RecordErrorTest : public ::testing::TestWithParam<Case> {};

TEST_P(RecordErrorTest, IsReported) {
  const std::string found =
      FindingsOf(WithRecords(GetParam().records, "regions: [{name: eu, latitude: 0, longitude: 0}]\n"));
  EXPECT_NE(found.find(GetParam().finding), std::string::npos) << found;
}

INSTANTIATE_TEST_SUITE_P(
    All, RecordErrorTest,
    ::testing::Values(
        Case{"MixedPolicies",
             "      - {name: a, type: A, set: x, weight: 1, ttl: 1s, values: [1.1.1.1]}\n      - {name: a, type: A, "
             "set: y, failover: PRIMARY, ttl: 1s, values: [1.1.1.2]}\n",
             "a failover record of a.example.test. A beside a weighted one"},
        Case{"TwoSimple",
             "      - {name: a, type: A, ttl: 1s, values: [1.1.1.1]}\n      - {name: A, type: A, ttl: 1s, values: "
             "[1.1.1.2]}\n",
             "a second record a.example.test. A"},
        Case{"SetTwice",
             "      - {name: a, type: A, set: x, weight: 1, ttl: 1s, values: [1.1.1.1]}\n      - {name: a, type: A, "
             "set: x, weight: 1, ttl: 1s, values: [1.1.1.2]}\n",
             "a second set `x` of a.example.test. A"},
        Case{"SetMissing", "      - {name: a, type: A, weight: 1, ttl: 1s, values: [1.1.1.1]}\n",
             "`weight` without a `set`"},
        Case{"SetWithoutPolicy", "      - {name: a, type: A, set: x, ttl: 1s, values: [1.1.1.1]}\n",
             "a `set` without a routing policy"},
        Case{"TwoPolicies", "      - {name: a, type: A, set: x, weight: 1, region: eu, ttl: 1s, values: [1.1.1.1]}\n",
             "`region` beside `weight`"},
        Case{"TwoPrimaries",
             "      - {name: a, type: A, set: x, failover: PRIMARY, ttl: 1s, values: [1.1.1.1]}\n      - {name: a, "
             "type: A, set: y, failover: PRIMARY, ttl: 1s, values: [1.1.1.2]}\n",
             "a second PRIMARY record"},
        Case{"RegionTwice",
             "      - {name: a, type: A, set: x, region: eu, ttl: 1s, values: [1.1.1.1]}\n      - {name: a, type: A, "
             "set: y, region: eu, ttl: 1s, values: [1.1.1.2]}\n",
             "a second record of a.example.test. A for the same region"},
        Case{"UnknownRegion", "      - {name: a, type: A, set: x, region: ue, ttl: 1s, values: [1.1.1.1]}\n",
             "no region is named `ue`"},
        Case{"DifferentTtls",
             "      - {name: a, type: A, set: x, weight: 1, ttl: 1s, values: [1.1.1.1]}\n      - {name: a, type: A, "
             "set: y, weight: 1, ttl: 2s, values: [1.1.1.2]}\n",
             "warning: the TTLs of a.example.test. A differ"},
        Case{"AllWeightsZero", "      - {name: a, type: A, set: x, weight: 0, ttl: 1s, values: [1.1.1.1]}\n",
             "warning: every weight of a.example.test. A is 0"},
        Case{"NoTtl", "      - {name: a, type: A, values: [1.1.1.1]}\n", "a record without `ttl`"},
        Case{"NoValues", "      - {name: a, type: A, ttl: 1s}\n", "a record without values"},
        Case{"ValueTwice", "      - {name: a, type: A, ttl: 1s, values: [1.1.1.1, 1.1.1.1]}\n",
             "value `1.1.1.1` stands twice"},
        Case{"CnameBesideOther",
             "      - {name: a, type: CNAME, ttl: 1s, values: [b]}\n      - {name: a, type: A, ttl: 1s, values: "
             "[1.1.1.1]}\n",
             "a CNAME beside the A records of a.example.test."},
        Case{"CnameAtApex", "      - {name: \"@\", type: CNAME, ttl: 1s, values: [b]}\n", "a CNAME at the apex"},
        Case{"SoaRecord", "      - {name: \"@\", type: SOA, ttl: 1s, values: [b]}\n", "a SOA among the records"},
        Case{"ApexNs", "      - {name: \"@\", type: NS, ttl: 1s, values: [b]}\n", "write `name-servers: [...]`"},
        Case{"OutsideTheZone", "      - {name: a.other., type: A, ttl: 1s, values: [1.1.1.1]}\n",
             "a.other. is not in zone example.test."},
        Case{"UnknownType", "      - {name: a, type: AAAAA, ttl: 1s, values: [1.1.1.1]}\n",
             "`AAAAA` is no record type; did you mean `AAAA`?"},
        Case{"DanglingAlias",
             "      - {name: a, type: A, alias: {record: ap}}\n      - {name: app, type: A, ttl: 1s, values: "
             "[1.1.1.1]}\n",
             "no A record is named ap.example.test.; did you mean `app.example.test.`?"},
        Case{"AliasOfOtherType",
             "      - {name: a, type: AAAA, alias: {record: app}}\n      - {name: app, type: A, ttl: 1s, values: "
             "[1.1.1.1]}\n",
             "no AAAA record is named app.example.test."},
        Case{"AliasWithTtl", "      - {name: a, type: A, ttl: 1s, alias: {record: b}}\n",
             "an alias to a record has no TTL of its own"},
        Case{"AliasToItself", "      - {name: a, type: A, alias: {record: a}}\n", "leads back to itself"},
        Case{"AliasCycle",
             "      - {name: a, type: A, alias: {record: b}}\n      - {name: b, type: A, alias: {record: a}}\n",
             "leads back to itself"},
        Case{"AliasOutsideTheZone", "      - {name: a, type: A, alias: {record: b.other.}}\n",
             "an alias answers records of its own zone"},
        Case{"UnknownLoadBalancer", "      - {name: a, type: A, alias: {load-balancer: x}}\n",
             "no load balancer is named `x`; the file has no load balancer"},
        Case{"FailoverAliasWithoutHealth",
             "      - {name: a, type: A, set: x, failover: PRIMARY, alias: {record: b}}\n",
             "add `evaluate-target-health: true`"},
        Case{"MultivalueAlias", "      - {name: a, type: A, set: x, multivalue-answer: true, alias: {record: b}}\n",
             "a multivalue answer cannot be an alias"},
        Case{"UnknownHealthCheck", "      - {name: a, type: A, ttl: 1s, values: [1.1.1.1], health-check: x}\n",
             "no health check is named `x`"}),
    [](const auto& row) { return std::string(row.param.name); });

TEST(RecordTest, NamesAreAbsoluteAndLowerCase) {
  const auto result = LoadFor(
      "dns: {}\nzones: [{name: Example.TEST, name-servers: [ns1, ns2.Other.], records: [{name: \"*.W\", type: txt, "
      "ttl: 1m, values: [\"\\\"x\\\"\"]}]}]\n");
  ASSERT_TRUE(result.model) << result.diagnostics.FormatAll();
  const Zone& zone = result.model->zones[0];
  EXPECT_EQ(zone.name, "example.test.");
  EXPECT_EQ(zone.name_servers, (std::vector<std::string>{"ns1.example.test.", "ns2.other."}));
  EXPECT_EQ(zone.soa.mname, "ns1.example.test.");
  EXPECT_EQ(zone.soa.rname, "hostmaster.example.test.");
  EXPECT_EQ(zone.soa.expire_seconds, 1'209'600U);
  EXPECT_EQ(zone.records[0].name, "*.w.example.test.");
  EXPECT_EQ(zone.records[0].type, 16);
  EXPECT_EQ(zone.records[0].ttl_seconds, 60U);
}

TEST(RecordTest, AnAliasToALoadBalancerHasSixtySecondsUnlessGiven) {
  const std::string balancer =
      "load-balancers: [{name: s, advertise: [192.0.2.1], listeners: [{port: 1, default-actions: [{fixed-response: "
      "{status-code: 200}}]}]}]\n";
  const auto result =
      LoadFor(WithRecords("      - {name: a, type: A, alias: {load-balancer: s}}\n      - {name: b, type: A, ttl: 5s, "
                          "alias: {load-balancer: s}}\n      - {name: c, type: AAAA, alias: {load-balancer: s}}\n",
                          balancer));
  ASSERT_TRUE(result.model) << result.diagnostics.FormatAll();
  EXPECT_EQ(result.model->zones[0].records[0].ttl_seconds, 60U);
  EXPECT_EQ(result.model->zones[0].records[1].ttl_seconds, 5U);
  EXPECT_NE(result.diagnostics.FormatAll().find("load balancer `s` advertises no IPv6 address"), std::string::npos);
}

TEST(RecordTest, AliasTreesAreBoundedInDepth) {
  std::string records = "      - {name: a0, type: A, ttl: 1s, values: [1.1.1.1]}\n";
  const auto add = [&](int i) {
    records += "      - {name: a" + std::to_string(i) + ", type: A, alias: {record: a" + std::to_string(i - 1) + "}}\n";
  };
  for (int i = 1; i <= 16; ++i) add(i);
  EXPECT_EQ(FindingsOf(WithRecords(records)), "");
  add(17);
  EXPECT_NE(FindingsOf(WithRecords(records)).find("aliases are nested deeper than 16 steps"), std::string::npos);
}

TEST(HealthCheckTest, KeysThatTheTypeGivesNoMeaningAreErrors) {
  const std::string found = FindingsOf(R"(health-checks:
  - {name: a, type: TCP, address: 127.0.0.1, port: 1, path: /x}
  - {name: b, type: HTTP_STR_MATCH, address: 127.0.0.1}
  - {name: c, type: CALCULATED, children: [a, d]}
  - {name: d, type: CALCULATED, children: [a, x], health-threshold: 3}
  - {name: e, type: HTTP}
  - {name: f, type: TCP, address: 127.0.0.1}
)");
  for (const auto* wanted :
       {"`path` has no meaning for a TCP check", "a HTTP_STR_MATCH check without `search-string`",
        "calculated check `c` counts the calculated check `d`", "no health check is named `x`",
        "a HTTP check without `address`", "a TCP check without `port`",
        "warning: 3 healthy children of 1 are never reached", "warning: no record uses health check `e`"}) {
    EXPECT_NE(found.find(wanted), std::string::npos) << wanted << "\n" << found;
  }
}

}  // namespace
}  // namespace weir::config
