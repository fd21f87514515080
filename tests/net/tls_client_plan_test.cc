// Connections to targets: by a plan, over a connection that is there, with sessions that are resumed.

#include "base/check.h"
#include "net/tls_client.h"
#include "tests/app/temporary_folder.h"
#include "tests/net/counted_events.h"
#include "tests/support/tls_server.h"

#include <gtest/gtest.h>
#include <openssl/ssl.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace weir::net {
namespace {

using weir::testing::Certificate;
using weir::testing::TlsConnection;
using weir::testing::TlsServer;

class TlsClientPlanTest : public ::testing::Test {
 protected:
  void RunUntil(const std::function<bool()>& done) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (!done() && std::chrono::steady_clock::now() < deadline) loop_.RunOnce(std::chrono::milliseconds(20));
    ASSERT_TRUE(done());
  }
  // A plan as those of target groups are.
  static TlsClientPlan Plan(std::string_view policy = "ELBSecurityPolicy-TLS13-1-0-2021-06") {
    TlsClientPlan plan;
    plan.policy = FindTlsPolicy(policy);
    WEIR_CHECK(plan.policy != nullptr);
    return plan;
  }
  std::shared_ptr<const TlsAuthorities> Trust(const Certificate& authority) {
    auto loaded = TlsAuthorities::Load(folder_.Write("ca.pem", authority.Pem()));
    EXPECT_TRUE(loaded);
    return *loaded;
  }
  std::shared_ptr<const TlsCredential> Credential(const Certificate& made) {
    auto loaded = TlsCredential::Load({.certificate = folder_.Write("own.pem", made.Pem()),
                                       .key = folder_.Write("own.key", made.KeyPem()),
                                       .passphrase = {}});
    EXPECT_TRUE(loaded);
    return *loaded;
  }
  // TCP first, TLS over it; the errno of the handshake.
  int Secure(TlsClient& client, const TlsServer& server, const std::string& name = "server.example.test") {
    events_ = {};
    Events connecting;
    int error = 0;
    auto transport = TcpStream::Connect(loop_, server.endpoint(), connecting, error);
    EXPECT_NE(transport, nullptr);
    RunUntil([&] { return connecting.connected > 0; });
    stream_ = client.Secure(std::move(transport), name, sessions_, events_);
    EXPECT_EQ(events_.connected, 0);
    stream_->StartHandshake();
    RunUntil([&] { return events_.connected > 0; });
    return events_.error;
  }
  int Secure(const TlsClientPlan& plan, const TlsServer& server, const std::string& name = "server.example.test") {
    return Secure(*TlsClient::Make(std::make_shared<const TlsClientPlan>(plan)), server, name);
  }
  std::string ReadToEnd() {
    std::string text;
    std::array<char, 4096> buffer;
    bool ended = false;
    RunUntil([&] {
      while (!ended && stream_->readable()) {
        const IoResult got = stream_->Read(buffer);
        if (got.status == IoStatus::kWouldBlock) break;
        ended = got.status != IoStatus::kOk;
        if (!ended) text.append(buffer.data(), got.bytes);
      }
      return ended;
    });
    return text;
  }
  static void SayGoodbye(TlsConnection& connection) {
    connection.Send(connection.resumed() ? "resumed" : "full");
    connection.SendCloseNotify();
  }
  // What the server says of one connection more.
  std::string ConnectOnce(TlsClient& client, const TlsServer& server) {
    EXPECT_EQ(Secure(client, server), 0) << stream_->failure().reason;
    const std::string said = ReadToEnd();
    EXPECT_EQ(stream_->tls()->is_resumed, said == "resumed");
    stream_->Close(Stream::CloseMode::kGraceful);
    return said;
  }

  app::TemporaryFolder folder_;
  Certificate authority_ = Certificate::Make({.is_authority = true});
  EventLoop loop_;
  Events events_;
  TlsClientSessions sessions_;
  std::unique_ptr<TlsStream> stream_;
};

TEST_F(TlsClientPlanTest, WithoutAuthoritiesAnyCertificateWillDo) {
  for (const auto key : {Certificate::Key::kP256, Certificate::Key::kRsa2048, Certificate::Key::kEd25519}) {
    TlsServer server(Certificate::Make({.valid_until = std::chrono::seconds(-1), .key = key}), SayGoodbye);
    EXPECT_EQ(Secure(Plan(), server), 0) << stream_->failure().reason;
    EXPECT_EQ(ReadToEnd(), "full");
    EXPECT_TRUE(stream_->got_close_notify());
    sessions_ = {};
  }
}

TEST_F(TlsClientPlanTest, ThePolicyDecidesAboutVersions) {
  TlsServer old(Certificate::Make({}), {.version_max = TLS1_2_VERSION}, SayGoodbye);
  EXPECT_EQ(Secure(Plan("ELBSecurityPolicy-2016-08"), old), 0);
  EXPECT_EQ(stream_->tls()->version, TlsVersion::k12);
  EXPECT_EQ(stream_->tls()->suite, "ECDHE-ECDSA-AES128-GCM-SHA256");
  EXPECT_EQ(Secure(Plan("ELBSecurityPolicy-TLS13-1-3-2021-06"), old), EPROTO);
  EXPECT_EQ(stream_->failure().reason, "tlsv1 alert protocol version");
  EXPECT_FALSE(stream_->failure().certificate_refused);
}

