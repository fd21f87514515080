#include "control/event_journal.h"

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <thread>
#include <vector>

namespace weir::control {
namespace {

const WallTime kNoon(std::chrono::milliseconds(1'700'000'000'123));

void AddNumbered(EventJournal& journal, int count) {
  for (int i = 1; i <= count; ++i) journal.Add(EventKind::kHealth, kNoon, "event " + std::to_string(i), {});
}

std::vector<std::uint64_t> Sequences(const EventPage& page) {
  std::vector<std::uint64_t> out;
  for (const auto& event : page.events) out.push_back(event->sequence);
  return out;
}

using Numbers = std::vector<std::uint64_t>;

TEST(EventJournalTest, AnEmptyJournalHasNothing) {
  const auto page = EventJournal().Since(0, 10);
  EXPECT_TRUE(page.events.empty());
  EXPECT_EQ(page.oldest, 0U);
  EXPECT_EQ(page.last, 0U);
  EXPECT_FALSE(page.more);
}

TEST(EventJournalTest, GivesWhatCameAfterASequence) {
  EventJournal journal;
  AddNumbered(journal, 5);
  const auto page = journal.Since(3, 10);
  EXPECT_EQ(Sequences(page), (Numbers{4, 5}));
  EXPECT_EQ(page.oldest, 1U);
  EXPECT_EQ(page.last, 5U);
  EXPECT_EQ(page.dropped, 0U);
  EXPECT_EQ(page.events.front()->text, "event 4");
}

TEST(EventJournalTest, TheOldestAreDroppedAndThatIsVisible) {
  EventJournal journal(3);
  AddNumbered(journal, 10);
  const auto page = journal.Since(4, 10);
  EXPECT_EQ(Sequences(page), (Numbers{8, 9, 10}));
  EXPECT_EQ(page.oldest, 8U);
  EXPECT_EQ(page.dropped, 3U);
  EXPECT_EQ(journal.Since(7, 10).dropped, 0U);
}

TEST(EventJournalTest, ALimitLeavesTheNewerOnesForLater) {
  EventJournal journal;
  AddNumbered(journal, 5);
  const auto first = journal.Since(0, 2);
  EXPECT_EQ(Sequences(first), (Numbers{1, 2}));
  EXPECT_TRUE(first.more);
  const auto rest = journal.Since(2, 3);
  EXPECT_EQ(Sequences(rest), (Numbers{3, 4, 5}));
  EXPECT_FALSE(rest.more);
}

TEST(EventJournalTest, NothingIsNewerThanTheLastOrBeyond) {
  EventJournal journal;
  AddNumbered(journal, 2);
  EXPECT_TRUE(journal.Since(2, 10).events.empty());
  const auto beyond = journal.Since(~std::uint64_t{0}, 10);
  EXPECT_TRUE(beyond.events.empty());
  EXPECT_EQ(beyond.last, 2U);
  EXPECT_EQ(beyond.dropped, 0U);
}

TEST(EventJournalTest, ACapacityOfZeroKeepsOne) {
  EventJournal journal(0);
  AddNumbered(journal, 2);
  EXPECT_EQ(Sequences(journal.Since(0, 10)), (Numbers{2}));
}

TEST(EventJournalTest, WritersOfSeveralThreadsGetSequencesWithoutHoles) {
  EventJournal journal(1'000);
  {
    std::vector<std::jthread> writers;
    for (int i = 0; i < 4; ++i) writers.emplace_back([&] { AddNumbered(journal, 100); });
    EXPECT_LE(journal.Since(0, 10).events.size(), 10U);
  }
  const auto page = journal.Since(0, 1'000);
  ASSERT_EQ(page.events.size(), 400U);
  EXPECT_EQ(page.events.back()->sequence, 400U);
}

TEST(EventsJsonTest, HasEveryMember) {
  EventJournal journal(1);
  AddNumbered(journal, 1);
  journal.Add(EventKind::kShift, kNoon, "\"a\" -> b", {{"from", "a"}, {"to", "b"}});
  const auto parsed = boost::json::parse(
      EventsJson(journal.Since(0, 10), kNoon - std::chrono::seconds(5), kNoon + std::chrono::seconds(1)));
  EXPECT_EQ(parsed.at("started-unix-milliseconds").as_int64(), 1'699'999'995'123);
  EXPECT_EQ(parsed.at("now-unix-milliseconds").as_int64(), 1'700'000'001'123);
  EXPECT_EQ(parsed.at("oldest").as_int64(), 2);
  EXPECT_EQ(parsed.at("last").as_int64(), 2);
  EXPECT_EQ(parsed.at("dropped").as_int64(), 1);
  EXPECT_FALSE(parsed.at("more").as_bool());
  const auto& event = parsed.at("events").at(0);
  EXPECT_EQ(event.at("sequence").as_int64(), 2);
  EXPECT_EQ(event.at("time").as_string(), "2023-11-14T22:13:20.123000Z");
  EXPECT_EQ(event.at("unix-milliseconds").as_int64(), 1'700'000'000'123);
  EXPECT_EQ(event.at("kind").as_string(), "shift");
  EXPECT_EQ(event.at("text").as_string(), "\"a\" -> b");
  EXPECT_EQ(event.at("fields").at("to").as_string(), "b");
}

}  // namespace
}  // namespace weir::control
