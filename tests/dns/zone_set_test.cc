#include "dns/zone/zone_set.h"

#include "config/limits.h"
#include "dns/wire/name.h"
#include "dns/wire/rdata.h"
#include "dns/zone/name_table.h"
#include "tests/dns/dns_fixture.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace weir::dns::testing {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(NameTest, ReadsAndWritesPresentationForm) {
  struct Row {
    const char* text;
    const char* expected;  // null: refused
  };
  const std::string label63(63, 'a');
  const std::string longest = label63 + "." + label63 + "." + label63 + "." + std::string(61, 'b') + ".";
  const std::string too_long = label63 + "." + label63 + "." + label63 + "." + std::string(62, 'b') + ".";
  for (const Row& row : {Row{"WWW.Example.Test", "www.example.test."}, Row{".", "."}, Row{"a\\056b.c.", "a\\056b.c."},
                         Row{"a\\.b.", "a\\056b."}, Row{"\\052.x.", "*.x."}, Row{"", nullptr}, Row{"a..b.", nullptr},
                         Row{".a.", nullptr}, Row{"\\400.", nullptr}, Row{"\\09.", nullptr}, Row{"a\\", nullptr},
                         Row{longest.c_str(), longest.c_str()}, Row{too_long.c_str(), nullptr}}) {
    const auto name = Name::Parse(row.text);
    EXPECT_EQ(name.has_value(), row.expected != nullptr) << row.text;
    if (name && row.expected != nullptr) {
      EXPECT_EQ(name->ToString(), row.expected);
    }
  }
  EXPECT_FALSE(Name::Parse(std::string(64, 'a') + ".b"));
  EXPECT_EQ(Name::Parse(longest)->wire().size(), 255U);
}

TEST(RdataTest, EveryTypeReadsAndWritesItsForm) {
  struct Row {
    std::uint16_t type;
    const char* text;
    const char* expected;  // null: refused
  };
  const Name zone = Name::Parse("example.test.").value();
  for (const Row& row : {Row{rr::kA, "192.0.2.1", "192.0.2.1"},
                         Row{rr::kA, "2001:db8::1", nullptr},
                         Row{rr::kA, "192.0.2.256", nullptr},
                         Row{rr::kA, "", nullptr},
                         Row{rr::kAaaa, "2001:DB8::1", "2001:db8::1"},
                         Row{rr::kAaaa, "192.0.2.1", nullptr},
                         Row{rr::kCname, "www", "www.example.test."},
                         Row{rr::kCname, "@", "example.test."},
                         Row{rr::kCname, "www.example.org", "www.example.org."},
                         Row{rr::kCname, "a b", nullptr},
                         Row{rr::kMx, "10 mail.example.org.", "10 mail.example.org."},
                         Row{rr::kMx, "65536 a.b.", nullptr},
                         Row{rr::kMx, "mail", nullptr},
                         Row{rr::kTxt, "\"a b\" c", "\"a b\" \"c\""},
                         Row{rr::kTxt, "\"\\\"q\\042\\\\\"", "\"\\\"q\\\"\\\\\""},
                         Row{rr::kTxt, "\"open", nullptr},
                         Row{rr::kTxt, "", nullptr},
                         Row{rr::kSrv, "1 2 3 sip.example.org.", "1 2 3 sip.example.org."},
                         Row{rr::kSrv, "1 2 3", nullptr},
                         Row{rr::kCaa, "128 issue \"\"", "128 issue \"\""},
                         Row{rr::kCaa, "0 is-sue x", nullptr},
                         Row{rr::kNaptr, "1 2 \"u\" \"s\" \"!a!b!\" .", "1 2 \"u\" \"s\" \"!a!b!\" ."},
                         Row{rr::kDs, "1 13 2 ab CD", "1 13 2 ABCD"},
                         Row{rr::kTlsa, "3 1 1 0", nullptr},
                         Row{rr::kSshfp, "4 2 0a", "4 2 0A"},
                         Row{rr::kSpf, "x", "\"x\""},
                         Row{666, "\\# 2 0aFF", "\\# 2 0AFF"},
                         Row{666, "\\# 0", "\\# 0"},
                         Row{666, "\\# 3 0aFF", nullptr},
                         Row{666, "x", nullptr},
                         Row{rr::kA, "\\# 4 C0000201", "192.0.2.1"},
                         Row{rr::kA, "\\# 3 C00002", nullptr}}) {
    std::vector<std::uint8_t> wire;
    const auto done = ParseRdata(row.type, row.text, zone, wire);
    EXPECT_EQ(done.has_value(), row.expected != nullptr) << RecordTypeName(row.type) << " " << row.text;
    if (done && row.expected != nullptr) {
      EXPECT_EQ(RdataText(row.type, wire), row.expected);
    }
  }
  std::vector<std::uint8_t> wire;
  EXPECT_FALSE(ParseRdata(rr::kTxt, "\"" + std::string(256, 'x') + "\"", zone, wire));
}

