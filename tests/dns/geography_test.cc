// Geolocation and geoproximity records (spec: dns.md 3.3) as clients see them, with a MaxMind database of the tests.

#include "dns/explain.h"
#include "dns/policy/geo_database.h"
#include "tests/dns/dns_fixture.h"
#include "tests/support/geo_database_writer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <cstddef>
#include <filesystem>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

namespace weir::dns::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr const char* kGeographyName = "geo.example.test.";

std::string GeographyAddress(std::size_t number) { return "192.0.2." + std::to_string(number); }

config::GeoLocation Continent(std::string code) { return {std::move(code), {}, {}}; }
config::GeoLocation Country(std::string code, std::string subdivision = {}) {
  return {{}, std::move(code), std::move(subdivision)};
}

class GeographyTest : public ::testing::Test {
 protected:
  GeographyTest() {
    std::string pattern = (std::filesystem::temp_directory_path() / "weir-test-XXXXXX").string();
    folder_ = mkdtemp(pattern.data());
    path_ = (folder_ / "city.mmdb").string();
    std::ofstream(path_, std::ios::binary) << weir::testing::WriteGeoDatabase(
        {{.block = "10.1.0.0/16", .continent = "NA", .country = "US", .subdivision = "WA", .place = {{47.6, -122.3}}},
         {.block = "10.2.0.0/16", .continent = "NA", .country = "US", .place = {{39.0, -77.0}}},
         {.block = "10.3.0.0/16", .continent = "EU", .country = "DE", .subdivision = "BY", .place = {{48.1, 11.6}}},
         {.block = "10.4.0.0/16", .continent = "AS", .country = "TR"},
         {.block = "10.5.0.0/16", .continent = "AF"},
         {.block = "2001:db8::/32", .continent = "EU", .country = "FR", .place = {{48.9, 2.4}}}});
  }
  ~GeographyTest() override {
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }

  // Records 1 and up, each with the check of its place.
  [[nodiscard]] config::Model Model(const std::vector<config::GeoLocation>& locations) const {
    config::Model model;
    AddChecks(model, locations.size());
    std::vector<config::RecordSet> records;
    for (std::uint32_t i = 0; i < locations.size(); ++i) {
      records.push_back(MakeRecord(kGeographyName, rr::kA,
                                   {.values = {GeographyAddress(i + 1)},
                                    .policy = config::RoutingPolicy::kGeolocation,
                                    .set = "s" + std::to_string(i + 1),
                                    .geolocation = locations[i],
                                    .check = i}));
    }
    model.zones = {MakeZone("example.test.", std::move(records))};
    model.latency.geoip = {path_, {0, 8, 10}};
    return model;
  }
  [[nodiscard]] config::Model Model(const std::vector<config::GeoProximity>& places) const {
    config::Model model;
    model.regions = {{"west", 47.0, -122.0}, {"east", 38.9, -77.4}};
    AddChecks(model, places.size());
    std::vector<config::RecordSet> records;
    for (std::uint32_t i = 0; i < places.size(); ++i) {
      records.push_back(MakeRecord(kGeographyName, rr::kA,
                                   {.values = {GeographyAddress(i + 1)},
                                    .policy = config::RoutingPolicy::kGeoproximity,
                                    .set = "s" + std::to_string(i + 1),
                                    .geoproximity = places[i],
                                    .check = i}));
    }
    model.zones = {MakeZone("example.test.", std::move(records))};
    model.latency.geoip = {path_, {0, 8, 10}};
    return model;
  }
  static std::unique_ptr<Response> AskFrom(Server& server, std::string_view block) {
    return server.Ask(kGeographyName, rr::kA, {.edns = true, .options = SubnetOption(block)});
  }

  std::filesystem::path folder_;
  std::string path_;
};

TEST_F(GeographyTest, TheNarrowestPlaceThatHoldsTheClientAnswers) {
  Server server(Model({Country({}), Continent("NA"), Country("US"), Country("US", "WA"), Continent("EU")}), 5);
  struct Row {
    const char* client;
    std::size_t answer;
    unsigned scope;
  };
  for (const Row& row : {
           Row{"10.1.7.0/24", 4, 16},
           Row{"10.2.7.0/24", 3, 16},
           Row{"10.3.7.0/24", 5, 16},
           Row{"10.4.7.0/24", 5, 16},  // Turkey: Europe for Route 53
           Row{"10.5.7.0/24", 1, 16},
           Row{"2001:db8:7::/48", 5, 32},
       }) {
    const auto response = AskFrom(server, row.client);
    EXPECT_THAT(response->values(), ElementsAre(GeographyAddress(row.answer))) << row.client;
    EXPECT_EQ(response->option(8)->at(3), row.scope) << row.client;
  }
  EXPECT_THAT(AskFrom(server, "192.0.2.0/24")->values(), ElementsAre(GeographyAddress(1))) << "not in the database";
  EXPECT_THAT(server.Ask(kGeographyName, rr::kA, {}, Transport::kUdp, "10.1.0.53")->values(),
              ElementsAre(GeographyAddress(4)))
      << "the resolver's address stands for the client";
}

