#include "net/tls_client.h"

#include "base/check.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <cstring>
#include <utility>

namespace weir::net {
namespace {

constexpr std::size_t kReadBytes = 16 * 1024;

struct FreeSsl {
  void operator()(SSL* ssl) const { SSL_free(ssl); }
};

// OpenSSL between two memory buffers, and a TcpStream that moves what is in them.
class Connection final : public TlsClientStream, private StreamEvents {
 public:
  Connection(SSL_CTX* settings, StreamEvents& events);

  void SendName(const std::string& server_name);
  // Accepts only certificates for this name or address.
  void ExpectName(const std::string& server_name, bool is_literal);
  [[nodiscard]] bool Open(EventLoop& loop, const Endpoint& peer, int& error);

  IoResult Read(std::span<char> buffer) override;
  IoResult Write(std::span<const iovec> pieces) override;
  void ShutdownWrite() override;
  void Close(CloseMode mode) override { tcp_->Close(mode); }
  bool readable() const override { return SSL_pending(ssl_.get()) > 0 || BIO_pending(in_) > 0 || tcp_->readable(); }
  bool open() const override { return tcp_->open(); }
  bool peer_closed() const override { return tcp_->peer_closed(); }
  bool broken() const override { return tcp_->broken(); }
  const Endpoint& peer() const override { return tcp_->peer(); }
  const Endpoint& local() const override { return tcp_->local(); }
  std::string_view failure() const override { return failure_; }
  bool certificate_refused() const override { return certificate_refused_; }
  std::string_view alpn() const override;

 private:
  void OnConnected(int error) override;
  void OnReadable() override;
  void OnWritable() override;
  // Moves bytes that came in to OpenSSL; how the read ended.
  IoResult Fill();
  // Sends what OpenSSL wants to send; false when the connection broke.
  bool Flush();
  void Handshake();
  void FailHandshake(int error);

