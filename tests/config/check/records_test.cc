// Invariants of record sets (spec: dns.md 2.1) and DNS health checks (2.2).

#include "tests/config/load_text.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

namespace weir::config {
namespace {

struct RecordsCase {
  const char* name;
  const char* records;
  const char* finding;
};
void PrintTo(const RecordsCase& c, std::ostream* out) { *out << c.name; }
class RecordErrorTest : public ::testing::TestWithParam<RecordsCase> {};

TEST_P(RecordErrorTest, IsReported) {
  const std::string found =
      FindingsOf(WithRecords(GetParam().records, "regions: [{name: eu, latitude: 0, longitude: 0}]\n"));
  EXPECT_NE(found.find(GetParam().finding), std::string::npos) << found;
}

INSTANTIATE_TEST_SUITE_P(
    All, RecordErrorTest,
    ::testing::Values(
        RecordsCase{
            "MixedPolicies",
            "      - {name: a, type: A, set: x, weight: 1, ttl: 1s, values: [1.1.1.1]}\n      - {name: a, type: A, "
            "set: y, failover: PRIMARY, ttl: 1s, values: [1.1.1.2]}\n",
            "a failover record of a.example.test. A beside a weighted one"},
        RecordsCase{
            "TwoSimple",
            "      - {name: a, type: A, ttl: 1s, values: [1.1.1.1]}\n      - {name: A, type: A, ttl: 1s, values: "
            "[1.1.1.2]}\n",
            "a second record a.example.test. A"},
        RecordsCase{
            "SetTwice",
            "      - {name: a, type: A, set: x, weight: 1, ttl: 1s, values: [1.1.1.1]}\n      - {name: a, type: A, "
            "set: x, weight: 1, ttl: 1s, values: [1.1.1.2]}\n",
            "a second set `x` of a.example.test. A"},
        RecordsCase{"SetMissing", "      - {name: a, type: A, weight: 1, ttl: 1s, values: [1.1.1.1]}\n",
                    "`weight` without a `set`"},
        RecordsCase{"SetWithoutPolicy", "      - {name: a, type: A, set: x, ttl: 1s, values: [1.1.1.1]}\n",
                    "a `set` without a routing policy"},
        RecordsCase{"TwoPolicies",
                    "      - {name: a, type: A, set: x, weight: 1, region: eu, ttl: 1s, values: [1.1.1.1]}\n",
                    "`region` beside `weight`"},
        RecordsCase{
            "TwoPrimaries",
            "      - {name: a, type: A, set: x, failover: PRIMARY, ttl: 1s, values: [1.1.1.1]}\n      - {name: a, "
            "type: A, set: y, failover: PRIMARY, ttl: 1s, values: [1.1.1.2]}\n",
            "a second PRIMARY record"},
        RecordsCase{
            "RegionTwice",
            "      - {name: a, type: A, set: x, region: eu, ttl: 1s, values: [1.1.1.1]}\n      - {name: a, type: A, "
            "set: y, region: eu, ttl: 1s, values: [1.1.1.2]}\n",
            "a second record of a.example.test. A for the same region"},
        RecordsCase{"UnknownRegion", "      - {name: a, type: A, set: x, region: ue, ttl: 1s, values: [1.1.1.1]}\n",
                    "no region is named `ue`"},
        RecordsCase{
            "DifferentTtls",
            "      - {name: a, type: A, set: x, weight: 1, ttl: 1s, values: [1.1.1.1]}\n      - {name: a, type: A, "
            "set: y, weight: 1, ttl: 2s, values: [1.1.1.2]}\n",
            "warning: the TTLs of a.example.test. A differ"},
        RecordsCase{"AllWeightsZero", "      - {name: a, type: A, set: x, weight: 0, ttl: 1s, values: [1.1.1.1]}\n",
                    "warning: every weight of a.example.test. A is 0"},
        RecordsCase{"NoTtl", "      - {name: a, type: A, values: [1.1.1.1]}\n", "a record without `ttl`"},
        RecordsCase{"NoValues", "      - {name: a, type: A, ttl: 1s}\n", "a record without values"},
        RecordsCase{"ValueTwice", "      - {name: a, type: A, ttl: 1s, values: [1.1.1.1, 1.1.1.1]}\n",
                    "value `1.1.1.1` stands twice"},
        RecordsCase{"CnameBesideOther",
                    "      - {name: a, type: CNAME, ttl: 1s, values: [b]}\n      - {name: a, type: A, ttl: 1s, values: "
                    "[1.1.1.1]}\n",
                    "a CNAME beside the A records of a.example.test."},
        RecordsCase{"CnameAtApex", "      - {name: \"@\", type: CNAME, ttl: 1s, values: [b]}\n", "a CNAME at the apex"},
        RecordsCase{"SoaRecord", "      - {name: \"@\", type: SOA, ttl: 1s, values: [b]}\n", "a SOA among the records"},
        RecordsCase{"ApexNs", "      - {name: \"@\", type: NS, ttl: 1s, values: [b]}\n", "write `name-servers: [...]`"},
        RecordsCase{"OutsideTheZone", "      - {name: a.other., type: A, ttl: 1s, values: [1.1.1.1]}\n",
                    "a.other. is not in zone example.test."},
        RecordsCase{"UnknownType", "      - {name: a, type: AAAAA, ttl: 1s, values: [1.1.1.1]}\n",
                    "`AAAAA` is no record type; did you mean `AAAA`?"},
        RecordsCase{"DanglingAlias",
                    "      - {name: a, type: A, alias: {record: ap}}\n      - {name: app, type: A, ttl: 1s, values: "
                    "[1.1.1.1]}\n",
                    "no A record is named ap.example.test.; did you mean `app.example.test.`?"},
        // The zone's name, which both share, does not make them alike.
        RecordsCase{"DanglingAliasOfAnotherName",
                    "      - {name: a, type: A, alias: {record: nosuch}}\n      - {name: b, type: A, ttl: 1s, values: "
                    "[1.1.1.1]}\n",
                    "no A record is named nosuch.example.test.; there is only b.example.test."},
        RecordsCase{"DanglingAliasAtItsName", "      - {name: a, type: A, alias: {record: nosuch}}\n",
                    "t.yaml:7:44: error: no A record is named nosuch.example.test."},
        RecordsCase{"AliasCycleAtTheNameOfTheNext", "      - {name: a, type: A, alias: {record: a}}\n",
                    "t.yaml:7:44: error: the alias to a.example.test. leads back to itself"},
        RecordsCase{"NsAtAnEscapedWildcard", "      - {name: '\\052', type: NS, ttl: 1s, values: [ns.b.test.]}\n",
                    "a wildcard NS record"},
        RecordsCase{"EscapeThatIsNotOctal", "      - {name: '\\199', type: A, ttl: 1s, values: [1.1.1.1]}\n",
                    "`\\199` is no domain name: a bad escape; write \\052, three octal digits"},
        RecordsCase{"NameInUtf8",
                    "      - {name: b\xC3\xBC"
                    "cher, type: A, ttl: 1s, values: [1.1.1.1]}\n",
                    "in DNS it is xn--bcher-kva"},
        RecordsCase{"TargetInUtf8",
                    "      - {name: a, type: MX, ttl: 1s, values: ['10 b\xC3\xBC"
                    "cher.test.']}\n",
                    "warning: the name `b\xC3\xBC"
                    "cher.test.` is sent as it is, in UTF-8; in DNS it is xn--bcher-kva.test."},
        RecordsCase{
            "ZoneTwiceInAName", "      - {name: www.example.test, type: A, ttl: 1s, values: [1.1.1.1]}\n",
            "t.yaml:7:16: warning: `www.example.test` has no final dot: it becomes www.example.test.example.test."},
        RecordsCase{"UnquotedText", "      - {name: a, type: TXT, ttl: 1s, values: [v=spf1 -all]}\n",
                    "warning: `v=spf1 -all` is not in quotation marks; each word becomes a string"},
        RecordsCase{"UnquotedSpf", "      - {name: a, type: SPF, ttl: 1s, values: ['\"v=spf1\" -all']}\n",
                    "is not in quotation marks"},
        RecordsCase{
            "AliasOfOtherType",
            "      - {name: a, type: AAAA, alias: {record: app}}\n      - {name: app, type: A, ttl: 1s, values: "
            "[1.1.1.1]}\n",
            "no AAAA record is named app.example.test."},
        RecordsCase{"AliasWithTtl", "      - {name: a, type: A, ttl: 1s, alias: {record: b}}\n",
                    "an alias to a record has no TTL of its own"},
        RecordsCase{"AliasToItself", "      - {name: a, type: A, alias: {record: a}}\n", "leads back to itself"},
        RecordsCase{"AliasCycle",
                    "      - {name: a, type: A, alias: {record: b}}\n      - {name: b, type: A, alias: {record: a}}\n",
                    "leads back to itself"},
        RecordsCase{
            "AliasBelowADelegation",
            "      - {name: sub, type: NS, ttl: 1s, values: [ns.sub]}\n      - {name: ns.sub, type: A, ttl: 1s, "
            "values: "
            "[1.1.1.1]}\n      - {name: a, type: A, alias: {record: ns.sub}}\n",
            "error: ns.sub.example.test. is delegated with sub.example.test.; what is at or below an NS record is "
            "answered"},
        RecordsCase{
            "AliasToADelegation",
            "      - {name: sub, type: NS, ttl: 1s, values: [ns.sub]}\n      - {name: sub, type: A, ttl: 1s, values: "
            "[1.1.1.1]}\n      - {name: a, type: A, alias: {record: sub}}\n",
            "error: sub.example.test. is delegated with sub.example.test."},
        RecordsCase{"AliasOutsideTheZone", "      - {name: a, type: A, alias: {record: b.other.}}\n",
                    "an alias answers records of its own zone"},
        RecordsCase{"UnknownLoadBalancer", "      - {name: a, type: A, alias: {load-balancer: x}}\n",
                    "no load balancer is named `x`; the file has no load balancer"},
        RecordsCase{"FailoverAliasWithoutHealth",
                    "      - {name: a, type: A, set: x, failover: PRIMARY, alias: {record: b}}\n",
                    "add `evaluate-target-health: true`"},
        RecordsCase{"MultivalueAlias",
                    "      - {name: a, type: A, set: x, multivalue-answer: true, alias: {record: b}}\n",
                    "a multivalue answer cannot be an alias"},
        RecordsCase{"UnknownHealthCheck", "      - {name: a, type: A, ttl: 1s, values: [1.1.1.1], health-check: x}\n",
                    "no health check is named `x`"}),
    [](const auto& row) { return std::string(row.param.name); });

TEST(RecordTest, AsterisksAndEscapesAreReadAsRoute53ReadsThem) {
  EXPECT_EQ(FindingsOf(WithRecords(R"(      - {name: prod.*.shop, type: A, ttl: 1s, values: [1.1.1.1]}
      - {name: "*a", type: A, ttl: 1s, values: [1.1.1.1]}
      - {name: "*.*", type: A, ttl: 1s, values: [1.1.1.1]}
      - {name: '\052', type: A, ttl: 1s, values: [1.1.1.1]}
      - {name: q\351, type: A, ttl: 1s, values: [1.1.1.1]}
      - {name: a, type: A, alias: {record: '\052'}}
      - {name: b, type: A, alias: {record: "*"}}
)")),
            "");
}

TEST(RecordTest, QuotedTextsAndOneUnquotedWordAreNotWarnedOf) {
  const std::string records = WithRecords(R"(      - {name: a, type: TXT, ttl: 1s, values: ['"v=spf1 -all"', word]}
)");
  EXPECT_EQ(FindingsOf(records), "");
  EXPECT_NE(FindingsOf(records, true).find("AWS: `word` without quotation marks"), std::string::npos);
}

TEST(RecordTest, GeolocationRecordsHaveOnePlaceEachAndADefault) {
  const std::string found = FindingsOf(WithRecords(
      R"(      - {name: geo, type: A, set: x, geolocation: {continent: EU}, ttl: 1s, values: [1.1.1.1]}
      - {name: geo, type: A, set: y, geolocation: {continent: EU}, ttl: 1s, values: [1.1.1.2]}
      - {name: near, type: A, set: x, geoproximity: {coordinates: {latitude: 1, longitude: 2}}, ttl: 1s, values: [1.1.1.1]}
      - {name: near, type: A, set: y, geoproximity: {coordinates: {latitude: 1, longitude: 2}, bias: 3}, ttl: 1s, values: [1.1.1.2]}
      - {name: mix, type: A, set: x, geolocation: {country: "*"}, ttl: 1s, values: [1.1.1.1]}
      - {name: mix, type: A, set: y, weight: 1, ttl: 1s, values: [1.1.1.2]}
)"));
  for (const char* part : {"a second record of geo.example.test. A for the same geolocation",
                           "geo.example.test. A has no record for geolocation `country: \"*\"`",
                           "geo.example.test. A is a geolocation record, and nothing says where clients are",
                           "a second record of near.example.test. A at the same place",
                           "near.example.test. A is a geoproximity record, and nothing says where clients are",
                           "a weighted record of mix.example.test. A beside a geolocation one"}) {
    EXPECT_NE(found.find(part), std::string::npos) << part << " in\n" << found;
  }
}

TEST(RecordTest, PlacesThatRoute53DoesNotKnowAreWarnedOf) {
  const std::string found =
      FindingsOf(WithRecords(
                     R"(      - {name: geo, type: A, set: x, geolocation: {country: BV}, ttl: 1s, values: [1.1.1.1]}
      - {name: geo, type: A, set: y, geolocation: {country: DE, subdivision: BY}, ttl: 1s, values: [1.1.1.2]}
      - {name: geo, type: A, set: z, geolocation: {country: US, subdivision: WA}, ttl: 1s, values: [1.1.1.3]}
)"),
                 true);
  EXPECT_NE(found.find("AWS: a geolocation of BV"), std::string::npos) << found;
  EXPECT_NE(found.find("AWS: a subdivision of DE"), std::string::npos) << found;
  EXPECT_EQ(found.find("AWS: a subdivision of US"), std::string::npos) << found;
}

TEST(ZoneTest, WithoutNameServersTheSoasOneStandsIn) {
  const auto result = LoadFor("dns: {}\nzones: [{name: a.test, soa: {mname: ns1.b.test.}}]\n");
  ASSERT_TRUE(result.model) << result.diagnostics.FormatAll();
  EXPECT_EQ(result.model->zones[0]->name_servers, (std::vector<std::string>{"ns1.b.test."}));
  EXPECT_NE(
      result.diagnostics.FormatAll().find("t.yaml:2:16: warning: zone `a.test.` has no `name-servers`; its NS is the "
                                          "soa's mname, ns1.b.test."),
      std::string::npos)
      << result.diagnostics.FormatAll();
}

TEST(ZoneTest, WithoutAnyNameServerIsAnError) {
  for (const auto* zone : {"{name: a.test}", "{name: a.test, soa: {rname: me.b.test.}}"}) {
    EXPECT_NE(FindingsOf("dns: {}\nzones: [" + std::string(zone) + "]\n")
                  .find("error: zone `a.test.` has no name server; give `name-servers: [...]`, or the soa's `mname`"),
              std::string::npos);
  }
  EXPECT_EQ(FindingsOf("dns: {}\nzones: [{name: a.test, name-servers: [ns1.b.test.], soa: {rname: me.b.test.}}]\n"),
            "");
}

TEST(ZoneTest, AChildThatItsParentDoesNotDelegateIsWarnedOf) {
  const std::string warning = "warning: zone a.test. has no NS record for its child b.c.a.test.";
  const auto with = [](const std::string& records) {
    return FindingsOf(
        "dns: {}\nzones:\n  - {name: b.c.a.test, name-servers: [ns.a.test.]}\n  - {name: z.test, name-servers: "
        "[ns.a.test.]}\n  - name: a.test\n    name-servers: [ns]\n    records: [" +
        records + "]\n");
  };
  EXPECT_NE(with("").find(warning), std::string::npos) << with("");
  EXPECT_EQ(with("{name: b.c, type: NS, ttl: 1h, values: [ns]}"), "");
  EXPECT_EQ(with("{name: c, type: NS, ttl: 1h, values: [ns]}"), "") << "who asks is led elsewhere";
}

TEST(RecordTest, NamesAreAbsoluteAndLowerCase) {
  const auto result = LoadFor(
      "dns: {}\nzones: [{name: Example.TEST, name-servers: [ns1, ns2.Other.], records: [{name: \"*.W\", type: txt, "
      "ttl: 1m, values: [\"\\\"x\\\"\"]}]}]\n");
  ASSERT_TRUE(result.model) << result.diagnostics.FormatAll();
  const Zone& zone = *result.model->zones[0];
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
  EXPECT_EQ(result.model->zones[0]->records[0].ttl_seconds, 60U);
  EXPECT_EQ(result.model->zones[0]->records[1].ttl_seconds, 5U);
  EXPECT_NE(result.diagnostics.FormatAll().find("load balancer `s` advertises no IPv6 address"), std::string::npos);
}

TEST(RecordTest, AliasTreesAreBoundedInDepth) {
  std::string records = "      - {name: a0, type: A, ttl: 1s, values: [1.1.1.1]}\n";
  const auto add = [&](int i) {
    records += "      - {name: a" + std::to_string(i) + ", type: A, alias: {record: a" + std::to_string(i - 1) + "}}\n";
  };
  for (int i = 1; i <= 16; ++i) add(i);
  EXPECT_EQ(FindingsOf(WithRecords(records)), "");
  for (int i = 17; i <= 19; ++i) add(i);
  const std::string found = FindingsOf(WithRecords(records));
  const std::size_t at = found.find("aliases are nested deeper than 16 steps");
  ASSERT_NE(at, std::string::npos);
  EXPECT_EQ(found.find("aliases are nested deeper", at + 1), std::string::npos) << "told once:\n" << found;
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
