#include "dns/explain.h"

#include "tests/dns/dns_fixture.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace weir::dns::testing {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using enum config::RoutingPolicy;

struct Case {
  std::shared_ptr<const ZoneSet> zones;
  std::shared_ptr<health::StatusTable> status;
  Explanation Explain(std::string_view name, std::uint16_t type = rr::kA) const {
    return ExplainQuery(zones, status, name, type, std::nullopt).value();
  }
};

Case MakeCase() {
  config::Model model;
  AddChecks(model, 1);
  AddBalancer(model, "shop", {"192.0.2.10"});
  model.zones = {MakeZone(
      "example.test.", {MakeRecord("top.example.test.", rr::kA,
                                   {.policy = kFailover, .set = "main", .alias = "eu.example.test.", .evaluate = true}),
                        MakeRecord("top.example.test.", rr::kA,
                                   {.values = {"198.51.100.10"},
                                    .ttl = 10,
                                    .policy = kFailover,
                                    .set = "spare",
                                    .failover = config::FailoverRole::kSecondary,
                                    .check = 0}),
                        MakeRecord("eu.example.test.", rr::kA, {.balancer = 0, .evaluate = true}),
                        MakeRecord("w.example.test.", rr::kA,
                                   {.values = {"192.0.2.1"}, .policy = kWeighted, .set = "blue", .weight = 10}),
                        MakeRecord("w.example.test.", rr::kA,
                                   {.values = {"192.0.2.2"}, .policy = kWeighted, .set = "green", .weight = 90}),
                        MakeRecord("www.example.test.", rr::kCname, {.values = {"w.example.test."}})})};
  return {BuildZones(model), std::make_shared<health::StatusTable>(MakeStatus(1, 1))};
}

TEST(ExplainTest, WalksTheTreeToTheAnswer) {
  const Case test = MakeCase();
  const auto explanation = test.Explain("TOP.example.test");
  ASSERT_THAT(explanation.decisions, SizeIs(2));
  EXPECT_EQ(explanation.decisions[0].policy, kFailover);
  EXPECT_TRUE(explanation.decisions[0].candidates[0].chosen);
  EXPECT_EQ(explanation.decisions[0].candidates[0].alias, "record eu.example.test. A");
  EXPECT_EQ(explanation.decisions[1].candidates[0].alias, "load balancer shop");
  EXPECT_THAT(explanation.values, ElementsAre("192.0.2.10"));
  EXPECT_EQ(explanation.ttl_seconds, 60U);
  EXPECT_EQ(explanation.zone, "example.test.");
}

TEST(ExplainTest, SaysWhyARecordIsUnhealthy) {
  const Case test = MakeCase();
  test.status->load_balancers[0].healthy = false;
  auto explanation = test.Explain("top.example.test.");
  EXPECT_THAT(explanation.values, ElementsAre("198.51.100.10"));
  const auto& main = explanation.decisions[0].candidates[0];
  EXPECT_FALSE(main.health.healthy);
  ASSERT_THAT(main.health.children, SizeIs(1));
  EXPECT_THAT(main.health.children[0].reason, HasSubstr("shop has a target group without enough healthy targets"));
  EXPECT_THAT(RenderText(explanation),
              AllOf(HasSubstr("DOWN"), HasSubstr("-> up"), HasSubstr("check check0 is healthy")));

  test.status->checks[0] = {.healthy = false,
                            .measured_healthy = false,
                            .admin_state = health::AdminState::kMeasured,
                            .since = {},
                            .last_result = "connection refused"};
  explanation = test.Explain("top.example.test.");
  EXPECT_TRUE(explanation.decisions[0].fail_open);
  EXPECT_THAT(explanation.values, ElementsAre("192.0.2.10"));
  EXPECT_EQ(explanation.decisions[0].candidates[1].health.reason, "check check0 is unhealthy: connection refused");
}

TEST(ExplainTest, SharesAndChainsAreShown) {
  const Case test = MakeCase();
  const auto explanation = test.Explain("www.example.test.");
  ASSERT_THAT(explanation.decisions, SizeIs(2));
  EXPECT_DOUBLE_EQ(explanation.decisions[1].candidates[0].share.value(), 0.1);
  EXPECT_THAT(explanation.values, ElementsAre("192.0.2.2"));  // the heaviest stands for the draw
  EXPECT_THAT(explanation.answer,
              ElementsAre("www.example.test. 300 CNAME w.example.test.", "w.example.test. 300 A 192.0.2.2"));
}

