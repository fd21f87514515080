#include "outbound/http_client.h"

#include "net/socket.h"
#include "net/tls_authorities.h"
#include "tests/app/temporary_folder.h"
#include "tests/support/fake_dns_server.h"
#include "tests/support/loopback.h"
#include "tests/support/tls_server.h"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <chrono>
#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace weir::outbound {
namespace {

using weir::testing::Certificate;
using weir::testing::Connection;
using weir::testing::FakeDnsServer;
using weir::testing::FakeTarget;
using weir::testing::TlsConnection;
using weir::testing::TlsServer;

constexpr std::chrono::seconds kPatience{20};

class HttpClientTest : public ::testing::Test {
 protected:
  void RunUntil(const std::function<bool()>& done) {
    const auto deadline = std::chrono::steady_clock::now() + kPatience;
    while (!done() && std::chrono::steady_clock::now() < deadline) loop_.RunOnce(std::chrono::milliseconds(20));
    ASSERT_TRUE(done());
  }
  // A few turns in which nothing is expected.
  void RunTurns() {
    for (int i = 0; i < 5; ++i) loop_.RunOnce(std::chrono::milliseconds(5));
  }
  static Request To(const Endpoint& endpoint, bool tls = false) {
    Request request;
    request.url = {.tls = tls, .host = endpoint.address.ToString(), .port = endpoint.port, .target = "/jwks?a=b"};
    request.timeout = kPatience;
    return request;
  }
  std::unique_ptr<Call> Start(Request request) {
    answer_.reset();
    answers_ = 0;
    return client_.Start(std::move(request), [this](Answer answer) {
      ++answers_;
      answer_ = std::move(answer);
    });
  }
  Answer Ask(Request request) {
    const auto call = Start(std::move(request));
    EXPECT_EQ(answers_, 0) << "before Start returned";
    RunUntil([&] { return answer_.has_value(); });
    RunTurns();
    EXPECT_EQ(answers_, 1);
    return answer_.value_or(std::unexpected(Failure::kTimeout));
  }
  Failure Fail(Request request) {
    const Answer answer = Ask(std::move(request));
    EXPECT_FALSE(answer) << answer->status << answer->content;
    return answer ? Failure{} : answer.error();
  }
  // A server that answers each request with `answer` and closes.
  static FakeTarget::Serve Serve(std::string answer, std::promise<std::string>* request = nullptr) {
    return [answer = std::move(answer), request](Connection& connection) {
      std::string got = connection.ReadMessage();
      if (request != nullptr) request->set_value(std::move(got));
      connection.Send(answer);
    };
  }

  app::TemporaryFolder folder_;
  net::EventLoop loop_;
  FakeDnsServer names_;
  std::vector<Endpoint> name_servers_{names_.endpoint()};
  HttpClient client_{loop_, name_servers_};
  std::optional<Answer> answer_;
  int answers_ = 0;
};

TEST_F(HttpClientTest, AsksAndGivesTheAnswer) {
  std::promise<std::string> request;
  FakeTarget server(Serve("HTTP/1.1 200 OK\r\nContent-Type: a/b\r\nContent-Length: 5\r\n\r\nhello", &request));
  Request asked = To(server.endpoint());
  asked.fields = {{"Accept", "application/json"}};
  const Answer answer = Ask(std::move(asked));
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 200);
  EXPECT_EQ(answer->Field("content-type"), "a/b");
  EXPECT_EQ(answer->content, "hello");
  EXPECT_EQ(request.get_future().get(), "GET /jwks?a=b HTTP/1.1\r\nHost: " + server.endpoint().ToString() +
                                            "\r\nAccept: application/json\r\nConnection: close\r\n\r\n");
}

TEST_F(HttpClientTest, SendsContentWithItsLengthHoweverLargeItIs) {
  std::promise<std::string> request;
  FakeTarget server(Serve("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", &request));
  Request asked = To(server.endpoint());
  asked.method = "POST";
  asked.content = std::string(4 << 20, 'x');
  ASSERT_TRUE(Ask(std::move(asked)));
  const std::string got = request.get_future().get();
  EXPECT_NE(got.find("Content-Length: 4194304\r\n"), std::string::npos);
  EXPECT_TRUE(got.ends_with(std::string(4 << 20, 'x')));
}

TEST_F(HttpClientTest, APostWithoutContentSaysSo) {
  std::promise<std::string> request;
  FakeTarget server(Serve("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", &request));
  Request asked = To(server.endpoint());
  asked.method = "POST";
  ASSERT_TRUE(Ask(std::move(asked)));
  EXPECT_NE(request.get_future().get().find("Content-Length: 0\r\n"), std::string::npos);
}

