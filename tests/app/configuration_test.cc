#include "app/configuration.h"

#include "app/offline_view.h"
#include "tests/app/temporary_folder.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

namespace weir::app {
namespace {

class CheckTwoPassesTest : public ::testing::Test {
 protected:
  // Every finding, a line each, without the name of the folder.
  std::string Findings(std::string_view text) {
    const std::string path = folder_.Write("f.yaml", text);
    std::string found = LoadOffline(path).diagnostics.FormatAll();
    const std::string folder = path.substr(0, path.size() - std::string_view("f.yaml").size());
    for (std::size_t at = found.find(folder); at != std::string::npos; at = found.find(folder)) {
      found.erase(at, folder.size());
    }
    return found;
  }
  static auto Lines(const std::string& found) { return std::ranges::count(found, '\n'); }
  TemporaryFolder folder_;
};

constexpr std::string_view kRecords = R"(dns: {addresses: [127.0.0.1], port: 5353}
zones:
  - name: e.test
    name-servers: [ns1.example.test.]
    records:
      - {name: a, type: A, ttl: 60, values: [192.0.2.1]}
      - {name: b, type: A, ttl: 60s, values: [192.0.2]}
      - {name: c, type: A, ttl: 60s, values: [010.0.0.1]}
)";

TEST_F(CheckTwoPassesTest, RecordValuesAreCheckedBesideOtherErrors) {
  const std::string found = Findings(kRecords);
  EXPECT_NE(found.find("f.yaml:6:33: error: `ttl` wants a duration"), std::string::npos) << found;
  EXPECT_NE(found.find("f.yaml:7:47: error: A value '192.0.2'"), std::string::npos) << found;
  EXPECT_NE(found.find("f.yaml:8:47: error: A value '010.0.0.1'"), std::string::npos) << found;
  EXPECT_EQ(Lines(found), 3) << found;
}

TEST_F(CheckTwoPassesTest, RecordValuesOfAZoneWithAWrongNameAreCheckedToo) {
  std::string text(kRecords);
  text.replace(text.find("e.test"), 6, "e..test");
  const std::string found = Findings(text);
  EXPECT_NE(found.find("f.yaml:3:11: error:"), std::string::npos) << found;
  EXPECT_NE(found.find("f.yaml:7:47: error: A value '192.0.2'"), std::string::npos) << found;
  EXPECT_EQ(Lines(found), 4) << found;
}

TEST_F(CheckTwoPassesTest, EveryRegularExpressionIsCheckedBesideOtherErrors) {
  const std::string found = Findings(R"(load-balancers:
  - name: shop
    listeners:
      - port: 8080
        rules:
          - priority: 1
            conditions: [{path-pattern: {regex-values: ["(one", "fine", "(two"]}}]
            actions: [{fixed-response: {status-code: 200}}]
          - priority: 2
            conditions: [{host-header: {regex-values: ["(three"]}}]
            actions: [{fixed-response: {status-code: 200, contents: x}}]
        default-actions: [{fixed-response: {status-code: 404}}]
)");
  for (const char* place :
       {"f.yaml:7:57: error: the regular expression \"(one\"", "f.yaml:7:73: error: the regular expression \"(two\"",
        "f.yaml:10:56: error: the regular expression \"(three\"", "f.yaml:11:59: error: unknown key `contents`"}) {
    EXPECT_NE(found.find(place), std::string::npos) << place << "\n" << found;
  }
  EXPECT_EQ(Lines(found), 4) << found;
}

TEST_F(CheckTwoPassesTest, ExpressionsAloneAreAllReported) {
  const std::string found = Findings(R"(load-balancers:
  - name: shop
    listeners:
      - port: 8080
        rules:
          - priority: 1
            conditions: [{path-pattern: {regex-values: ["(one", "(two"]}}]
            actions: [{fixed-response: {status-code: 200}}]
        default-actions: [{fixed-response: {status-code: 404}}]
)");
  EXPECT_EQ(Lines(found), 2) << found;
}

TEST_F(CheckTwoPassesTest, FilesThatCannotBeReadAreReportedTogether) {
  const std::string found = Findings(R"(include: [none.yaml]
latency: {table: none.csv, geoip: none.mmdb}
load-balancers:
  - name: shop
    listeners: [{port: 8080, prot: HTTP, default-actions: [{forward: {target-group: in-the-included-file}}]}]
target-groups: [{name: unused, targets: [{address: 127.0.0.1, port: 1}]}]
)");
  for (const char* place :
       {"f.yaml:1:11: error: `none.yaml` cannot be read", "f.yaml:2:18: error: cannot read none.csv",
        "f.yaml:2:35: error: cannot read none.mmdb", "f.yaml:5:30: error: unknown key `prot`"}) {
    EXPECT_NE(found.find(place), std::string::npos) << place << "\n" << found;
  }
  EXPECT_EQ(Lines(found), 4) << "what the file that is not there may hold is no error: " << found;
}

TEST_F(CheckTwoPassesTest, RowsOfTheLatencyTableAreCheckedBesideOtherErrors) {
  folder_.Write("latency.csv", "10.0.0.0/8,eu,12\n10.0.0.0/8,us,many\n");
  const std::string found =
      Findings(R"(regions: [{name: eu, latitude: 1, longitude: 1}, {name: us, latitude: 1, longitude: 1}]
latency: {table: latency.csv}
admin: {prot: 1}
)");
  EXPECT_NE(found.find("f.yaml:2:18: error: latency.csv line 2: 'many'"), std::string::npos) << found;
  EXPECT_NE(found.find("f.yaml:3:9: error: unknown key `prot`"), std::string::npos) << found;
}

TEST_F(CheckTwoPassesTest, FindingsAreInTheOrderOfTheFileAndNamed) {
  const std::string path = folder_.Write("f.yaml", kRecords);
  const auto loaded = LoadConfiguration(path);
  ASSERT_EQ(loaded.diagnostics.items.size(), 3U);
  EXPECT_TRUE(std::ranges::is_sorted(loaded.diagnostics.items, {},
                                     [](const config::Diagnostic& d) { return d.position.line; }));
  EXPECT_EQ(loaded.diagnostics.items[1].path, "zones[0].records[1].values[0]");
}

}  // namespace
}  // namespace weir::app
