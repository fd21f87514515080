#include "net/acceptor.h"

#include "base/log.h"
#include "net/socket.h"
#include "tests/support/loopback.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace weir::net {
namespace {

using weir::testing::Connection;

// Takes up to `room` connections and notes what it was told.
struct Door final : AcceptorEvents, StreamEvents {
  bool MayAccept() override { return streams.size() < room; }
  void OnMustWait() override { ++must_wait; }
  void OnAccepted(std::unique_ptr<TcpStream> stream) override {
    stream->set_events(*this);
    streams.push_back(std::move(stream));
  }
  bool MakeRoom() override {
    ++exhausted;
    if (!gives_up_one || streams.empty()) return false;
    streams.erase(streams.begin());
    return true;
  }
  void OnReadable() override { ++readable; }
  void OnWritable() override {}

  std::size_t room = 1'000;
  bool gives_up_one = false;
  std::vector<std::unique_ptr<Stream>> streams;
  int must_wait = 0;
  int exhausted = 0;
  int readable = 0;
};

class AcceptorTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto listening = ListenTcp({IpAddress::V4({127, 0, 0, 1}), 0});
    ASSERT_TRUE(listening.has_value());
    acceptor_ = std::make_unique<Acceptor>(loop_, std::move(*listening), door_);
    ASSERT_TRUE(acceptor_->Start());
  }
  void Connect(int count) {
    for (int i = 0; i < count; ++i) clients_.push_back(Connection::To(acceptor_->bound()));
  }
  void RunUntil(const std::function<bool()>& done) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(5);
    while (!done() && std::chrono::steady_clock::now() < deadline) loop_.RunOnce(std::chrono::milliseconds(50));
    ASSERT_TRUE(done());
  }

  // A connection from its accept to its end. UBSan looks by a pipe whether memory can be read, once for each type:
  // those met while there are no descriptors it has to know before.
  void MeetEveryType() {
    Connect(1);
    RunUntil([&] { return door_.readable > 0; });
    door_.streams.clear();
    clients_.clear();
    auto listening = ListenTcp({IpAddress::V4({127, 0, 0, 1}), 0});
    ASSERT_TRUE(listening.has_value());
    Acceptor(loop_, std::move(*listening), door_).Close();
  }

  EventLoop loop_;
  Door door_;
  std::unique_ptr<Acceptor> acceptor_;
  std::vector<Connection> clients_;
};

// Lets the process have no further descriptor while it lives.
class NoDescriptors {
 public:
  NoDescriptors() {
    // Of the logger, too, UBSan has to know the types before (MeetEveryType).
    LogInfo("no descriptors from here on");
    getrlimit(RLIMIT_NOFILE, &before_);
    rlimit none = before_;
    const UniqueFd next(dup(0));
    none.rlim_cur = static_cast<rlim_t>(next.get());
    setrlimit(RLIMIT_NOFILE, &none);
  }
  ~NoDescriptors() { setrlimit(RLIMIT_NOFILE, &before_); }
  NoDescriptors(const NoDescriptors&) = delete;
  NoDescriptors& operator=(const NoDescriptors&) = delete;

 private:
  rlimit before_{};
};

TEST_F(AcceptorTest, HandsOverStreamsThatTellTheirNewOwner) {
  Connect(2);
  RunUntil([&] { return door_.streams.size() == 2; });
  EXPECT_EQ(door_.streams[0]->local(), acceptor_->bound());
  clients_[1].Send("hello");
  RunUntil([&] { return door_.readable > 0; });
  std::string text(10, '\0');
  EXPECT_EQ(door_.streams[1]->Read(text).bytes, 5U);
}

TEST_F(AcceptorTest, TakesAFloodInSeveralTurns) {
  Connect(100);
  loop_.RunOnce(std::chrono::milliseconds(50));
  EXPECT_EQ(door_.streams.size(), 64U);
  RunUntil([&] { return door_.streams.size() == 100; });
}

TEST_F(AcceptorTest, LetsOthersWaitUntilThereIsRoom) {
  door_.room = 2;
  Connect(2);
  RunUntil([&] { return door_.streams.size() == 2; });
  EXPECT_EQ(door_.must_wait, 0) << "the last place was taken, and nobody waits";
  Connect(2);
  RunUntil([&] { return door_.must_wait == 1; });
  loop_.RunOnce(std::chrono::milliseconds(0));
  EXPECT_EQ(door_.must_wait, 1) << "a door that is shut is not knocked at again";
  acceptor_->Resume();
  RunUntil([&] { return door_.must_wait == 2; });
  door_.room = 4;
  acceptor_->Resume();
  RunUntil([&] { return door_.streams.size() == 4; });
}

TEST_F(AcceptorTest, TakesWhatIsQueuedBeforeItCloses) {
  Connect(3);
  door_.room = 2;
  acceptor_->CloseAfterQueue();
  EXPECT_EQ(door_.streams.size(), 2U);
  EXPECT_TRUE(clients_[2].WaitForEnd());
  acceptor_->Close();  // twice is once
}

TEST_F(AcceptorTest, RestsWithoutDescriptorsAndGoesOn) {
  MeetEveryType();
  Connect(1);
  {
    const NoDescriptors none;
    RunUntil([&] { return door_.exhausted > 0; });
    for (int i = 0; i < 3; ++i) loop_.RunOnce(std::chrono::milliseconds(0));
    EXPECT_EQ(door_.exhausted, 1) << "it rests and does not spin";
  }
  RunUntil([&] { return door_.streams.size() == 1; });
}

TEST_F(AcceptorTest, TriesAgainAtOnceWhenRoomWasMade) {
  MeetEveryType();
  Connect(1);
  RunUntil([&] { return door_.streams.size() == 1; });
  Connect(1);
  door_.gives_up_one = true;
  const NoDescriptors none;
  RunUntil([&] { return door_.exhausted == 1; });
  RunUntil([&] { return door_.streams.size() == 1; });
  EXPECT_TRUE(clients_[0].WaitForEnd());
}

}  // namespace
}  // namespace weir::net