// What the configuration cannot check: it has no reader of record data.
TEST(ZoneSetTest, EveryWrongValueIsReportedAtItsPlace) {
  config::Model model;
  std::vector<config::RecordSet> records = {
      MakeRecord("a.example.test.", rr::kA, {.values = {"192.0.2.1", "oops"}}),
      MakeRecord("b.example.test.", rr::kMx, {.values = {"mail"}}),
      MakeRecord("c.example.test.", rr::kCname, {.values = {"a b"}}),
  };
  for (std::uint32_t i = 0; i < records.size(); ++i) {
    for (auto& value : records[i].values) value.position.line += i * 1'000;
  }
  model.zones = {MakeZone("example.test.", std::move(records))};
  EXPECT_THAT(BuildErrors(model),
              AllOf(HasSubstr("102: A value 'oops': 'oops' is not an IPv4 address; A is written 192.0.2.1"),
                    HasSubstr("1101: MX value 'mail'"), HasSubstr("2101: CNAME value 'a b'")));
}

TEST(ZoneSetTest, TheLongestChainOfAliasesIsAnsweredByTheHealthAtItsEnd) {
  config::Model model;
  AddChecks(model, 2);
  std::vector<config::RecordSet> records;
  for (std::uint32_t i = 0; i < config::kAliasDepthMax; ++i) {
    records.push_back(MakeRecord("n" + std::to_string(i) + ".example.test.", rr::kA,
                                 {.alias = "n" + std::to_string(i + 1) + ".example.test.", .evaluate = true}));
  }
  const std::string last = "n" + std::to_string(config::kAliasDepthMax) + ".example.test.";
  records.push_back(MakeRecord(
      last, rr::kA, {.values = {"192.0.2.1"}, .policy = config::RoutingPolicy::kFailover, .set = "a", .check = 0}));
  records.push_back(MakeRecord(last, rr::kA,
                               {.values = {"192.0.2.2"},
                                .policy = config::RoutingPolicy::kFailover,
                                .set = "b",
                                .failover = config::FailoverRole::kSecondary,
                                .check = 1}));
  model.zones = {MakeZone("example.test.", std::move(records))};
  Server server(std::move(model), 2);
  EXPECT_THAT(server.Ask("n0.example.test.", rr::kA)->values(), ElementsAre("192.0.2.1"));
  server.status.checks[0].healthy = false;
  server.Publish();
  EXPECT_THAT(server.Ask("n0.example.test.", rr::kA)->values(), ElementsAre("192.0.2.2"));
}

TEST(ZoneSetTest, ManyRecordsAreFoundAndSmall) {
  config::Model model;
  std::vector<config::RecordSet> records;
  constexpr int kRecords = 20'000;
  for (int i = 0; i < kRecords; ++i)
    records.push_back(MakeRecord("host-" + std::to_string(i) + ".example.test.", rr::kA,
                                 {.values = {"192.0.2." + std::to_string(i % 256)}}));
  model.zones = {MakeZone("example.test.", std::move(records))};
  Server server(std::move(model));
  for (int i = 0; i < kRecords; i += 37) {
    EXPECT_EQ(server.Ask("host-" + std::to_string(i) + ".example.test.", rr::kA)->answer.at(0).value,
              "192.0.2." + std::to_string(i % 256));
  }
  EXPECT_EQ(server.Ask("host-20000.example.test.", rr::kA)->rcode(), Rcode::kNxDomain);
  EXPECT_LT(server.zones()->memory_bytes() / kRecords, 200U);
  EXPECT_TRUE(server.zones()->model().zones[0]->records.empty()) << "the configured records are let go of";
  EXPECT_EQ(server.zones()->model().zones[0]->plain_record_count, std::size_t{kRecords});
}

