#include "functions/runtime_api.h"

#include "functions/runtime_limits.h"
#include "tests/support/loopback.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace weir::testing {
namespace {

using functions::RuntimeApi;
using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr const char* kNext = "GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\nHost: x\r\n\r\n";

std::string Post(const std::string& path, const std::string& content, const std::string& fields = {}) {
  return "POST /2018-06-01/runtime/" + path + " HTTP/1.1\r\nHost: x\r\n" + fields +
         "Content-Length: " + std::to_string(content.size()) + "\r\n\r\n" + content;
}

class RuntimeApiTest : public ::testing::Test, protected functions::RuntimeApiEvents {
 protected:
  RuntimeApiTest() : api(std::move(*RuntimeApi::Listen(loop, *this))), thread([this] { loop.Run(); }) {}
  // The thread calls this object until it ends: before it is taken apart.
  void TearDown() override {
    loop.Post([this] { api->Close(); });
    loop.Stop();
    thread.join();
  }

  void OnNext() override { Note("next"); }
  void OnNextLost() override { Note("next lost"); }
  void OnResponse(std::string response) override { Note("response " + response); }
  void OnError(std::string error) override { Note("error " + error); }
  void OnTooLarge() override { Note("too large"); }
  void OnInitError(std::string error) override { Note("init " + error); }
  void Note(std::string what) {
    const std::lock_guard lock(mutex);
    noted.push_back(std::move(what));
  }
  std::vector<std::string> Noted() {
    const std::lock_guard lock(mutex);
    return noted;
  }
  [[nodiscard]] bool HasNoted(std::size_t count) {
    return Eventually([&] { return Noted().size() >= count; });
  }
  // The answer, once `count` things are noted: the loop may write the one before it notes the other.
  std::string AnswerWith(Connection& connection, std::size_t count) {
    std::string answer = connection.ReadMessage();
    EXPECT_TRUE(HasNoted(count));
    return answer;
  }
  [[nodiscard]] Connection Connect() { return Connection::To(api->endpoint()); }
  void Give(std::string id, std::string event) {
    loop.Post([this, id, event] { api->Give({.id = id, .event = event, .deadline_ms = 5}); });
  }
  // Asks for an invocation and gets it.
  std::string Begin(Connection& connection, const std::string& id, const std::string& event = "{}") {
    const auto before = Noted().size();
    connection.Send(kNext);
    EXPECT_TRUE(HasNoted(before + 1));
    Give(id, event);
    return connection.ReadMessage();
  }

