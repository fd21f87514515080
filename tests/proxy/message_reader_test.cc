#include "proxy/message_reader.h"

#include "net/event_loop.h"
#include "tests/proxy/fake_stream.h"

#include <gtest/gtest.h>

#include <string>

namespace weir::proxy {
namespace {

// Keeps what a connection would be given.
struct Receiver {
  std::string bytes;
  std::size_t read = 0;
  std::size_t piped = 0;
  bool ended = false;

  bool OnBytes(std::string_view all, std::size_t count) {
    bytes = all;
    read = count;
    return true;
  }
  bool OnPiped(const Content& content) {
    piped += (*content.pipe)->bytes();
    return !content.is_last();
  }
  void OnEnd(net::IoStatus how) { ended = how == net::IoStatus::kEnd; }
};

class EndedStream final : public FakeStream {
 public:
  net::IoResult Read(std::span<char> /*buffer*/) override { return {net::IoStatus::kEnd, 0, 0}; }
};

class MessageReaderTest : public ::testing::Test {
 protected:
  bool ReadOnce(net::Stream& stream, bool piped) {
    return reader_.ReadOnce(stream, worker_, piped, WorkerState::kReadBytesMax, receiver_);
  }

  net::EventLoop loop_;
  WorkerState worker_{loop_, 0};
  MessageReader reader_;
  Receiver receiver_;
  FakeStream stream_;
};

TEST_F(MessageReaderTest, ReadsBehindWhatWasCarriedOver) {
  reader_.carried = "GET / HT";
  EXPECT_FALSE(ReadOnce(stream_, false));
  EXPECT_EQ(reader_.carried, "GET / HT");
  stream_.incoming = "TP/1.1\r\n";
  EXPECT_TRUE(ReadOnce(stream_, false));
  EXPECT_EQ(receiver_.bytes, "GET / HTTP/1.1\r\n");
  EXPECT_EQ(receiver_.read, 8U);
  EXPECT_TRUE(reader_.carried.empty());
  EXPECT_FALSE(receiver_.ended);
}

TEST_F(MessageReaderTest, ReadsContentIntoAPipe) {
  reader_.content.Begin({http::FramingKind::kContentLength, 100'000});
  stream_.incoming = std::string(40'000, 'a');
  EXPECT_TRUE(ReadOnce(stream_, true));
  EXPECT_FALSE(ReadOnce(stream_, true)) << "there is no more now";
  stream_.incoming = std::string(60'000, 'b');
  EXPECT_FALSE(ReadOnce(stream_, true)) << "the last piece";
  EXPECT_EQ(receiver_.piped, 100'000U);
  EXPECT_TRUE(receiver_.bytes.empty());
}

TEST_F(MessageReaderTest, ReadsIntoMemoryWhereThereIsNoPipe) {
  reader_.content.Begin({http::FramingKind::kContentLength, 100'000});
  stream_.incoming = "abc";
  stream_.refuses_pipes = true;
  EXPECT_TRUE(ReadOnce(stream_, true));
  EXPECT_EQ(receiver_.bytes, "abc");
  EXPECT_EQ(receiver_.piped, 0U);
}

TEST_F(MessageReaderTest, TellsTheEnd) {
  EndedStream ended;
  EXPECT_FALSE(ReadOnce(ended, false));
  EXPECT_TRUE(receiver_.ended);
}

}  // namespace
}  // namespace weir::proxy
