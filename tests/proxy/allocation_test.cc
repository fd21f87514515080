// In the steady state a request allocates nothing: design.md, data plane.

#include "tests/proxy/proxy_fixture.h"
#include "tests/support/allocation_count.h"
#include "tests/support/loopback.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace weir::proxy {
namespace {

using weir::testing::AllocationCount;
using weir::testing::Connection;
using weir::testing::FakeTarget;

constexpr int kWarmUp = 64;
constexpr int kCounted = 1'000;

constexpr std::string_view kGet =
    "GET /a?b=c HTTP/1.1\r\nHost: shop.example\r\nUser-Agent: Mozilla/5.0 (X11; Linux x86_64)\r\nAccept: */*\r\n"
    "X-Forwarded-For: 192.0.2.1\r\nX-Amzn-Trace-Id: Root=1-67891233-abcdef012345678912345678\r\n\r\n";

class AllocationTest : public ::testing::Test {
 protected:
  // Answers with `response`, reading heads and announced content, without end.
  void Start(std::string response) {
    target_ = std::make_unique<FakeTarget>([response = std::move(response)](Connection& connection) {
      while (!connection.ReadMessage().empty()) connection.Send(response);
    });
    proxy_.AddTarget(target_->endpoint());
    proxy_.Start();
  }
  std::size_t WorkerAllocations() {
    std::size_t count = 0;
    proxy_.OnWorker([&](DataPlane&) { count = AllocationCount(); });
    return count;
  }
  // What the worker allocates while `exchange` runs kCounted times.
  std::size_t CountAllocations(const std::function<void(Connection&)>& exchange) {
    Connection client = proxy_.Connect();
    for (int i = 0; i < kWarmUp; ++i) exchange(client);
    const std::size_t before = WorkerAllocations();
    for (int i = 0; i < kCounted; ++i) exchange(client);
    return WorkerAllocations() - before;
  }

  ProxyFixture proxy_;
  std::unique_ptr<FakeTarget> target_;
};

TEST_F(AllocationTest, TheCountSeesWhatTheWorkerAllocates) {
  Start("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
  const std::size_t before = WorkerAllocations();
  proxy_.Publish();
  EXPECT_GT(WorkerAllocations(), before);
}

TEST_F(AllocationTest, AGetAllocatesNothing) {
  Start("HTTP/1.1 200 OK\r\nServer: tiny\r\nContent-Length: 13\r\n\r\nHello, world\n");
  EXPECT_EQ(CountAllocations([](Connection& client) {
              client.Send(kGet);
              ASSERT_NE(client.ReadMessage(), "");
            }),
            0U);
}

TEST_F(AllocationTest, AStickyGetAllocatesNothing) {
  proxy_.model.target_groups[0].stickiness.enabled = true;
  auto& action = proxy_.model.load_balancers[0].listeners[0].default_rule.action;
  std::get<config::ForwardAction>(action).stickiness = std::chrono::hours(1);
  Start("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
  std::string cookies = "Cookie: a=b";
  EXPECT_EQ(CountAllocations([&cookies, count = 0](Connection& client) mutable {
              client.Send("GET / HTTP/1.1\r\nHost: shop.example\r\n" + cookies + "\r\n\r\n");
              const std::string answer = client.ReadMessage();
              ASSERT_NE(answer.find("Set-Cookie: AWSALBTGCORS="), std::string::npos);
              if (++count != kWarmUp / 2) return;
              for (const std::string name : {"AWSALB=", "AWSALBTG="}) {
                const auto at = answer.find("Set-Cookie: " + name) + 12;
                cookies += "; " + answer.substr(at, answer.find(';', at) - at);
              }
            }),
            0U);
}

TEST_F(AllocationTest, AHashedGetAllocatesNothing) {
  proxy_.model.target_groups[0].algorithm = config::BalancingAlgorithm::kConsistentHash;
  proxy_.model.target_groups[0].hash_key = {.source = config::HashSource::kHeader, .name = "User-Agent"};
  Start("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
  EXPECT_EQ(CountAllocations([](Connection& client) {
              client.Send(kGet);
              ASSERT_NE(client.ReadMessage(), "");
            }),
            0U);
}

TEST_F(AllocationTest, APostOfTenKilobytesAllocatesNothing) {
  Start("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
  const std::string post =
      "POST / HTTP/1.1\r\nHost: shop.example\r\nContent-Length: 10240\r\n\r\n" + std::string(10'240, 'x');
  EXPECT_EQ(CountAllocations([&post](Connection& client) {
              client.Send(post);
              ASSERT_NE(client.ReadMessage(), "");
            }),
            0U);
}

TEST_F(AllocationTest, AChunkedResponseAllocatesNothing) {
  Start("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n");
  EXPECT_EQ(CountAllocations([](Connection& client) {
              client.Send(kGet);
              ASSERT_NE(client.ReadMessage(), "");
            }),
            0U);
}

TEST_F(AllocationTest, AFixedResponseAllocatesNothing) {
  proxy_.model.load_balancers[0].listeners[0].default_rule.action =
      config::FixedResponseAction{.status_code = 200, .content_type = "text/plain", .message_body = "all is well"};
  Start("");
  EXPECT_EQ(CountAllocations([](Connection& client) {
              client.Send(kGet);
              ASSERT_NE(client.ReadMessage(), "");
            }),
            0U);
}

TEST_F(AllocationTest, ARedirectAllocatesNothing) {
  config::RedirectAction redirect;
  redirect.protocol = "HTTPS";
  redirect.port = "443";
  redirect.status_code = 301;
  proxy_.model.load_balancers[0].listeners[0].default_rule.action = redirect;
  Start("");
  EXPECT_EQ(CountAllocations([](Connection& client) {
              client.Send(kGet);
              ASSERT_NE(client.ReadMessage(), "");
            }),
            0U);
}

TEST_F(AllocationTest, AnErrorAllocatesNothing) {
  proxy_.model.load_balancers[0].listeners[0].default_rule.action = config::ForwardAction{};
  Start("");
  EXPECT_EQ(CountAllocations([](Connection& client) {
              client.Send(kGet);
              ASSERT_NE(client.ReadMessage(), "");
            }),
            0U);
}

TEST_F(AllocationTest, TheAccessLogAllocatesOnlyItsBatches) {
  const auto path = std::filesystem::temp_directory_path() / ("weir-allocation-" + std::to_string(getpid()) + ".log");
  proxy_.model.load_balancers[0].access_log = config::LogFile{.path = path.string()};
  Start("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
  const std::size_t allocations = CountAllocations([](Connection& client) {
    client.Send(kGet);
    ASSERT_NE(client.ReadMessage(), "");
  });
  std::filesystem::remove(path);
  EXPECT_LT(allocations, kCounted / 10U);
}

}  // namespace
}  // namespace weir::proxy
