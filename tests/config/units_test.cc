// What an edit takes over from the model before, and what it reads again.

#include "config/load.h"
#include "tests/config/load_text.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <variant>

namespace weir::config {
namespace {

constexpr std::string_view kText = R"(
dns: {port: 5353}
regions: [{name: eu, latitude: 50, longitude: 8}]
load-balancers:
  - name: shop
    advertise: [192.0.2.1]
    listeners:
      - port: 80
        rules:
          - {priority: 2, conditions: [{path-pattern: [/a]}], actions: [{forward: {target-group: blue}}]}
          - {priority: 1, conditions: [{path-pattern: [/b]}], actions: [{redirect: {path: /x, status-code: HTTP_302}}]}
        default-actions: [{forward: {target-group: green}}]
target-groups:
  - {name: blue, targets: [{address: 127.0.0.1, port: 1}]}
  - {name: green, targets: [{address: 127.0.0.1, port: 2}]}
health-checks: [{name: one, type: TCP, address: 192.0.2.9, port: 5}]
cidr-collections: [{name: offices, locations: [{name: hq, cidrs: [10.0.0.0/8]}, {name: lab, cidrs: [192.168.0.0/16]}]}]
zones:
  - name: plain.test
    name-servers: [ns1.elsewhere.test.]
    records: [{name: www, type: A, ttl: 60s, values: [192.0.2.1]}, {name: t, type: TXT, ttl: 60s, values: [two words]}]
  - name: checked.test
    name-servers: [ns1.elsewhere.test.]
    records: [{name: f, type: A, ttl: 60s, values: [192.0.2.1], failover: PRIMARY, set: a, health-check: one}]
  - name: alias.test
    name-servers: [ns1.elsewhere.test.]
    records: [{name: "@", type: A, alias: {load-balancer: shop}}]
  - name: routed.test
    name-servers: [ns1.elsewhere.test.]
    records: [{name: c, type: A, ttl: 60s, values: [192.0.2.1], cidr: {collection: offices, location: lab}, set: a}]
)";

class UnitsTest : public ::testing::Test {
 protected:
  UnitsTest() : loaded_(LoadFor(kText)) { EXPECT_TRUE(loaded_.model) << loaded_.diagnostics.FormatAll(); }

  LoadResult Edit(const std::string& patch) {
    auto out = LoadPatched(*loaded_.document, loaded_.model.get(), patch, "edit");
    EXPECT_TRUE(out.model) << out.diagnostics.FormatAll();
    return out;
  }
  // Which zones are those of before, by their places: `1011`.
  [[nodiscard]] std::string TakenOver(const LoadResult& edited) const {
    std::string out;
    for (const auto& zone : edited.model->zones) {
      const bool same = std::ranges::find(loaded_.model->zones, zone) != loaded_.model->zones.end();
      out.push_back(same ? '1' : '0');
    }
    return out;
  }

  LoadResult loaded_;
};

TEST_F(UnitsTest, AnEditOfARecordReadsItsZoneAlone) {
  EXPECT_EQ(TakenOver(Edit(R"([{"op": "replace", "path": "/zones/0/records/0/ttl", "value": "5s"}])")), "0111");
  EXPECT_EQ(TakenOver(Edit(R"([{"op": "remove", "path": "/zones/1"}])")), "111");
  EXPECT_EQ(TakenOver(Edit(R"([{"op": "move", "from": "/zones/3", "path": "/zones/0"}])")), "1111");
  EXPECT_EQ(
      TakenOver(Edit(R"([{"op": "replace", "path": "/load-balancers/0/listeners/0/rules/0/priority", "value": 9}])")),
      "1111");
}

TEST_F(UnitsTest, AZoneIsReadAgainWhenANameLeadsElsewhere) {
  const std::string check = R"({"name": "two", "type": "TCP", "address": "192.0.2.8", "port": 5})";
  EXPECT_EQ(TakenOver(Edit(R"([{"op": "add", "path": "/health-checks/-", "value": )" + check + "}]")), "1111");
  const auto edited = Edit(R"([{"op": "add", "path": "/health-checks/0", "value": )" + check + "}]");
  EXPECT_EQ(TakenOver(edited), "1011");
  EXPECT_EQ(edited.model->zones[1]->records[0].health_check, 1U);
}

TEST_F(UnitsTest, AZoneIsReadAgainWhenWhatItsRecordsLeadToChanges) {
  EXPECT_EQ(TakenOver(Edit(R"([{"op": "replace", "path": "/load-balancers/0/advertise/0", "value": "192.0.2.7"}])")),
            "1111")
      << "the address is not the zone's";
  const auto edited = Edit(R"([{"op": "replace", "path": "/load-balancers/0/advertise/0", "value": "2001:db8::1"}])");
  EXPECT_EQ(TakenOver(edited), "1101");
  EXPECT_NE(edited.diagnostics.FormatAll().find("advertises no IPv4 address"), std::string::npos);
  const auto moved =
      Edit(R"([{"op": "move", "from": "/cidr-collections/0/locations/1", "path": "/cidr-collections/0/locations/0"}])");
  EXPECT_EQ(TakenOver(moved), "1110");
  EXPECT_EQ(moved.model->zones[3]->records[0].cidr->location, 0U);
}

TEST_F(UnitsTest, RulesFollowTheirTargetGroupsAndTheirListener) {
  const auto group = Edit(R"([{"op": "move", "from": "/target-groups/1", "path": "/target-groups/0"}])");
  const auto& rules = group.model->load_balancers[0].listeners[0].rules;
  EXPECT_EQ(std::get<ForwardAction>(rules[1]->action).target_groups[0].target_group, 1U);
  const auto port = Edit(R"([{"op": "replace", "path": "/load-balancers/0/listeners/0/port", "value": 443}])");
  EXPECT_EQ(port.model->load_balancers[0].listeners[0].rules.size(), 2U);
}

TEST_F(UnitsTest, WarningsOfWhatIsTakenOverAreThereAgainWithTheirPlaces) {
  const auto edited = Edit(R"([{"op": "move", "from": "/zones/0", "path": "/zones/3"}])");
  EXPECT_EQ(TakenOver(edited), "1111");
  bool found = false;
  for (const Diagnostic& item : edited.diagnostics.items) {
    found = found || (item.path == "zones[3].records[1].values[0]" && item.position.line == 21);
  }
  EXPECT_TRUE(found) << edited.diagnostics.FormatAll();
}

TEST_F(UnitsTest, EditsAreTakenOverWhenManyOfThemWereJoined) {
  LoadResult last = loaded_;
  for (int i = 0; i < 200; ++i) {
    const auto before = last.model->zones;
    const std::string path = "/zones/" + std::to_string(i % 2) + "/records/0/values/0";
    last = LoadPatched(
        *last.document, last.model.get(),
        R"([{"op": "replace", "path": ")" + path + R"(", "value": "192.0.2.)" + std::to_string(i) + "\"}]", "edit");
    ASSERT_TRUE(last.model) << last.diagnostics.FormatAll();
    for (std::size_t zone = 0; zone < before.size(); ++zone) {
      EXPECT_EQ(last.model->zones[zone] == before[zone], zone != static_cast<std::size_t>(i % 2)) << i << " " << zone;
    }
  }
}

}  // namespace
}  // namespace weir::config
