// Zone files (RFC 1035 section 5) as a source of records.

#include "base/record_type.h"
#include "config/decode/zone_file_lines.h"
#include "config/document/document.h"
#include "tests/config/load_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

namespace weir::config {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class ZoneFileTest : public ::testing::Test {
 protected:
  ZoneFileTest() {
    std::string pattern = (std::filesystem::temp_directory_path() / "weir-test-XXXXXX").string();
    folder_ = mkdtemp(pattern.data());
  }
  ~ZoneFileTest() override {
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }
  void Write(std::string_view name, std::string_view text) const {
    std::ofstream(folder_ / name, std::ios::binary) << text;
  }
  [[nodiscard]] LoadResult Load(std::string_view text, std::string_view more = {}) const {
    Write("a.zone", text);
    return LoadText("dns: {}\nzones: [{name: a.test, file: a.zone" + std::string(more) + "}]\n",
                    (folder_ / "t.yaml").string());
  }
  [[nodiscard]] std::string Findings(std::string_view text, std::string_view more = {}) const {
    std::string all = Load(text, more).diagnostics.FormatAll();
    const std::string prefix = folder_.string() + "/";
    for (auto at = all.find(prefix); at != std::string::npos; at = all.find(prefix)) all.erase(at, prefix.size());
    return all;
  }

  std::filesystem::path folder_;
};

// `NAME TYPE TTL VALUE|VALUE`, in the order of the model.
std::vector<std::string> RecordsOf(const LoadResult& result) {
  std::vector<std::string> out;
  if (!result.model) return {result.diagnostics.FormatAll()};
  for (const RecordSet& set : result.model->zones[0]->records) {
    std::string text = set.name + " " + RecordTypeName(set.type) + " " + std::to_string(set.ttl_seconds.value_or(0));
    for (const LocatedText& value : set.values) text += (value.text == set.values[0].text ? " " : "|") + value.text;
    out.push_back(std::move(text));
  }
  return out;
}

constexpr std::string_view kHead = "$TTL 1h\n@ IN SOA ns1 hostmaster 7 2h 15m 2w 60\n  NS ns1\n";

TEST_F(ZoneFileTest, ReadsWhatRfc1035Shows) {
  const auto result = Load(R"($ORIGIN a.test.
$TTL 1h30m
@   IN  SOA  ns1 hostmaster.b.test. (
        2026112901 ; serial
        2h         ; refresh
        15m 2w
        60 )
        NS   ns1
    600 IN NS ns2.b.test.
ns1     A    192.0.2.1
        AAAA 2001:db8::1
www IN 5m CNAME ns1
mail 300 IN MX 10 ns1
            MX 20 mx.b.test.
_sip._tcp SRV 1 2 5060 sip
t       TXT  "one; two" "th\"ree" four
o\.dot  TXT  \065
$ORIGIN sub
x       A    192.0.2.2
@       A    192.0.2.3
)");
  EXPECT_THAT(RecordsOf(result),
              ElementsAre("ns1.a.test. A 5400 192.0.2.1", "ns1.a.test. AAAA 5400 2001:db8::1",
                          "www.a.test. CNAME 300 ns1.a.test.", "mail.a.test. MX 300 10 ns1.a.test.|20 mx.b.test.",
                          "_sip._tcp.a.test. SRV 5400 1 2 5060 sip.a.test.",
                          R"(t.a.test. TXT 5400 "one; two" "th\"ree" "four")", R"(o\056dot.a.test. TXT 5400 "\101")",
                          "x.sub.a.test. A 5400 192.0.2.2", "sub.a.test. A 5400 192.0.2.3"))
      << result.diagnostics.FormatAll();
}