TEST(ZoneSetTest, MembersFindTheirRecordsAmongThoseThatAreKept) {
  config::Model model;
  std::vector<config::RecordSet> records;
  for (int i = 0; i < 4; ++i) {
    const auto text = std::to_string(i);
    records.push_back(MakeRecord("p" + text + ".example.test.", rr::kA, {.values = {"192.0.2.1"}}));
    records.push_back(MakeRecord(
        "w.example.test.", rr::kA,
        {.values = {"192.0.2.2"}, .policy = config::RoutingPolicy::kWeighted, .set = "set" + text, .weight = 1}));
  }
  model.zones = {MakeZone("other.test.", {MakeRecord("other.test.", rr::kA, {.values = {"192.0.2.1"}})}),
                 MakeZone("example.test.", std::move(records))};
  const Server server(std::move(model));
  const Zone& zone = server.zones()->zone(1);
  std::vector<std::string> sets;
  for (const Group& group : zone.groups()) {
    for (const Member& member : zone.members_of(group)) {
      const auto* record = zone.record_of(member);
      if (record != nullptr) sets.push_back(record->set);
    }
  }
  EXPECT_THAT(sets, ElementsAre("set0", "set1", "set2", "set3"));
}

TEST(ZoneSetTest, ReadingAheadGuessesTheNodeThatTheLookupFinds) {
  config::Model model;
  std::vector<config::RecordSet> records;
  for (int i = 0; i < 200; ++i)
    records.push_back(MakeRecord("h" + std::to_string(i) + ".example.test.", rr::kA, {.values = {"192.0.2.1"}}));
  model.zones = {MakeZone("example.test.", std::move(records))};
  const Server server(std::move(model));
  EXPECT_FALSE(server.zones()->outgrows_caches());
  const Zone& zone = server.zones()->zone(0);
  HashedName name;
  for (int i = 0; i < 200; ++i) {
    name.Assign(Name::Parse("h" + std::to_string(i) + ".example.test.").value().wire());
    const auto guess = zone.LikelyNode(name.suffix_hash(name.labels()));
    ASSERT_TRUE(guess);
    EXPECT_EQ(guess, zone.FindExact(name));
  }
  name.Assign(Name::Parse("h200.example.test.").value().wire());
  EXPECT_FALSE(zone.LikelyNode(name.suffix_hash(name.labels())));
}

TEST(ZoneSetTest, ARecordSetThatNoMessageCanHoldIsRefused) {
  const auto errors_of = [](std::vector<config::RecordSet> records) {
    config::Model model;
    model.zones = {MakeZone("example.test.", std::move(records))};
    return BuildErrors(std::move(model));
  };
  const auto texts = [](std::size_t count, std::size_t size) {
    std::vector<std::string> values;
    for (std::size_t i = 0; i < count; ++i) values.push_back(std::to_string(1'000 + i) + std::string(size - 4, 'x'));
    return values;
  };
  EXPECT_THAT(errors_of({MakeRecord("big.example.test.", rr::kTxt, {.values = texts(300, 253)})}),
              HasSubstr("100: the TXT records of 'big.example.test.' take 79800 bytes, more than a message holds"));
  EXPECT_EQ(errors_of({MakeRecord("big.example.test.", rr::kTxt, {.values = texts(245, 253)})}), "");
  // Names are compressed: only the message itself tells.
  std::vector<std::string> exchanges;
  for (int i = 0; i < 1'500; ++i) {
    exchanges.push_back("10 m" + std::to_string(i) + ".a-rather-long-name-that-all-of-them-share.example.test.");
  }
  EXPECT_EQ(errors_of({MakeRecord("mx.example.test.", rr::kMx, {.values = exchanges})}), "");
  // Eight of these may be drawn together.
  const auto members = [&texts](std::size_t count, std::size_t values) {
    std::vector<config::RecordSet> records;
    for (std::size_t i = 0; i < count; ++i) {
      records.push_back(MakeRecord(
          "m.example.test.", rr::kTxt,
          {.values = texts(values, 253), .policy = config::RoutingPolicy::kMultivalue, .set = std::to_string(i)}));
    }
    return records;
  };
  EXPECT_THAT(errors_of(members(9, 40)), HasSubstr("100: the TXT records of 'm.example.test.' take 85120 bytes"));
  EXPECT_EQ(errors_of(members(9, 30)), "");
}

TEST(ZoneSetTest, CountersGoOnThroughReloads) {
  CounterRegistry registry(2);
  config::Model model;
  model.zones = {MakeZone("example.test.", {})};
  const auto shared = std::make_shared<const config::Model>(model);
  const auto first = ZoneSet::Build(shared, registry).value();
  first->zone_counters(0)[1].queries.Add(5);
  const auto second = ZoneSet::Build(shared, registry).value();
  EXPECT_EQ(second->zone_counters(0).Sum([](const ZoneCounters& c) { return c.queries.value(); }), 5U);
}

}  // namespace
}  // namespace weir::dns::testing
