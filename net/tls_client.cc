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
#include <system_error>
#include <utility>

namespace weir::net {
namespace {

constexpr std::size_t kReadBytes = 16 * 1024;
// Encrypted before the socket is asked for room: four records, and all that a connection keeps of what it sends.
constexpr std::size_t kWriteBytes = 64 * 1024;

struct FreeSsl {
  void operator()(SSL* ssl) const { SSL_free(ssl); }
};

// OpenSSL between two memory buffers, and a TcpStream that moves what is in them.
class Connection final : public TlsClientStream, private StreamEvents {
 public:
  Connection(SSL_CTX* settings, StreamEvents& events);

  void SendName(const std::string& server_name);
  // Accepts only certificates for this name or address; false when no certificate can be for it.
  [[nodiscard]] bool ExpectName(const std::string& server_name, bool is_literal);
  [[nodiscard]] bool Open(EventLoop& loop, const Endpoint& peer, int& error);

  IoResult Read(std::span<char> buffer) override;
  IoResult Write(std::span<const iovec> pieces) override;
  void AwaitWritable() override { tcp_->AwaitWritable(); }
  void set_events(StreamEvents& events) override { events_ = &events; }
  void ShutdownWrite() override;
  void Close(CloseMode mode) override;
  bool readable() const override { return SSL_pending(ssl_.get()) > 0 || BIO_pending(in_) > 0 || tcp_->readable(); }
  bool open() const override { return tcp_->open(); }
  bool peer_closed() const override { return got_close_notify() || tcp_->peer_closed(); }
  bool broken() const override { return broken_ || tcp_->broken(); }
  bool acknowledged() const override { return tcp_->acknowledged(); }
  const Endpoint& peer() const override { return tcp_->peer(); }
  const Endpoint& local() const override { return tcp_->local(); }
  std::string_view failure() const override { return failure_; }
  bool certificate_refused() const override { return certificate_refused_; }
  std::string_view alpn() const override;

 private:
  void OnConnected(int error) override;
  void OnReadable() override;
  void OnWritable() override;
  bool got_close_notify() const { return (SSL_get_shutdown(ssl_.get()) & SSL_RECEIVED_SHUTDOWN) != 0; }
  // A part of a record has come, and not all of it: some of its bytes are kept, or the head that announces them was
  // read.
  bool in_record() const {
    return SSL_has_pending(ssl_.get()) == 1 || std::string_view(SSL_rstate_string(ssl_.get())) == "RB";
  }
  // Moves bytes that came in to OpenSSL; how the read ended.
  IoResult Fill();
  // Sends what OpenSSL wants to send; false when the connection broke.
  bool Flush();
  bool SendCloseNotify();
  void Handshake();
  void FailHandshake(int error);
  void Fail(int error);
  IoResult Break(int error);
  // How a read ends that found no more bytes to decrypt.
  IoResult EndOfRead(const IoResult& filled, bool flushed);

