#include "bench/load/event_feed.h"

#include "control/admin_server.h"
#include "net/socket.h"
#include "tests/control/control_fixture.h"

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>
#include <vector>

namespace weir::bench {
namespace {

using namespace std::chrono_literals;

class EventFeedTest : public ::testing::Test {
 protected:
  EventFeedTest() {
    appliance_.view = control::MakeView(control::kShopYaml);
    appliance_.runtime.ready = true;
    appliance_.runtime.started = SystemClock().WallNow();
    auto server = control::AdminServer::Start({IpAddress::V4({127, 0, 0, 1}), 0}, appliance_, {});
    EXPECT_TRUE(server) << server.error().message;
    server_ = std::move(*server);
  }
  std::unique_ptr<EventFeed> StartFeed(bool shares = false) {
    auto feed = EventFeed::Start({.admin = server_->endpoint(), .shares = shares});
    EXPECT_TRUE(feed) << feed.error().message;
    return std::move(*feed);
  }
  void Note(const std::string& text) {
    appliance_.journal.Add(control::EventKind::kHealth, SystemClock().WallNow(), text, {});
  }

  control::FakeAppliance appliance_;
  std::unique_ptr<control::AdminServer> server_;
};

TEST_F(EventFeedTest, TellsWhatHappenedSinceItsStart) {
  Note("before");
  const auto feed = StartFeed();
  const auto started = SystemClock().WallNow();
  Note("one");
  Note("two");
  feed->Poll();
  const auto events = feed->TakeEvents(started);
  ASSERT_EQ(events.size(), 2U);
  EXPECT_EQ(events[0].kind, "health");
  EXPECT_EQ(events[0].text, "one");
  EXPECT_EQ(events[1].text, "two");
  EXPECT_GE(events[0].seconds, -0.01);
  EXPECT_LT(events[1].seconds, 60);
}

TEST_F(EventFeedTest, CountsRequestsPerTargetGroup) {
  const auto feed = StartFeed(true);
  const auto& groups = appliance_.view->routing->groups();
  (*groups[0].counters)[0].requests.Add(7);
  (*groups[1].counters)[0].requests.Add(2);
  feed->Poll();
  EXPECT_EQ(feed->TakeShares(), (std::map<std::string, std::uint64_t>{{"blue", 7}, {"green", 2}}));
  EXPECT_TRUE(feed->TakeEvents(SystemClock().WallNow()).empty());
}

TEST_F(EventFeedTest, SharesOfTheWarmUpAreNotCounted) {
  const auto feed = StartFeed(true);
  const auto& groups = appliance_.view->routing->groups();
  (*groups[0].counters)[0].requests.Add(100);
  feed->Poll();
  // Far ahead: everything until then is warm-up.
  feed->CountSharesFrom(std::chrono::steady_clock::now() + 1h);
  (*groups[0].counters)[0].requests.Add(100);
  feed->Poll();
  EXPECT_EQ(feed->TakeShares(), (std::map<std::string, std::uint64_t>()));
  feed->CountSharesFrom(std::chrono::steady_clock::now());
  feed->Poll();
  (*groups[0].counters)[0].requests.Add(7);
  feed->Poll();
  EXPECT_EQ(feed->TakeShares(), (std::map<std::string, std::uint64_t>{{"blue", 7}}));
}

TEST_F(EventFeedTest, AnApplianceThatDiesIsAnEvent) {
  const auto feed = StartFeed(true);
  server_.reset();
  feed->Poll();
  feed->Poll();
  const auto events = feed->TakeEvents(SystemClock().WallNow());
  ASSERT_EQ(events.size(), 1U);
  EXPECT_EQ(events[0].kind, "admin");
  EXPECT_TRUE(events[0].text.starts_with("the admin API does not answer: ")) << events[0].text;
}

TEST_F(EventFeedTest, AWrongAddressIsToldAtTheStart) {
  const auto endpoint = server_->endpoint();
  server_.reset();
  const auto feed = EventFeed::Start({.admin = endpoint});
  ASSERT_FALSE(feed);
  EXPECT_NE(feed.error().message.find("nothing answers"), std::string::npos) << feed.error().message;
}

}  // namespace
}  // namespace weir::bench