TEST_F(HttpClientTest, AnAnswerThatComesBeforeTheContentIsReadCounts) {
  FakeTarget server([](Connection& connection) {
    static_cast<void>(connection.ReadUntil("\r\n\r\n"));
    connection.Send("HTTP/1.1 413 Content Too Large\r\nContent-Length: 0\r\n\r\n");
    static_cast<void>(connection.ReadAll());
  });
  Request asked = To(server.endpoint());
  asked.method = "POST";
  asked.content = std::string(16 << 20, 'x');
  const Answer answer = Ask(std::move(asked));
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 413);
}

TEST_F(HttpClientTest, ReadsChunksAndContentWithoutALength) {
  FakeTarget chunked(Serve("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"));
  EXPECT_EQ(Ask(To(chunked.endpoint())).value_or(Response{}).content, "hello");
  FakeTarget closing(Serve("HTTP/1.1 200 OK\r\n\r\nhello"));
  EXPECT_EQ(Ask(To(closing.endpoint())).value_or(Response{}).content, "hello");
}

TEST_F(HttpClientTest, DoesNotFollowRedirects) {
  FakeTarget server(Serve("HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n"));
  EXPECT_EQ(Ask(To(server.endpoint())).value_or(Response{}).status, 302);
  EXPECT_EQ(server.connections(), 1);
}

TEST_F(HttpClientTest, TooMuchContentIsAFailure) {
  FakeTarget server(Serve("HTTP/1.1 200 OK\r\n\r\n" + std::string(1001, 'x')));
  Request asked = To(server.endpoint());
  asked.content_max = 1000;
  EXPECT_EQ(Fail(asked), Failure::kTooLarge);
  asked.content_max = 1001;
  EXPECT_TRUE(Ask(asked));
}

TEST_F(HttpClientTest, WhatIsNotHttpAndWhatEndsTooEarlyIsMalformed) {
  FakeTarget other(Serve("220 smtp.example.test\r\n"));
  EXPECT_EQ(Fail(To(other.endpoint())), Failure::kMalformed);
  FakeTarget early(Serve("HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhello"));
  EXPECT_EQ(Fail(To(early.endpoint())), Failure::kMalformed);
}

TEST_F(HttpClientTest, AResetAndAnEndBeforeAnythingAreFailuresOfTheConnection) {
  FakeTarget resetting([](Connection& connection) {
    static_cast<void>(connection.ReadMessage());
    connection.Reset();
  });
  EXPECT_EQ(Fail(To(resetting.endpoint())), Failure::kConnect);
  FakeTarget silent([](Connection& connection) { static_cast<void>(connection.ReadMessage()); });
  EXPECT_EQ(Fail(To(silent.endpoint())), Failure::kConnect);
}

TEST_F(HttpClientTest, ARefusedConnectionIsOne) {
  auto socket = net::ListenTcp({IpAddress::V4({127, 0, 0, 1}), 0});
  ASSERT_TRUE(socket);
  const Endpoint free = net::LocalEndpoint(socket->get());
  socket->Reset();
  EXPECT_EQ(Fail(To(free)), Failure::kConnect);
}

TEST_F(HttpClientTest, TheTimeoutHoldsForAllOfIt) {
  std::promise<void> over;
  const auto wait = over.get_future().share();
  FakeTarget silent([wait](Connection&) { wait.wait(); });
  FakeTarget drip([wait](Connection& connection) {
    connection.Send("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n");
    while (wait.wait_for(std::chrono::milliseconds(5)) == std::future_status::timeout) connection.Send("x");
  });
  for (const Endpoint& endpoint : {silent.endpoint(), drip.endpoint()}) {
    Request asked = To(endpoint);
    asked.timeout = std::chrono::milliseconds(100);
    EXPECT_EQ(Fail(std::move(asked)), Failure::kTimeout);
  }
  over.set_value();
}

TEST_F(HttpClientTest, TriesTheAddressesOfANameInTurn) {
  FakeTarget server(Serve("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"));
  // Nobody listens at the first.
  names_.Set("two.example.test", {*IpAddress::Parse("127.0.0.1"), *IpAddress::Parse("0.255.255.254")}, 60);
  Request asked = To(server.endpoint());
  asked.url.host = "two.example.test";
  EXPECT_TRUE(Ask(std::move(asked)));
}

TEST_F(HttpClientTest, IPv6ComesAfterIPv4) {
  FakeTarget server(Serve("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"), true);
  names_.Set("both.example.test", {*IpAddress::Parse("::1"), *IpAddress::Parse("127.0.0.1")}, 60);
  Request asked = To(server.endpoint());
  asked.url.host = "both.example.test";
  EXPECT_TRUE(Ask(std::move(asked))) << "nobody listens at 127.0.0.1";
}