TEST_F(TlsClientPlanTest, WithAuthoritiesChainTimeAndNameAreVerified) {
  TlsClientPlan plan = Plan();
  plan.authorities = Trust(authority_);
  TlsServer good(Certificate::Make({.names = {"server.example.test"}}, &authority_), SayGoodbye);
  EXPECT_EQ(Secure(plan, good), 0) << stream_->failure().reason;
  TlsServer stranger(Certificate::Make({.names = {"server.example.test"}}), SayGoodbye);
  EXPECT_EQ(Secure(plan, stranger), EPROTO);
  EXPECT_TRUE(stream_->failure().certificate_refused);
  EXPECT_EQ(Secure(plan, good, "other.example.test"), EPROTO);
  EXPECT_EQ(stream_->failure().reason, "hostname mismatch");
  plan.server_name = "server.example.test";
  const auto client = TlsClient::Make(std::make_shared<const TlsClientPlan>(plan));
  EXPECT_EQ(client->NameFor("other.example.test", IpAddress()), "server.example.test");
}

TEST_F(TlsClientPlanTest, ASignatureThatAnybodyCanMakeProvesNothing) {
  TlsClientPlan plan = Plan();
  plan.authorities = Trust(authority_);
  TlsServer server(Certificate::Make({.names = {"server.example.test"}, .hash = Certificate::Hash::kSha1}, &authority_),
                   SayGoodbye);
  // The client does not offer SHA-1: most servers see that their certificate will not do.
  EXPECT_EQ(Secure(plan, server), EPROTO);
}

TEST_F(TlsClientPlanTest, ANameIsThePlansOrTheHostsOrTheAddress) {
  const auto client = TlsClient::Make(std::make_shared<const TlsClientPlan>(Plan()));
  const IpAddress address = *IpAddress::Parse("127.0.0.1");
  EXPECT_EQ(client->NameFor("app.example.test", address), "app.example.test");
  EXPECT_EQ(client->NameFor("", address), "127.0.0.1");
  std::string name = "unset";
  TlsServer server(Certificate::Make({}), [&](TlsConnection& connection) {
    name = connection.server_name();
    SayGoodbye(connection);
  });
  EXPECT_EQ(Secure(*client, server, "127.0.0.1"), 0);
  ReadToEnd();
  EXPECT_EQ(name, "") << "RFC 6066 section 3: no literals";
}

TEST_F(TlsClientPlanTest, ACertificateIsShownToWhoAsks) {
  const Certificate own = Certificate::Make({.common_name = "front"});
  for (const bool has_one : {true, false}) {
    TlsServer server(Certificate::Make({}), {.asks_for_certificate = true}, [](TlsConnection& connection) {
      connection.Send("hello " + connection.client_name());
      connection.SendCloseNotify();
    });
    TlsClientPlan plan = Plan();
    if (has_one) plan.credential = Credential(own);
    sessions_ = {};
    EXPECT_EQ(Secure(plan, server), 0) << stream_->failure().reason;
    EXPECT_EQ(ReadToEnd(), has_one ? "hello front" : "hello ");
  }
}

TEST_F(TlsClientPlanTest, TicketsAreResumedEachOnce) {
  TlsServer server(Certificate::Make({}), SayGoodbye);
  const auto client = TlsClient::Make(std::make_shared<const TlsClientPlan>(Plan()));
  EXPECT_EQ(ConnectOnce(*client, server), "full");
  for (int i = 0; i < 5; ++i) EXPECT_EQ(ConnectOnce(*client, server), "resumed");
  while (sessions_.Take() != nullptr) {
  }
  EXPECT_EQ(ConnectOnce(*client, server), "full");
}

TEST_F(TlsClientPlanTest, OldVersionsAreResumedByTicketAndById) {
  for (const bool tickets : {true, false}) {
    TlsServer server(Certificate::Make({}), {.version_max = TLS1_2_VERSION, .gives_tickets = tickets}, SayGoodbye);
    const auto client = TlsClient::Make(std::make_shared<const TlsClientPlan>(Plan()));
    sessions_ = {};
    EXPECT_EQ(ConnectOnce(*client, server), "full") << tickets;
    for (int i = 0; i < 3; ++i) EXPECT_EQ(ConnectOnce(*client, server), "resumed") << tickets;
  }
}

