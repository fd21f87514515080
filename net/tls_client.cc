#include "net/tls_client.h"

#include "base/check.h"

#include <openssl/err.h>
#include <openssl/ssl.h>

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
  Connection(SSL_CTX* settings, const std::string& server_name, StreamEvents& events);

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
  std::string_view failure_;
};

Connection::Connection(SSL_CTX* settings, const std::string& server_name, StreamEvents& events)
    : ssl_(SSL_new(settings)), in_(BIO_new(BIO_s_mem())), out_(BIO_new(BIO_s_mem())), events_(events) {
  WEIR_CHECK(ssl_ && in_ != nullptr && out_ != nullptr);
  // An empty buffer means "later", not the end.
  BIO_set_mem_eof_return(in_, -1);
  SSL_set_bio(ssl_.get(), in_, out_);
  SSL_set_connect_state(ssl_.get());
  if (!server_name.empty()) {
    // The macro behind SSL_set_tlsext_host_name casts away const.
    SSL_ctrl(ssl_.get(), SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name,
             const_cast<char*>(server_name.c_str()));
  }
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
  for (const iovec& piece : pieces) joined.append(static_cast<const char*>(piece.iov_base), piece.iov_len);
  if (joined.empty()) return {IoStatus::kOk, 0, 0};
  ERR_clear_error();
  const int taken =
      SSL_write(ssl_.get(), joined.data(), static_cast<int>(std::min<std::size_t>(joined.size(), INT_MAX)));
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

TlsClient::~TlsClient() = default;

std::unique_ptr<TlsClientStream> TlsClient::Connect(EventLoop& loop, const Endpoint& peer,
                                                    const std::string& server_name, StreamEvents& events, int& error) {
  auto connection = std::make_unique<Connection>(settings_->ctx, server_name, events);
  if (!connection->Open(loop, peer, error)) return nullptr;
  return connection;
}

}  // namespace weir::net