TEST_F(HttpClientTest, ANameWithoutAddressAndOneThatNobodyAnswersForDoNotResolve) {
  Request asked = To({IpAddress{}, 80});
  asked.url.host = "missing.example.test";
  EXPECT_EQ(Fail(asked), Failure::kResolve);
  names_.SetMode(FakeDnsServer::Mode::kServerFailure);
  EXPECT_EQ(Fail(asked), Failure::kResolve);
  names_.SetMode(FakeDnsServer::Mode::kSilent);
  asked.timeout = std::chrono::milliseconds(100);
  EXPECT_EQ(Fail(asked), Failure::kTimeout);
}

class HttpsClientTest : public HttpClientTest {
 protected:
  Certificate ServerCertificate(const Certificate::Options& options) { return Certificate::Make(options, &authority_); }
  Request Https(const TlsServer& server) {
    Request request = To(server.endpoint(), true);
    auto loaded = net::TlsAuthorities::Load(folder_.Write("authorities.pem", authority_.Pem()));
    EXPECT_TRUE(loaded);
    request.authorities = *loaded;
    return request;
  }
  static void Answer200(TlsConnection& connection) {
    std::string got;
    while (got.find("\r\n\r\n") == std::string::npos) {
      const std::string more = connection.ReadBytes(1);
      if (more.empty()) return;
      got += more;
    }
    connection.Send("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nsecret");
  }

  Certificate authority_ = Certificate::Make({.is_authority = true});
};

TEST_F(HttpsClientTest, AsksServersThatAnAuthorityVouchesFor) {
  TlsServer server(ServerCertificate({.addresses = {"127.0.0.1"}}), Answer200);
  EXPECT_EQ(Ask(Https(server)).value_or(Response{}).content, "secret");
  names_.Set("id.example.test", {*IpAddress::Parse("127.0.0.1")}, 60);
  TlsServer named(ServerCertificate({.names = {"id.example.test"}}), {.alpn = {"http/1.1"}}, Answer200);
  Request asked = Https(named);
  asked.url.host = "id.example.test";
  EXPECT_EQ(Ask(std::move(asked)).value_or(Response{}).content, "secret");
}

TEST_F(HttpsClientTest, ACertificateForAnotherNameFromAnUnknownIssuerOrExpiredIsAFailureOfTls) {
  TlsServer other(ServerCertificate({.names = {"other.example.test"}}), Answer200);
  EXPECT_EQ(Fail(Https(other)), Failure::kTls);
  TlsServer unknown(Certificate::Make({.addresses = {"127.0.0.1"}}), Answer200);
  EXPECT_EQ(Fail(Https(unknown)), Failure::kTls);
  TlsServer expired(ServerCertificate({.addresses = {"127.0.0.1"}, .valid_until = std::chrono::seconds(-60)}),
                    Answer200);
  EXPECT_EQ(Fail(Https(expired)), Failure::kTls);
  EXPECT_EQ(other.accepted() + unknown.accepted() + expired.accepted(), 0);
}

TEST_F(HttpsClientTest, WithoutAuthoritiesThoseOfTheSystemDecide) {
  TlsServer server(ServerCertificate({.addresses = {"127.0.0.1"}}), Answer200);
  EXPECT_EQ(Fail(To(server.endpoint(), true)), Failure::kTls);
}

TEST_F(HttpsClientTest, AServerThatDoesNotSpeakTlsIsAFailureOfIt) {
  FakeTarget server([](Connection& connection) {
    static_cast<void>(connection.ReadSome());
    connection.Send("HTTP/1.1 400 Bad Request\r\n\r\n");
  });
  Request asked = To(server.endpoint(), true);
  EXPECT_EQ(Fail(std::move(asked)), Failure::kTls);
}

TEST_F(HttpsClientTest, ContentThatEndsWithTheConnectionNeedsTheWordOfTls) {
  const auto serve = [](bool says_so) {
    return [says_so](TlsConnection& connection) {
      static_cast<void>(connection.ReadBytes(1));
      connection.Send("HTTP/1.1 200 OK\r\n\r\nhello");
      if (says_so) connection.SendCloseNotify();
    };
  };
  TlsServer telling(ServerCertificate({.addresses = {"127.0.0.1"}}), serve(true));
  EXPECT_EQ(Ask(Https(telling)).value_or(Response{}).content, "hello");
  TlsServer cut(ServerCertificate({.addresses = {"127.0.0.1"}}), serve(false));
  EXPECT_EQ(Fail(Https(cut)), Failure::kMalformed);
}

// ---- cancelling

TEST_F(HttpClientTest, ACallThatIsDestroyedAtOnceIsNotMade) {
  FakeTarget server(Serve("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"));
  Start(To(server.endpoint())).reset();
  RunTurns();
  EXPECT_EQ(answers_, 0);
  EXPECT_EQ(server.connections(), 0);
}

