#include "proxy/data_plane.h"

#include "tests/proxy/proxy_fixture.h"
#include "tests/support/loopback.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>

namespace weir::proxy {
namespace {

using ::testing::AllOf;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;
using weir::testing::Connection;
using weir::testing::Eventually;
using weir::testing::FakeTarget;
using weir::testing::RequestLog;
using weir::testing::ServeBody;

constexpr std::string_view kGet = "GET /a?b=c HTTP/1.1\r\nHost: shop.example\r\n\r\n";

// Reads one request and answers it with `response`, then runs `after`.
FakeTarget::Serve ServeOnce(std::string response, std::function<void(Connection&)> after = {}) {
  return [response = std::move(response), after = std::move(after)](Connection& connection) {
    if (connection.ReadMessage().empty()) return;
    connection.Send(response);
    if (after) after(connection);
  };
}

TEST(DataPlaneTest, ForwardsARequestAndAddsForwardingFields) {
  RequestLog log;
  FakeTarget target(ServeBody("hello", &log));
  ProxyFixture proxy;
  proxy.AddTarget(target.endpoint());
  proxy.Start();
  Connection client = proxy.Connect();
  client.Send(
      "GET /a?b=c HTTP/1.1\r\nHost: Shop.Example\r\nX-Forwarded-For: 192.0.2.1\r\nX-Forwarded-Proto: https\r\n"
      "Connection: x-hop\r\nX-Hop: 1\r\nAccept: */*\r\n\r\n");
  EXPECT_THAT(client.ReadMessage(), AllOf(StartsWith("HTTP/1.1 200 OK\r\n"), EndsWith("\r\n\r\nhello")));
  const auto requests = log.Copy();
  ASSERT_EQ(requests.size(), 1U);
  const std::string port = std::to_string(proxy.endpoint().port);
  EXPECT_THAT(requests[0], StartsWith("GET /a?b=c HTTP/1.1\r\nHost: shop.example:" + port + "\r\n"));
  EXPECT_THAT(requests[0], HasSubstr("X-Forwarded-For: 192.0.2.1, 127.0.0.1\r\n"));
  EXPECT_THAT(requests[0], HasSubstr("X-Forwarded-Proto: http\r\nX-Forwarded-Port: " + port + "\r\n"));
  EXPECT_THAT(requests[0], HasSubstr("X-Amzn-Trace-Id: Root=1-"));
  EXPECT_THAT(requests[0], Not(HasSubstr("X-Hop")));
}

TEST(DataPlaneTest, KeepsConnectionsOnBothSidesForTheNextRequest) {
  FakeTarget target(ServeBody("x"));
  ProxyFixture proxy;
  proxy.AddTarget(target.endpoint());
  proxy.Start();
  Connection client = proxy.Connect();
  for (int i = 0; i < 20; ++i) {
    client.Send(kGet);
    EXPECT_THAT(client.ReadMessage(), EndsWith("\r\n\r\nx"));
  }
  EXPECT_EQ(target.connections(), 1);
}

TEST(DataPlaneTest, ServesPipelinedRequestsInOrder) {
  FakeTarget target([](Connection& connection) {
    for (;;) {
      const std::string request = connection.ReadMessage();
      if (request.empty()) return;
      const std::string path = request.substr(4, request.find(' ', 4) - 4);
      connection.Send("HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(path.size()) + "\r\n\r\n" + path);
    }
  });
  ProxyFixture proxy;
  proxy.AddTarget(target.endpoint());
  proxy.Start();
  Connection client = proxy.Connect();
  std::string requests;
  for (int i = 0; i < 50; ++i) requests += "GET /" + std::to_string(i) + " HTTP/1.1\r\nHost: a\r\n\r\n";
  client.Send(requests);
  for (int i = 0; i < 50; ++i) EXPECT_THAT(client.ReadMessage(), EndsWith("\r\n\r\n/" + std::to_string(i)));
}

TEST(DataPlaneTest, PassesChunkedContentAndTrailersBothWays) {
  RequestLog log;
  FakeTarget target([&log](Connection& connection) {
    const std::string request = connection.ReadMessage();
    {
      const std::lock_guard lock(log.mutex);
      log.requests.push_back(request);
    }
    connection.Send(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nX-Sum: 5\r\n\r\n");
  });
  ProxyFixture proxy;
  proxy.AddTarget(target.endpoint());
  proxy.Start();
  Connection client = proxy.Connect();
  client.Send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nwxyz\r\n0\r\nX-Check: 1\r\n\r\n");
  const std::string response = client.ReadMessage();
  EXPECT_THAT(response, HasSubstr("Transfer-Encoding: chunked\r\n"));
  EXPECT_THAT(response, EndsWith("abcde\r\n0\r\nX-Sum: 5\r\n\r\n"));
  ASSERT_EQ(log.Copy().size(), 1U);
  EXPECT_THAT(log.Copy()[0], EndsWith("\r\n\r\n4\r\nwxyz\r\n0\r\nX-Check: 1\r\n\r\n"));
}

TEST(DataPlaneTest, GivesCloseDelimitedResponsesToBothVersions) {
  FakeTarget target(ServeOnce("HTTP/1.1 200 OK\r\n\r\nuntil the end"));
  ProxyFixture proxy;
  proxy.AddTarget(target.endpoint());
  proxy.Start();
  Connection modern = proxy.Connect();
  modern.Send(kGet);
  EXPECT_THAT(modern.ReadMessage(), AllOf(HasSubstr("Transfer-Encoding: chunked"), HasSubstr("until the end")));
  Connection old = proxy.Connect();
  old.Send("GET / HTTP/1.0\r\n\r\n");
  EXPECT_THAT(old.ReadAll(), AllOf(HasSubstr("Connection: close"), EndsWith("\r\n\r\nuntil the end")));
}

TEST(DataPlaneTest, AnswersHeadWithTheLengthAndNoContent) {
  FakeTarget target([](Connection& connection) {
    while (!connection.ReadMessage().empty()) connection.Send("HTTP/1.1 200 OK\r\nContent-Length: 1234\r\n\r\n");
  });
  ProxyFixture proxy;
  proxy.AddTarget(target.endpoint());
  proxy.Start();
  Connection client = proxy.Connect();
  for (int i = 0; i < 2; ++i) {
    client.Send("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n");
    EXPECT_THAT(client.ReadMessage(false), HasSubstr("Content-Length: 1234\r\n"));
  }
  EXPECT_EQ(target.connections(), 1);
}

TEST(DataPlaneTest, AnswersExpectContinueItself) {
  FakeTarget target(ServeBody("ok"));
  ProxyFixture proxy;
  proxy.AddTarget(target.endpoint());
  proxy.Start();
  Connection client = proxy.Connect();
  client.Send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_EQ(client.ReadUntil("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
  client.Send("abc");
  EXPECT_THAT(client.ReadMessage(), EndsWith("ok"));
}

TEST(DataPlaneTest, PassesEarlyHintsOn) {
  FakeTarget target(
      ServeOnce("HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"));
  ProxyFixture proxy;
  proxy.AddTarget(target.endpoint());
  proxy.Start();
  Connection client = proxy.Connect();
  client.Send(kGet);
  EXPECT_THAT(client.ReadUntil("\r\n\r\n"), AllOf(StartsWith("HTTP/1.1 103"), HasSubstr("Link: </a.css>")));
  EXPECT_THAT(client.ReadMessage(), StartsWith("HTTP/1.1 200"));
}

TEST(DataPlaneTest, StreamsLargeBodiesBothWaysAtOnce) {
  static constexpr std::size_t kBytes = 48 * 1024 * 1024;
  FakeTarget target([](Connection& connection) {
    static_cast<void>(connection.ReadUntil("\r\n\r\n"));
    connection.Send("HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(kBytes) + "\r\n\r\n");
    const std::string piece(1024 * 1024, 'd');
    std::thread sender([&] {
      for (std::size_t i = 1; i < kBytes / piece.size(); ++i) connection.Send(piece);
    });
    std::size_t got = 0;
    while (got < kBytes) {
      const std::size_t size = connection.ReadBytes(1024 * 1024).size();
      if (size == 0) break;
      got += size;
    }
    EXPECT_EQ(got, kBytes);
    sender.join();
    // An answer that ends before its request would end the request too.
    connection.Send(piece);
  });
  ProxyFixture proxy;
  proxy.AddTarget(target.endpoint());
  proxy.Start();
  Connection client = proxy.Connect();
  client.Send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: " + std::to_string(kBytes) + "\r\n\r\n");
  std::thread sender([&] {
    const std::string piece(1024 * 1024, 'u');
    for (std::size_t i = 0; i < kBytes / piece.size(); ++i) client.Send(piece);
  });
  static_cast<void>(client.ReadUntil("\r\n\r\n"));
  std::size_t got = 0;
  while (got < kBytes) {
    const std::string piece = client.ReadBytes(1024 * 1024);
    if (piece.empty()) break;
    EXPECT_EQ(piece.find_first_not_of('d'), std::string::npos);
    got += piece.size();
  }
  EXPECT_EQ(got, kBytes);
  sender.join();
}

// ---- failures: spec alb.md 13
// ---------------------------------------------------------------------------------------------------

TEST(DataPlaneTest, AnswersMalformedRequestsWith400AndCloses) {
  ProxyFixture proxy;
  proxy.Start();
  Connection client = proxy.Connect();
  client.Send("GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\nabcd");
  EXPECT_THAT(client.ReadAll(), AllOf(StartsWith("HTTP/1.1 400 Bad Request\r\n"), HasSubstr("Server: awselb/2.0\r\n"),
                                      HasSubstr("Connection: close\r\n")));
}

TEST(DataPlaneTest, AnswersTraceWith405) {
  ProxyFixture proxy;
  proxy.Start();
  Connection client = proxy.Connect();
  client.Send("TRACE / HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_THAT(client.ReadMessage(), StartsWith("HTTP/1.1 405 "));
}

TEST(DataPlaneTest, AnswersAnEmptyGroupWithThe503Page) {
  ProxyFixture proxy;
  proxy.Start();
  Connection client = proxy.Connect();
  client.Send(kGet);
  const std::string response = client.ReadMessage();
  EXPECT_THAT(response, StartsWith("HTTP/1.1 503 Service Temporarily Unavailable\r\n"));
  EXPECT_THAT(response, HasSubstr("Content-Length: 162\r\n"));
}

TEST(DataPlaneTest, AnswersARefusedConnectionWith502) {
  FakeTarget target(ServeBody("x"));
  ProxyFixture proxy;
  proxy.AddTarget(target.endpoint());
  target.Stop();
  proxy.Start();
  Connection client = proxy.Connect();
  client.Send(kGet);
  EXPECT_THAT(client.ReadMessage(), StartsWith("HTTP/1.1 502 Bad Gateway\r\n"));
}

TEST(DataPlaneTest, GoesToAnotherTargetWhenOneRefuses) {
  FakeTarget dead(ServeBody("dead"));
  FakeTarget alive(ServeBody("alive"));
  ProxyFixture proxy;
  proxy.AddTarget(dead.endpoint());
  proxy.AddTarget(alive.endpoint());
  dead.Stop();
  proxy.Start();
  Connection client = proxy.Connect();
  for (int i = 0; i < 10; ++i) {
    client.Send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc");
    EXPECT_THAT(client.ReadMessage(), EndsWith("alive"));
  }
}

TEST(DataPlaneTest, AnswersATargetThatClosesWithoutAnswerWith502) {
  FakeTarget target([](Connection& connection) { static_cast<void>(connection.ReadMessage()); });
  ProxyFixture proxy;
  proxy.AddTarget(target.endpoint());
  proxy.Start();
  Connection client = proxy.Connect();
  client.Send(kGet);
  EXPECT_THAT(client.ReadMessage(), StartsWith("HTTP/1.1 502 "));
  EXPECT_EQ(target.connections(), 1) << "a fresh connection is not retried";
}

TEST(DataPlaneTest, AnswersAMalformedResponseWith502) {
  FakeTarget target(ServeOnce("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab"));
  ProxyFixture proxy;
  proxy.AddTarget(target.endpoint());
  proxy.Start();
  Connection client = proxy.Connect();
  client.Send(kGet);
  EXPECT_THAT(client.ReadMessage(), StartsWith("HTTP/1.1 502 "));
}

// A target that answers the first request of a connection and dies on the second.
FakeTarget::Serve DieOnSecondRequest() {
  return [](Connection& connection) {
    if (connection.ReadMessage().empty()) return;
    connection.Send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    static_cast<void>(connection.ReadMessage());
    connection.Reset();
  };
}

TEST(DataPlaneTest, RepeatsAnIdempotentRequestOnceWhenAReusedConnectionDies) {
  FakeTarget target(DieOnSecondRequest());
  ProxyFixture proxy;
  proxy.AddTarget(target.endpoint());
  proxy.Start();
  Connection client = proxy.Connect();
  for (int i = 0; i < 6; ++i) {
    client.Send("PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc");
    EXPECT_THAT(client.ReadMessage(), EndsWith("ok")) << i;
  }
}

TEST(DataPlaneTest, NeverRepeatsAPostThatMayHaveArrived) {
  FakeTarget target(DieOnSecondRequest());
  ProxyFixture proxy;
  proxy.AddTarget(target.endpoint());
  proxy.Start();
  Connection client = proxy.Connect();
  client.Send(kGet);
  EXPECT_THAT(client.ReadMessage(), EndsWith("ok"));
  client.Send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc");
  EXPECT_THAT(client.ReadMessage(), StartsWith("HTTP/1.1 502 "));
  EXPECT_EQ(target.connections(), 1);
}

TEST(DataPlaneTest, CutsAResponseThatBrokeOff) {
  FakeTarget target(ServeOnce("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort"));
  ProxyFixture proxy;
  proxy.AddTarget(target.endpoint());
  proxy.Start();
  Connection client = proxy.Connect();
  client.Send(kGet);
  EXPECT_THAT(client.ReadAll(), EndsWith("short"));
}

TEST(DataPlaneTest, AnswersASlowTargetWith504AfterTheIdleTimeout) {
  FakeTarget target([](Connection& connection) {
    static_cast<void>(connection.ReadMessage());
    static_cast<void>(connection.WaitForEnd());
  });
  ProxyFixture proxy;
  proxy.model.load_balancers[0].attributes.idle_timeout = std::chrono::seconds(1);
  proxy.AddTarget(target.endpoint());
  proxy.Start();
  Connection client = proxy.Connect();
  client.Send(kGet);
  EXPECT_THAT(client.ReadMessage(), StartsWith("HTTP/1.1 504 Gateway Time-out\r\n"));
}

TEST(DataPlaneTest, AnswersASilentClientWith408AndAnIdleOneWithNothing) {
  FakeTarget target(ServeBody("x"));
  ProxyFixture proxy;
  proxy.model.load_balancers[0].attributes.idle_timeout = std::chrono::seconds(1);
  proxy.AddTarget(target.endpoint());
  proxy.Start();
  Connection silent = proxy.Connect();
  Connection half = proxy.Connect();
  Connection idle = proxy.Connect();
  half.Send("GET / HT");
  idle.Send(kGet);
  EXPECT_THAT(idle.ReadMessage(), EndsWith("x"));
  EXPECT_THAT(silent.ReadAll(), StartsWith("HTTP/1.1 408 "));
  EXPECT_THAT(half.ReadAll(), StartsWith("HTTP/1.1 408 "));
  EXPECT_TRUE(idle.WaitForEnd());
}

TEST(DataPlaneTest, AnswersTooManyForwardedForAddressesWith463) {
  ProxyFixture proxy;
  proxy.Start();
  std::string list = "192.0.2.1";
  for (int i = 0; i < 30; ++i) list += ", 192.0.2.1";
  Connection client = proxy.Connect();
  client.Send("GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: " + list + "\r\n\r\n");
  EXPECT_THAT(client.ReadMessage(), StartsWith("HTTP/1.1 463 "));
}

TEST(DataPlaneTest, EndsTheTargetsRequestWhenTheClientIsGone) {
  std::atomic<bool> ended = false;
  FakeTarget target([&](Connection& connection) {
    static_cast<void>(connection.ReadMessage());
    ended = connection.WaitForEnd();
  });
  ProxyFixture proxy;
  proxy.AddTarget(target.endpoint());
  proxy.Start();
  Connection client = proxy.Connect();
  client.Send(kGet);
  ASSERT_TRUE(Eventually([&] { return target.connections() == 1; }));
  client.Reset();
  EXPECT_TRUE(Eventually([&] { return ended.load(); }));
}

TEST(DataPlaneTest, StillAnswersAClientThatFinishedSending) {
  FakeTarget target(ServeBody("answer"));
  ProxyFixture proxy;
  proxy.AddTarget(target.endpoint());
  proxy.Start();
  Connection client = proxy.Connect();
  client.Send(kGet);
  client.ShutdownWrite();
  EXPECT_THAT(client.ReadAll(), EndsWith("answer"));
}

TEST(DataPlaneTest, CancelsTheTargetsRequestWhenNoAnswerBeginsAfterTheClientFinishedSending) {
  std::atomic<bool> ended = false;
  FakeTarget target([&](Connection& connection) {
    static_cast<void>(connection.ReadMessage());
    ended = connection.WaitForEnd();
  });
  ProxyFixture proxy;
  proxy.AddTarget(target.endpoint());
  proxy.Start();
  Connection client = proxy.Connect();
  client.Send(kGet);
  ASSERT_TRUE(Eventually([&] { return target.connections() == 1; }));
  client.ShutdownWrite();
  EXPECT_TRUE(Eventually([&] { return ended.load(); }));
  EXPECT_EQ(client.ReadAll(), "");
}

TEST(DataPlaneTest, AnswersContentThatEndsTooEarlyWith400) {
  FakeTarget target([](Connection& connection) {
    static_cast<void>(connection.ReadUntil("\r\n\r\n"));
    static_cast<void>(connection.ReadAll());
  });
  ProxyFixture proxy;
  proxy.AddTarget(target.endpoint());
  proxy.Start();
  Connection client = proxy.Connect();
  client.Send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc");
  client.ShutdownWrite();
  EXPECT_THAT(client.ReadAll(), StartsWith("HTTP/1.1 400 "));
}

// ---- the end of a connection: RFC 9112 section 9.6
// -----------------------------------------------------------------------------------------------------

std::uint64_t ActiveConnections(ProxyFixture& proxy) {
  std::uint64_t active = 0;
  proxy.OnWorker([&](DataPlane&) {
    active =
        proxy.table()->listeners().front()->counters->Sum([](const auto& c) { return c.connections_active.value(); });
  });
  return active;
}

TEST(CloseLosesAnswerTest, AnAnswerThatClosesIsFollowedByTheEndAndNotByAClose) {
  FakeTarget target(ServeBody("answer"));
  ProxyFixture proxy;
  proxy.AddTarget(target.endpoint());
  proxy.Start();
  Connection client = proxy.Connect();
  client.Send("POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 3\r\n\r\nabc");
  EXPECT_THAT(client.ReadAll(), EndsWith("answer"));
  EXPECT_EQ(ActiveConnections(proxy), 1U) << "it waits for the client to close";
  client.Send("\r\n");
  EXPECT_EQ(ActiveConnections(proxy), 1U) << "what is late is dropped";
  client.Close();
  EXPECT_TRUE(Eventually([&] { return ActiveConnections(proxy) == 0; }));
}

TEST(CloseLosesAnswerTest, AnIdleConnectionEndsWithoutACloseToo) {
  FakeTarget target(ServeBody("answer"));
  ProxyFixture proxy;
  proxy.model.load_balancers[0].attributes.idle_timeout = std::chrono::seconds(1);
  proxy.AddTarget(target.endpoint());
  proxy.Start();
  Connection client = proxy.Connect();
  client.Send(kGet);
  EXPECT_THAT(client.ReadMessage(), EndsWith("answer"));
  EXPECT_EQ(client.ReadAll(), "");
  EXPECT_EQ(ActiveConnections(proxy), 1U);
  client.Close();
  EXPECT_TRUE(Eventually([&] { return ActiveConnections(proxy) == 0; }));
}

TEST(CloseLosesAnswerTest, AClientThatEndedFirstIsClosedAtOnce) {
  FakeTarget target(ServeBody("answer"));
  ProxyFixture proxy;
  proxy.AddTarget(target.endpoint());
  proxy.Start();
  Connection client = proxy.Connect();
  client.Send(kGet);
  client.ShutdownWrite();
  EXPECT_THAT(client.ReadAll(), EndsWith("answer"));
  EXPECT_TRUE(Eventually([&] { return ActiveConnections(proxy) == 0; }));
}

TEST(CloseLosesAnswerTest, WhileDrainingAnAcknowledgedAnswerIsEnough) {
  FakeTarget target(ServeBody("answer"));
  ProxyFixture proxy;
  proxy.AddTarget(target.endpoint());
  proxy.Start();
  Connection closing = proxy.Connect();
  closing.Send("GET / HTTP/1.0\r\n\r\n");
  EXPECT_THAT(closing.ReadAll(), EndsWith("answer"));
  Connection idle = proxy.Connect();
  idle.Send(kGet);
  EXPECT_THAT(idle.ReadMessage(), EndsWith("answer"));
  const auto begun = std::chrono::steady_clock::now();
  proxy.OnWorker([](DataPlane& data_plane) { data_plane.Drain(); });
  EXPECT_TRUE(Eventually([&] {
    bool gone = false;
    proxy.OnWorker([&](DataPlane& data_plane) { gone = data_plane.idle(); });
    return gone;
  }));
  EXPECT_LT(std::chrono::steady_clock::now() - begun, std::chrono::milliseconds(1'500));
}

// ---- life cycle
// -----------------------------------------------------------------------------------------------------------------

TEST(DataPlaneTest, KeepsTheConnectionThroughANewRevision) {
  FakeTarget blue(ServeBody("one"));
  FakeTarget other(ServeBody("two"));
  ProxyFixture proxy;
  proxy.AddTarget(blue.endpoint());
  proxy.Start();
  Connection client = proxy.Connect();
  client.Send(kGet);
  EXPECT_THAT(client.ReadMessage(), EndsWith("one"));
  proxy.targets.clear();
  proxy.AddTarget(other.endpoint());
  proxy.Publish();
  client.Send(kGet);
  EXPECT_THAT(client.ReadMessage(), EndsWith("two"));
}

TEST(DataPlaneTest, EndsRequestsOfATargetThatLeftForGoodWith502) {
  FakeTarget target([](Connection& connection) {
    static_cast<void>(connection.ReadMessage());
    static_cast<void>(connection.WaitForEnd());
  });
  ProxyFixture proxy;
  proxy.AddTarget(target.endpoint());
  proxy.Start();
  Connection client = proxy.Connect();
  client.Send(kGet);
  ASSERT_TRUE(Eventually([&] { return target.connections() == 1; }));
  proxy.targets.clear();
  proxy.Publish();
  EXPECT_THAT(client.ReadMessage(), StartsWith("HTTP/1.1 502 "));
}

TEST(DataPlaneTest, DrainFinishesWhatIsUnderWayAndClosesTheRest) {
  std::atomic<bool> release = false;
  FakeTarget target([&](Connection& connection) {
    static_cast<void>(connection.ReadMessage());
    static_cast<void>(Eventually([&] { return release.load(); }));
    connection.Send("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ndone");
  });
  ProxyFixture proxy;
  proxy.AddTarget(target.endpoint());
  proxy.Start();
  Connection busy = proxy.Connect();
  Connection idle = proxy.Connect();
  busy.Send(kGet);
  ASSERT_TRUE(Eventually([&] { return target.connections() == 1; }));
  proxy.OnWorker([](DataPlane& data_plane) { data_plane.Drain(); });
  EXPECT_TRUE(idle.WaitForEnd());
  release = true;
  EXPECT_THAT(busy.ReadAll(), EndsWith("done"));
  EXPECT_TRUE(Eventually([&] {
    bool gone = false;
    proxy.OnWorker([&](DataPlane& data_plane) { gone = data_plane.idle(); });
    return gone;
  }));
}

// ---- limits

void SetLimits(ProxyFixture& proxy, ConnectionLimits limits) {
  proxy.OnWorker([&](DataPlane& data_plane) { data_plane.SetLimits(limits); });
}

std::uint64_t Accepted(const ProxyFixture& proxy) {
  return proxy.table()->listeners()[0]->counters->Sum([](const auto& c) { return c.connections_accepted.value(); });
}

TEST(FdExhaustionTest, AClientBeyondTheLimitWaitsUntilAnotherLeaves) {
  FakeTarget target(ServeBody("x"));
  ClientCrowd crowd;
  ProxyFixture proxy;
  proxy.AddTarget(target.endpoint());
  proxy.crowd = &crowd;
  proxy.Start();
  SetLimits(proxy, {.clients = 2, .targets = 2});
  auto first = std::make_unique<Connection>(proxy.Connect());
  Connection second = proxy.Connect();
  for (Connection* client : {first.get(), &second}) {
    client->Send(kGet);
    EXPECT_THAT(client->ReadMessage(), EndsWith("\r\n\r\nx"));
  }
  Connection third = proxy.Connect();
  third.Send(kGet);
  EXPECT_TRUE(Eventually([&] { return crowd.waiting(); }));
  EXPECT_EQ(Accepted(proxy), 2U);
  first.reset();
  EXPECT_THAT(third.ReadMessage(), EndsWith("\r\n\r\nx"));
  EXPECT_EQ(crowd.episodes(), 1U);
  EXPECT_TRUE(Eventually([&] { return !crowd.waiting(); })) << "it ends when nobody waits";
  second.Send(kGet);
  EXPECT_THAT(second.ReadMessage(), EndsWith("\r\n\r\nx")) << "it had to leave for nobody";
}

TEST(FdExhaustionTest, AsManyClientsAsMayBeIsNoCrowd) {
  FakeTarget target(ServeBody("x"));
  ClientCrowd crowd;
  ProxyFixture proxy;
  proxy.AddTarget(target.endpoint());
  proxy.crowd = &crowd;
  proxy.Start();
  SetLimits(proxy, {.clients = 2, .targets = 2});
  Connection first = proxy.Connect();
  Connection second = proxy.Connect();
  for (Connection* client : {&first, &second}) {
    client->Send(kGet);
    EXPECT_THAT(client->ReadMessage(), EndsWith("\r\n\r\nx"));
  }
  EXPECT_EQ(crowd.episodes(), 0U);
}

TEST(FdExhaustionTest, AnIdleTargetConnectionGivesWayToOneThatIsNeeded) {
  FakeTarget one(ServeBody("one"));
  FakeTarget two(ServeBody("two"));
  ProxyFixture proxy;
  proxy.AddTarget(one.endpoint());
  proxy.AddTarget(two.endpoint());
  proxy.Start();
  SetLimits(proxy, {.clients = 1, .targets = 1});
  Connection client = proxy.Connect();
  for (int i = 0; i < 8; ++i) {
    client.Send(kGet);
    EXPECT_THAT(client.ReadMessage(), StartsWith("HTTP/1.1 200 OK\r\n"));
  }
  // In turns: each request found the connection of the other target in its place.
  EXPECT_EQ(one.connections() + two.connections(), 8);
}

}  // namespace
}  // namespace weir::proxy
