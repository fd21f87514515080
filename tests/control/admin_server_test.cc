#include "control/admin_server.h"

#include "control/admin_client.h"
#include "net/socket.h"
#include "tests/control/control_fixture.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <chrono>
#include <memory>
#include <string>

namespace weir::control {
namespace {

class AdminServerTest : public ::testing::Test {
 protected:
  AdminServerTest() {
    appliance_.view = MakeView(kShopYaml);
    appliance_.runtime.ready = true;
    auto started = AdminServer::Start({IpAddress::V4({127, 0, 0, 1}), 0}, appliance_, {.version = "1", .commit = "c"});
    EXPECT_TRUE(started) << started.error().message;
    server_ = std::move(*started);
  }
  AdminReply Call(std::string_view method, std::string_view target, std::string_view body = {}) {
    const auto reply = CallAdmin(server_->endpoint(), method, target, body);
    EXPECT_TRUE(reply) << reply.error().message;
    return reply.value_or(AdminReply{});
  }

  FakeAppliance appliance_;
  std::unique_ptr<AdminServer> server_;
};

// A plain connection, for what a well-behaved client does not send. Reads give up after some seconds.
class RawConnection {
 public:
  explicit RawConnection(const Endpoint& endpoint) : fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    auto address = net::SocketAddress::From(endpoint);
    EXPECT_EQ(connect(fd_.get(), address.get(), address.size), 0);
    const timeval limit{.tv_sec = 10, .tv_usec = 0};
    setsockopt(fd_.get(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
  }
  void Send(const std::string& text) {
    EXPECT_EQ(send(fd_.get(), text.data(), text.size(), MSG_NOSIGNAL), static_cast<ssize_t>(text.size()));
  }
  // Until `mark` was read; everything until the peer closes when it never comes.
  std::string ReadUntil(const std::string& mark) {
    std::string out;
    char buffer[4096];
    while (out.find(mark) == std::string::npos) {
      const ssize_t got = recv(fd_.get(), buffer, sizeof(buffer), 0);
      if (got <= 0) break;
      out.append(buffer, static_cast<std::size_t>(got));
    }
    return out;
  }
  // Ended by the peer, but not reset.
  [[nodiscard]] bool IsOpen() const {
    int error = 0;
    socklen_t size = sizeof(error);
    char byte = 0;
    return getsockopt(fd_.get(), SOL_SOCKET, SO_ERROR, &error, &size) == 0 && error == 0 &&
           recv(fd_.get(), &byte, 1, 0) == 0;
  }

 private:
  UniqueFd fd_;
};

TEST_F(AdminServerTest, AnswersStatusAndMetrics) {
  EXPECT_EQ(Call("GET", "/v1/status").status, 200U);
  const auto metrics = Call("GET", "/metrics");
  EXPECT_EQ(metrics.status, 200U);
  EXPECT_NE(metrics.body.find("weir_config_revision 7"), std::string::npos);
}

TEST_F(AdminServerTest, SubmitsAChangeAndAnswersItsRevision) {
  const auto reply = Call("PUT", "/v1/health-checks/eu/admin-state", R"({"state": "unhealthy"})");
  EXPECT_EQ(reply.status, 200U);
  EXPECT_EQ(reply.body, R"({"revision":7,"state":"unhealthy"})");
  EXPECT_EQ(appliance_.submitted(), 1U);
}

TEST_F(AdminServerTest, ARefusedChangeIsAnError) {
  appliance_.answer =
      std::unexpected(Refusal{.kind = RefusalKind::kNotFound, .error = {"no check eu", "eu-1?"}, .diagnostics = {}});
  const auto reply = Call("DELETE", "/v1/health-checks/eu/admin-state");
  EXPECT_EQ(reply.status, 404U);
  EXPECT_EQ(reply.body, R"({"error":"no check eu","hint":"eu-1?"})");
}

TEST_F(AdminServerTest, KeepsAConnectionForFurtherRequests) {
  RawConnection connection(server_->endpoint());
  for (int i = 0; i < 3; ++i) {
    connection.Send("GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n");
    const auto answer = connection.ReadUntil("ok\n");
    EXPECT_TRUE(answer.starts_with("HTTP/1.1 200")) << answer;
  }
}

TEST_F(AdminServerTest, HeadHasTheLengthWithoutTheContent) {
  RawConnection connection(server_->endpoint());
  connection.Send("HEAD /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
  const auto answer = connection.ReadUntil("never sent");
  EXPECT_NE(answer.find("Content-Length: 3\r\n"), std::string::npos) << answer;
  EXPECT_TRUE(answer.ends_with("\r\n\r\n")) << answer;
}

TEST_F(AdminServerTest, RefusesWhatIsTooLongOrNoHttp) {
  {
    RawConnection connection(server_->endpoint());
    connection.Send("PUT /v1/reload HTTP/1.1\r\nHost: localhost\r\nContent-Length: 999999\r\n\r\n");
    EXPECT_TRUE(connection.ReadUntil("never sent").starts_with("HTTP/1.1 413"));
  }
  {
    RawConnection connection(server_->endpoint());
    connection.Send("GET / HTTP/1.1\r\nX: " + std::string(AdminServer::kHeadBytesMax, 'a') + "\r\n\r\n");
    EXPECT_TRUE(connection.ReadUntil("never sent").starts_with("HTTP/1.1 431"));
  }
  {
    RawConnection connection(server_->endpoint());
    connection.Send("hello\r\n\r\n");
    EXPECT_TRUE(connection.ReadUntil("never sent").starts_with("HTTP/1.1 400"));
  }
  EXPECT_EQ(Call("GET", "/healthz").status, 200U);
}

TEST_F(AdminServerTest, AnAnswerThatClosesOutlivesWhatTheClientStillSends) {
  RawConnection connection(server_->endpoint());
  connection.Send("GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
  EXPECT_TRUE(connection.ReadUntil("never sent").ends_with("ok\n"));
  // A connection that was closed would answer the first with RST and fail the second.
  connection.Send("GET / HTTP/1.1\r\n\r\n");
  EXPECT_TRUE(connection.IsOpen());
}

TEST_F(AdminServerTest, TheAddressIsNotShared) {
  const auto second = AdminServer::Start(server_->endpoint(), appliance_, {});
  ASSERT_FALSE(second);
  EXPECT_NE(second.error().message.find("cannot bind 127.0.0.1:"), std::string::npos) << second.error().message;
}

TEST_F(AdminServerTest, ARetiredServerTakesNoMoreConnections) {
  const auto endpoint = server_->endpoint();
  RawConnection idle(endpoint);
  idle.Send("GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n");
  idle.ReadUntil("ok\n");
  server_->Retire();
  // Closed while idle: the read ends without another answer.
  EXPECT_EQ(idle.ReadUntil("never sent"), "");
  EXPECT_FALSE(CallAdmin(endpoint, "GET", "/healthz", {}, std::chrono::seconds(2)));
}

TEST_F(AdminServerTest, ARetiredServerAnswersTheChangeThatRetiredIt) {
  appliance_.hold = true;
  RawConnection connection(server_->endpoint());
  connection.Send("POST /v1/reload HTTP/1.1\r\nHost: localhost\r\n\r\n");
  appliance_.WaitForHeld();
  server_->Retire();
  appliance_.Release();
  const auto answer = connection.ReadUntil("never sent");
  EXPECT_NE(answer.find(R"({"revision":7})"), std::string::npos) << answer;
  EXPECT_NE(answer.find("Connection: close"), std::string::npos) << answer;
}

TEST_F(AdminServerTest, StopsWhileAChangeIsBeingMade) {
  appliance_.hold = true;
  RawConnection connection(server_->endpoint());
  connection.Send("POST /v1/reload HTTP/1.1\r\nHost: localhost\r\n\r\n");
  appliance_.WaitForHeld();
  server_.reset();
  appliance_.Release();
}

TEST_F(AdminServerTest, StopsWithConnectionsOpen) {
  RawConnection connection(server_->endpoint());
  connection.Send("GET /v1/status HTT");
  server_.reset();
}

TEST(AdminClientTest, SaysThatNothingAnswers) {
  // Bound, not listening any more: the port is refused.
  auto socket = net::ListenTcp({IpAddress::V4({127, 0, 0, 1}), 0});
  ASSERT_TRUE(socket);
  const auto endpoint = net::LocalEndpoint(socket->get());
  socket->Reset();
  const auto reply = CallAdmin(endpoint, "GET", "/v1/status", {}, std::chrono::seconds(2));
  ASSERT_FALSE(reply);
  EXPECT_NE(reply.error().message.find("nothing answers"), std::string::npos);
}

}  // namespace
}  // namespace weir::control
