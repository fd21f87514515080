#include "bench/load/appliance_answers.h"

#include "control/event_journal.h"

#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <vector>

namespace weir::bench {
namespace {

using namespace std::chrono_literals;

const WallTime kStart(1'700'000'000s);

EventAnswer Answer(std::vector<EventAnswer::Item> items, WallTime now = kStart) {
  EventAnswer answer{.started = kStart - 1h, .now = now, .items = std::move(items)};
  if (!answer.items.empty()) answer.last = answer.items.back().sequence;
  return answer;
}

EventAnswer::Item Item(std::uint64_t sequence, WallTime time) {
  return {.sequence = sequence, .time = time, .kind = "health", .text = std::to_string(sequence)};
}

// A poll that took 2 ms around `now`.
EventTrail::PollTimes Around(WallTime now) { return {.sent = now - 1ms, .answered = now + 1ms}; }

TEST(ParseEventsTest, ReadsWhatTheAdminApiWrites) {
  control::EventJournal journal;
  journal.Add(control::EventKind::kReload, kStart + 1500ms, "configuration reloaded, revision 2", {{"revision", "2"}});
  const auto answer = ParseEvents(control::EventsJson(journal.Since(0, 10), kStart, kStart + 2s));
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_EQ(answer->started, kStart);
  EXPECT_EQ(answer->now, kStart + 2s);
  EXPECT_EQ(answer->last, 1U);
  ASSERT_EQ(answer->items.size(), 1U);
  EXPECT_EQ(answer->items[0].time, kStart + 1500ms);
  EXPECT_EQ(answer->items[0].kind, "reload");
  EXPECT_EQ(answer->items[0].text, "configuration reloaded, revision 2");
}

TEST(BenchSmallTest, AnEventIsGoodOrBadByWhatItsFieldsSay) {
  using enum control::EventKind;
  control::EventJournal journal;
  journal.Add(kHealth, kStart, "gone", {{"from", "healthy"}, {"to", "unhealthy"}});
  journal.Add(kHealth, kStart, "back", {{"from", "unhealthy"}, {"to", "healthy"}});
  journal.Add(kHealth, kStart, "leaving", {{"from", "healthy"}, {"to", "draining"}});
  journal.Add(kReload, kStart, "taken", {{"result", "accepted"}});
  journal.Add(kReload, kStart, "not taken", {{"result", "refused"}});
  journal.Add(kShift, kStart, "moved", {{"to", "unhealthy"}});
  journal.Add(kHealth, kStart, "without fields", {});
  const auto answer = ParseEvents(control::EventsJson(journal.Since(0, 10), kStart, kStart));
  ASSERT_TRUE(answer) << answer.error().message;
  EventTrail trail;
  trail.Begin(Answer({}));
  EventAnswer taken = *answer;
  taken.started = kStart - 1h;
  ASSERT_FALSE(trail.Take(taken, Around(kStart)));
  std::vector<EventTone> tones;
  for (const auto& event : trail.TakeEvents(kStart)) tones.push_back(event.tone);
  using enum EventTone;
  EXPECT_EQ(tones, (std::vector{kBad, kGood, kPlain, kPlain, kBad, kPlain, kPlain}));
}

TEST(ParseEventsTest, RefusesWhatIsNotThat) {
  const std::string head =
      R"({"started-unix-milliseconds":1,"now-unix-milliseconds":1,"last":0,"dropped":0,"more":false)";
  EXPECT_TRUE(ParseEvents(head + R"(,"events":[]})"));
  for (const std::string& body :
       {std::string(), std::string("[]"), std::string("{}"), head + "}", head + R"(,"events":{}})",
        head + R"(,"events":[1]})",
        head + R"(,"events":[{"sequence":"x","unix-milliseconds":1,"kind":"a","text":"b"}]})",
        head + R"(,"events":[{"sequence":-1,"unix-milliseconds":1,"kind":"a","text":"b"}]})"}) {
    EXPECT_FALSE(ParseEvents(body)) << body;
  }
}

TEST(EventTrailTest, WhatHappenedBeforeIsLeftOut) {
  EventTrail trail;
  trail.Begin(Answer({Item(41, kStart)}));
  EXPECT_EQ(trail.since(), 41U);
  EXPECT_TRUE(trail.TakeEvents(kStart).empty());
}

TEST(EventTrailTest, SecondsCountFromTheStartOfTheRun) {
  EventTrail trail;
  trail.Begin(Answer({}));
  EXPECT_FALSE(trail.Take(Answer({Item(1, kStart - 500ms), Item(2, kStart + 3s)}, kStart + 4s), Around(kStart + 4s)));
  EXPECT_EQ(trail.since(), 2U);
  const auto events = trail.TakeEvents(kStart);
  ASSERT_EQ(events.size(), 2U);
  EXPECT_DOUBLE_EQ(events[0].seconds, -0.5);
  EXPECT_DOUBLE_EQ(events[1].seconds, 3);
  EXPECT_TRUE(trail.TakeEvents(kStart).empty()) << "taken once";
}

TEST(EventTrailTest, AnotherMachinesClockIsCorrected) {
  EventTrail trail;
  trail.Begin(Answer({}));
  // Its clock is a minute ahead: what it calls 12:01:03 was 12:00:03 here.
  ASSERT_FALSE(trail.Take(Answer({Item(1, kStart + 63s)}, kStart + 64s), Around(kStart + 4s)));
  EXPECT_NEAR(trail.TakeEvents(kStart).at(0).seconds, 3, 0.001);
}

TEST(EventTrailTest, MoreIsAskedForAtOnce) {
  EventTrail trail;
  trail.Begin(Answer({}));
  auto answer = Answer({Item(1, kStart)});
  answer.more = true;
  EXPECT_TRUE(trail.Take(answer, Around(kStart)));
  answer.items.clear();
  EXPECT_FALSE(trail.Take(answer, Around(kStart))) << "never for ever";
}

TEST(EventTrailTest, SilenceIsOneEventAndSoIsItsEnd) {
  EventTrail trail;
  trail.Begin(Answer({}));
  trail.Silent(kStart + 1s, "connection refused");
  trail.Silent(kStart + 2s, "connection refused");
  ASSERT_FALSE(trail.Take(Answer({}, kStart + 3s), Around(kStart + 3s)));
  ASSERT_FALSE(trail.Take(Answer({}, kStart + 4s), Around(kStart + 4s)));
  const auto events = trail.TakeEvents(kStart);
  ASSERT_EQ(events.size(), 2U);
  EXPECT_EQ(events[0].text, "the admin API does not answer: connection refused");
  EXPECT_DOUBLE_EQ(events[0].seconds, 1);
  EXPECT_EQ(events[1].text, "the admin API answers again");
}

TEST(EventTrailTest, AProgramThatWasStartedAnewIsAskedFromItsBeginning) {
  EventTrail trail;
  trail.Begin(Answer({Item(41, kStart)}));
  auto anew = Answer({}, kStart + 6s);
  anew.started = kStart + 5s;
  EXPECT_TRUE(trail.Take(anew, Around(kStart + 6s)));
  EXPECT_EQ(trail.since(), 0U);
  anew.items = {Item(1, kStart + 5500ms)};
  EXPECT_FALSE(trail.Take(anew, Around(kStart + 6s)));
  const auto events = trail.TakeEvents(kStart);
  ASSERT_EQ(events.size(), 2U);
  EXPECT_EQ(events[0].text, "the appliance was started anew");
  EXPECT_DOUBLE_EQ(events[0].seconds, 5);
  EXPECT_EQ(events[1].text, "1");
}

TEST(EventTrailTest, DroppedEventsAreTold) {
  EventTrail trail;
  trail.Begin(Answer({}));
  auto answer = Answer({Item(9, kStart)});
  answer.dropped = 8;
  ASSERT_FALSE(trail.Take(answer, Around(kStart)));
  EXPECT_EQ(trail.TakeEvents(kStart).at(0).text, "8 events were dropped before they were read");
}

using Shares = std::map<std::string, std::uint64_t>;

TEST(GroupSharesTest, CountsWhatCameSinceTheFirstText) {
  GroupShares shares;
  shares.Update(
      "# HELP weir_target_group_requests_total x\n"
      "weir_target_group_requests_total{target_group=\"blue\"} 100\n"
      "weir_target_group_requests_total{target_group=\"green\"} 5\n");
  EXPECT_EQ(shares.Take(), Shares());
  shares.Update(
      "weir_target_group_requests_total{target_group=\"blue\"} 108\n"
      "weir_target_group_requests_total{target_group=\"green\"} 5\n"
      "weir_target_group_requests_total{target_group=\"red\"} 3\n");
  shares.Update("weir_target_group_requests_total{target_group=\"blue\"} 110\n");
  EXPECT_EQ(shares.Take(), (Shares{{"blue", 10}, {"red", 3}}));
  EXPECT_EQ(shares.Take(), Shares());
}

TEST(GroupSharesTest, ACounterThatWentBackBeganAnew) {
  GroupShares shares;
  shares.Update("weir_target_group_requests_total{target_group=\"blue\"} 100\n");
  shares.Update("weir_target_group_requests_total{target_group=\"blue\"} 4\n");
  EXPECT_EQ(shares.Take(), (Shares{{"blue", 4}}));
}

TEST(GroupSharesTest, OtherLinesAndBrokenOnesAreNotCounted) {
  GroupShares shares;
  shares.Update("");
  shares.Update(
      "weir_target_group_requests_total_more{target_group=\"blue\"} 1\n"
      "weir_target_group_requests_total{target_group=\"blue} 1\n"
      "weir_target_group_requests_total{target_group=\"blue\"} x\n"
      "weir_target_group_requests_total{zone=\"blue\"} 1\n"
      "weir_target_group_requests_total{target_group=\"a\\\"b\\\\c\\nd\"} 2");
  EXPECT_EQ(shares.Take(), (Shares{{"a\"b\\c\nd", 2}}));
}

}  // namespace
}  // namespace weir::bench