TEST(ExplainTest, NegativeAnswersHaveASentence) {
  const Case test = MakeCase();
  EXPECT_THAT(test.Explain("no.example.test.").outcome, HasSubstr("NXDOMAIN"));
  EXPECT_EQ(test.Explain("no.example.test.").ttl_seconds, 60U);
  EXPECT_THAT(test.Explain("w.example.test.", rr::kMx).outcome, HasSubstr("NODATA"));
  EXPECT_THAT(test.Explain("example.org.").outcome, HasSubstr("REFUSED: no zone"));
  EXPECT_THAT(test.Explain("example.org.").values, IsEmpty());
  EXPECT_FALSE(ExplainQuery(test.zones, test.status, "a..b", rr::kA, std::nullopt));
}

Explanation ExplainCidr(bool with_default, std::string_view client, bool lab_healthy = true) {
  config::Model model;
  AddChecks(model, 1);
  AddCollection(model, "offices", {{"hq", {"198.51.100.0/24"}}, {"lab", {"198.51.100.64/26"}}});
  const auto record = [](const char* value, const char* set, std::optional<std::uint32_t> location,
                         std::optional<std::uint32_t> check) {
    return MakeRecord("ip.example.test.", rr::kA,
                      {.values = {value},
                       .policy = kCidr,
                       .set = set,
                       .cidr = config::CidrRoute{.collection = 0, .location = location},
                       .check = check});
  };
  std::vector<config::RecordSet> records = {record("192.0.2.1", "main", 0, {}), record("192.0.2.2", "lab", 1, 0)};
  if (with_default) records.push_back(record("192.0.2.3", "rest", std::nullopt, {}));
  model.zones = {MakeZone("example.test.", std::move(records))};
  auto status = std::make_shared<health::StatusTable>(MakeStatus(1));
  status->checks[0].healthy = lab_healthy;
  return ExplainQuery(BuildZones(std::move(model)), std::move(status), "ip.example.test.", rr::kA,
                      client.empty() ? std::nullopt : std::optional(CidrBlock::Parse(client).value()))
      .value();
}

TEST(ExplainTest, CidrRecordsNameTheBlocksThatHoldTheClient) {
  auto explanation = ExplainCidr(true, "198.51.100.65");
  ASSERT_THAT(explanation.decisions, SizeIs(1));
  const auto& candidates = explanation.decisions[0].candidates;
  EXPECT_EQ(candidates[0].figure, "hq by 198.51.100.0/24");
  EXPECT_EQ(candidates[0].reason, "another comes first");
  EXPECT_EQ(candidates[1].figure, "lab by 198.51.100.64/26");
  EXPECT_EQ(candidates[1].block, CidrBlock::Parse("198.51.100.64/26").value());
  EXPECT_TRUE(candidates[1].chosen);
  EXPECT_EQ(candidates[2].figure, "*");
  EXPECT_EQ(explanation.client_scope_bits, 26U);

  explanation = ExplainCidr(true, "198.51.100.65", false);
  EXPECT_EQ(explanation.decisions[0].candidates[1].reason, "passed over: unhealthy");
  EXPECT_TRUE(explanation.decisions[0].candidates[0].chosen);
  EXPECT_FALSE(explanation.decisions[0].fail_open);

  explanation = ExplainCidr(true, "203.0.113.0/24");
  EXPECT_EQ(explanation.decisions[0].candidates[0].figure, "hq");
  EXPECT_EQ(explanation.decisions[0].candidates[0].reason, "passed over: no block of its location holds the client");
  EXPECT_TRUE(explanation.decisions[0].candidates[2].chosen);

  explanation = ExplainCidr(true, "");
  EXPECT_EQ(explanation.decisions[0].candidates[0].reason, "passed over: the client's network is not known");
  EXPECT_THAT(explanation.values, ElementsAre("192.0.2.3"));
  EXPECT_THAT(RenderText(explanation), AllOf(HasSubstr("A: cidr\n"), HasSubstr("rest (*)"), HasSubstr("then `*`")));
}

TEST(ExplainTest, CidrRecordsWithoutOneForTheClientSaySo) {
  const auto explanation = ExplainCidr(false, "203.0.113.0/24");
  EXPECT_EQ(explanation.outcome, "NODATA: no record is for this client");
  EXPECT_EQ(explanation.decisions[0].reason, "no block holds the client, and there is no record for `*`: no answer");
  EXPECT_FALSE(explanation.decisions[0].fail_open);
  EXPECT_EQ(explanation.client_scope_bits, 5U);

  const auto open = ExplainCidr(false, "198.51.100.64/26", false);
  EXPECT_THAT(open.values, ElementsAre("192.0.2.1"));
}

TEST(ExplainTest, TheClientBlockIsEchoedWithItsScope) {
  const Case test = MakeCase();
  const auto explanation =
      ExplainQuery(test.zones, test.status, "w.example.test.", rr::kA, CidrBlock::Parse("192.0.2.0/24").value())
          .value();
  EXPECT_EQ(explanation.client, "192.0.2.0/24");
  EXPECT_EQ(explanation.client_scope_bits, 0U);
}

}  // namespace
}  // namespace weir::dns::testing