  net::EventLoop loop;
  std::mutex mutex;
  std::vector<std::string> noted;
  std::unique_ptr<RuntimeApi> api;
  std::thread thread;
};

TEST_F(RuntimeApiTest, OneConnectionServesManyInvocations) {
  std::size_t answered = 0;
  auto connection = Connect();
  for (const std::string id : {"a", "b"}) {
    const auto invocation = Begin(connection, id, "{\"id\":\"" + id + "\"}");
    EXPECT_THAT(invocation, StartsWith("HTTP/1.1 200 OK\r\n"));
    EXPECT_THAT(invocation, HasSubstr("Lambda-Runtime-Aws-Request-Id: " + id + "\r\n"));
    EXPECT_THAT(invocation, HasSubstr("Lambda-Runtime-Deadline-Ms: 5\r\n"));
    EXPECT_THAT(invocation, EndsWith("{\"id\":\"" + id + "\"}"));
    connection.Send(Post("invocation/" + id + "/response", "\"" + id + "\""));
    EXPECT_THAT(AnswerWith(connection, answered += 2), StartsWith("HTTP/1.1 202 "));
  }
  EXPECT_THAT(Noted(), ElementsAre("next", "response \"a\"", "next", "response \"b\""));
}

TEST_F(RuntimeApiTest, AResponseMayComeInChunksAndByteByByte) {
  auto connection = Connect();
  Begin(connection, "a");
  const std::string request =
      "POST /2018-06-01/runtime/invocation/a/response HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
      "3\r\n[1,\r\n2;x=y\r\n2]\r\n0\r\nTrailer: x\r\n\r\n";
  for (const char c : request) connection.Send(std::string_view(&c, 1));
  EXPECT_THAT(AnswerWith(connection, 2), StartsWith("HTTP/1.1 202 "));
  EXPECT_EQ(Noted().back(), "response [1,2]");
}

TEST_F(RuntimeApiTest, WhoAsksToContinueMay) {
  auto connection = Connect();
  Begin(connection, "a");
  connection.Send(
      "POST /2018-06-01/runtime/invocation/a/response HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: "
      "2\r\n\r\n");
  EXPECT_THAT(connection.ReadUntil("\r\n\r\n"), StartsWith("HTTP/1.1 100 "));
  connection.Send("{}");
  EXPECT_THAT(connection.ReadMessage(), StartsWith("HTTP/1.1 202 "));
}

TEST_F(RuntimeApiTest, AResponseThatIsTooLargeIsReadToItsEndAndRefused) {
  auto connection = Connect();
  Begin(connection, "a");
  std::thread writer(
      [&] { connection.Send(Post("invocation/a/response", std::string(functions::kResponseBytesMax + 1, 'x'))); });
  EXPECT_THAT(connection.ReadMessage(), StartsWith("HTTP/1.1 413 "));
  writer.join();
  EXPECT_TRUE(HasNoted(2));
  EXPECT_EQ(Noted().back(), "too large");
  // The largest of all is taken, on the same connection.
  Begin(connection, "b");
  connection.Send(Post("invocation/b/response", std::string(functions::kResponseBytesMax, 'x')));
  EXPECT_THAT(connection.ReadMessage(), StartsWith("HTTP/1.1 202 "));
}

TEST_F(RuntimeApiTest, ALargeEventIsGivenWhole) {
  auto connection = Connect();
  const std::string event(3 << 20, 'e');
  EXPECT_THAT(Begin(connection, "a", event), EndsWith("\r\n\r\n" + event));
}

TEST_F(RuntimeApiTest, ErrorsAreRead) {
  auto connection = Connect();
  Begin(connection, "a");
  connection.Send(Post("invocation/a/error", R"({"errorMessage":"no","errorType":"ValueError"})",
                       "Lambda-Runtime-Function-Error-Type: Unhandled\r\n"));
  EXPECT_THAT(AnswerWith(connection, 2), StartsWith("HTTP/1.1 202 "));
  Begin(connection, "b");
  connection.Send(Post("invocation/b/error", "", "Lambda-Runtime-Function-Error-Type: Runtime.Odd\r\n"));
  EXPECT_THAT(AnswerWith(connection, 4), StartsWith("HTTP/1.1 202 "));
  EXPECT_THAT(Noted(), ElementsAre("next", "error ValueError: no", "next", "error Runtime.Odd"));
}

TEST_F(RuntimeApiTest, AStartThatFailedIsTold) {
  auto connection = Connect();
  connection.Send(Post("init/error", R"({"errorMessage":"m","errorType":"Runtime.ImportModuleError"})"));
  EXPECT_THAT(AnswerWith(connection, 1), StartsWith("HTTP/1.1 202 "));
  EXPECT_THAT(Noted(), ElementsAre("init Runtime.ImportModuleError: m"));
}

TEST_F(RuntimeApiTest, WhatIsNotOfTheApiIsRefused) {
  struct Row {
    std::string request;
    std::string status;
  };
  const std::vector<Row> rows = {
      {"GET /2018-06-01/runtime/invocation HTTP/1.1\r\nHost: x\r\n\r\n", "404"},
      {"PUT /2018-06-01/runtime/invocation/next HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n", "405"},
      {Post("invocation/none/response", "{}"), "400"},
      {"nonsense\r\n\r\n", "400"},
      {"GET /" + std::string(5'000, 'x') + " HTTP/1.1\r\nHost: x\r\n\r\n", "414"},
      {"POST /2018-06-01/runtime/init/error HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n", "400"},
  };
  for (const auto& [request, status] : rows) {
    auto connection = Connect();
    connection.Send(request);
    EXPECT_THAT(connection.ReadMessage(), StartsWith("HTTP/1.1 " + status)) << request.substr(0, 60);
  }
  EXPECT_THAT(Noted(), ElementsAre());
}

TEST_F(RuntimeApiTest, RequestsAheadOfTheirTimeWait) {
  auto connection = Connect();
  connection.Send(std::string(kNext) + Post("invocation/a/response", "1") + kNext);
  ASSERT_TRUE(HasNoted(1));
  Give("a", "{}");
  EXPECT_THAT(connection.ReadMessage(), StartsWith("HTTP/1.1 200 "));
  EXPECT_THAT(connection.ReadMessage(), StartsWith("HTTP/1.1 202 "));
  ASSERT_TRUE(HasNoted(3));
  EXPECT_THAT(Noted(), ElementsAre("next", "response 1", "next"));
}

TEST_F(RuntimeApiTest, WhoAskedAndLeftIsNotGivenAnything) {
  {
    auto connection = Connect();
    connection.Send(kNext);
    ASSERT_TRUE(HasNoted(1));
  }
  EXPECT_TRUE(Eventually([&] {
    std::atomic<int> waits{-1};
    loop.Post([&] { waits = api->waiting() ? 1 : 0; });
    while (waits < 0) std::this_thread::yield();
    return waits == 0;
  }));
  auto next = Connect();
  EXPECT_THAT(Begin(next, "a"), StartsWith("HTTP/1.1 200 "));
}

TEST_F(RuntimeApiTest, WhoAsksLastIsGivenTheInvocation) {
  auto first = Connect();
  first.Send(kNext);
  ASSERT_TRUE(HasNoted(1));
  auto second = Connect();
  EXPECT_THAT(Begin(second, "a"), StartsWith("HTTP/1.1 200 "));
  EXPECT_THAT(first.ReadMessage(), StartsWith("HTTP/1.1 403 "));
}

TEST_F(RuntimeApiTest, FurtherConnectionsWaitForRoom) {
  std::vector<Connection> held;
  for (std::size_t i = 0; i < functions::kRuntimeConnectionsMax; ++i) {
    held.push_back(Connect());
    held.back().Send(Post("invocation/none/response", "{}"));
    EXPECT_THAT(held.back().ReadMessage(), StartsWith("HTTP/1.1 400 "));
  }
  auto waiting = Connect();
  waiting.Send(Post("invocation/none/response", "{}"));
  held.pop_back();
  EXPECT_THAT(waiting.ReadMessage(), StartsWith("HTTP/1.1 400 "));
}

}  // namespace
}  // namespace weir::testing