TEST_F(ZoneFileTest, TheSoaAndTheServersComeFromTheFileUnlessTheyAreGiven) {
  const auto result = Load(kHead);
  ASSERT_TRUE(result.model) << result.diagnostics.FormatAll();
  const Zone& zone = *result.model->zones[0];
  EXPECT_EQ(zone.soa.mname, "ns1.a.test.");
  EXPECT_EQ(zone.soa.rname, "hostmaster.a.test.");
  EXPECT_EQ(zone.soa.serial, 7U);
  EXPECT_EQ(zone.soa.refresh_seconds, 7'200U);
  EXPECT_EQ(zone.soa.minimum_seconds, 60U);
  EXPECT_EQ(zone.soa.ttl_seconds, 3'600U);
  EXPECT_THAT(zone.name_servers, ElementsAre("ns1.a.test."));
  EXPECT_EQ(zone.ns_ttl_seconds, 3'600U);
  EXPECT_EQ(result.diagnostics.FormatAll(), "");
  const auto given = Load(kHead, ", soa: {mname: m.b.test., serial: 9}, name-servers: [n.b.test.], ns-ttl: 5s");
  ASSERT_TRUE(given.model) << given.diagnostics.FormatAll();
  EXPECT_EQ(given.model->zones[0]->soa.serial, 9U);
  EXPECT_THAT(given.model->zones[0]->name_servers, ElementsAre("n.b.test."));
  EXPECT_EQ(given.model->zones[0]->ns_ttl_seconds, 5U);
}

TEST_F(ZoneFileTest, RecordsOfTheConfigurationStandBesideThoseOfTheFile) {
  const auto result =
      Load(std::string(kHead) + "x A 192.0.2.1\n", ", records: [{name: y, type: A, ttl: 5s, values: [192.0.2.2]}]");
  EXPECT_THAT(RecordsOf(result), ElementsAre("x.a.test. A 3600 192.0.2.1", "y.a.test. A 5 192.0.2.2"));
  EXPECT_THAT(
      Findings(std::string(kHead) + "x A 192.0.2.1\n", ", records: [{name: x, type: A, ttl: 5s, values: [192.0.2.2]}]"),
      HasSubstr("error: a second record x.a.test. A"));
}

TEST_F(ZoneFileTest, AFileIncludesOthers) {
  Write("more.zone", "x A 192.0.2.1\n$ORIGIN deep\ny A 192.0.2.2\n");
  const auto result = Load(std::string(kHead) + "$INCLUDE more.zone\n$INCLUDE more.zone sub\nz A 192.0.2.3\n");
  EXPECT_THAT(RecordsOf(result), ElementsAre("x.a.test. A 3600 192.0.2.1", "y.deep.a.test. A 3600 192.0.2.2",
                                             "x.sub.a.test. A 3600 192.0.2.1", "y.deep.sub.a.test. A 3600 192.0.2.2",
                                             "z.a.test. A 3600 192.0.2.3"));
  // Each is a file of the configuration: a change of it is noticed.
  ASSERT_TRUE(result.model);
  EXPECT_TRUE(std::ranges::any_of(result.diagnostics.files, [](const auto& f) { return f.ends_with("/more.zone"); }));
  EXPECT_TRUE(std::ranges::any_of(result.diagnostics.files, [](const auto& f) { return f.ends_with("/a.zone"); }));
}

TEST_F(ZoneFileTest, GenerateMakesRecords) {
  const auto result = Load(std::string(kHead) +
                           "$GENERATE 1-5/2 host-$ A 192.0.2.$\n$GENERATE 9-10 h${1,3,x} 60 IN CNAME host-${-8}\n");
  EXPECT_THAT(RecordsOf(result), ElementsAre("host-1.a.test. A 3600 192.0.2.1", "host-3.a.test. A 3600 192.0.2.3",
                                             "host-5.a.test. A 3600 192.0.2.5", "h00a.a.test. CNAME 60 host-1.a.test.",
                                             "h00b.a.test. CNAME 60 host-2.a.test."));
}

TEST_F(ZoneFileTest, MistakesAreFoundAtTheirPlaces) {
  struct Row {
    const char* text;
    const char* finding;
  };
  for (const Row& row : {
           Row{"x A\n", "a.zone:4:3: error: a A record without data"},
           Row{"x 5 IN\n", "a.zone:4:1: error: a record without a type"},
           Row{"x FOO 1\n", "a.zone:4:3: error: `FOO` is no record type"},
           Row{"x CH TXT a\n", "a.zone:4:3: error: a record of another class than IN"},
           Row{"x 5q A 192.0.2.1\n", "a.zone:4:3: error: `5q` is no TTL"},
           Row{"x 2147483648 A 192.0.2.1\n", "a.zone:4:3: error: `2147483648` is no TTL"},
           Row{"x..y A 192.0.2.1\n", "a.zone:4:1: error: "},
           Row{"x TXT \"open\ny A 192.0.2.1\n", "a.zone:4:7: error: a quotation mark that is not closed"},
           Row{"x A ( 192.0.2.1\n", "a.zone:4:5: error: a parenthesis that is not closed"},
           Row{"x A 192.0.2.1\n(\n(", "a.zone:5:1: error: a parenthesis that is not closed"},
           Row{"x TXT a\\\n", "a.zone:4:7: error: a backslash with nothing behind it"},
           Row{"x TXT (a\\\r\nb)\n", "a.zone:4:8: error: a backslash with nothing behind it"},
           Row{"\"$TTL\" 5\n", "a.zone:4:1: error: a record without a type"},
           Row{"x A 192.0.2.1 )\n", "a.zone:4:15: error: a parenthesis that was not opened"},
           Row{"$FOO 1\n", "a.zone:4:1: error: `$FOO` is no directive"},
           Row{"$TTL\n", "a.zone:4:1: error: $TTL takes one value"},
           Row{"$TTL x\n", "a.zone:4:6: error: `x` is no TTL"},
           Row{"$INCLUDE none.zone\n", "a.zone:4:10: error: cannot read"},
           Row{"$INCLUDE a.zone\n", "a.zone:4:10: error: the file includes itself"},
           Row{"$GENERATE 5-1 x$ A 192.0.2.$\n", "a.zone:4:1: error: $GENERATE cannot be read"},
           Row{"$GENERATE 1-5 x${q} A 192.0.2.$\n", "a.zone:4:15: error: `x${q}` cannot be read"},
           Row{"$GENERATE 1-2 x${9223372036854775807} A 192.0.2.$\n", "a.zone:4:15: error: `x${92233"},
           Row{"$GENERATE 0-2000000 x$ A 192.0.2.1\n", "a.zone:4:1: error: $GENERATE makes more than 1000000"},
           Row{"@ SOA ns1 h 1 1 1 1 1\n", "a.zone:4:3: error: a second SOA"},
           Row{"x SOA ns1 h 1 1 1 1 1\n", "a.zone:4:3: error: a SOA below the apex"},
           Row{"@ CNAME x\n", "a.zone:4:3: error: a CNAME at the apex"},
           Row{"x CNAME y\nx CNAME z\n", "a.zone:5:3: error: a second CNAME of x.a.test."},
           Row{"x.b.test. A 192.0.2.1\n", "a.zone:4:1: warning: x.b.test. is not in zone a.test.: left out"},
           Row{"x 5 A 192.0.2.1\nx 6 A 192.0.2.2\n", "a.zone:5:1: warning: the TTLs of x.a.test. A differ"},
           Row{"x A 192.0.2.1\nx A 192.0.2.1\n", "a.zone:5:5: warning: value `192.0.2.1` stands twice"},
       }) {
    EXPECT_THAT(Findings(std::string(kHead) + row.text), HasSubstr(row.finding)) << row.text;
  }
  EXPECT_THAT(Findings("x A 192.0.2.1\n"), HasSubstr("a.zone:1:1: error: a record without a TTL"));
  EXPECT_THAT(Findings("@ 5 SOA ns1 h x 1 1 1 1\n"), HasSubstr("a.zone:1:15: error: `x` is no serial number"));
  EXPECT_THAT(Findings(" 5 A 192.0.2.1\n"), HasSubstr("error: the first record has no owner"));
  EXPECT_THAT(Findings("x 5 A 192.0.2.1\n"), HasSubstr("zone `a.test.` has no name server"));
}

TEST_F(ZoneFileTest, AFileThatCannotBeReadIsAnErrorWhereItIsNamed) {
  const auto result =
      LoadText("dns: {}\nzones: [{name: a.test, file: none.zone, soa: {mname: ns1}}]\n", (folder_ / "t.yaml").string());
  EXPECT_FALSE(result.model);
  EXPECT_THAT(result.diagnostics.FormatAll(), HasSubstr("t.yaml:2:30: error: cannot read"));
}

TEST_F(ZoneFileTest, AnEditKeepsTheZoneAndWhereItCameFrom) {
  const auto before = Load(std::string(kHead) + "x A 192.0.2.1\n");
  ASSERT_TRUE(before.document) << before.diagnostics.FormatAll();
  const auto after = LoadPatched(*before.document, before.model.get(),
                                 R"([{"op": "add", "path": "/dns/port", "value": 5353}])", "api");
  ASSERT_TRUE(after.model) << after.diagnostics.FormatAll();
  EXPECT_EQ(after.model->zones[0], before.model->zones[0]);
  EXPECT_TRUE(std::ranges::any_of(after.document->files, [](const auto& f) { return f.ends_with("/a.zone"); }));
}

TEST(ZoneFileLinesTest, EscapesBecomeOctal) {
  EXPECT_EQ(OctalEscapes(R"(a\046b\;c\\d)"), R"(a\056b\;c\\d)");
  EXPECT_EQ(OctalEscapes(R"(\256)"), R"(\999)");
  EXPECT_EQ(OctalEscapes(R"(end\)"), R"(end\)");
}

}  // namespace
}  // namespace weir::config
