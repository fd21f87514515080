#include "bench/load/dns/dns_load.h"

#include "bench/load/dns/query_sources.h"
#include "bench/load/dns/query_window.h"
#include "bench/load/dns/schedule.h"
#include "bench/load/dns/tally.h"
#include "dns/wire/types.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cmath>
#include <set>
#include <string>

namespace weir::bench {
namespace {

using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;

const SteadyTime kStart{seconds(1'000)};

TEST(DnsQueryWindowTest, FindsOnlyWhatIsOpen) {
  QueryWindow window(3, 3);
  const std::uint16_t id = window.Open(kStart, kStart, 7).id;
  ASSERT_NE(window.Find(id), nullptr);
  EXPECT_EQ(window.Find(id)->question, 7U);
  EXPECT_EQ(window.room(), 2U);
  window.Close(*window.Find(id));
  EXPECT_EQ(window.Find(id), nullptr);
  EXPECT_EQ(window.room(), 3U);
}

TEST(DnsQueryWindowTest, LateAnswersDoNotMatchTheSlotsNextQuery) {
  QueryWindow window(1, 1);
  std::set<std::uint16_t> ids;
  for (int i = 0; i < 1'000; ++i) {
    auto& pending = window.Open(kStart, kStart, 0);
    EXPECT_TRUE(ids.insert(pending.id).second);
    window.Close(pending);
  }
}

TEST(DnsQueryWindowTest, KeepsTheOrderOfSending) {
  QueryWindow window(100, 100);
  std::vector<std::uint16_t> ids;
  for (std::uint32_t i = 0; i < 100; ++i) ids.push_back(window.Open(kStart, kStart, i).id);
  EXPECT_EQ(window.room(), 0U);
  for (std::size_t i = 0; i < 100; i += 2) window.Close(*window.Find(ids[i]));
  for (std::uint32_t i = 100; i < 150; ++i) static_cast<void>(window.Open(kStart, kStart, i));
  EXPECT_EQ(window.room(), 0U);
  for (std::uint32_t i = 1; i < 150; i += i < 99 ? 2 : 1) {
    ASSERT_NE(window.oldest(), nullptr);
    EXPECT_EQ(window.oldest()->question, i);
    window.Close(*window.oldest());
  }
  EXPECT_EQ(window.oldest(), nullptr);
}

TEST(DnsQueryWindowTest, OpensWithTheAnswers) {
  QueryWindow window(4, 2);
  EXPECT_EQ(window.room(), 2U);
  for (int i = 0; i < 10; ++i) window.Widen();
  EXPECT_EQ(window.room(), 4U);
}

TEST(DnsScheduleTest, ConstantGapsAreExact) {
  Schedule schedule({.rate = 1'000, .arrival = Spacing::kConstant, .begin = kStart, .end = kStart + seconds(1)});
  int count = 0;
  while (!schedule.finished()) {
    const auto due = schedule.Take(kStart + seconds(5)) - kStart;
    EXPECT_NEAR(std::chrono::duration<double>(due).count(), count / 1'000.0, 1e-6);
    ++count;
  }
  EXPECT_EQ(count, 1'000);
}

TEST(DnsScheduleTest, PoissonGapsHaveTheRateAsMeanAndTheirOwnSpread) {
  Schedule schedule({.rate = 10'000, .begin = kStart, .end = kStart + seconds(2), .seed = 7});
  double sum = 0;
  double squares = 0;
  int count = 0;
  for (SteadyTime last = kStart; !schedule.finished(); ++count) {
    const SteadyTime due = schedule.Take(kStart);
    const double gap = std::chrono::duration<double>(due - last).count();
    sum += gap;
    squares += gap * gap;
    last = due;
  }
  EXPECT_NEAR(count, 20'000, 600);
  const double mean = sum / count;
  // An exponential distribution's deviation is its mean.
  EXPECT_NEAR(std::sqrt(squares / count - mean * mean) / mean, 1.0, 0.05);
}

TEST(DnsScheduleTest, FlatOutAlwaysHasOneDueUntilTheLimit) {
  Schedule schedule({.queries_max = 2, .begin = kStart, .end = SteadyTime::max()});
  for (int i = 0; i < 2; ++i) {
    ASSERT_TRUE(schedule.IsDue(kStart));
    EXPECT_EQ(schedule.Take(kStart + seconds(i)), kStart + seconds(i));
  }
  EXPECT_FALSE(schedule.IsDue(kStart));
  EXPECT_TRUE(schedule.finished());
}

TEST(DnsTallyTest, SharesAreBounded) {
  ShareCounter shares;
  for (std::uint8_t i = 0; i < 100; ++i) shares.Add(rr::kA, std::array<std::uint8_t, 4>{192, 0, 2, i});
  shares.Add(rr::kA, std::array<std::uint8_t, 4>{192, 0, 2, 3});
  std::map<std::string, std::uint64_t> taken;
  shares.Take(taken);
  EXPECT_EQ(taken.size(), kShareValuesMax + 1);
  EXPECT_EQ(taken["other"], 100 - kShareValuesMax);
  EXPECT_EQ(taken["192.0.2.3"], 2U);
  taken.clear();
  shares.Take(taken);
  EXPECT_TRUE(taken.empty());
}

TEST(DnsTallyTest, CountsByCodeAndByKindOfError) {
  Tally tally;
  const std::array<std::uint8_t, 12> message{};
  tally.CountAnswer(message, {.rcode = 3}, std::chrono::milliseconds(2));
  tally.CountAnswer(message, {.rcode = 0, .truncated = true}, std::chrono::milliseconds(2));
  tally.CountError(QueryError::kTimeout, 5);
  const Counts counts = tally.Take();
  EXPECT_THAT(counts.outcomes, ElementsAre(Pair("NOERROR (truncated)", 1), Pair("NXDOMAIN", 1)));
  EXPECT_THAT(counts.errors, ElementsAre(Pair("timeout", 5)));
  EXPECT_THAT(counts.shares, ElementsAre(Pair("(none)", 2)));
  EXPECT_EQ(counts.completed, 2U);
  EXPECT_EQ(counts.bytes_received, 24U);
  EXPECT_EQ(counts.latency.count(), 2U);
  EXPECT_EQ(tally.Take().completed, 0U);
}

TEST(DnsQuerySourcesTest, ReadsDnsperfFiles) {
  const auto questions = ParseQueries("; a comment\nwww.example.test A\r\n\n  example.test.\tTYPE65 \n", "q");
  ASSERT_TRUE(questions);
  ASSERT_EQ(questions->size(), 2U);
  EXPECT_EQ((*questions)[0].name.ToString(), "www.example.test.");
  EXPECT_EQ((*questions)[1].type, rr::kHttps);
}

TEST(DnsQuerySourcesTest, TellsEveryWrongLine) {
  const auto questions = ParseQueries("a..b A\nwww.test\nok.test A\nwww.test AB\nwww.test AXFR\nwww.test A IN\n", "q");
  ASSERT_FALSE(questions);
  const std::string& text = questions.error().text;
  EXPECT_THAT(text, HasSubstr("q:1: error: 'a..b' is not a domain name"));
  EXPECT_THAT(text, HasSubstr("q:2: error: a name without a type"));
  EXPECT_THAT(text, HasSubstr("q:4: error: 'AB' is no record type"));
  EXPECT_THAT(text, HasSubstr("q:5: error: AXFR"));
  EXPECT_THAT(text, HasSubstr("q:6: error: more than a name and a type"));
  EXPECT_THAT(text, ::testing::Not(HasSubstr("q:3")));
}

TEST(DnsQuerySourcesTest, AnEmptyFileIsAnError) {
  EXPECT_THAT(ParseQueries("# nothing\n", "q").error().text, HasSubstr("q: error: no query in it"));
  EXPECT_THAT(ParseSubnets("\n", "s").error().text, HasSubstr("s: error: no subnet in it"));
}

TEST(DnsQuerySourcesTest, ReadsSubnets) {
  const auto subnets = ParseSubnets("192.0.2.0/24\n2001:db8::/32 # six\n", "s");
  EXPECT_FALSE(subnets) << "a comment is a line of its own";
  const auto good = ParseSubnets("# four\n192.0.2.0/24\n2001:db8::/32\n", "s");
  ASSERT_TRUE(good);
  EXPECT_EQ((*good)[1].ToString(), "2001:db8::/32");
  EXPECT_THAT(ParseSubnets("192.0.2.1/24\n", "s").error().text, HasSubstr("s:1: error: "));
}

TEST(DnsQuerySourcesTest, ASweepAsksForEveryNameAndTypeOnce) {
  config::Model model;
  config::Zone zone;
  zone.name = "example.test.";
  for (const char* name : {"w.example.test.", "w.example.test.", "*.wild.example.test."}) {
    config::RecordSet record;
    record.name = name;
    record.type = rr::kA;
    zone.records.push_back(record);
  }
  model.zones.push_back(std::make_shared<const config::Zone>(std::move(zone)));
  std::vector<std::string> asked;
  for (const auto& question : SweepZones(model)) {
    asked.push_back(question.name.ToString() + " " + RecordTypeName(question.type));
  }
  EXPECT_THAT(asked,
              ElementsAre("example.test. SOA", "example.test. NS", "w.example.test. A", "sweep.wild.example.test. A"));
}

TEST(DnsLoadTest, NumbersMustFitTogether) {
  DnsLoad load;
  load.duration = seconds(1);
  EXPECT_TRUE(CheckDnsLoad(load));
  const auto refused = [&](auto change) {
    DnsLoad changed = load;
    change(changed);
    const auto checked = CheckDnsLoad(changed);
    return checked ? std::string() : checked.error().message;
  };
  EXPECT_THAT(refused([](DnsLoad& l) { l.threads = 2; }), HasSubstr("2 threads with 1 sockets"));
  EXPECT_THAT(refused([](DnsLoad& l) { l.sockets = 600; }), HasSubstr("512 outstanding queries over 600"));
  EXPECT_THAT(refused([](DnsLoad& l) { l.outstanding = 40'000; }), HasSubstr("identifiers"));
  EXPECT_THAT(refused([](DnsLoad& l) { l.duration = {}; }), HasSubstr("without an end"));
  EXPECT_THAT(refused([](DnsLoad& l) { l.queries_max = 5, l.warmup = seconds(1); }), HasSubstr("warm-up"));
  EXPECT_THAT(refused([](DnsLoad& l) { l.queries_max = 1, l.threads = l.sockets = 2; }), HasSubstr("fewer queries"));
  EXPECT_THAT(refused([](DnsLoad& l) { l.timeout = {}; }), HasSubstr("wait"));
}

}  // namespace
}  // namespace weir::bench
