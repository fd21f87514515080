#include "net/tls_policy.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace weir::net {
namespace {

// The suites of a policy by their numbers, in the order of preference.
std::string Ids(const TlsPolicy& policy) {
  std::string text;
  for (std::size_t i = 0; i < policy.suite_count; ++i) {
    char id[8];
    std::snprintf(id, sizeof(id), "%s%02x", i == 0 ? "" : " ", policy.suite(i).id);
    text += id;
  }
  return text;
}

std::string Versions(const TlsPolicy& policy) {
  const auto min = ToString(policy.version_min);
  const auto max = ToString(policy.version_max);
  return min == max ? std::string(min) : std::string(min) + "-" + std::string(max);
}

struct Row {
  std::string_view name;
  std::string_view versions;
  std::string_view suites;
};

constexpr std::string_view kT13 = "1301 1302 1303";
// The list of 2016-08 as it is published.
#define EXT2 "c02b c02f c023 c027 c009 c013 c02c c030 c024 c028 c00a c014 9c 3c 2f 9d 3d 35"
#define EXT2_FIPS "c02b c02f c023 c027 c009 c013 c02c c030 c024 c028 c014 c00a 9c 3c 2f 9d 3d 35"
#define EXT1 "c02b c02f c023 c027 c02c c030 c024 c028 9c 3c 9d 3d"
#define FORWARD "c02b c02f c023 c027 c02c c030 c024 c028"
#define RES "c02b c02f c02c c030"
#define EXT0 "c02b c02f c023 c027 c009 c013 c02c c030 c024 c028 c014 c00a"

// spec: alb.md 18.2, a row for each name.
constexpr Row kRows[] = {
    {"TLS13-1-3-2021-06", "TLSv1.3", kT13},
    {"TLS13-1-3-PQ-2025-09", "TLSv1.3", kT13},
    {"TLS13-1-2-2021-06", "TLSv1.2-TLSv1.3", "1301 1302 1303 " FORWARD},
    {"TLS13-1-2-PQ-2025-09", "TLSv1.2-TLSv1.3", "1301 1302 1303 " FORWARD},
    {"TLS13-1-2-Res-2021-06", "TLSv1.2-TLSv1.3", "1301 1302 1303 " RES},
    {"TLS13-1-2-Res-PQ-2025-09", "TLSv1.2-TLSv1.3", "1301 1302 1303 " RES},
    {"TLS13-1-2-Ext1-2021-06", "TLSv1.2-TLSv1.3", "1301 1302 1303 " EXT1},
    {"TLS13-1-2-Ext1-PQ-2025-09", "TLSv1.2-TLSv1.3", "1301 1302 1303 " EXT1},
    {"TLS13-1-2-Ext2-2021-06", "TLSv1.2-TLSv1.3", "1301 1302 1303 " EXT2},
    {"TLS13-1-2-Ext2-PQ-2025-09", "TLSv1.2-TLSv1.3", "1301 1302 1303 " EXT2},
    {"TLS13-1-1-2021-06", "TLSv1.1-TLSv1.3", "1301 1302 1303 " EXT2},
    {"TLS13-1-0-2021-06", "TLSv1-TLSv1.3", "1301 1302 1303 " EXT2},
    {"TLS13-1-0-PQ-2025-09", "TLSv1-TLSv1.3", "1301 1302 1303 " EXT2},
    {"TLS-1-2-Ext-2018-06", "TLSv1.2", EXT2},
    {"TLS-1-2-2017-01", "TLSv1.2", EXT1},
    {"TLS-1-1-2017-01", "TLSv1.1-TLSv1.2", EXT2},
    {"2016-08", "TLSv1-TLSv1.2", EXT2},
    {"TLS13-1-3-FIPS-2023-04", "TLSv1.3", "1301 1302"},
    {"TLS13-1-3-FIPS-PQ-2025-09", "TLSv1.3", "1301 1302"},
    {"TLS13-1-2-FIPS-2023-04", "TLSv1.2-TLSv1.3", "1301 1302 " FORWARD},
    {"TLS13-1-2-FIPS-PQ-2025-09", "TLSv1.2-TLSv1.3", "1301 1302 " FORWARD},
    {"TLS13-1-2-Res-FIPS-2023-04", "TLSv1.2-TLSv1.3", "1301 1302 " RES},
    {"TLS13-1-2-Res-FIPS-PQ-2025-09", "TLSv1.2-TLSv1.3", "1301 1302 " RES},
    {"TLS13-1-2-Ext0-FIPS-2023-04", "TLSv1.2-TLSv1.3", "1301 1302 " EXT0},
    {"TLS13-1-2-Ext0-FIPS-PQ-2025-09", "TLSv1.2-TLSv1.3", "1301 1302 " EXT0},
    {"TLS13-1-2-Ext1-FIPS-2023-04", "TLSv1.2-TLSv1.3", "1301 1302 " EXT1},
    {"TLS13-1-2-Ext1-FIPS-PQ-2025-09", "TLSv1.2-TLSv1.3", "1301 1302 " EXT1},
    {"TLS13-1-2-Ext2-FIPS-2023-04", "TLSv1.2-TLSv1.3", "1301 1302 " EXT2_FIPS},
    {"TLS13-1-2-Ext2-FIPS-PQ-2025-09", "TLSv1.2-TLSv1.3", "1301 1302 " EXT2_FIPS},
    {"TLS13-1-1-FIPS-2023-04", "TLSv1.1-TLSv1.3", "1301 1302 " EXT2_FIPS},
    {"TLS13-1-0-FIPS-2023-04", "TLSv1-TLSv1.3", "1301 1302 " EXT2_FIPS},
    {"TLS13-1-0-FIPS-PQ-2025-09", "TLSv1-TLSv1.3", "1301 1302 " EXT2_FIPS},
    {"TLS13-1-3-RFC9151-FIPS-2023-07", "TLSv1.3", "1302"},
    {"TLS13-1-2-RFC9151-FIPS-2023-07", "TLSv1.2-TLSv1.3", "1302 c02c c030"},
    {"TLS13-1-2-Ext0-RFC9151-FIPS-2023-07", "TLSv1.2-TLSv1.3", "1302 c02c c030 9d"},
    {"TLS13-1-2-RFC9151-INTEROP1-FIPS-2023-07", "TLSv1.2-TLSv1.3", "1302 1301 c02c c030 c02b c02f"},
    {"TLS13-1-2-RFC9151-INTEROP2-FIPS-2023-07", "TLSv1.2-TLSv1.3", "1302 1301 c02c c030 c024 c028 c02b c02f c023 c027"},
    {"TLS13-1-2-RFC9151-INTEROP3-FIPS-2023-07", "TLSv1.2-TLSv1.3",
     "1302 1301 c02c c030 c024 c028 c00a c014 c02b c02f c023 c027 c009 c013"},
    {"TLS13-1-2-RFC9151-INTEROP4-FIPS-2023-07", "TLSv1.2-TLSv1.3",
     "1302 1301 c02c c030 c024 c028 c00a c014 9d 3d 35 c02b c02f c023 c027 c009 c013 9c 3c 2f"},
    {"FS-1-2-Res-2020-10", "TLSv1.2", RES},
    {"FS-1-2-Res-2019-08", "TLSv1.2", FORWARD},
    {"FS-1-2-2019-08", "TLSv1.2", EXT0},
    {"FS-1-1-2019-08", "TLSv1.1-TLSv1.2", EXT0},
    {"FS-2018-06", "TLSv1-TLSv1.2", EXT0},
};
#undef EXT2
#undef EXT2_FIPS
#undef EXT1
#undef FORWARD
#undef RES
#undef EXT0

TEST(TlsPolicyTest, EveryNamedPolicyHasItsVersionsAndSuitesInOrder) {
  EXPECT_EQ(TlsPolicies().size(), std::size(kRows));
  for (const Row& row : kRows) {
    const TlsPolicy* policy = FindTlsPolicy("ELBSecurityPolicy-" + std::string(row.name));
    ASSERT_NE(policy, nullptr) << row.name;
    EXPECT_EQ(Versions(*policy), row.versions) << row.name;
    EXPECT_EQ(Ids(*policy), row.suites) << row.name;
  }
}

TEST(TlsPolicyTest, NamesAreUniqueAndExact) {
  std::set<std::string_view> names;
  for (const TlsPolicy& policy : TlsPolicies()) EXPECT_TRUE(names.insert(policy.name).second) << policy.name;
  EXPECT_EQ(FindTlsPolicy("ELBSecurityPolicy-2016"), nullptr);
  EXPECT_NE(FindTlsPolicy(kDefaultTlsPolicy), nullptr);
}

TEST(TlsPolicyTest, SuitesHaveTheNamesOfAws) {
  const TlsPolicy& policy = *FindTlsPolicy("ELBSecurityPolicy-TLS13-1-2-Res-2021-06");
  EXPECT_EQ(policy.suite(0).name, "TLS_AES_128_GCM_SHA256");
  EXPECT_TRUE(policy.suite(2).is_tls13());
  EXPECT_EQ(policy.suite(3).name, "ECDHE-ECDSA-AES128-GCM-SHA256");
  EXPECT_FALSE(policy.suite(3).is_tls13());
}

TEST(TlsPolicyTest, GroupsFollowTheName) {
  const auto groups = [](std::string_view name) {
    std::string text;
    for (const auto group : FindTlsPolicy("ELBSecurityPolicy-" + std::string(name))->groups)
      text += std::string(group) + " ";
    return text;
  };
  EXPECT_EQ(groups("2016-08"), "x25519 secp256r1 secp384r1 ");
  EXPECT_EQ(groups("TLS13-1-3-2021-06"), "x25519 secp256r1 secp384r1 ");
  EXPECT_EQ(groups("TLS13-1-0-FIPS-2023-04"), "secp256r1 secp384r1 ");
  EXPECT_EQ(groups("TLS13-1-3-RFC9151-FIPS-2023-07"), "secp384r1 ");
  EXPECT_EQ(groups("TLS13-1-2-RFC9151-INTEROP1-FIPS-2023-07"), "secp384r1 secp256r1 ");
  // spec: alb.md 18.1.
  for (const TlsPolicy& policy : TlsPolicies()) {
    const bool has_all = std::ranges::all_of(
        std::vector<std::string_view>{"X25519MLKEM768", "SecP256r1MLKEM768", "SecP384r1MLKEM1024"},
        [&](std::string_view group) { return std::ranges::find(policy.groups, group) != policy.groups.end(); });
    EXPECT_EQ(has_all, policy.name.find("-PQ-") != std::string_view::npos) << policy.name;
  }
}

TEST(TlsPolicyTest, WhatTheLibraryLacksIsNamed) {
  EXPECT_TRUE(MissingGroups(*FindTlsPolicy("ELBSecurityPolicy-2016-08")).empty());
  for (const auto group : MissingGroups(*FindTlsPolicy("ELBSecurityPolicy-TLS13-1-3-PQ-2025-09"))) {
    EXPECT_NE(group.find("MLKEM"), std::string_view::npos);
  }
}

TEST(TlsPolicyTest, TargetsGetThePolicyOfTheFirstRowThatFits) {
  const auto target = [](std::vector<std::string_view> listeners) {
    std::vector<const TlsPolicy*> policies;
    for (const auto name : listeners) policies.push_back(FindTlsPolicy("ELBSecurityPolicy-" + std::string(name)));
    return TargetTlsPolicy(policies).name;
  };
  // spec: alb.md 18.4.
  EXPECT_EQ(target({}), "ELBSecurityPolicy-2016-08");
  EXPECT_EQ(target({"FS-1-2-2019-08", "2016-08"}), "ELBSecurityPolicy-2016-08");
  EXPECT_EQ(target({"2016-08", "TLS13-1-2-2021-06"}), "ELBSecurityPolicy-TLS13-1-0-2021-06");
  EXPECT_EQ(target({"TLS13-1-2-2021-06", "TLS13-1-2-PQ-2025-09"}), "ELBSecurityPolicy-TLS13-1-0-PQ-2025-09");
  EXPECT_EQ(target({"TLS13-1-2-PQ-2025-09", "TLS13-1-2-FIPS-2023-04"}), "ELBSecurityPolicy-TLS13-1-0-FIPS-2023-04");
  EXPECT_EQ(target({"TLS13-1-2-FIPS-2023-04", "TLS13-1-3-FIPS-PQ-2025-09"}),
            "ELBSecurityPolicy-TLS13-1-0-FIPS-PQ-2025-09");
  EXPECT_EQ(target({"TLS13-1-3-FIPS-PQ-2025-09", "TLS13-1-3-RFC9151-FIPS-2023-07"}),
            "ELBSecurityPolicy-TLS13-1-2-RFC9151-INTEROP4-FIPS-2023-07");
}

}  // namespace
}  // namespace weir::net
