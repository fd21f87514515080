#include "net/stream.h"

#include "net/pipe.h"
#include "net/socket.h"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <fstream>
#include <functional>
#include <memory>
#include <sstream>
#include <string>
#include <utility>

namespace weir::net {
namespace {

struct SeenEvents final : StreamEvents {
  void OnConnected(int result) override {
    connected = true;
    error = result;
  }
  void OnReadable() override { ++readable; }
  void OnWritable() override { ++writable; }
  bool connected = false;
  int error = 0;
  int readable = 0;
  int writable = 0;
};

const Endpoint kAnyPort{IpAddress::V4({127, 0, 0, 1}), 0};

// A pair of connected streams, one of them accepted.
class StreamTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto listener = ListenTcp(kAnyPort);
    ASSERT_TRUE(listener);
    listener_ = std::move(*listener);
    int error = 0;
    client_ = TcpStream::Connect(loop_, LocalEndpoint(listener_.get()), client_events_, error);
    ASSERT_NE(client_, nullptr);
    RunUntil([&] { return client_events_.connected; });
    ASSERT_EQ(client_events_.error, 0);
    UniqueFd accepted(accept4(listener_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    ASSERT_TRUE(accepted.valid());
    const Endpoint local = LocalEndpoint(accepted.get());
    server_ = std::make_unique<TcpStream>(loop_, std::move(accepted), client_->local(), local, server_events_);
  }
  void RunUntil(const std::function<bool()>& done) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(5);
    while (!done() && std::chrono::steady_clock::now() < deadline) loop_.RunOnce(std::chrono::milliseconds(50));
    ASSERT_TRUE(done());
  }
  static IoResult Write(Stream& stream, std::string_view text) {
    const iovec piece{.iov_base = const_cast<char*>(text.data()), .iov_len = text.size()};
    return stream.Write({&piece, 1});
  }
  static std::string Read(Stream& stream) {
    char buffer[64];
    const IoResult got = stream.Read(buffer);
    return got.status == IoStatus::kOk ? std::string(buffer, got.bytes) : std::string();
  }

