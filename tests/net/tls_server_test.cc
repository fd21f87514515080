#include "net/tls_server.h"

#include "net/acceptor.h"
#include "net/socket.h"
#include "tests/app/temporary_folder.h"
#include "tests/support/tls_server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/bio.h>
#include <openssl/ssl.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace weir::net {
namespace {

using ::testing::HasSubstr;
using Made = weir::testing::Certificate;

struct Events final : StreamEvents {
  void OnConnected(int result) override {
    ++connected;
    error = result;
  }
  void OnReadable() override { ++readable; }
  void OnWritable() override { ++writable; }
  int connected = 0;
  int error = 0;
  int readable = 0;
  int writable = 0;
};

std::string Pattern(std::size_t bytes) {
  std::string text(bytes, '\0');
  std::uint32_t state = 1;
  for (char& byte : text) {
    state = state * 1'664'525U + 1'013'904'223U;
    byte = static_cast<char>(state >> 24U);
  }
  return text;
}

IoResult WriteOnce(Stream& stream, std::string_view text) {
  const iovec piece{.iov_base = const_cast<char*>(text.data()), .iov_len = text.size()};
  return stream.Write({&piece, 1});
}

// OpenSSL as a client, over memory that the test carries to and fro.
class Client {
 public:
  struct Options {
    int version_min = TLS1_VERSION;
    int version_max = 0;
    std::string suites = {};  // of TLS 1.2 and before
    std::string server_name = {};
    std::vector<std::string> alpn = {};
    SSL_SESSION* session = nullptr;
    bool takes_tickets = true;
    std::string sigalgs = {};
  };
  explicit Client(const Options& options) : context_(SSL_CTX_new(TLS_client_method())) {
    SSL_CTX_set_security_level(context_, 0);
    SSL_CTX_set_min_proto_version(context_, options.version_min);
    SSL_CTX_set_max_proto_version(context_, options.version_max);
    SSL_CTX_set_options(context_, SSL_OP_LEGACY_SERVER_CONNECT);
    if (!options.takes_tickets) SSL_CTX_set_options(context_, SSL_OP_NO_TICKET);
    if (!options.suites.empty()) SSL_CTX_set_cipher_list(context_, options.suites.c_str());
    if (!options.sigalgs.empty()) SSL_CTX_set1_sigalgs_list(context_, options.sigalgs.c_str());
    ssl_ = SSL_new(context_);
    in_ = BIO_new(BIO_s_mem());
    out_ = BIO_new(BIO_s_mem());
    BIO_set_mem_eof_return(in_, -1);
    SSL_set_bio(ssl_, in_, out_);
    SSL_set_connect_state(ssl_);
    if (!options.server_name.empty()) {
      SSL_ctrl(ssl_, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name,
               const_cast<char*>(options.server_name.c_str()));
    }
    std::string alpn;
    for (const auto& name : options.alpn) (alpn += static_cast<char>(name.size())) += name;
    if (!alpn.empty()) {
      SSL_set_alpn_protos(ssl_, reinterpret_cast<const unsigned char*>(alpn.data()),
                          static_cast<unsigned>(alpn.size()));
    }
    if (options.session != nullptr) SSL_set_session(ssl_, options.session);
  }
  ~Client() {
    SSL_free(ssl_);
    SSL_CTX_free(context_);
  }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  // What goes to the server now.
  std::string Take() {
    char* bytes = nullptr;
    const long size = BIO_get_mem_data(out_, &bytes);
    std::string text(bytes, size > 0 ? static_cast<std::size_t>(size) : 0);
    BIO_reset(out_);
    return text;
  }
  void Give(std::string_view bytes) { BIO_write(in_, bytes.data(), static_cast<int>(bytes.size())); }
  // True when the handshake is over.
  bool Step() { return SSL_do_handshake(ssl_) == 1; }
  std::string Read() {
    std::string text;
    std::array<char, 16 * 1024> buffer;
    for (int got = 0; (got = SSL_read(ssl_, buffer.data(), static_cast<int>(buffer.size()))) > 0;) {
      text.append(buffer.data(), static_cast<std::size_t>(got));
    }
    return text;
  }
  void Write(std::string_view text) { SSL_write(ssl_, text.data(), static_cast<int>(text.size())); }
  [[nodiscard]] SSL* ssl() const { return ssl_; }
  [[nodiscard]] bool got_close_notify() const { return (SSL_get_shutdown(ssl_) & SSL_RECEIVED_SHUTDOWN) != 0; }
  // The subject of the certificate that the server showed.
  [[nodiscard]] std::string subject() const {
    X509* const certificate = SSL_get0_peer_certificate(ssl_);
    return certificate == nullptr ? std::string() : FactsOf(*certificate).subject;
  }

