// Load balancers with zones, and cross-zone at both levels. spec: alb.md 7.2, 10.1.

#include "tests/config/load_text.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

namespace weir::config {
namespace {

constexpr std::string_view kTwoZones =
    "zones: [{name: a, addresses: [127.0.1.1, \"::1\"], advertise: [192.0.2.1, \"2001:db8::1\"]}, "
    "{name: b, addresses: [127.0.2.1]}]";

// A load balancer with these keys, and a group of a target in each of zones a and b with these attributes.
std::string ZonesText(
    std::string_view balancer, std::string_view attributes = "",
    std::string_view targets = "{address: 127.0.0.1, port: 1, zone: a}, {address: 127.0.0.1, port: 2, zone: b}") {
  return std::string("load-balancers: [{name: shop, ")
      .append(balancer)
      .append(
          ", listeners: [{port: 80, default-actions: [{forward: {target-group: blue}}]}]}]\n"
          "target-groups: [{name: blue, targets: [")
      .append(targets)
      .append("], attributes: {")
      .append(attributes)
      .append("}}]\n");
}

std::vector<std::string> Texts(const std::vector<IpAddress>& addresses) {
  std::vector<std::string> out;
  for (const IpAddress& address : addresses) out.push_back(address.ToString());
  return out;
}

TEST(AvailabilityZonesTest, ANodeForEachZone) {
  const auto loaded = LoadFor(ZonesText(kTwoZones));
  ASSERT_TRUE(loaded.model) << loaded.diagnostics.FormatAll();
  EXPECT_EQ(loaded.diagnostics.FormatAll(), "");
  const LoadBalancer& shop = loaded.model->load_balancers[0];
  ASSERT_EQ(shop.nodes.size(), 2U);
  EXPECT_EQ(shop.nodes[1].zone, "b");
  EXPECT_EQ(shop.nodes[1].zone_index, 1U);
  EXPECT_EQ(Texts(shop.nodes[0].advertise), (std::vector<std::string>{"192.0.2.1", "2001:db8::1"}));
  EXPECT_EQ(Texts(shop.nodes[1].advertise), (std::vector<std::string>{"127.0.2.1"}));
  EXPECT_EQ(Texts(shop.addresses), (std::vector<std::string>{"127.0.1.1", "::1", "127.0.2.1"}));
  EXPECT_EQ(Texts(shop.advertise), (std::vector<std::string>{"192.0.2.1", "2001:db8::1", "127.0.2.1"}));
  EXPECT_EQ(loaded.model->availability_zones, (std::vector<std::string>{"a", "b"}));
  EXPECT_TRUE(loaded.model->target_groups[0].node_zones.empty()) << "cross-zone is on";
  EXPECT_TRUE(loaded.model->target_groups[0].shift_zones.empty());
}

TEST(AvailabilityZonesTest, StickinessNeedsCrossZone) {
  const std::string sticky = "stickiness.enabled: true, load_balancing.cross_zone.enabled: ";
  EXPECT_NE(LoadFor(ZonesText(kTwoZones, sticky + "\"false\""))
                .diagnostics.FormatAll()
                .find("`blue` is sticky, and cross-zone is off for it"),
            std::string::npos);
  EXPECT_TRUE(LoadFor(ZonesText(kTwoZones, sticky + "\"true\"")).model);
}

TEST(AvailabilityZonesTest, CrossZoneIsTheGroupsElseTheLoadBalancers) {
  struct Row {
    std::string_view balancer;
    std::string_view group;
    bool by_zone;
  };
  for (const Row& row : {Row{"true", "use_load_balancer_configuration", false},
                         Row{"false", "use_load_balancer_configuration", true}, Row{"true", "false", true},
                         Row{"false", "true", false}, Row{"true", "true", false}, Row{"false", "false", true}}) {
    const std::string keys = std::string(kTwoZones) +
                             ", attributes: {load_balancing.cross_zone.enabled: " + std::string(row.balancer) +
                             ", zonal_shift.config.enabled: true}";
    const auto loaded = LoadFor(ZonesText(keys, "load_balancing.cross_zone.enabled: " + std::string(row.group)));
    ASSERT_TRUE(loaded.model) << loaded.diagnostics.FormatAll();
    const TargetGroup& blue = loaded.model->target_groups[0];
    EXPECT_EQ(!blue.node_zones.empty(), row.by_zone) << row.balancer << " " << row.group;
    EXPECT_EQ(blue.shift_zones, (std::vector<std::string>{"a", "b"}));
  }
}

TEST(AvailabilityZonesTest, WithoutZonesTheApplianceIsTheNodeOfItsOwn) {
  constexpr std::string_view kOff = "load_balancing.cross_zone.enabled: false";
  const auto loaded = LoadFor("node: {zone: b}\n" + ZonesText("addresses: [127.0.0.1]", kOff));
  ASSERT_TRUE(loaded.model) << loaded.diagnostics.FormatAll();
  ASSERT_EQ(loaded.model->load_balancers[0].nodes.size(), 1U);
  EXPECT_EQ(loaded.model->load_balancers[0].nodes[0].zone, "b");
  const auto plain = LoadFor("node: {zone: b}\n" + ZonesText("addresses: [127.0.0.1]"));
  ASSERT_TRUE(plain.model);
  EXPECT_TRUE(plain.model->load_balancers[0].nodes.empty()) << "nothing asks for it";
}

struct Refused {
  std::string name;
  std::string text;
  std::string finding;
};
class ZonesRefusedTest : public ::testing::TestWithParam<Refused> {};

TEST_P(ZonesRefusedTest, IsSaidInAllClarity) {
  const std::string findings = FindingsOf(GetParam().text);
  EXPECT_NE(findings.find(GetParam().finding), std::string::npos) << findings;
}

INSTANTIATE_TEST_SUITE_P(
    Section10, ZonesRefusedTest,
    ::testing::Values(
        Refused{"BesideAddresses", ZonesText("addresses: [127.0.0.1], " + std::string(kTwoZones)),
                "error: `addresses` beside `zones`; each zone has its own"},
        Refused{"BesideAdvertise", ZonesText("advertise: [192.0.2.1], " + std::string(kTwoZones)),
                "error: `advertise` beside `zones`"},
        Refused{"Wildcard", ZonesText("zones: [{name: a, addresses: [0.0.0.0]}]"), "cannot bind a wildcard address"},
        Refused{"NameTwice", ZonesText("zones: [{name: a, addresses: [127.0.1.1]}, {name: a, addresses: [127.0.1.2]}]"),
                "a second zone named `a`"},
        Refused{"AddressTwice",
                ZonesText("zones: [{name: a, addresses: [127.0.1.1]}, {name: b, addresses: [127.0.1.1]}]"),
                "127.0.1.1 is an address of zone `a` too"},
        Refused{"AdvertisedTwice",
                ZonesText("zones: [{name: a, addresses: [127.0.1.1], advertise: [192.0.2.1]}, "
                          "{name: b, addresses: [127.0.2.1], advertise: [192.0.2.1]}]"),
                "192.0.2.1 is an address of zone `a` too"},
        Refused{"WithoutAddresses", ZonesText("zones: [{name: a}]"), "addresses"},
        Refused{"OtherFamily", ZonesText("ip-address-type: ipv6, " + std::string(kTwoZones)),
                "127.0.1.1 does not fit `ip-address-type: ipv6`"},
        Refused{"CrossZoneOffWithoutZones",
                ZonesText("addresses: [127.0.0.1]", "load_balancing.cross_zone.enabled: false"),
                "load balancer `shop` has no zones, and cross-zone is off for target group `blue`"},
        Refused{"CrossZoneOffTargetOfNoZone",
                ZonesText(kTwoZones, "load_balancing.cross_zone.enabled: false",
                          "{address: 127.0.0.1, port: 1, zone: a}, {address: 127.0.0.1, port: 2}"),
                "127.0.0.1 port 2 of `blue` stands in no zone, and cross-zone is off"},
        Refused{
            "CrossZoneOffZoneWithoutTargets",
            ZonesText(kTwoZones, "load_balancing.cross_zone.enabled: false", "{address: 127.0.0.1, port: 1, zone: a}"),
            "warning: target group `blue` has no targets in zone `b`"},
        Refused{"CrossZoneOffZoneWithoutNode",
                ZonesText(kTwoZones, "load_balancing.cross_zone.enabled: false",
                          "{address: 127.0.0.1, port: 1, zone: a}, {address: 127.0.0.1, port: 2, zone: b}, "
                          "{address: 127.0.0.1, port: 3, zone: c}"),
                "warning: load balancer `shop` has no node in zone `c`"},
        Refused{"NotPublicIpv4",
                ZonesText("ip-address-type: dualstack-without-public-ipv4, addresses: [127.0.0.1], "
                          "advertise: [192.0.2.1]"),
                "192.0.2.1 does not fit `ip-address-type: dualstack-without-public-ipv4`"}),
    [](const auto& row) { return row.param.name; });

TEST(AvailabilityZonesTest, AtMostEightZones) {
  std::string zones = "zones: [";
  for (int i = 1; i <= 9; ++i) {
    zones += "{name: z" + std::to_string(i) + ", addresses: [127.0.1." + std::to_string(i) + "]}, ";
  }
  zones += "]";
  EXPECT_NE(FindingsOf(ZonesText(zones)).find("9 zones; at most 8"), std::string::npos) << FindingsOf(ZonesText(zones));
}

// spec: alb.md 19.
TEST(AvailabilityZonesTest, WithoutPublicIpv4BothFamiliesAreBoundAndIpv6IsAdvertised) {
  const auto loaded =
      LoadFor(ZonesText("ip-address-type: dualstack-without-public-ipv4, addresses: [127.0.0.1, \"::1\"]"));
  ASSERT_TRUE(loaded.model) << loaded.diagnostics.FormatAll();
  EXPECT_EQ(Texts(loaded.model->load_balancers[0].addresses), (std::vector<std::string>{"127.0.0.1", "::1"}));
  EXPECT_EQ(Texts(loaded.model->load_balancers[0].advertise), (std::vector<std::string>{"::1"}));
  const auto wildcards = LoadFor(ZonesText("ip-address-type: dualstack-without-public-ipv4"));
  ASSERT_TRUE(wildcards.model);
  EXPECT_EQ(wildcards.model->load_balancers[0].addresses.size(), 2U);
}

TEST(AvailabilityZonesTest, WhatNetworkLoadBalancersHaveIsRefusedByName) {
  const auto load = [](std::string_view attributes) {
    return FindingsOf(ZonesText(std::string(kTwoZones) + ", attributes: {" + std::string(attributes) + "}"));
  };
  EXPECT_EQ(load("dns_record.client_routing_policy: any_availability_zone, secondary_ips.auto_assigned.per_subnet: 0"),
            "");
  EXPECT_NE(load("dns_record.client_routing_policy: availability_zone_affinity").find("not supported in this version"),
            std::string::npos);
  EXPECT_NE(load("secondary_ips.auto_assigned.per_subnet: 1").find("not supported in this version"), std::string::npos);
}

TEST(AvailabilityZonesTest, WhatAwsSays) {
  const auto findings = FindingsOf(
      ZonesText("zones: [{name: a, addresses: [127.0.1.1]}], attributes: {load_balancing.cross_zone.enabled: false}",
                "", "{address: 10.0.0.1, port: 1, zone: a}"),
      true);
  EXPECT_NE(findings.find("AWS: one availability zone; at least two"), std::string::npos) << findings;
  EXPECT_NE(findings.find("AWS: cross-zone off for all of an application load balancer"), std::string::npos)
      << findings;
}

}  // namespace
}  // namespace weir::config
