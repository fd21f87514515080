// CIDR collections (spec: dns.md 2) and the records routed by them.

#include "tests/config/load_text.h"

#include <gtest/gtest.h>

#include <ostream>
#include <string>
#include <string_view>

namespace weir::config {
namespace {

constexpr std::string_view kOffices =
    "cidr-collections:\n"
    "  - {name: offices, locations: [{name: hq, cidrs: [198.51.100.0/24, 2001:db8::/32]}, {name: lab, cidrs: "
    "[198.51.100.7]}]}\n"
    "  - {name: others, locations: [{name: hq, cidrs: [203.0.113.0/24]}]}\n";
constexpr std::string_view kEveryOther =
    "      - {name: a, type: A, set: rest, cidr: {collection: offices, location: \"*\"}, ttl: 1s, values: [1.1.1.9]}\n"
    "      - {name: b, type: A, set: rest, cidr: {collection: others, location: \"*\"}, ttl: 1s, values: [1.1.1.9]}\n";

std::string Record(std::string_view set, std::string_view rest) {
  return std::string("      - {name: a, type: A, set: ")
             .append(set)
             .append(", ttl: 1s, values: [1.1.1.1], ")
             .append(rest) +
         "}\n";
}

TEST(CidrTest, RecordsAreDecoded) {
  const auto result =
      LoadFor(WithRecords(std::string(kEveryOther) + Record("x", "cidr: {collection: offices, location: lab}") +
                              "      - {name: b, type: A, set: hq, cidr: {collection: others, location: "
                              "hq}, alias: {record: a}}\n",
                          kOffices));
  ASSERT_TRUE(result.model) << result.diagnostics.FormatAll();
  EXPECT_EQ(result.diagnostics.FormatAll(), "");
  const auto& collections = result.model->cidr_collections;
  ASSERT_EQ(collections.size(), 2U);
  EXPECT_EQ(collections[0].name, "offices");
  ASSERT_EQ(collections[0].locations.size(), 2U);
  EXPECT_EQ(collections[0].locations[0].blocks[1].block.ToString(), "2001:db8::/32");
  EXPECT_EQ(collections[0].locations[1].blocks[0].block.ToString(), "198.51.100.7/32");
  const auto& records = result.model->zones[0]->records;
  EXPECT_EQ(records[0].policy, RoutingPolicy::kCidr);
  ASSERT_TRUE(records[0].cidr && records[2].cidr && records[3].cidr);
  EXPECT_FALSE(records[0].cidr->location);
  EXPECT_EQ(records[2].cidr->location, 1U);
  EXPECT_EQ(records[3].cidr->collection, 1U);
  EXPECT_FALSE(records[2].is_plain());
}

struct CidrCase {
  const char* name;
  std::string text;
  const char* finding;
};
void PrintTo(const CidrCase& c, std::ostream* out) { *out << c.name; }
class CidrErrorTest : public ::testing::TestWithParam<CidrCase> {};

TEST_P(CidrErrorTest, IsReported) {
  const std::string found = FindingsOf(GetParam().text);
  EXPECT_NE(found.find(GetParam().finding), std::string::npos) << found;
}

CidrCase OfRecords(const char* name, const std::string& records, const char* finding) {
  return {name, WithRecords(std::string(kEveryOther) + records, kOffices), finding};
}

// One collection, and the finding with its place.
CidrCase OfCollection(const char* name, std::string_view collection, const char* finding) {
  return {name, std::string("cidr-collections: [").append(collection).append("]\n"), finding};
}

INSTANTIATE_TEST_SUITE_P(
    Records, CidrErrorTest,
    ::testing::Values(
        OfRecords("UnknownCollection", Record("x", "cidr: {collection: office, location: hq}"),
                  "no CIDR collection is named `office`; did you mean `offices`?"),
        OfRecords("UnknownLocation", Record("x", "cidr: {collection: offices, location: lap}"),
                  "no location is named `lap`; did you mean `lab`?"),
        OfRecords("LocationOfAnotherCollection", Record("x", "cidr: {collection: others, location: lab}"),
                  "no location is named `lab`"),
        OfRecords("NoLocation", Record("x", "cidr: {collection: offices}"), "`location`"),
        OfRecords("NotAMap", Record("x", "cidr: 10.0.0.0/8"), "`cidr` wants a map"),
        OfRecords("SetMissing",
                  "      - {name: a, type: A, cidr: {collection: offices, location: hq}, ttl: 1s, values: [1.1.1.1]}\n",
                  "`cidr` without a `set`"),
        OfRecords("TwoPolicies", Record("x", "cidr: {collection: offices, location: hq}, weight: 1"),
                  "`cidr` beside `weight`"),
        OfRecords("MixedPolicies", Record("x", "weight: 1"),
                  "a weighted record of a.example.test. A beside a CIDR one"),
        OfRecords("TwoCollections", Record("x", "cidr: {collection: others, location: hq}"),
                  "a.example.test. A by CIDR collection `others` beside `offices`"),
        OfRecords("LocationTwice", Record("x", "cidr: {collection: offices, location: \"*\"}"),
                  "a second record of a.example.test. A for the same location"),
        OfRecords("SetTwice", Record("rest", "cidr: {collection: offices, location: hq}"),
                  "a second set `rest` of a.example.test. A"),
        OfRecords(
            "NsRecord",
            "      - {name: n, type: NS, set: x, cidr: {collection: offices, location: hq}, ttl: 1s, values: [b]}\n",
            "NS records have no routing policy"),
        OfRecords("NoDefault",
                  "      - {name: c, type: A, set: x, cidr: {collection: offices, location: hq}, ttl: 1s, values: "
                  "[1.1.1.1]}\n",
                  "warning: c.example.test. A has no record for location `*`")),
    [](const auto& row) { return std::string(row.param.name); });

INSTANTIATE_TEST_SUITE_P(
    Collections, CidrErrorTest,
    ::testing::Values(
        OfCollection("BadName", "{name: my offices, locations: [{name: a, cidrs: [10.0.0.0/8]}]}",
                     "t.yaml:1:27: error: `my offices` is no name for a CIDR collection"),
        OfCollection("LongName", "{name: " + std::string(65, 'x') + ", locations: [{name: a, cidrs: [10.0.0.0/8]}]}",
                     "is no name for a CIDR collection"),
        OfCollection("EmptyName", "{name: \"\", locations: [{name: a, cidrs: [10.0.0.0/8]}]}",
                     "a CIDR collection with an empty name"),
        OfCollection("NameTwice",
                     "{name: a, locations: [{name: a, cidrs: [10.0.0.0/8]}]}, {name: a, locations: [{name: a, cidrs: "
                     "[10.0.0.0/8]}]}",
                     "a second CIDR collection named `a`"),
        OfCollection("NoLocations", "{name: a, locations: []}", "`locations` is empty"),
        OfCollection("NoBlocks", "{name: a, locations: [{name: b, cidrs: []}]}", "`cidrs` is empty"),
        OfCollection("LocationTwice",
                     "{name: a, locations: [{name: b, cidrs: [10.0.0.0/8]}, {name: b, cidrs: [11.0.0.0/8]}]}",
                     "a second location named `b`"),
        OfCollection("BadLocation", "{name: a, locations: [{name: b.c, cidrs: [10.0.0.0/8]}]}",
                     "`b.c` is no name for a location"),
        OfCollection("LongLocation", "{name: a, locations: [{name: abcdefghijklmnopq, cidrs: [10.0.0.0/8]}]}",
                     "is no name for a location"),
        OfCollection("Default", "{name: a, locations: [{name: \"*\", cidrs: [10.0.0.0/8]}]}",
                     "a location `*` with blocks of its own"),
        OfCollection("BlockTwice", "{name: a, locations: [{name: b, cidrs: [10.0.0.0/8, 10.0.0.0/8]}]}",
                     "block 10.0.0.0/8 stands twice; a block has one location; the first is at line 1"),
        OfCollection("BlockOfTwoLocations",
                     "{name: a, locations: [{name: b, cidrs: [10.0.0.1]}, {name: c, cidrs: [10.0.0.1/32]}]}",
                     "t.yaml:1:90: error: block 10.0.0.1/32 belongs to location `b` already"),
        OfCollection("HostBits", "{name: a, locations: [{name: b, cidrs: [10.0.0.1/8]}]}", "10.0.0.1/8"),
        OfCollection("NoNetwork", "{name: a, locations: [{name: b, cidrs: [office]}]}", "office"),
        OfCollection("Unused", "{name: a, locations: [{name: b, cidrs: [10.0.0.0/8]}]}",
                     "warning: no record uses CIDR collection `a`")),
    [](const auto& row) { return std::string(row.param.name); });

TEST(CidrTest, BlocksMayNestAndLocationsOfTwoCollectionsMayShareThem) {
  EXPECT_EQ(
      FindingsOf(WithRecords(std::string(kEveryOther),
                             "cidr-collections:\n"
                             "  - {name: offices, locations: [{name: a*, cidrs: [10.0.0.0/8]}, {name: b_-1, cidrs: "
                             "[10.0.0.0/9]}]}\n"
                             "  - {name: others, locations: [{name: a, cidrs: [10.0.0.0/8, \"::/0\"]}]}\n")),
      "");
}

TEST(CidrTest, AwsHasNarrowerLimits) {
  std::string blocks;
  for (int i = 0; i < 1'001; ++i) blocks += "10." + std::to_string(i / 250) + "." + std::to_string(i % 250) + ".0/24, ";
  std::string text = "cidr-collections:\n  - {name: c0, locations: [{name: a, cidrs: [" + blocks +
                     "10.9.9.0/25, 0.0.0.0/0, \"2001:db8::/49\", \"2001:db8::/48\"]}]}\n";
  for (int i = 1; i < 6; ++i) {
    text += "  - {name: c" + std::to_string(i) + ", locations: [{name: a, cidrs: [10.0.0.0/8]}]}\n";
  }
  const std::string found = FindingsOf(text, true);
  for (const auto* wanted :
       {"AWS: CIDR block 10.9.9.0/25; /1 to /24", "AWS: CIDR block 0.0.0.0/0; /1 to /24",
        "AWS: CIDR block 2001:db8::/49; /1 to /48", "AWS: 1005 blocks in a CIDR collection; at most 1000",
        "AWS: 6 CIDR collections in an account; at most 5"}) {
    EXPECT_NE(found.find(wanted), std::string::npos) << wanted << "\n" << found;
  }
  EXPECT_EQ(found.find("2001:db8::/48"), std::string::npos);
  EXPECT_EQ(FindingsOf(text).find("AWS"), std::string::npos);
}

}  // namespace
}  // namespace weir::config