  std::unique_ptr<SSL, FreeSsl> ssl_;
  BIO* in_ = nullptr;   // owned by ssl_
  BIO* out_ = nullptr;  // owned by ssl_
  StreamEvents* events_;
  std::unique_ptr<TcpStream> tcp_;
  // Bytes of the last Write that are encrypted but were not called taken, because the socket had no room for all of
  // them. The next Write begins with the same bytes.
  std::size_t encrypted_ = 0;
  bool established_ = false;
  bool failed_ = false;  // OnConnected has told an error
  bool broken_ = false;  // nothing can be sent any more
  bool ending_ = false;  // the end of writing follows what is still in out_
  bool certificate_refused_ = false;
  std::string_view failure_;
};

Connection::Connection(SSL_CTX* settings, StreamEvents& events)
    : ssl_(SSL_new(settings)), in_(BIO_new(BIO_s_mem())), out_(BIO_new(BIO_s_mem())), events_(&events) {
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

bool Connection::ExpectName(const std::string& server_name, bool is_literal) {
  // OpenSSL takes the empty name for none, and would not look at the certificate's.
  if (server_name.empty()) return false;
  X509_VERIFY_PARAM* const expected = SSL_get0_param(ssl_.get());
  if (is_literal) return X509_VERIFY_PARAM_set1_ip_asc(expected, server_name.c_str()) == 1;
  return X509_VERIFY_PARAM_set1_host(expected, server_name.c_str(), server_name.size()) == 1;
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
  if (error != 0) return Fail(error);
  Handshake();
}

// A failure is told once: the owner may close the stream later, and there may be more to read until then.
void Connection::Fail(int error) {
  failed_ = true;
  events_->OnConnected(error);
}

void Connection::Handshake() {
  while (!failed_) {
    ERR_clear_error();
    const int done = SSL_do_handshake(ssl_.get());
    const int reason = done == 1 ? SSL_ERROR_NONE : SSL_get_error(ssl_.get(), done);
    const bool flushed = Flush();
    if (done == 1) {
      established_ = true;
      events_->OnConnected(0);
      if (tcp_->open() && readable()) events_->OnReadable();
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
  Fail(error);
}

void Connection::OnReadable() {
  if (established_) return events_->OnReadable();
  Handshake();
}

void Connection::OnWritable() {
  const bool flushed = Flush();
  if (flushed && BIO_pending(out_) > 0) return;
  if (ending_ && flushed) {
    ending_ = false;
    tcp_->ShutdownWrite();
  }
  // Of a broken connection, too: the next Write tells.
  if (established_) events_->OnWritable();
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
    // A key update may want to answer while reading. Where nothing can be sent any more, what the peer said before is
    // still to be read.
    const bool flushed = Flush();
    if (reason != SSL_ERROR_WANT_READ) return Break(EPROTO);
    const IoResult filled = Fill();
    if (filled.status != IoStatus::kOk) return EndOfRead(filled, flushed);
  }
}

IoResult Connection::EndOfRead(const IoResult& filled, bool flushed) {
  if (filled.status != IoStatus::kEnd) return filled;
  // The write that failed took the socket's error with it, which was no end.
  if (!flushed) return Break(EPIPE);
  // Many servers close without a close_notify, and the framing of the message tells whether it was whole; but none
  // means to close within a record.
  return in_record() ? Break(EPROTO) : filled;
}

IoResult Connection::Break(int error) {
  broken_ = true;
  return {IoStatus::kError, 0, error};
}

// The bytes of `pieces` from `from` on, at most kWriteBytes; put together in `joined` where they lie apart.
std::string_view BytesFrom(std::span<const iovec> pieces, std::size_t from, std::string& joined) {
  joined.clear();
  for (const iovec& piece : pieces) {
    if (from >= piece.iov_len) {
      from -= piece.iov_len;
      continue;
    }
    const std::size_t room = kWriteBytes - joined.size();
    const auto bytes = std::string_view(static_cast<const char*>(piece.iov_base), piece.iov_len).substr(from, room);
    if (joined.empty() && (&piece == &pieces.back() || bytes.size() == room)) return bytes;
    joined += bytes;
    from = 0;
    if (joined.size() == kWriteBytes) break;
  }
  return joined;
}

IoResult Connection::Write(std::span<const iovec> pieces) {
  if (!Flush()) return Break(EPIPE);
  if (BIO_pending(out_) > 0) return {IoStatus::kWouldBlock, 0, 0};
  std::size_t offered = 0;
  for (const iovec& piece : pieces) offered += piece.iov_len;
  // Bytes count as taken when the system has them, as with any other stream: the end may follow at once.
  std::size_t taken = std::min(encrypted_, offered);
  encrypted_ -= taken;
  std::string joined;
  while (taken < offered) {
    const std::string_view bytes = BytesFrom(pieces, taken, joined);
    ERR_clear_error();
    const int sealed = SSL_write(ssl_.get(), bytes.data(), static_cast<int>(bytes.size()));
    ERR_clear_error();
    if (sealed <= 0 || !Flush()) return Break(EPIPE);
    if (BIO_pending(out_) > 0) {
      encrypted_ = bytes.size();
      break;
    }
    taken += bytes.size();
  }
  return {taken > 0 || offered == 0 ? IoStatus::kOk : IoStatus::kWouldBlock, taken, 0};
}

// False when the connection broke.
bool Connection::SendCloseNotify() {
  // The second SSL_shutdown of a connection reads, and takes data for a fault.
  if ((SSL_get_shutdown(ssl_.get()) & SSL_SENT_SHUTDOWN) == 0) SSL_shutdown(ssl_.get());
  ERR_clear_error();
  return Flush();
}

void Connection::ShutdownWrite() {
  if (!SendCloseNotify()) return;
  ending_ = BIO_pending(out_) > 0;
  if (!ending_) tcp_->ShutdownWrite();
}

void Connection::Close(CloseMode mode) {
  // RFC 8446 section 6.1. To a peer that has gone it would only bring about a reset.
  if (mode == CloseMode::kGraceful && established_ && tcp_->open() && !tcp_->peer_closed() && !broken()) {
    SendCloseNotify();
  }
  tcp_->Close(mode);
}

// Why OpenSSL did not take the file; clears its errors.
std::string AuthoritiesRefused(const std::string& file) {
  const unsigned long first = ERR_peek_error();
  const char* const reason = ERR_reason_error_string(ERR_peek_last_error());
  ERR_clear_error();
  if (ERR_SYSTEM_ERROR(first)) {
    return "cannot read " + file + ": " + std::generic_category().message(ERR_GET_REASON(first));
  }
  return file + " has no certificate authorities in PEM form" + (reason == nullptr ? "" : std::string(": ") + reason);
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
    return Failure(AuthoritiesRefused(settings.ca_file));
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
  std::string name = server_name;
  if (name.ends_with('.')) name.pop_back();
  const bool is_literal = IpAddress::Parse(name).has_value();
  if (settings_->verifies && !connection->ExpectName(name, is_literal)) {
    ERR_clear_error();
    error = EINVAL;
    return nullptr;
  }
  if (!name.empty() && (!is_literal || settings_->sends_literals)) connection->SendName(name);
  if (!connection->Open(loop, peer, error)) return nullptr;
  return connection;
}

}  // namespace weir::net