TEST_F(TlsClientPlanTest, AConnectionThatWasCutOffLeavesItsSession) {
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    TlsServer server(Certificate::Make({}), {.version_max = version}, [](TlsConnection& connection) {
      connection.Send(connection.resumed() ? "resumed" : "full");
      static_cast<void>(connection.ReadAll());
    });
    const auto client = TlsClient::Make(std::make_shared<const TlsClientPlan>(Plan()));
    sessions_ = {};
    for (const std::string_view expected : {"full", "resumed", "resumed"}) {
      ASSERT_EQ(Secure(*client, server), 0) << stream_->failure().reason;
      std::array<char, 16> buffer;
      IoResult got;
      RunUntil([&] {
        if (got.status != IoStatus::kOk && stream_->readable()) got = stream_->Read(buffer);
        return got.status == IoStatus::kOk;
      });
      EXPECT_EQ(std::string_view(buffer.data(), got.bytes), expected);
      stream_->Close(Stream::CloseMode::kReset);
      stream_.reset();
    }
  }
}

TEST_F(TlsClientPlanTest, ASessionThatTheServerForgotIsAFullHandshake) {
  const auto client = TlsClient::Make(std::make_shared<const TlsClientPlan>(Plan()));
  {
    TlsServer first(Certificate::Make({}), SayGoodbye);
    EXPECT_EQ(ConnectOnce(*client, first), "full");
  }
  TlsServer second(Certificate::Make({}), SayGoodbye);
  EXPECT_EQ(ConnectOnce(*client, second), "full");
  EXPECT_EQ(ConnectOnce(*client, second), "resumed");
}

TEST_F(TlsClientPlanTest, RecordsWithoutContentAreNoContent) {
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    TlsServer server(Certificate::Make({}), {.version_max = version}, [](TlsConnection& connection) {
      static_cast<void>(connection.ReadBytes(3));
      connection.Refresh();
      static_cast<void>(connection.ReadBytes(3));
      SayGoodbye(connection);
    });
    sessions_ = {};
    ASSERT_EQ(Secure(Plan(), server), 0) << stream_->failure().reason;
    const auto say = [this](std::string_view text) {
      const iovec piece{.iov_base = const_cast<char*>(text.data()), .iov_len = text.size()};
      EXPECT_EQ(stream_->Write({&piece, 1}).bytes, text.size());
    };
    std::array<char, 16> buffer;
    // Tickets may come first.
    while (stream_->readable()) EXPECT_EQ(stream_->Read(buffer).status, IoStatus::kWouldBlock);
    const int before = events_.readable;
    say("one");
    RunUntil([&] { return events_.readable > before; });
    EXPECT_EQ(stream_->Read(buffer).status, IoStatus::kWouldBlock);
    EXPECT_FALSE(stream_->peer_closed());
    RunUntil([&] {
      while (stream_->readable()) EXPECT_EQ(stream_->Read(buffer).status, IoStatus::kWouldBlock);
      return true;
    });
    if (version == TLS1_3_VERSION) {
      say("two");
      EXPECT_EQ(ReadToEnd(), "full");
    }
    stream_->Close(Stream::CloseMode::kReset);
  }
}

TEST_F(TlsClientPlanTest, WhatIsTheSameIsOneClient) {
  TlsClients clients;
  EXPECT_EQ(clients.For(nullptr), nullptr);
  const auto plan = std::make_shared<const TlsClientPlan>(Plan());
  const auto client = clients.For(plan);
  EXPECT_EQ(clients.For(std::make_shared<const TlsClientPlan>(Plan())), client);
  TlsClientPlan other = Plan();
  other.server_name = "app.example.test";
  EXPECT_NE(clients.For(std::make_shared<const TlsClientPlan>(other)), client);
  const std::weak_ptr<TlsClient> dropped = clients.For(std::make_shared<const TlsClientPlan>(other));
  clients.ForgetUnused();
  EXPECT_TRUE(dropped.expired());
  EXPECT_EQ(clients.For(plan), client);
}

TEST(TlsClientSessionsTest, TheNewestTicketsAreKept) {
  TlsClientSessions sessions;
  EXPECT_EQ(sessions.Take(), nullptr);
  const auto make = [](int version) {
    OwnedSslSession session(SSL_SESSION_new());
    SSL_SESSION_set_protocol_version(session.get(), version);
    return session;
  };
  std::vector<SSL_SESSION*> put;
  for (std::size_t i = 0; i < TlsClientSessions::kTicketsMax + 3; ++i) {
    auto session = make(TLS1_3_VERSION);
    put.push_back(session.get());
    sessions.Put(std::move(session));
  }
  for (std::size_t i = 0; i < TlsClientSessions::kTicketsMax; ++i) {
    EXPECT_EQ(sessions.Take().get(), put[put.size() - 1 - i]);
  }
  EXPECT_EQ(sessions.Take(), nullptr);
  auto old = make(TLS1_2_VERSION);
  SSL_SESSION* const kept = old.get();
  sessions.Put(make(TLS1_3_VERSION));
  sessions.Put(std::move(old));
  EXPECT_EQ(sessions.Take().get(), kept);
  EXPECT_EQ(sessions.Take().get(), kept) << "it serves many connections";
}

}  // namespace
}  // namespace weir::net