TEST_F(GeographyTest, AnUnhealthyPlaceGivesWayToTheNextWiderOne) {
  Server server(Model({Country({}), Continent("NA"), Country("US"), Country("US", "WA")}), 4);
  const auto answer = [&] { return AskFrom(server, "10.1.0.0/24")->values(); };
  for (const std::size_t unhealthy : {3U, 2U, 1U}) {
    server.status.checks[unhealthy].healthy = false;
    server.Publish();
    EXPECT_THAT(answer(), ElementsAre(GeographyAddress(unhealthy))) << unhealthy;
  }
  server.status.checks[0].healthy = false;
  server.Publish();
  EXPECT_THAT(answer(), ElementsAre(GeographyAddress(4))) << "none is healthy: the smallest place";
  EXPECT_THAT(AskFrom(server, "10.5.0.0/24")->values(), ElementsAre(GeographyAddress(1))) << "the only one for Africa";
}

TEST_F(GeographyTest, WithoutARecordForTheClientThereIsNoData) {
  Server server(Model({Continent("EU"), Country("US", "WA")}), 2);
  const auto response = AskFrom(server, "10.2.0.0/24");
  EXPECT_EQ(response->rcode(), Rcode::kNoError);
  EXPECT_THAT(response->values(), IsEmpty());
  EXPECT_EQ(response->option(8)->at(3), 16);
  EXPECT_THAT(AskFrom(server, "10.1.0.0/24")->values(), ElementsAre(GeographyAddress(2)));
}

TEST_F(GeographyTest, WithoutADatabaseEverybodyGetsTheDefault) {
  auto model = Model({Continent("EU"), Country({})});
  model.latency.geoip = {};
  Server server(std::move(model), 2);
  EXPECT_THAT(AskFrom(server, "10.3.0.0/24")->values(), ElementsAre(GeographyAddress(2)));
}

TEST_F(GeographyTest, TheNearestRecordAnswersItsBiasConsidered) {
  // From Washington State: 1 is in the east, 2 in the west; from Virginia the other way round.
  Server plain(Model(std::vector<config::GeoProximity>{{.region = 1}, {.region = 0}}), 2);
  EXPECT_THAT(AskFrom(plain, "10.1.0.0/24")->values(), ElementsAre(GeographyAddress(2)));
  EXPECT_THAT(AskFrom(plain, "10.2.0.0/24")->values(), ElementsAre(GeographyAddress(1)));
  EXPECT_EQ(AskFrom(plain, "10.2.0.0/24")->option(8)->at(3), 16);
  // 3,700 km x (1 - 99/100) is less than the 72 km to the west.
  Server drawn(Model(std::vector<config::GeoProximity>{{.region = 1, .bias = 99}, {.region = 0}}), 2);
  EXPECT_THAT(AskFrom(drawn, "10.1.0.0/24")->values(), ElementsAre(GeographyAddress(1)));
  // 72 km / (1 - 99/100) is more than 3,700 km.
  Server pushed(Model(std::vector<config::GeoProximity>{{.region = 1}, {.region = 0, .bias = -99}}), 2);
  EXPECT_THAT(AskFrom(pushed, "10.1.0.0/24")->values(), ElementsAre(GeographyAddress(1)));
}

TEST_F(GeographyTest, TheNearestHealthyRecordAnswers) {
  Server server(Model(std::vector<config::GeoProximity>{
                    {.latitude = 48, .longitude = 11}, {.latitude = 52, .longitude = 13}, {.region = 0}}),
                3);
  EXPECT_THAT(AskFrom(server, "10.3.0.0/24")->values(), ElementsAre(GeographyAddress(1)));
  server.status.checks[0].healthy = false;
  server.Publish();
  EXPECT_THAT(AskFrom(server, "10.3.0.0/24")->values(), ElementsAre(GeographyAddress(2)));
  server.status.checks[1].healthy = false;
  server.status.checks[2].healthy = false;
  server.Publish();
  EXPECT_THAT(AskFrom(server, "10.3.0.0/24")->values(), ElementsAre(GeographyAddress(1))) << "fail-open";
  EXPECT_THAT(AskFrom(server, "10.5.0.0/24")->values(), ElementsAre(GeographyAddress(1)))
      << "no place: first in the file";
}

TEST_F(GeographyTest, ExplanationsSayThePlaceAndTheDistance) {
  const auto explain = [](config::Model model, const char* client) {
    const auto zones = BuildZones(std::move(model));
    const auto status = std::make_shared<const health::StatusTable>(MakeStatus(4));
    return RenderText(ExplainQuery(zones, status, kGeographyName, rr::kA, CidrBlock::Parse(client).value()).value());
  };
  EXPECT_THAT(explain(Model({Country({}), Country("US", "WA"), Continent("EU")}), "10.1.0.0/24"),
              ::testing::AllOf(HasSubstr("(US-WA) 192.0.2.2: chosen"), HasSubstr("(*) 192.0.2.1: another comes first"),
                               HasSubstr("(continent EU) 192.0.2.3: passed over: the client is not known to be there"),
                               HasSubstr("the narrowest place that holds the client answers")));
  EXPECT_THAT(
      explain(Model(std::vector<config::GeoProximity>{{.region = 1, .bias = 10}, {.region = 0}}), "10.2.0.0/24"),
      ::testing::AllOf(HasSubstr("(east bias +10 "), HasSubstr(" km) 192.0.2.1: chosen"),
                       HasSubstr("the least distance with its bias")));
}

}  // namespace
}  // namespace weir::dns::testing
