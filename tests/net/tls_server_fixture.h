#pragma once

#include "net/acceptor.h"
#include "net/socket.h"
#include "net/tls_server.h"
#include "tests/app/temporary_folder.h"
#include "tests/net/counted_events.h"
#include "tests/support/tls_server.h"

#include <gtest/gtest.h>
#include <openssl/bio.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace weir::net {

using Made = weir::testing::Certificate;

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
    // What it shows when it is asked: its own certificate, then others that are sent with it.
    std::vector<const Made*> chain = {};
  };
  explicit Client(const Options& options) : context_(SSL_CTX_new(TLS_client_method())) {
    SSL_CTX_set_security_level(context_, 0);
    SSL_CTX_set_min_proto_version(context_, options.version_min);
    SSL_CTX_set_max_proto_version(context_, options.version_max);
    SSL_CTX_set_options(context_, SSL_OP_LEGACY_SERVER_CONNECT);
    if (!options.takes_tickets) SSL_CTX_set_options(context_, SSL_OP_NO_TICKET);
    if (!options.suites.empty()) SSL_CTX_set_cipher_list(context_, options.suites.c_str());
    if (!options.sigalgs.empty()) SSL_CTX_set1_sigalgs_list(context_, options.sigalgs.c_str());
    for (const Made* each : options.chain) Show(*each, each == options.chain.front());
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

  // The subjects of the authorities that the server named.
  [[nodiscard]] std::vector<std::string> authorities() const {
    std::vector<std::string> subjects;
    const STACK_OF(X509_NAME)* const names = SSL_get0_peer_CA_list(ssl_);
    for (int i = 0; i < sk_X509_NAME_num(names); ++i) subjects.push_back(NameText(*sk_X509_NAME_value(names, i)));
    return subjects;
  }

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
  void Show(const Made& made, bool is_own) {
    if (!is_own) {
      SSL_CTX_add1_chain_cert(context_, &made.certificate());
      return;
    }
    SSL_CTX_use_certificate(context_, &made.certificate());
    SSL_CTX_use_PrivateKey(context_, &made.key());
  }

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
                      .session_scope = std::move(scope),
                      .client_authentication = authentication_});
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
  std::optional<TlsClientAuthentication> authentication_;
  EventLoop loop_;
  Events events_;
  UniqueFd listener_;
  UniqueFd socket_;  // the client's
  std::unique_ptr<TlsStream> stream_;
  IoStatus last_ = IoStatus::kWouldBlock;
  bool got_fin_ = false;
};

}  // namespace weir::net