 private:
  SSL_CTX* context_;
  SSL* ssl_ = nullptr;
  BIO* in_ = nullptr;   // owned by ssl_
  BIO* out_ = nullptr;  // owned by ssl_
};

struct FreeSession {
  void operator()(SSL_SESSION* session) const { SSL_SESSION_free(session); }
};
using OwnedSession = std::unique_ptr<SSL_SESSION, FreeSession>;

class TlsServerTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto listener = ListenTcp({IpAddress::V4({127, 0, 0, 1}), 0});
    ASSERT_TRUE(listener);
    listener_ = std::move(*listener);
  }
  void Add(const Made::Options& options) {
    const Made made = Made::Make(options);
    auto loaded = TlsCredential::Load({.certificate = folder_.Write("one.pem", made.Pem()),
                                       .key = folder_.Write("one.key", made.KeyPem()),
                                       .passphrase = {}});
    ASSERT_TRUE(loaded) << loaded.error().error.message;
    credentials_.push_back(*loaded);
  }
  std::shared_ptr<TlsServer> MakeServer(std::string_view policy, std::string scope = "shop/443") {
    if (credentials_.empty()) Add({.names = {"first.example.test"}});
    auto plan = std::make_shared<const TlsServerPlan>(
        TlsServerPlan{.policy = FindTlsPolicy("ELBSecurityPolicy-" + std::string(policy)),
                      .choice = std::make_shared<const TlsChoice>(credentials_),
                      .alpn = {"http/1.1"},
                      .session_scope = std::move(scope)});
    return TlsServer::Make(plan, {.ticket_keys = &keys_, .session_cache = &cache_});
  }
  // Connects a plain socket, and accepts it as a stream of `server`.
  void Open(TlsServer& server) {
    events_ = {};
    socket_.Reset(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const auto address = SocketAddress::From(LocalEndpoint(listener_.get()));
    ASSERT_EQ(connect(socket_.get(), address.get(), address.size), 0);
    UniqueFd accepted;
    RunUntil([&] {
      accepted.Reset(accept4(listener_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
      return accepted.valid();
    });
    const Endpoint local = LocalEndpoint(accepted.get());
    stream_ = server.Accept(std::make_unique<TcpStream>(loop_, std::move(accepted), local, local), events_);
  }
  void Pump(Client& client) {
    const std::string out = client.Take();
    if (!out.empty()) {
      ASSERT_EQ(send(socket_.get(), out.data(), out.size(), MSG_NOSIGNAL), static_cast<ssize_t>(out.size()));
    }
    loop_.RunOnce(std::chrono::milliseconds(5));
    std::array<char, 64 * 1024> buffer;
    for (ssize_t got = 0; (got = recv(socket_.get(), buffer.data(), buffer.size(), MSG_DONTWAIT)) >= 0;) {
      if (got == 0) {
        got_fin_ = true;
        break;
      }
      client.Give({buffer.data(), static_cast<std::size_t>(got)});
    }
  }
  // The errno that the server told; 0: the handshake went through on both sides.
  int Handshake(TlsServer& server, Client& client) {
    Open(server);
    bool client_done = false;
    RunUntil([&] {
      client_done = client.Step();
      Pump(client);
      return events_.connected > 0 && (client_done || events_.error != 0);
    });
    client.Step();  // reads the alert
    return events_.error;
  }
  // The session that the server gave the client, its ticket included. Ends the connection.
  OwnedSession TakeSession(Client& client) {
    EXPECT_EQ(WriteOnce(*stream_, "x").bytes, 1U);
    std::string got;
    RunUntil([&] {
      Pump(client);
      got += client.Read();
      return !got.empty();
    });
    SSL_shutdown(client.ssl());
    OwnedSession session(SSL_get1_session(client.ssl()));
    stream_->Close(Stream::CloseMode::kGraceful);
    return session;
  }
  void RunUntil(const std::function<bool()>& done) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    bool is_done = done();
    while (!is_done && std::chrono::steady_clock::now() < deadline) {
      loop_.RunOnce(std::chrono::milliseconds(5));
      is_done = done();
    }
    ASSERT_TRUE(is_done);
  }
  std::string ReadAll() {
    std::string text;
    std::array<char, 4096> buffer;
    while (stream_->readable()) {
      const IoResult got = stream_->Read(buffer);
      last_ = got.status;
      if (got.status != IoStatus::kOk) break;
      text.append(buffer.data(), got.bytes);
    }
    return text;
  }

  app::TemporaryFolder folder_;
  TlsTicketKeys keys_{std::chrono::system_clock::now()};
  TlsSessionCache cache_;
  std::vector<std::shared_ptr<const TlsCredential>> credentials_;
  EventLoop loop_;
  Events events_;
  UniqueFd listener_;
  UniqueFd socket_;  // the client's
  std::unique_ptr<TlsStream> stream_;
  IoStatus last_ = IoStatus::kWouldBlock;
  bool got_fin_ = false;
};

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
