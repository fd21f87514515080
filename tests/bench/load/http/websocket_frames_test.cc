#include "bench/load/http/websocket_frames.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

namespace weir::bench {
namespace {

using std::string_literals::operator""s;
using Event = ServerFrames::Event;

// The events of what a server sends, however it is cut.
std::vector<Event> EventsOf(const std::string& sent, std::size_t piece) {
  ServerFrames frames;
  std::vector<Event> events;
  for (std::size_t at = 0; at < sent.size(); at += piece) {
    std::string_view bytes = std::string_view(sent).substr(at, piece);
    for (;;) {
      const Event event = frames.Take(bytes);
      if (event == Event::kNeedMore) break;
      events.push_back(event);
      if (event == Event::kRefused) return events;
    }
    EXPECT_TRUE(bytes.empty());
  }
  return events;
}

TEST(WebSocketFramesTest, AClientsMessageIsMasked) {
  // RFC 6455 section 5.7: a single-frame masked text message, here as a binary one.
  EXPECT_EQ(ClientMessage("Hello", 0x37fa213d), "\x82\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58"s);
  EXPECT_EQ(ClientPong("Hello", 0x37fa213d), "\x8a\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58"s);
  EXPECT_EQ(ClientMessage(std::string(256, 'a'), 0).substr(0, 8), "\x82\xfe\x01\x00\x00\x00\x00\x00"s);
  EXPECT_EQ(ClientMessage(std::string(65'536, 'a'), 0).substr(0, 10), "\x82\xff\x00\x00\x00\x00\x00\x01\x00\x00"s);
}

TEST(WebSocketFramesTest, FollowsWhatAServerSends) {
  const std::string hello = "\x81\x05Hello";
  const std::string in_pieces = "\x01\x03Hel"s + "\x89\x02hi"s + "\x80\x02lo"s;
  const std::string large = "\x82\x7f\x00\x00\x00\x00\x00\x01\x00\x00"s + std::string(65'536, 'x');
  const std::string all = hello + in_pieces + "\x8a\x00"s + "\x82\x7e\x01\x00"s + std::string(256, 'y') + large +
                          "\x82\x00"s + "\x88\x02\x03\xe8"s;
  for (const std::size_t piece : {std::size_t{1}, std::size_t{7}, all.size()}) {
    EXPECT_EQ(EventsOf(all, piece), (std::vector{Event::kMessage, Event::kPing, Event::kMessage, Event::kMessage,
                                                 Event::kMessage, Event::kMessage, Event::kClose}))
        << piece;
  }
}

TEST(WebSocketFramesTest, GivesWhatAPingSays) {
  ServerFrames frames;
  std::string_view bytes = "\x89\x02hi\x89";
  EXPECT_EQ(frames.Take(bytes), Event::kPing);
  EXPECT_EQ(frames.control(), "hi");
  EXPECT_EQ(bytes.size(), 1U);
}

TEST(WebSocketFramesTest, RefusesWhatNoServerMaySend) {
  for (const std::string& sent : {"\x81\x85\x37\xfa\x21\x3d"s, "\xc1\x05"s, "\x83\x00"s, "\x80\x00"s,
                                  "\x01\x01"
                                  "a\x81\x01"
                                  "b"s,
                                  "\x09\x00"s, "\x89\x7e\x00\x80"s}) {
    const auto events = EventsOf(sent, 1);
    ASSERT_FALSE(events.empty());
    EXPECT_EQ(events.back(), Event::kRefused);
  }
}

}  // namespace
}  // namespace weir::bench
