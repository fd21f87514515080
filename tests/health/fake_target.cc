#include "tests/health/fake_target.h"

#include "net/socket.h"

#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <poll.h>
#include <sys/socket.h>

#include <cstdlib>
#include <utility>

namespace weir::testing {
namespace {

constexpr int kPollMilliseconds = 20;

void SetTimeouts(int fd) {
  const timeval limit{.tv_sec = 2, .tv_usec = 0};
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
  setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
}

}  // namespace

// A self-signed certificate, made on the spot.
struct FakeTarget::Tls {
  Tls() : ctx(SSL_CTX_new(TLS_server_method())), key(EVP_EC_gen("P-256")), certificate(X509_new()) {
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
    X509_gmtime_adj(X509_getm_notBefore(certificate), -7200);
    X509_gmtime_adj(X509_getm_notAfter(certificate), -3600);  // expired: probes do not mind
    X509_set_pubkey(certificate, key);
    X509_sign(certificate, key, EVP_sha256());
    SSL_CTX_use_certificate(ctx, certificate);
    SSL_CTX_use_PrivateKey(ctx, key);
  }
  ~Tls() {
    X509_free(certificate);
    EVP_PKEY_free(key);
    SSL_CTX_free(ctx);
  }
  Tls(const Tls&) = delete;
  Tls& operator=(const Tls&) = delete;
  SSL_CTX* ctx;
  EVP_PKEY* key;
  X509* certificate;
};

namespace {

// A blocking connection, plain or TLS.
class Channel {
 public:
  Channel(int fd, SSL_CTX* ctx) : fd_(fd) {
    if (ctx == nullptr) return;
    ssl_ = SSL_new(ctx);
    SSL_set_fd(ssl_, fd);
    good_ = SSL_accept(ssl_) == 1;
  }
  ~Channel() { SSL_free(ssl_); }
  Channel(const Channel&) = delete;
  Channel& operator=(const Channel&) = delete;

  [[nodiscard]] bool good() const { return good_; }
  [[nodiscard]] std::string server_name() const {
    const char* name = ssl_ == nullptr ? nullptr : SSL_get_servername(ssl_, TLSEXT_NAMETYPE_host_name);
    return name == nullptr ? std::string() : std::string(name);
  }
  bool Send(std::string_view bytes) {
    if (ssl_ != nullptr) return SSL_write(ssl_, bytes.data(), static_cast<int>(bytes.size())) > 0;
    return send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL) >= 0;
  }
  std::string ReadHead() {
    std::string head;
    char buffer[4096];
    while (head.find("\r\n\r\n") == std::string::npos) {
      const auto got = Receive(buffer, sizeof(buffer));
      if (got <= 0) break;
      head.append(buffer, static_cast<std::size_t>(got));
      if (head[0] == '\x16') break;  // a TLS client at a plain target: answer it like any other
    }
    return head;
  }
  long Receive(char* buffer, std::size_t size) {
    if (ssl_ != nullptr) return SSL_read(ssl_, buffer, static_cast<int>(size));
    return recv(fd_, buffer, size, 0);
  }

 private:
  int fd_;
  SSL* ssl_ = nullptr;
  bool good_ = true;
};

}  // namespace

FakeTarget::FakeTarget(Security security) {
  auto listener = net::ListenTcp({IpAddress::V4({127, 0, 0, 1}), 0});
  if (!listener) std::abort();
  listener_ = std::move(*listener);
  endpoint_ = net::LocalEndpoint(listener_.get());
  if (security == Security::kTls) tls_ = std::make_unique<Tls>();
  AnswerStatus(200);
  thread_ = std::thread([this] { Run(); });
}

FakeTarget::~FakeTarget() {
  stopping_ = true;
  thread_.join();
}

void FakeTarget::Set(Behaviour behaviour, std::string text) {
  const std::lock_guard lock(mutex_);
  behaviour_ = behaviour;
  text_ = std::move(text);
}

void FakeTarget::AnswerStatus(int status) {
  Set(Behaviour::kAnswer,
      "HTTP/1.1 " + std::to_string(status) + " Whatever\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok");
}

std::vector<std::string> FakeTarget::Requests() const {
  const std::lock_guard lock(mutex_);
  return requests_;
}

std::string FakeTarget::LastServerName() const {
  const std::lock_guard lock(mutex_);
  return server_name_;
}

void FakeTarget::Run() {
  while (!stopping_) {
    pollfd ready{.fd = listener_.get(), .events = POLLIN, .revents = 0};
    if (poll(&ready, 1, kPollMilliseconds) <= 0) continue;
    UniqueFd connection(accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    if (connection.valid()) Serve(std::move(connection));
  }
}

void FakeTarget::Serve(UniqueFd connection) {
  SetTimeouts(connection.get());
  Channel channel(connection.get(), tls_ ? tls_->ctx : nullptr);
  if (!channel.good()) return;
  std::string head = channel.ReadHead();
  const std::unique_lock lock(mutex_);
  server_name_ = channel.server_name();
  requests_.push_back(std::move(head));
  switch (behaviour_) {
    case Behaviour::kAnswer:
      channel.Send(text_);
      return;
    case Behaviour::kByteByByte:
      for (const char& byte : text_) channel.Send({&byte, 1});
      return;
    case Behaviour::kHang:
      held_.push_back(std::move(connection));
      return;
    case Behaviour::kCloseEarly:
      return;
    case Behaviour::kReset: {
      const linger now{.l_onoff = 1, .l_linger = 0};
      setsockopt(connection.get(), SOL_SOCKET, SO_LINGER, &now, sizeof(now));
      return;
    }
    case Behaviour::kKeepOpen: {
      channel.Send(text_);
      char buffer[64];
      channel.Receive(buffer, sizeof(buffer));
      return;
    }
  }
}

Endpoint RefusingEndpoint() {
  // Bound but not listening: nobody else gets the port while the process lives.
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const auto address = net::SocketAddress::From({IpAddress::V4({127, 0, 0, 1}), 0});
  if (bind(fd, address.get(), address.size) != 0) std::abort();
  static std::vector<UniqueFd> kept;
  kept.emplace_back(fd);
  return net::LocalEndpoint(fd);
}

}  // namespace weir::testing