TEST_F(HttpClientTest, ACallMayBeDestroyedWhileItsNameIsLookedUp) {
  names_.SetMode(FakeDnsServer::Mode::kSilent);
  Request asked = To({IpAddress{}, 80});
  asked.url.host = "id.example.test";
  names_.Set("id.example.test", {*IpAddress::Parse("127.0.0.1")}, 60);
  auto call = Start(asked);
  RunUntil([&] { return names_.queries() > 0; });
  call.reset();
  names_.SetMode(FakeDnsServer::Mode::kAnswer);
  EXPECT_EQ(Fail(asked), Failure::kConnect) << "the answer of the first look-up found nobody";
}

TEST_F(HttpClientTest, ACallMayBeDestroyedWhileItConnects) {
  // The second connection to a backlog of none waits.
  auto socket = net::ListenTcp({IpAddress::V4({127, 0, 0, 1}), 0});
  ASSERT_TRUE(socket);
  ASSERT_EQ(listen(socket->get(), 0), 0);
  const Connection first = Connection::To(net::LocalEndpoint(socket->get()));
  auto call = Start(To(net::LocalEndpoint(socket->get())));
  RunTurns();
  call.reset();
  RunTurns();
  EXPECT_EQ(answers_, 0);
}

TEST_F(HttpsClientTest, ACallMayBeDestroyedInTheHandshake) {
  std::promise<void> arrived;
  FakeTarget server([&](Connection& connection) {
    if (!connection.ReadSome().empty()) arrived.set_value();
    static_cast<void>(connection.WaitForEnd());
  });
  auto call = Start(To(server.endpoint(), true));
  auto hello = arrived.get_future();
  RunUntil([&] { return hello.wait_for(std::chrono::seconds(0)) == std::future_status::ready; });
  call.reset();
  RunTurns();
  EXPECT_EQ(answers_, 0);
}

TEST_F(HttpClientTest, ACallMayBeDestroyedInTheMiddleOfTheAnswer) {
  std::promise<void> sent;
  std::promise<bool> ended;
  FakeTarget server([&](Connection& connection) {
    static_cast<void>(connection.ReadMessage());
    connection.Send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello");
    sent.set_value();
    ended.set_value(connection.WaitForEnd());
  });
  auto call = Start(To(server.endpoint()));
  auto answering = sent.get_future();
  RunUntil([&] { return answering.wait_for(std::chrono::seconds(0)) == std::future_status::ready; });
  RunTurns();
  call.reset();
  EXPECT_TRUE(ended.get_future().get()) << "the connection is closed";
  RunTurns();
  EXPECT_EQ(answers_, 0);
}

TEST_F(HttpClientTest, ACallMayBeGivenToTheLoopByItsOwnAnswer) {
  FakeTarget server(Serve("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"));
  std::unique_ptr<Call> call;
  bool answered = false;
  call = client_.Start(To(server.endpoint()), [&](Answer) {
    answered = true;
    loop_.DestroyLater(std::move(call));
  });
  RunUntil([&] { return answered; });
  EXPECT_EQ(call, nullptr);
}

TEST_F(HttpClientTest, ACallOfTheClientNeedsNobodyAndEndsWithIt) {
  FakeTarget server(testing::ServeBody("hello"));
  int answers = 0;
  for (int i = 0; i < 3; ++i)
    client_.Ask(To(server.endpoint()), [&](const Answer& answer) { answers += answer ? 1 : 0; });
  RunUntil([&] { return answers == 3; });

  std::promise<void> over;
  FakeTarget silent([wait = over.get_future().share()](Connection&) { wait.wait(); });
  const auto held = std::make_shared<int>(0);
  {
    HttpClient gone(loop_, name_servers_);
    gone.Ask(To(silent.endpoint()), [held](const Answer&) { ++*held; });
    RunTurns();
    EXPECT_EQ(held.use_count(), 2);
  }
  EXPECT_EQ(held.use_count(), 1);
  EXPECT_EQ(*held, 0);
  RunTurns();
  over.set_value();
}

TEST_F(HttpClientTest, ManyCallsRunSideBySide) {
  FakeTarget server(testing::ServeBody("hello"));
  constexpr int kCalls = 50;
  int good = 0;
  std::vector<std::unique_ptr<Call>> calls;
  for (int i = 0; i < kCalls; ++i) {
    calls.push_back(client_.Start(To(server.endpoint()), [&](Answer answer) {
      if (answer && answer->content == "hello") ++good;
    }));
  }
  RunUntil([&] { return good == kCalls; });
}

TEST(FailureTest, HasWordsForLogs) {
  EXPECT_EQ(ToString(Failure::kResolve), "the name could not be resolved");
  EXPECT_EQ(ToString(Failure::kTimeout), "it timed out");
  EXPECT_EQ(ToString(Failure::kTooLarge), "the answer is too large");
}

}  // namespace
}  // namespace weir::outbound