  std::unique_ptr<SSL, FreeSsl> ssl_;
  BIO* in_ = nullptr;   // owned by ssl_
  BIO* out_ = nullptr;  // owned by ssl_
  StreamEvents& events_;
  std::unique_ptr<TcpStream> tcp_;
  bool established_ = false;
  bool certificate_refused_ = false;
  std::string_view failure_;
};

Connection::Connection(SSL_CTX* settings, StreamEvents& events)
    : ssl_(SSL_new(settings)), in_(BIO_new(BIO_s_mem())), out_(BIO_new(BIO_s_mem())), events_(events) {
  WEIR_CHECK(ssl_ && in_ != nullptr && out_ != nullptr);
  // An empty buffer means "later", not the end.
  BIO_set_mem_eof_return(in_, -1);
  SSL_set_bio(ssl_.get(), in_, out_);
  SSL_set_connect_state(ssl_.get());
}

void Connection::SendName(const std::string& server_name) {
  // The macro behind SSL_set_tlsext_host_name casts away const.
  SSL_ctrl(ssl_.get(), SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name, const_cast<char*>(server_name.c_str()));
}

void Connection::ExpectName(const std::string& server_name, bool is_literal) {
  // A name that OpenSSL does not take must not lead to a connection without a check.
  X509_VERIFY_PARAM* const expected = SSL_get0_param(ssl_.get());
  if (is_literal) {
    WEIR_CHECK(X509_VERIFY_PARAM_set1_ip_asc(expected, server_name.c_str()) == 1);
  } else {
    WEIR_CHECK(X509_VERIFY_PARAM_set1_host(expected, server_name.c_str(), server_name.size()) == 1);
  }
}

std::string_view Connection::alpn() const {
  const unsigned char* chosen = nullptr;
  unsigned size = 0;
  SSL_get0_alpn_selected(ssl_.get(), &chosen, &size);
  return {reinterpret_cast<const char*>(chosen), size};
}

bool Connection::Open(EventLoop& loop, const Endpoint& peer, int& error) {
  tcp_ = TcpStream::Connect(loop, peer, *this, error);
  return tcp_ != nullptr;
}

void Connection::OnConnected(int error) {
  if (error != 0) return events_.OnConnected(error);
  Handshake();
}

void Connection::Handshake() {
  for (;;) {
    ERR_clear_error();
    const int done = SSL_do_handshake(ssl_.get());
    const int reason = done == 1 ? SSL_ERROR_NONE : SSL_get_error(ssl_.get(), done);
    const bool flushed = Flush();
    if (done == 1) {
      established_ = true;
      events_.OnConnected(0);
      if (tcp_->open() && readable()) events_.OnReadable();
      return;
    }
    if (reason != SSL_ERROR_WANT_READ) return FailHandshake(EPROTO);
    if (!flushed) return FailHandshake(ECONNRESET);
    const IoResult filled = Fill();
    if (filled.status == IoStatus::kWouldBlock) return;
    if (filled.status == IoStatus::kEnd) return FailHandshake(EPROTO);
    if (filled.status == IoStatus::kError) return FailHandshake(filled.error);
  }
}

void Connection::FailHandshake(int error) {
  const unsigned long code = ERR_peek_last_error();
  const char* reason = code == 0 ? nullptr : ERR_reason_error_string(code);
  failure_ = reason != nullptr ? std::string_view(reason) : "closed during the TLS handshake";
  const long verdict = SSL_get_verify_result(ssl_.get());
  certificate_refused_ = verdict != X509_V_OK && (SSL_get_verify_mode(ssl_.get()) & SSL_VERIFY_PEER) != 0;
  if (certificate_refused_) failure_ = X509_verify_cert_error_string(verdict);
  ERR_clear_error();
  events_.OnConnected(error);
}

void Connection::OnReadable() {
  if (established_) return events_.OnReadable();
  Handshake();
}

void Connection::OnWritable() {
  if (!Flush()) return;
  if (established_ && BIO_pending(out_) == 0) events_.OnWritable();
}

IoResult Connection::Fill() {
  if (!tcp_->readable()) return {IoStatus::kWouldBlock, 0, 0};
  std::array<char, kReadBytes> buffer;
  const IoResult got = tcp_->Read(buffer);
  if (got.status == IoStatus::kOk) BIO_write(in_, buffer.data(), static_cast<int>(got.bytes));
  return got;
}

bool Connection::Flush() {
  for (;;) {
    char* bytes = nullptr;
    const long size = BIO_get_mem_data(out_, &bytes);
    if (size <= 0) return true;
    const iovec piece{.iov_base = bytes, .iov_len = static_cast<std::size_t>(size)};
    const IoResult sent = tcp_->Write({&piece, 1});
    if (sent.status == IoStatus::kWouldBlock) return true;
    if (sent.status != IoStatus::kOk) return false;
    std::array<char, kReadBytes> dropped;
    for (std::size_t left = sent.bytes; left > 0;) {
      const auto step = std::min(left, dropped.size());
      BIO_read(out_, dropped.data(), static_cast<int>(step));
      left -= step;
    }
  }
}

IoResult Connection::Read(std::span<char> buffer) {
  const int wanted = static_cast<int>(std::min<std::size_t>(buffer.size(), INT_MAX));
  for (;;) {
    ERR_clear_error();
    const int got = SSL_read(ssl_.get(), buffer.data(), wanted);
    if (got > 0) return {IoStatus::kOk, static_cast<std::size_t>(got), 0};
    const int reason = SSL_get_error(ssl_.get(), got);
    ERR_clear_error();
    if (reason == SSL_ERROR_ZERO_RETURN) return {IoStatus::kEnd, 0, 0};
    // A key update may want to answer while reading.
    if (!Flush()) return {IoStatus::kError, 0, EPIPE};
    if (reason != SSL_ERROR_WANT_READ) return {IoStatus::kError, 0, EPROTO};
    const IoResult filled = Fill();
    // Many servers close without a close_notify; the framing of the message tells whether it was whole.
    if (filled.status != IoStatus::kOk) return filled;
  }
}

IoResult Connection::Write(std::span<const iovec> pieces) {
  if (BIO_pending(out_) > 0) return {IoStatus::kWouldBlock, 0, 0};
  std::string joined;
  std::string_view bytes;
  if (pieces.size() == 1) {
    bytes = {static_cast<const char*>(pieces.front().iov_base), pieces.front().iov_len};
  } else {
    for (const iovec& piece : pieces) joined.append(static_cast<const char*>(piece.iov_base), piece.iov_len);
    bytes = joined;
  }
  if (bytes.empty()) return {IoStatus::kOk, 0, 0};
  ERR_clear_error();
  const int taken = SSL_write(ssl_.get(), bytes.data(), static_cast<int>(std::min<std::size_t>(bytes.size(), INT_MAX)));
  ERR_clear_error();
  if (taken <= 0 || !Flush()) return {IoStatus::kError, 0, EPIPE};
  return {IoStatus::kOk, static_cast<std::size_t>(taken), 0};
}

void Connection::ShutdownWrite() {
  SSL_shutdown(ssl_.get());
  ERR_clear_error();
  if (Flush()) tcp_->ShutdownWrite();
}

}  // namespace

struct TlsClient::Settings {
  SSL_CTX* ctx = SSL_CTX_new(TLS_client_method());
  bool verifies = false;
  bool sends_literals = true;  // as SNI: probes send what was configured
  Settings() { WEIR_CHECK(ctx != nullptr); }
  ~Settings() { SSL_CTX_free(ctx); }
  Settings(const Settings&) = delete;
  Settings& operator=(const Settings&) = delete;
};

TlsClient::TlsClient() : settings_(std::make_unique<Settings>()) {
  SSL_CTX* ctx = settings_->ctx;
  SSL_CTX_set_verify(ctx, SSL_VERIFY_NONE, nullptr);
  // Old targets are probed too: whether they are safe to use is not what a probe asks.
  SSL_CTX_set_min_proto_version(ctx, TLS1_VERSION);
  SSL_CTX_set_security_level(ctx, 0);
  SSL_CTX_set_options(ctx, SSL_OP_LEGACY_SERVER_CONNECT | SSL_OP_IGNORE_UNEXPECTED_EOF);
  SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
  // A probe writes once: its write buffer is not worth keeping.
  SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS);
}

