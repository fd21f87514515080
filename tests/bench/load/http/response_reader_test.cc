#include "bench/load/http/response_reader.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace weir::bench {
namespace {

using State = ResponseReader::State;

class ResponseReaderTest : public ::testing::Test {
 protected:
  // Gives `bytes` in pieces; the outcome of the last piece, `consumed` counted over all.
  ResponseReader::Outcome Read(std::string_view bytes, std::size_t piece, std::string_view method = "GET") {
    reader_.Begin(method);
    std::size_t taken = 0;
    ResponseReader::Outcome outcome;
    while (taken < bytes.size() && outcome.state == State::kNeedMore) {
      const auto given = bytes.substr(taken, piece);
      outcome = reader_.Take(given);
      taken += outcome.state == State::kDone ? outcome.consumed : given.size();
    }
    outcome.consumed = taken;
    return outcome;
  }

  ShareNames names_;
  HeadReader heads_{"X-Target", names_};
  ResponseReader reader_{heads_};
};

TEST_F(ResponseReaderTest, EveryFramingEndsWhereItShouldHoweverItArrives) {
  struct Case {
    std::string_view bytes;
    std::string_view method = "GET";
    std::uint16_t status = 200;
    bool keep_alive = true;
  };
  const Case cases[] = {
      {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"},
      {"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"},
      {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nA: b\r\n\r\n"},
      {"HTTP/1.1 204 No Content\r\n\r\n", "GET", 204},
      {"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", "GET", 304},
      {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", "HEAD"},
      {"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: "
       "1\r\n\r\nx"},
      {"HTTP/1.1 503 Busy\r\nConnection: close\r\nContent-Length: 2\r\n\r\nno", "GET", 503, false},
      {"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nno", "GET", 200, false},
      {"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nno", "GET", 200, true},
      {"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n", "GET", 101, false},
  };
  for (const Case& one : cases) {
    for (const std::size_t piece : {std::size_t{1}, std::size_t{3}, one.bytes.size()}) {
      const auto outcome = Read(one.bytes, piece, one.method);
      EXPECT_EQ(outcome.state, State::kDone) << one.bytes << " in pieces of " << piece;
      EXPECT_EQ(outcome.consumed, one.bytes.size()) << one.bytes << " in pieces of " << piece;
      EXPECT_EQ(reader_.facts().status, one.status) << one.bytes;
      EXPECT_EQ(reader_.facts().keep_alive, one.keep_alive) << one.bytes;
    }
  }
}

TEST_F(ResponseReaderTest, BytesOfTheNextMessageAreLeft) {
  const std::string first = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";
  EXPECT_EQ(Read(first + "HTTP/1.1", 1000).consumed, first.size());
}

TEST_F(ResponseReaderTest, UntilCloseEndsWithTheConnectionAndNothingElseDoes) {
  EXPECT_EQ(Read("HTTP/1.1 200 OK\r\n\r\nsome", 7).state, State::kNeedMore);
  EXPECT_EQ(reader_.TakeEnd().state, State::kDone);
  EXPECT_FALSE(reader_.facts().keep_alive);
  EXPECT_EQ(Read("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell", 100).state, State::kNeedMore);
  EXPECT_EQ(reader_.TakeEnd().state, State::kRefused);
  EXPECT_EQ(Read("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", 100).state, State::kNeedMore);
  EXPECT_EQ(reader_.TakeEnd().state, State::kRefused);
  EXPECT_EQ(Read("HTTP/1.1 200", 100).state, State::kNeedMore);
  EXPECT_EQ(reader_.TakeEnd().state, State::kRefused);
}

TEST_F(ResponseReaderTest, RefusesWhatIsMalformed) {
  for (const std::string_view bytes :
       {"SMTP ready\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"}) {
    EXPECT_EQ(Read(bytes, 1000).state, State::kRefused) << bytes;
    EXPECT_FALSE(reader_.why().empty());
  }
}

TEST_F(ResponseReaderTest, ARepeatedHeadIsReadAsBeforeAndAnotherOneAnew) {
  const std::string blue = "HTTP/1.1 200 OK\r\nX-Target: blue\r\nContent-Length: 3\r\n\r\n";
  const std::string green = "HTTP/1.1 200 OK\r\nX-Target: green\r\nContent-Length: 1\r\n\r\n";
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(Read(blue + "abc", 1000).state, State::kDone);
    EXPECT_EQ(names_.NameOf(reader_.facts().share), "blue");
    EXPECT_EQ(Read(blue + "abc", 1000).state, State::kDone);
    EXPECT_EQ(names_.NameOf(reader_.facts().share), "blue");
  }
  EXPECT_EQ(Read(green + "a", 1000).state, State::kDone);
  EXPECT_EQ(names_.NameOf(reader_.facts().share), "green");
  // The same bytes mean something else to another method.
  EXPECT_EQ(Read(green, 1000, "HEAD").state, State::kDone);
  EXPECT_EQ(Read(green, 1000, "GET").state, State::kNeedMore);
}

TEST_F(ResponseReaderTest, AMissingGroupHeaderIsAbsent) {
  EXPECT_EQ(Read("HTTP/1.1 204 No Content\r\n\r\n", 1000).state, State::kDone);
  EXPECT_EQ(reader_.facts().share, ShareNames::kAbsent);
}

TEST(ShareNamesTest, KeepsABoundedNumberOfValues) {
  ShareNames names;
  const auto blue = names.NumberOf("blue");
  EXPECT_EQ(names.NumberOf("green"), blue + 1);
  EXPECT_EQ(names.NumberOf("blue"), blue);
  for (std::size_t i = 0; i < 2 * ShareNames::kValuesMax; ++i) {
    EXPECT_LE(names.NumberOf("value " + std::to_string(i)), ShareNames::kValuesMax + 1);
  }
  EXPECT_EQ(names.NumberOf("one more"), ShareNames::kOther);
  EXPECT_EQ(names.NumberOf("green"), blue + 1);
}

TEST(HttpCountsTest, MovesEverythingOnce) {
  ShareNames names;
  HttpCounts counts;
  counts.started = 3;
  counts.AddResponse(200, std::chrono::milliseconds(2));
  counts.AddResponse(503, std::chrono::milliseconds(4));
  counts.AddError(ErrorKind::kReset);
  counts.AddShare(names.NumberOf("blue"));
  Counts out;
  counts.MoveTo(out, names);
  EXPECT_EQ(out.started, 3U);
  EXPECT_EQ(out.completed, 2U);
  EXPECT_EQ(out.outcomes, (std::map<std::string, std::uint64_t>{{"200", 1}, {"503", 1}}));
  EXPECT_EQ(out.errors, (std::map<std::string, std::uint64_t>{{"reset", 1}}));
  EXPECT_EQ(out.shares, (std::map<std::string, std::uint64_t>{{"blue", 1}}));
  Counts again;
  counts.MoveTo(again, names);
  EXPECT_EQ(again.completed + again.started + again.error_count(), 0U);
  EXPECT_TRUE(again.outcomes.empty() && again.shares.empty());
}

}  // namespace
}  // namespace weir::bench