  EventLoop loop_;
  UniqueFd listener_;
  SeenEvents client_events_;
  SeenEvents server_events_;
  std::unique_ptr<TcpStream> client_;
  std::unique_ptr<TcpStream> server_;
};

TEST_F(StreamTest, KnowsBothEnds) {
  EXPECT_EQ(client_->peer(), LocalEndpoint(listener_.get()));
  EXPECT_EQ(client_->local(), server_->peer());
  EXPECT_TRUE(client_->open());
}

TEST_F(StreamTest, MovesBytesAndSavesTheReadThatWouldFindNothing) {
  EXPECT_EQ(Write(*client_, "hello").bytes, 5U);
  RunUntil([&] { return server_events_.readable > 0; });
  EXPECT_TRUE(server_->readable());
  EXPECT_EQ(Read(*server_), "hello");
  EXPECT_FALSE(server_->readable());
  EXPECT_EQ(Write(*client_, "again").bytes, 5U);
  RunUntil([&] { return server_->readable(); });
  EXPECT_EQ(Read(*server_), "again");
}

TEST_F(StreamTest, TheEndComesAfterTheLastBytes) {
  EXPECT_EQ(Write(*client_, "bye").bytes, 3U);
  client_->ShutdownWrite();
  RunUntil([&] { return server_->peer_closed(); });
  EXPECT_FALSE(server_->broken()) << "half closed is not broken";
  EXPECT_EQ(Read(*server_), "bye");
  ASSERT_TRUE(server_->readable());
  char buffer[8];
  EXPECT_EQ(server_->Read(buffer).status, IoStatus::kEnd);
  EXPECT_EQ(Write(*server_, "answer").bytes, 6U);
  RunUntil([&] { return client_->readable(); });
  EXPECT_EQ(Read(*client_), "answer");
}

TEST_F(StreamTest, AResetShowsAsAnError) {
  client_->Close(Stream::CloseMode::kReset);
  EXPECT_FALSE(client_->open());
  RunUntil([&] { return server_->readable(); });
  char buffer[8];
  const IoResult got = server_->Read(buffer);
  EXPECT_EQ(got.status, IoStatus::kError);
  EXPECT_EQ(got.error, ECONNRESET);
  EXPECT_TRUE(server_->broken());
}

TEST_F(StreamTest, AFullSocketBecomesWritableAgain) {
  const std::string block(1'000'000, 'x');
  std::size_t sent = 0;
  IoResult result;
  for (int i = 0; i < 100; ++i) {
    result = Write(*client_, block);
    if (result.status != IoStatus::kOk) break;
    sent += result.bytes;
    if (result.bytes < block.size()) break;
  }
  EXPECT_EQ(client_events_.writable, 0);
  std::size_t received = 0;
  std::string buffer(1 << 20, '\0');
  RunUntil([&] {
    while (server_->readable()) {
      const IoResult got = server_->Read(buffer);
      if (got.status != IoStatus::kOk) break;
      received += got.bytes;
    }
    return received == sent && client_events_.writable > 0;
  });
}

TEST_F(StreamTest, APipeTakesNoMoreThanItIsToldAndGivesTheSameBytes) {
  const auto pipe = Pipe::Open();
  ASSERT_NE(pipe, nullptr);
  EXPECT_TRUE(server_->splices());
  EXPECT_EQ(server_->ReadTo(*pipe, 100).status, IoStatus::kWouldBlock);
  EXPECT_TRUE(pipe->empty());
  EXPECT_EQ(Write(*client_, "0123456789").bytes, 10U);
  RunUntil([&] { return server_->readable(); });
  const IoResult got = server_->ReadTo(*pipe, 7);
  EXPECT_EQ(got.status, IoStatus::kOk);
  EXPECT_EQ(got.bytes, 7U);
  EXPECT_EQ(pipe->bytes(), 7U);
  EXPECT_TRUE(server_->readable()) << "the rest is still there";
  EXPECT_EQ(Read(*server_), "789");
  // And back to where they came from.
  const IoResult sent = server_->WriteFrom(*pipe);
  EXPECT_EQ(sent.status, IoStatus::kOk);
  EXPECT_EQ(sent.bytes, 7U);
  EXPECT_TRUE(pipe->empty());
  RunUntil([&] { return client_->readable(); });
  EXPECT_EQ(Read(*client_), "0123456");
}

TEST_F(StreamTest, ReadingIntoAPipeTellsTheEndAndErrors) {
  const auto pipe = Pipe::Open();
  ASSERT_NE(pipe, nullptr);
  EXPECT_EQ(Write(*client_, "bye").bytes, 3U);
  client_->ShutdownWrite();
  RunUntil([&] { return server_->peer_closed(); });
  EXPECT_EQ(server_->ReadTo(*pipe, 100).bytes, 3U);
  ASSERT_TRUE(server_->readable());
  EXPECT_EQ(server_->WriteFrom(*pipe).bytes, 3U);
  EXPECT_EQ(server_->ReadTo(*pipe, 100).status, IoStatus::kEnd);
  RunUntil([&] { return client_->readable(); });
  EXPECT_EQ(Read(*client_), "bye");
  server_->Close(Stream::CloseMode::kReset);
  RunUntil([&] { return client_->broken(); });
  EXPECT_EQ(client_->ReadTo(*pipe, 100).status, IoStatus::kError);
}

TEST_F(StreamTest, WhatAFullSocketDoesNotTakeStaysInThePipe) {
  const std::string block(64 * 1024, 'x');
  UniqueFd source;
  SeenEvents source_events;
  SeenEvents sink_events;
  // A second pair brings the bytes that the pipe passes on to the first.
  int error = 0;
  const auto sender = TcpStream::Connect(loop_, LocalEndpoint(listener_.get()), source_events, error);
  ASSERT_NE(sender, nullptr);
  RunUntil([&] { return source_events.connected; });
  source.Reset(accept4(listener_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
  TcpStream incoming(loop_, std::move(source), sender->local(), {}, sink_events);
  const auto pipe = Pipe::Open();
  ASSERT_NE(pipe, nullptr);
  std::size_t moved = 0;
  std::size_t sent = 0;
  while (pipe->empty()) {
    sent += Write(*sender, block).bytes;
    RunUntil([&] { return incoming.readable(); });
    if (incoming.ReadTo(*pipe, Pipe::kBytesMax).status != IoStatus::kOk) continue;
    moved += client_->WriteFrom(*pipe).bytes;
  }
  EXPECT_EQ(client_->WriteFrom(*pipe).status, IoStatus::kWouldBlock);
  std::size_t received = 0;
  std::string buffer(1 << 20, '\0');
  const auto receive = [&] {
    while (server_->readable()) {
      const IoResult got = server_->Read(buffer);
      if (got.status != IoStatus::kOk) break;
      received += got.bytes;
    }
  };
  RunUntil([&] {
    receive();
    return client_events_.writable > 0;
  });
  const std::size_t rest = pipe->bytes();
  RunUntil([&] {
    if (!pipe->empty()) moved += client_->WriteFrom(*pipe).bytes;
    receive();
    return pipe->empty() && received == moved;
  });
  EXPECT_GT(rest, 0U);
  EXPECT_LE(moved, sent);
}

TEST_F(StreamTest, AReceiverThatIsGoneIsAnErrorAndNoSignal) {
  struct sigaction ignore{};
  ignore.sa_handler = SIG_IGN;
  sigaction(SIGPIPE, &ignore, nullptr);  // as the program does: splice knows no MSG_NOSIGNAL
  const auto pipe = Pipe::Open();
  ASSERT_NE(pipe, nullptr);
  EXPECT_EQ(Write(*client_, "bytes").bytes, 5U);
  RunUntil([&] { return server_->readable(); });
  EXPECT_EQ(server_->ReadTo(*pipe, 100).bytes, 5U);
  client_->Close(Stream::CloseMode::kReset);
  RunUntil([&] { return server_->broken(); });
  EXPECT_EQ(server_->WriteFrom(*pipe).status, IoStatus::kError);
  EXPECT_EQ(pipe->bytes(), 5U);
}

TEST(StreamConnectTest, ARefusedConnectionIsReported) {
  auto listener = ListenTcp(kAnyPort);
  ASSERT_TRUE(listener);
  const Endpoint gone = LocalEndpoint(listener->get());
  listener->Reset();
  EventLoop loop;
  SeenEvents events;
  int error = 0;
  const auto stream = TcpStream::Connect(loop, gone, events, error);
  ASSERT_NE(stream, nullptr);
  for (int i = 0; i < 100 && !events.connected; ++i) loop.RunOnce(std::chrono::milliseconds(50));
  EXPECT_TRUE(events.connected);
  EXPECT_EQ(events.error, ECONNREFUSED);
}

TEST(SocketTest, BothWildcardsShareAPort) {
  const auto v4 = ListenTcp({IpAddress::AnyV4(), 0});
  ASSERT_TRUE(v4);
  const Endpoint bound = LocalEndpoint(v4->get());
  EXPECT_NE(bound.port, 0);
  const auto v6 = ListenTcp({IpAddress::AnyV6(), bound.port});
  EXPECT_TRUE(v6) << "an IPv6 socket takes IPv6 only";
}

TEST(SocketTest, AFailureNamesTheEndpointAndTheReason) {
  const auto result = ListenTcp({IpAddress::V4({192, 0, 2, 1}), 80});
  ASSERT_FALSE(result);
  EXPECT_NE(result.error().message.find("192.0.2.1:80"), std::string::npos);
}

TEST(SocketTest, EndpointsSurviveTheRoundTrip) {
  for (const char* text : {"127.0.0.1:80", "[2001:db8::1]:65535", "[::]:0"}) {
    const Endpoint endpoint = *Endpoint::Parse(text);
    EXPECT_EQ(SocketAddress::ToEndpoint(SocketAddress::From(endpoint).get()), endpoint);
  }
}

}  // namespace
// Reads all there is, as a connection does, and ends it as the test says.
struct Server final : StreamEvents {
  void OnReadable() override {
    ++calls;
    while (stream->readable()) {
      char buffer[64];
      const IoResult got = stream->Read(buffer);
      if (got.status == IoStatus::kOk) text.append(buffer, got.bytes);
      if (got.status == IoStatus::kEnd) ended = true;
    }
    if (on_read) on_read();
  }
  void OnWritable() override { writable = true; }
  std::unique_ptr<TcpStream> stream;
  std::function<void()> on_read;
  std::string text;
  int calls = 0;
  bool ended = false;
  bool writable = false;
};

// A stream that an acceptor hands on: the loop does not watch it before it must.
class AcceptedStreamTest : public StreamTest {
 protected:
  void Accept() {
    int error = 0;
    client_ = TcpStream::Connect(loop_, LocalEndpoint(listener_.get()), client_events_, error);
    ASSERT_NE(client_, nullptr);
    UniqueFd accepted;
    RunUntil([&] {
      if (!accepted.valid()) {
        accepted = UniqueFd(accept4(listener_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
      }
      return accepted.valid();
    });
    fd_ = accepted.get();
    accepted_.stream = std::make_unique<TcpStream>(loop_, std::move(accepted), client_->local(), Endpoint{});
    accepted_.stream->set_events(accepted_);
  }
  // By what the system tells of an epoll descriptor.
  [[nodiscard]] bool IsWatched() const {
    for (int fd = 3; fd < 64; ++fd) {
      std::ifstream info("/proc/self/fdinfo/" + std::to_string(fd));
      for (std::string line; std::getline(info, line);) {
        std::istringstream words(line);
        std::string name;
        int watched = -1;
        if (words >> name >> watched && name == "tfd:" && watched == fd_) return true;
      }
    }
    return false;
  }

  Server accepted_;
  int fd_ = -1;
};

TEST_F(AcceptedStreamTest, ReadsWhatHasArrivedAndIsWatchedFromThenOn) {
  Accept();
  EXPECT_FALSE(IsWatched());
  Write(*client_, "one");
  RunUntil([&] { return accepted_.text == "one"; });
  EXPECT_TRUE(IsWatched());
  Write(*client_, "two");
  RunUntil([&] { return accepted_.text == "onetwo"; });
  client_->ShutdownWrite();
  RunUntil([&] { return accepted_.ended; });
}

TEST_F(AcceptedStreamTest, IsWatchedWhenNothingHasArrived) {
  Accept();
  RunUntil([&] { return accepted_.calls == 1; });
  EXPECT_TRUE(IsWatched());
  Write(*client_, "late");
  RunUntil([&] { return accepted_.text == "late"; });
}

TEST_F(AcceptedStreamTest, ShortExchangeIsNeverWatched) {
  Accept();
  bool watched = false;
  accepted_.on_read = [&] {
    watched = watched || IsWatched();
    if (accepted_.ended || accepted_.calls > 1) return;
    accepted_.stream->ExpectOnlyEnd();
    EXPECT_EQ(Write(*accepted_.stream, "answer").bytes, 6U);
    accepted_.stream->ShutdownWrite();
    client_->ShutdownWrite();
  };
  Write(*client_, "question");
  RunUntil([&] { return accepted_.ended; });
  EXPECT_FALSE(watched);
  EXPECT_EQ(accepted_.calls, 2);
  EXPECT_EQ(Read(*client_), "answer");
}

TEST_F(AcceptedStreamTest, SlowAnswerAndSlowEndAreWatched) {
  Accept();
  accepted_.on_read = [&] { accepted_.stream->ExpectOnlyEnd(); };
  Write(*client_, "question");
  RunUntil([&] { return accepted_.text == "question" && IsWatched(); });
  accepted_.stream->ShutdownWrite();
  client_->ShutdownWrite();
  RunUntil([&] { return accepted_.ended; });
}

TEST_F(AcceptedStreamTest, EndThatDoesNotComeIsWatchedFor) {
  Accept();
  accepted_.on_read = [&] {
    if (accepted_.calls == 1) accepted_.stream->ShutdownWrite();
  };
  Write(*client_, "question");
  RunUntil([&] { return accepted_.calls == 2 && IsWatched(); });
  Write(*client_, " and more");
  RunUntil([&] { return accepted_.text == "question and more"; });
  client_->ShutdownWrite();
  RunUntil([&] { return accepted_.ended; });
}

TEST_F(AcceptedStreamTest, FullSocketIsWatched) {
  Accept();
  accepted_.on_read = [&] {
    accepted_.stream->ExpectOnlyEnd();
    const std::string all(std::size_t{16} << 20U, 'x');
    EXPECT_LT(Write(*accepted_.stream, all).bytes, all.size());
    EXPECT_TRUE(IsWatched());
    accepted_.on_read = nullptr;
  };
  Write(*client_, "question");
  std::string taken(1 << 16, '\0');
  RunUntil([&] {
    while (client_->Read(taken).status == IoStatus::kOk) {
    }
    return accepted_.writable;
  });
}

TEST_F(AcceptedStreamTest, MayBeClosedOrDestroyedBeforeItsFirstLook) {
  Accept();
  accepted_.stream->Close(Stream::CloseMode::kGraceful);
  loop_.RunOnce(std::chrono::milliseconds(0));
  EXPECT_EQ(accepted_.calls, 0);
  Accept();
  accepted_.stream = nullptr;
  loop_.RunOnce(std::chrono::milliseconds(0));
  EXPECT_EQ(accepted_.calls, 0);
}

}  // namespace weir::net
