#include "net/tls_server.h"

#include "tests/net/tls_server_fixture.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace weir::net {
namespace {

using ::testing::HasSubstr;

TEST_F(TlsServerTest, AHandshakeTellsWhatWasAgreed) {
  const auto server = MakeServer("TLS13-1-2-2021-06");
  Client client({.server_name = "First.example.test", .alpn = {"h2", "http/1.1"}});
  ASSERT_EQ(Handshake(*server, client), 0);
  const TlsFacts* const facts = stream_->tls();
  ASSERT_NE(facts, nullptr);
  EXPECT_EQ(facts->version, TlsVersion::k13);
  EXPECT_EQ(facts->suite, "TLS_AES_128_GCM_SHA256");
  EXPECT_EQ(facts->group, "x25519");
  EXPECT_EQ(facts->server_name, "first.example.test");
  EXPECT_TRUE(facts->is_name_matched);
  EXPECT_FALSE(facts->is_resumed);
  EXPECT_EQ(facts->certificate_id, credentials_[0]->facts().id);
  EXPECT_EQ(facts->alpn, "http/1.1");
  EXPECT_EQ(stream_->failure().reason, "");
}

TEST_F(TlsServerTest, BytesGoBothWaysAndTheEndIsTold) {
  const auto server = MakeServer("TLS13-1-2-2021-06");
  Client client({});
  ASSERT_EQ(Handshake(*server, client), 0);
  client.Write("hello");
  RunUntil([&] {
    Pump(client);
    return events_.readable > 0;
  });
  EXPECT_EQ(ReadAll(), "hello");
  EXPECT_FALSE(stream_->readable());
  EXPECT_FALSE(stream_->splices());
  const std::string head = "head ";
  const std::string body = Pattern(100'000);
  const std::array<iovec, 2> pieces = {iovec{const_cast<char*>(head.data()), head.size()},
                                       iovec{const_cast<char*>(body.data()), body.size()}};
  EXPECT_EQ(stream_->Write(pieces).bytes, head.size() + body.size());
  std::string got;
  RunUntil([&] {
    Pump(client);
    got += client.Read();
    return got.size() >= head.size() + body.size();
  });
  EXPECT_EQ(got, head + body);
  SSL_shutdown(client.ssl());
  RunUntil([&] {
    Pump(client);
    ReadAll();
    return last_ == IoStatus::kEnd;
  });
  EXPECT_TRUE(stream_->peer_closed());
  EXPECT_FALSE(stream_->readable());
  EXPECT_TRUE(stream_->read_to_end());
}

TEST_F(TlsServerTest, TheLastBytesTheCloseNotifyAndTheEndComeTogether) {
  const auto server = MakeServer("TLS13-1-2-2021-06");
  Client client({});
  ASSERT_EQ(Handshake(*server, client), 0);
  const std::string text = "answer";
  const iovec piece{.iov_base = const_cast<char*>(text.data()), .iov_len = text.size()};
  EXPECT_EQ(stream_->WriteLast({&piece, 1}).bytes, text.size());
  stream_->ShutdownWrite();
  std::string got;
  RunUntil([&] {
    Pump(client);
    got += client.Read();
    return got_fin_;
  });
  EXPECT_EQ(got, text);
  EXPECT_TRUE(client.got_close_notify());
  // The other direction is still open.
  client.Write("more");
  RunUntil([&] {
    Pump(client);
    return events_.readable > 0;
  });
  EXPECT_EQ(ReadAll(), "more");
  RunUntil([&] { return stream_->acknowledged(); });
}

TEST_F(TlsServerTest, AClientThatDoesNotReadMakesTheWriterWait) {
  const auto server = MakeServer("TLS13-1-2-2021-06");
  Client client({});
  ASSERT_EQ(Handshake(*server, client), 0);
  const std::string body = Pattern(8'000'000);
  std::string_view left = body;
  IoResult sent;
  while (!left.empty() && (sent = WriteOnce(*stream_, left)).bytes > 0) left.remove_prefix(sent.bytes);
  ASSERT_FALSE(left.empty()) << "the test wants a socket that fills";
  std::string got;
  int waited_for = events_.writable;
  RunUntil([&] {
    Pump(client);
    got += client.Read();
    while (!left.empty() && events_.writable != waited_for) {
      const IoResult result = WriteOnce(*stream_, left);
      EXPECT_TRUE(result.status == IoStatus::kOk || result.status == IoStatus::kWouldBlock);
      left.remove_prefix(result.bytes);
      if (!left.empty()) waited_for = events_.writable;
    }
    return got.size() == body.size();
  });
  EXPECT_TRUE(got == body);
}

TEST_F(TlsServerTest, EveryVersionOfThePolicyIsSpoken) {
  const auto server = MakeServer("TLS13-1-0-2021-06");
  const std::pair<int, std::string_view> versions[] = {
      {TLS1_VERSION, "TLSv1"}, {TLS1_1_VERSION, "TLSv1.1"}, {TLS1_2_VERSION, "TLSv1.2"}, {TLS1_3_VERSION, "TLSv1.3"}};
  for (const auto& [number, name] : versions) {
    Client client({.version_max = number});
    ASSERT_EQ(Handshake(*server, client), 0) << name;
    EXPECT_EQ(ToString(stream_->tls()->version), name);
  }
}

TEST_F(TlsServerTest, AVersionOutsideThePolicyGetsProtocolVersion) {
  const auto server = MakeServer("TLS13-1-2-2021-06");
  Client client({.version_max = TLS1_1_VERSION});
  EXPECT_EQ(Handshake(*server, client), EPROTO);
  EXPECT_EQ(stream_->failure().reason, "unsupported protocol");
  EXPECT_EQ(stream_->failure().alert_sent, SSL_AD_PROTOCOL_VERSION);
  EXPECT_EQ(stream_->tls(), nullptr);
  const auto old = MakeServer("2016-08");
  Client modern({.version_min = TLS1_3_VERSION});
  EXPECT_EQ(Handshake(*old, modern), EPROTO);
  EXPECT_EQ(stream_->failure().alert_sent, SSL_AD_PROTOCOL_VERSION);
}

TEST_F(TlsServerTest, TheServersOrderDecidesAboutTheSuite) {
  Add({.names = {"first.example.test"}, .key = Made::Key::kRsa2048});
  const auto server = MakeServer("2016-08");
  Client client({.suites = "AES256-SHA:ECDHE-RSA-AES256-GCM-SHA384:ECDHE-RSA-AES128-SHA256"});
  ASSERT_EQ(Handshake(*server, client), 0);
  EXPECT_EQ(stream_->tls()->suite, "ECDHE-RSA-AES128-SHA256");
  Client rsa({.suites = "AES256-SHA:AES128-SHA"});
  ASSERT_EQ(Handshake(*server, rsa), 0);
  EXPECT_EQ(stream_->tls()->suite, "AES128-SHA");
  EXPECT_EQ(stream_->tls()->group, "");
  Client none({.version_max = TLS1_2_VERSION, .suites = "DHE-RSA-AES128-SHA"});
  EXPECT_EQ(Handshake(*server, none), EPROTO);
  EXPECT_EQ(stream_->failure().reason, "no shared cipher");
  EXPECT_EQ(stream_->failure().alert_sent, SSL_AD_HANDSHAKE_FAILURE);
}

TEST_F(TlsServerTest, TheNameChoosesTheCertificateAndTheClientItsKind) {
  Add({.names = {"first.example.test"}, .common_name = "first"});
  Add({.names = {"shop.example.test"}, .key = Made::Key::kRsa2048, .common_name = "shop rsa"});
  Add({.names = {"*.example.test"}, .common_name = "wild ecdsa"});
  const auto server = MakeServer("TLS13-1-0-2021-06");
  const auto subject = [&](Client::Options options) {
    Client client(options);
    EXPECT_EQ(Handshake(*server, client), 0);
    return client.subject();
  };
  EXPECT_EQ(subject({}), "CN=first");
  EXPECT_EQ(subject({.server_name = "other.test"}), "CN=first");
  EXPECT_FALSE(stream_->tls()->is_name_matched);
  EXPECT_EQ(subject({.server_name = "shop.example.test"}), "CN=wild ecdsa");
  EXPECT_EQ(stream_->tls()->certificate_id, credentials_[2]->facts().id);
  EXPECT_EQ(subject({.version_max = TLS1_2_VERSION, .suites = "aRSA", .server_name = "shop.example.test"}),
            "CN=shop rsa");
  EXPECT_EQ(subject({.server_name = "shop.example.test", .sigalgs = "RSA-PSS+SHA256"}), "CN=shop rsa");
  EXPECT_EQ(subject({.version_max = TLS1_1_VERSION, .server_name = "a.example.test"}), "CN=wild ecdsa");
}

TEST_F(TlsServerTest, AChainIsSentWhole) {
  const Made root = Made::Make({.is_authority = true});
  const Made middle = Made::Make({.is_authority = true}, &root);
  const Made leaf = Made::Make({.names = {"first.example.test"}}, &middle);
  auto loaded = TlsCredential::Load({.certificate = folder_.Write("chain.pem", leaf.Pem() + middle.Pem()),
                                     .key = folder_.Write("chain.key", leaf.KeyPem()),
                                     .passphrase = {}});
  ASSERT_TRUE(loaded);
  credentials_ = {*loaded};
  const auto server = MakeServer("TLS13-1-2-2021-06");
  Client client({});
  ASSERT_EQ(Handshake(*server, client), 0);
  EXPECT_EQ(sk_X509_num(SSL_get_peer_cert_chain(client.ssl())), 2);
}

TEST_F(TlsServerTest, AlpnThatIsNotSpokenIsRefused) {
  const auto server = MakeServer("TLS13-1-2-2021-06");
  Client client({.alpn = {"h2"}});
  EXPECT_EQ(Handshake(*server, client), EPROTO);
  EXPECT_EQ(stream_->failure().alert_sent, SSL_AD_NO_APPLICATION_PROTOCOL);
}

TEST_F(TlsServerTest, SessionsAreResumedByEveryServerOfTheSameListener) {
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    const auto first = MakeServer("TLS13-1-2-2021-06");
    Client client({.version_max = version, .server_name = "first.example.test"});
    ASSERT_EQ(Handshake(*first, client), 0);
    EXPECT_FALSE(stream_->tls()->is_resumed);
    const OwnedSession session = TakeSession(client);
    const auto second = MakeServer("TLS13-1-2-2021-06");
    Client again({.version_max = version, .server_name = "first.example.test", .session = session.get()});
    ASSERT_EQ(Handshake(*second, again), 0);
    EXPECT_TRUE(stream_->tls()->is_resumed) << version;
    EXPECT_EQ(stream_->tls()->certificate_id, "");
    EXPECT_EQ(stream_->tls()->server_name, "first.example.test");
    const auto stranger = MakeServer("TLS13-1-2-2021-06", "other/443");
    Client elsewhere({.version_max = version, .server_name = "first.example.test", .session = session.get()});
    ASSERT_EQ(Handshake(*stranger, elsewhere), 0);
    EXPECT_FALSE(stream_->tls()->is_resumed) << "of another listener";
  }
}

TEST_F(TlsServerTest, AResumedHandshakeOfTls13GivesATicketForTheNextOne) {
  const auto server = MakeServer("TLS13-1-3-2021-06");
  Client client({});
  ASSERT_EQ(Handshake(*server, client), 0);
  OwnedSession session = TakeSession(client);
  const auto ticket = [](const SSL_SESSION* from) {
    const unsigned char* bytes = nullptr;
    std::size_t size = 0;
    SSL_SESSION_get0_ticket(from, &bytes, &size);
    return std::string(bytes, bytes + size);
  };
  for (int turn = 0; turn < 3; ++turn) {
    Client again({.session = session.get()});
    ASSERT_EQ(Handshake(*server, again), 0);
    EXPECT_TRUE(stream_->tls()->is_resumed);
    OwnedSession next = TakeSession(again);
    EXPECT_NE(ticket(next.get()), ticket(session.get()));
    session = std::move(next);
  }
}

TEST_F(TlsServerTest, ClientsWithoutTicketsResumeBySessionId) {
  const auto first = MakeServer("2016-08");
  Client client({.takes_tickets = false});
  ASSERT_EQ(Handshake(*first, client), 0);
  const OwnedSession session = TakeSession(client);
  const auto second = MakeServer("2016-08");
  Client again({.session = session.get(), .takes_tickets = false});
  ASSERT_EQ(Handshake(*second, again), 0);
  EXPECT_TRUE(stream_->tls()->is_resumed);
}

TEST_F(TlsServerTest, TicketsOutliveOneRotationOfTheKeys) {
  const auto server = MakeServer("TLS13-1-2-2021-06");
  Client client({});
  ASSERT_EQ(Handshake(*server, client), 0);
  const OwnedSession session = TakeSession(client);
  const auto resumes = [&] {
    Client again({.session = session.get()});
    EXPECT_EQ(Handshake(*server, again), 0);
    return stream_->tls()->is_resumed;
  };
  const auto now = std::chrono::system_clock::now();
  EXPECT_TRUE(keys_.Rotate(now + TlsTicketKeys::kRotation + std::chrono::seconds(5)));
  EXPECT_TRUE(resumes());
  EXPECT_TRUE(keys_.Rotate(now + 2 * TlsTicketKeys::kRotation + std::chrono::seconds(10)));
  EXPECT_FALSE(resumes());
}

TEST_F(TlsServerTest, RenegotiationIsRefused) {
  const auto server = MakeServer("2016-08");
  Client client({});
  ASSERT_EQ(Handshake(*server, client), 0);
  SSL_renegotiate(client.ssl());
  client.Step();
  bool answered = false;
  RunUntil([&] {
    Pump(client);
    ReadAll();
    client.Step();
    answered = answered || !client.Take().empty() || stream_->failure().alert_sent.has_value();
    return answered;
  });
  // no_renegotiation is a warning: what was agreed on goes on or the client ends it.
  EXPECT_EQ(stream_->failure().alert_sent, SSL_AD_NO_RENEGOTIATION);
}

TEST_F(TlsServerTest, WhatIsNoTlsIsAFailureWithAReason) {
  const auto server = MakeServer("TLS13-1-2-2021-06");
  Open(*server);
  const std::string text = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
  ASSERT_EQ(send(socket_.get(), text.data(), text.size(), 0), static_cast<ssize_t>(text.size()));
  RunUntil([&] { return events_.connected > 0; });
  EXPECT_EQ(events_.error, EPROTO);
  EXPECT_EQ(stream_->failure().reason, "http request");
}

TEST_F(TlsServerTest, AClientThatLeavesDuringTheHandshakeIsAFailure) {
  const auto server = MakeServer("TLS13-1-2-2021-06");
  Open(*server);
  shutdown(socket_.get(), SHUT_WR);
  RunUntil([&] { return events_.connected > 0; });
  EXPECT_EQ(events_.error, EPROTO);
  EXPECT_THAT(std::string(stream_->failure().reason), HasSubstr("closed during the TLS handshake"));
}

TEST_F(TlsServerTest, AnEndWithinARecordIsAnError) {
  const auto server = MakeServer("TLS13-1-2-2021-06");
  Client client({});
  ASSERT_EQ(Handshake(*server, client), 0);
  client.Write("hello");
  const std::string record = client.Take();
  ASSERT_GT(send(socket_.get(), record.data(), record.size() - 1, 0), 0);
  shutdown(socket_.get(), SHUT_WR);
  RunUntil([&] {
    EXPECT_EQ(ReadAll(), "");
    return last_ == IoStatus::kError;
  });
  EXPECT_TRUE(stream_->broken());
}

TEST_F(TlsServerTest, AnEndBetweenRecordsIsTheEnd) {
  const auto server = MakeServer("TLS13-1-2-2021-06");
  Client client({});
  ASSERT_EQ(Handshake(*server, client), 0);
  client.Write("hello");
  Pump(client);
  shutdown(socket_.get(), SHUT_WR);
  std::string got;
  RunUntil([&] {
    got += ReadAll();
    return last_ == IoStatus::kEnd;
  });
  EXPECT_EQ(got, "hello");
  EXPECT_FALSE(stream_->broken());
}

TEST_F(TlsServerTest, ARequestThatComesWithTheEndOfTheHandshakeIsReadable) {
  const auto server = MakeServer("TLS13-1-2-2021-06");
  Client client({});
  Open(*server);
  bool done = false;
  RunUntil([&] {
    done = client.Step();
    if (done) client.Write("early");  // with the Finished, in one segment
    Pump(client);
    return done && events_.readable > 0;
  });
  EXPECT_EQ(ReadAll(), "early");
}

}  // namespace
}  // namespace weir::net