TlsClient::TlsClient(std::unique_ptr<Settings> settings) : settings_(std::move(settings)) {}

Result<std::unique_ptr<TlsClient>> TlsClient::Build(const TlsClientSettings& settings) {
  auto made = std::make_unique<Settings>();
  SSL_CTX* ctx = made->ctx;
  made->verifies = settings.verifies;
  made->sends_literals = false;
  SSL_CTX_set_verify(ctx, settings.verifies ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, nullptr);
  SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION);
  SSL_CTX_set_options(ctx, SSL_OP_IGNORE_UNEXPECTED_EOF);
  SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
  ERR_clear_error();
  if (settings.verifies && settings.ca_file.empty() && SSL_CTX_set_default_verify_paths(ctx) != 1) {
    return Failure("the system's certificate authorities cannot be read");
  }
  if (!settings.ca_file.empty() && SSL_CTX_load_verify_file(ctx, settings.ca_file.c_str()) != 1) {
    const char* const reason = ERR_reason_error_string(ERR_peek_last_error());
    ERR_clear_error();
    return Failure(settings.ca_file + " has no certificate authorities in PEM form" +
                   (reason == nullptr ? "" : std::string(": ") + reason));
  }
  std::string offered;  // each name behind its length
  for (const std::string& name : settings.alpn) offered += static_cast<char>(name.size()) + name;
  const auto* bytes = reinterpret_cast<const unsigned char*>(offered.data());
  // This one function of OpenSSL returns 0 when it worked.
  WEIR_CHECK(offered.empty() || SSL_CTX_set_alpn_protos(ctx, bytes, static_cast<unsigned>(offered.size())) == 0);
  return std::unique_ptr<TlsClient>(new TlsClient(std::move(made)));
}

TlsClient::~TlsClient() = default;

std::unique_ptr<TlsClientStream> TlsClient::Connect(EventLoop& loop, const Endpoint& peer,
                                                    const std::string& server_name, StreamEvents& events, int& error) {
  auto connection = std::make_unique<Connection>(settings_->ctx, events);
  const bool is_literal = IpAddress::Parse(server_name).has_value();
  if (!server_name.empty() && (!is_literal || settings_->sends_literals)) connection->SendName(server_name);
  if (settings_->verifies) connection->ExpectName(server_name, is_literal);
  if (!connection->Open(loop, peer, error)) return nullptr;
  return connection;
}

}  // namespace weir::net
