#include "bench/load/http/http_arguments.h"

#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <vector>

namespace weir::bench {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

HttpArguments Ask(std::vector<std::string> urls = {"http://a.test/"}) {
  HttpArguments arguments;
  arguments.urls = std::move(urls);
  return arguments;
}

std::string RefusalOf(const HttpArguments& arguments, RefusalCause cause = RefusalCause::kArguments) {
  const auto load = BuildHttpLoad(arguments);
  if (load) return "accepted";
  EXPECT_EQ(load.error().cause, cause);
  return load.error().error.message;
}

TEST(HttpArgumentsTest, DefaultsAreAClosedLoopOfTenSeconds) {
  const auto load = BuildHttpLoad(Ask());
  ASSERT_TRUE(load);
  EXPECT_EQ(load->settings.arrivals, ArrivalKind::kClosedLoop);
  EXPECT_EQ(load->settings.duration, seconds(10));
  EXPECT_EQ(load->settings.connections, 64U);
  EXPECT_FALSE(load->settings.requests_max);
  EXPECT_EQ(load->settings.timeout, seconds(10));
  EXPECT_TRUE(load->settings.tls.verifies);
  EXPECT_EQ(load->title, "weir bench http http://a.test/");
}

TEST(HttpArgumentsTest, ACountOfRequestsReplacesTheDefaultDuration) {
  auto arguments = Ask();
  arguments.requests = 100;
  EXPECT_FALSE(BuildHttpLoad(arguments)->settings.duration);
  arguments.duration = "500ms";
  EXPECT_EQ(BuildHttpLoad(arguments)->settings.duration, milliseconds(500));
}

TEST(HttpArgumentsTest, ARateMakesAnOpenLoopPoissonByDefault) {
  auto arguments = Ask();
  arguments.rate = 50;
  EXPECT_EQ(BuildHttpLoad(arguments)->settings.arrivals, ArrivalKind::kPoisson);
  arguments.arrivals = "constant";
  EXPECT_EQ(BuildHttpLoad(arguments)->settings.arrivals, ArrivalKind::kConstant);
  arguments.rate = 0;
  EXPECT_EQ(RefusalOf(arguments), "--arrivals needs --rate");
}

TEST(HttpArgumentsTest, ContentMakesAPost) {
  auto arguments = Ask();
  arguments.data = "x";
  EXPECT_TRUE(BuildHttpLoad(arguments)->plan.requests()[0].head.starts_with("POST / HTTP/1.1\r\n"));
  arguments.method = "PUT";
  EXPECT_TRUE(BuildHttpLoad(arguments)->plan.requests()[0].head.starts_with("PUT / HTTP/1.1\r\n"));
}

TEST(HttpArgumentsTest, AWebSocketHasAHandshakeAndAFrame) {
  auto arguments = Ask({"ws://a.test/chat?room=1"});
  arguments.headers = {"Origin: http://a.test"};
  const auto load = BuildHttpLoad(arguments);
  ASSERT_TRUE(load);
  EXPECT_TRUE(load->settings.websocket);
  const PreparedRequest& message = load->plan.requests()[0];
  EXPECT_TRUE(message.head.starts_with("GET /chat?room=1 HTTP/1.1\r\nHost: a.test\r\n"));
  EXPECT_NE(message.head.find("\r\nOrigin: http://a.test\r\n"), std::string::npos);
  EXPECT_NE(message.head.find("\r\nUpgrade: websocket\r\n"), std::string::npos);
  EXPECT_EQ(message.head.find("Content-Length"), std::string::npos);
  EXPECT_EQ(message.content.size(), 2U + 4U + 100U) << "100 bytes where none are given";
  arguments.data = "abc";
  EXPECT_EQ(BuildHttpLoad(arguments)->plan.requests()[0].content.size(), 2U + 4U + 3U);
}

TEST(HttpArgumentsTest, AWebSocketHasNothingElseOfRequests) {
  EXPECT_EQ(RefusalOf(Ask({"ws://a.test/", "http://a.test/"})), "a ws or wss URL stands alone");
  auto arguments = Ask({"wss://a.test/"});
  arguments.http2 = true;
  EXPECT_EQ(RefusalOf(arguments), "--http2 and a ws or wss URL");
  arguments = Ask({"wss://a.test/"});
  arguments.method = "POST";
  EXPECT_EQ(RefusalOf(arguments), "--method and a ws or wss URL");
  arguments = Ask({"wss://a.test/"});
  arguments.connection_per_request = true;
  EXPECT_EQ(RefusalOf(arguments), "--connection-per-request and a ws or wss URL");
  arguments = Ask({"wss://a.test/"});
  arguments.replay = "access.log";
  EXPECT_EQ(RefusalOf(arguments), "--replay and a ws or wss URL");
}

TEST(HttpArgumentsTest, RefusesWhatDoesNotFitTogether) {
  auto arguments = Ask({"http://a.test/", "nonsense"});
  EXPECT_EQ(RefusalOf(arguments),
            "`nonsense` is no URL to ask: it does not begin with http://, https://, ws:// or wss://");
  arguments = Ask();
  arguments.weights = {1, 2};
  EXPECT_EQ(RefusalOf(arguments), "--weights has 2 numbers for 1 URLs");
  arguments = Ask();
  arguments.threads = 65;
  EXPECT_EQ(RefusalOf(arguments), "65 threads cannot share 64 connections");
  arguments = Ask();
  arguments.threads = 4;
  arguments.requests = 3;
  EXPECT_EQ(RefusalOf(arguments), "there are fewer --requests than --threads");
  arguments = Ask();
  arguments.streams = 2;
  EXPECT_EQ(RefusalOf(arguments), "--streams needs --http2");
  arguments = Ask();
  arguments.insecure = true;
  EXPECT_EQ(RefusalOf(arguments), "--insecure and --ca-file are about https and wss URLs, and there is none");
  arguments = Ask();
  arguments.tls_resume = 50;
  EXPECT_EQ(RefusalOf(arguments), "--tls-resume is about https URLs, and there is none");
  arguments = Ask();
  arguments.speed = 2;
  EXPECT_EQ(RefusalOf(arguments), "--speed needs --replay");
  arguments = Ask();
  arguments.headers = {"nonsense"};
  EXPECT_EQ(RefusalOf(arguments), "--header: `nonsense` is no header");
  arguments = Ask();
  arguments.method = "CONNECT";
  EXPECT_EQ(RefusalOf(arguments), "--method: CONNECT opens a tunnel, which is not measured here");
  arguments = Ask();
  arguments.method = "G T";
  EXPECT_EQ(RefusalOf(arguments), "--method: `G T` is no method");
  arguments = Ask();
  arguments.group_header = "X Target";
  EXPECT_EQ(RefusalOf(arguments), "--group-header: `X Target` is no header name");
}

TEST(HttpArgumentsTest, RefusesDurationsThatAreNone) {
  for (const std::string text : {"10", "s", "1.5s", "-1s", "0s", "31d"}) {
    auto arguments = Ask();
    arguments.duration = text;
    EXPECT_EQ(RefusalOf(arguments).substr(0, 10), "--duration") << text;
    arguments = Ask();
    arguments.timeout = text;
    EXPECT_EQ(RefusalOf(arguments).substr(0, 9), "--timeout") << text;
  }
  auto arguments = Ask();
  arguments.warmup = "soon";
  EXPECT_EQ(RefusalOf(arguments), "--warmup: `soon` is no duration");
}

TEST(HttpArgumentsTest, AddressesAreGivenPerHostAndPort) {
  auto arguments = Ask({"https://Shop.test/"});
  arguments.resolve = {"shop.test:443:127.0.0.1,[::1]"};
  const auto load = BuildHttpLoad(arguments);
  ASSERT_TRUE(load);
  const auto& addresses = load->settings.addresses.at("shop.test:443");
  ASSERT_EQ(addresses.size(), 2U);
  EXPECT_EQ(addresses[1].ToString(), "::1");
  arguments.resolve = {"shop.test:80:127.0.0.1"};
  EXPECT_EQ(RefusalOf(arguments), "--resolve: no URL goes to shop.test:80");
  arguments.resolve = {"shop.test"};
  EXPECT_EQ(RefusalOf(arguments), "--resolve: `shop.test` is not HOST:PORT:ADDRESS");
  for (const char* text : {"shop.test:443:", "shop.test:443:nowhere", "shop.test:443:127.0.0.1,"}) {
    arguments.resolve = {text};
    EXPECT_EQ(RefusalOf(arguments).substr(0, 10), "--resolve:") << text;
  }
}

TEST(HttpArgumentsTest, AFileThatCannotBeReadIsWrongInput) {
  auto arguments = Ask();
  arguments.data_file = "/nowhere/content";
  EXPECT_EQ(RefusalOf(arguments, RefusalCause::kInput), "cannot read /nowhere/content: No such file or directory");
  arguments = Ask();
  arguments.replay = "/nowhere/access.log";
  EXPECT_EQ(RefusalOf(arguments, RefusalCause::kInput), "cannot read /nowhere/access.log: No such file or directory");
}

TEST(HttpArgumentsTest, AReplayHasItsOwnSchedule) {
  auto arguments = Ask();
  arguments.replay = "/nowhere/access.log";
  arguments.rate = 3;
  EXPECT_EQ(RefusalOf(arguments), "--replay has the times of its log");
  arguments.rate = 0;
  arguments.warmup = "1s";
  EXPECT_EQ(RefusalOf(arguments), "--warmup would leave the beginning of the log out of a --replay");
  arguments = Ask({"http://a.test/", "http://b.test/"});
  arguments.replay = "/nowhere/access.log";
  EXPECT_EQ(RefusalOf(arguments), "--replay sends to one URL");
}

}  // namespace
}  // namespace weir::bench
