#include "net/tls_stream.h"

#include "base/check.h"
#include "net/tls_client_authentication.h"
#include "net/tls_settings.h"
#include "net/tls_side.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <utility>

namespace weir::net {
namespace {

// Encrypted before the socket is asked for room: four records, and all that a connection keeps of what it sends.
constexpr std::size_t kWriteBytes = 64 * 1024;
// Pieces that lie apart are put together up to one record.
constexpr std::size_t kRecordBytes = 16 * 1024;

// A part of a record has come, and not all of it.
bool IsInRecord(SSL* ssl) { return SSL_has_pending(ssl) == 1 || std::string_view(SSL_rstate_string(ssl)) == "RB"; }

void NoteSuite(const SSL* ssl, TlsFacts& facts) {
  // Before TLS 1.3 it is not the current one until the handshake is over.
  const SSL_CIPHER* const agreed = SSL_get_current_cipher(ssl);
  const SSL_CIPHER* const cipher = agreed != nullptr ? agreed : SSL_get_pending_cipher(ssl);
  if (cipher == nullptr) return;
  facts.suite = SSL_CIPHER_get_name(cipher);
  for (std::size_t i = 0; i < kTlsSuiteCount; ++i) {
    if (TlsSuiteAt(i).id != SSL_CIPHER_get_protocol_id(cipher)) continue;
    facts.suite = TlsSuiteAt(i).name;
    facts.suite_index = static_cast<std::uint8_t>(i);
  }
}

// The bytes of `pieces` from `from` on, at most kWriteBytes of one piece, or up to a record of several, put together in
// `joined`.
std::string_view BytesFrom(std::span<const iovec> pieces, std::size_t from, std::string& joined) {
  joined.clear();
  for (const iovec& piece : pieces) {
    if (from >= piece.iov_len) {
      from -= piece.iov_len;
      continue;
    }
    const auto bytes = std::string_view(static_cast<const char*>(piece.iov_base), piece.iov_len).substr(from);
    from = 0;
    if (joined.empty() && (&piece == &pieces.back() || bytes.size() >= kRecordBytes)) {
      return bytes.substr(0, kWriteBytes);
    }
    joined += bytes.substr(0, kRecordBytes - joined.size());
    if (joined.size() == kRecordBytes) break;
  }
  return joined;
}

}  // namespace

// OpenSSL reads from the socket into its own buffer, and writes into one that all connections share.
struct TlsStream::Bio {
  static TlsStream& StreamOf(BIO* bio) { return *static_cast<TlsStream*>(BIO_get_data(bio)); }

  static int Read(BIO* bio, char* buffer, int size) {
    TlsStream& stream = StreamOf(bio);
    BIO_clear_retry_flags(bio);
    stream.last_read_ = IoStatus::kWouldBlock;
    if (stream.transport_->readable()) {
      const IoResult got = stream.transport_->Read({buffer, static_cast<std::size_t>(size)});
      stream.last_read_ = got.status;
      stream.read_error_ = got.error;
      if (got.status == IoStatus::kOk) return static_cast<int>(got.bytes);
    }
    // Whatever ended the reading: the stream looks at last_read_.
    BIO_set_retry_read(bio);
    return -1;
  }
  static int Write(BIO* bio, const char* bytes, int size) {
    StreamOf(bio).side_->out_.append(bytes, static_cast<std::size_t>(size));
    BIO_clear_retry_flags(bio);
    return size;
  }
  static long Control(BIO* /*bio*/, int command, long /*number*/, void* /*pointer*/) {
    return command == BIO_CTRL_FLUSH ? 1 : 0;
  }
  static int Create(BIO* bio) {
    BIO_set_init(bio, 1);
    return 1;
  }
};

OwnedBioMethod TlsStream::MakeBioMethod() {
  // One for the life of the program: there are about a hundred.
  static const int index = BIO_get_new_index();
  OwnedBioMethod method(BIO_meth_new(index | BIO_TYPE_SOURCE_SINK, "weir stream"));
  WEIR_CHECK(method != nullptr);
  BIO_meth_set_read(method.get(), Bio::Read);
  BIO_meth_set_write(method.get(), Bio::Write);
  BIO_meth_set_ctrl(method.get(), Bio::Control);
  BIO_meth_set_create(method.get(), Bio::Create);
  return method;
}

TlsStream& TlsStream::Of(const SSL* ssl) { return *static_cast<TlsStream*>(SSL_get_app_data(ssl)); }

void TlsStream::NoteAlert(const SSL* ssl, int where, int value) {
  if ((where & SSL_CB_ALERT) == 0) return;
  TlsFailure& failure = Of(ssl).failure_;
  const auto alert = static_cast<std::uint8_t>(value & 0xff);
  if (alert == SSL_AD_CLOSE_NOTIFY) return;
  ((where & SSL_CB_READ) != 0 ? failure.alert_received : failure.alert_sent) = alert;
}

TlsStream::TlsStream(std::shared_ptr<TlsSide> side, OwnedSsl ssl, std::unique_ptr<Stream> transport,
                     StreamEvents& events)
    : side_(std::move(side)), transport_(std::move(transport)), ssl_(std::move(ssl)), events_(&events) {
  BIO* const bio = BIO_new(side_->bio_method_.get());
  WEIR_CHECK(bio != nullptr);
  BIO_set_data(bio, this);
  SSL_set_bio(ssl_.get(), bio, bio);
  SSL_set_app_data(ssl_.get(), this);
  if (transport_ != nullptr) transport_->set_events(*this);
}

TlsStream::~TlsStream() {
  // OpenSSL would not resume the session of a connection that was cut off, which says nothing against it.
  if (failure_.reason.empty()) SSL_set_shutdown(ssl_.get(), SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
}

// ---- the handshake

void TlsStream::OnConnected(int error) {
  if (error == 0) return Handshake();
  handshake_over_ = true;
  events_->OnConnected(error);
}

void TlsStream::OnReadable() {
  if (!handshake_over_) return Handshake();
  if (facts_ != nullptr) events_->OnReadable();
}

void TlsStream::Handshake() {
  ERR_clear_error();
  const int done = SSL_do_handshake(ssl_.get());
  const int reason = done == 1 ? SSL_ERROR_NONE : SSL_get_error(ssl_.get(), done);
  const bool flushed = Flush();
  if (done == 1) {
    handshake_over_ = true;
    NoteFacts();
    more_ = SSL_has_pending(ssl_.get()) == 1;
    events_->OnConnected(0);
    if (open() && readable()) events_->OnReadable();
    return;
  }
  if (reason != SSL_ERROR_WANT_READ) return FailHandshake(EPROTO);
  if (!flushed) return FailHandshake(ECONNRESET);
  if (last_read_ == IoStatus::kEnd) return FailHandshake(EPROTO);
  if (last_read_ == IoStatus::kError) return FailHandshake(read_error_);
}

void TlsStream::FailHandshake(int error) {
  handshake_over_ = true;
  NoteFailure("closed during the TLS handshake");
  events_->OnConnected(error);
}

void TlsStream::NoteFailure(std::string_view otherwise) {
  const unsigned long code = ERR_peek_last_error();
  const char* const text = code == 0 ? nullptr : ERR_reason_error_string(code);
  if (code != 0 && SSL_is_server(ssl_.get()) == 1 && SSL_get_verify_mode(ssl_.get()) != SSL_VERIFY_NONE &&
      !failure_.alert_received && failure_.certificate_fault == ClientCertificateFault::kNone) {
    failure_.certificate_fault = FaultOf(*ssl_, code);
  }
  failure_.reason = text != nullptr ? std::string_view(text) : otherwise;
  const long verdict = SSL_get_verify_result(ssl_.get());
  failure_.certificate_refused = verdict != X509_V_OK && (SSL_get_verify_mode(ssl_.get()) & SSL_VERIFY_PEER) != 0;
  if (failure_.certificate_refused) failure_.reason = X509_verify_cert_error_string(verdict);
  ERR_clear_error();
}

void TlsStream::NoteFacts() {
  SSL* const ssl = ssl_.get();
  facts_ = std::make_unique<TlsFacts>(AgreedFacts());
  facts_->is_resumed = SSL_session_reused(ssl) == 1;
  side_->NoteFacts(*this, ssl, *facts_);
}

std::string_view TlsStream::AgreedProtocol(const SSL* ssl, const std::vector<std::string>& own) {
  const unsigned char* protocol = nullptr;
  unsigned size = 0;
  SSL_get0_alpn_selected(ssl, &protocol, &size);
  const std::string_view agreed(reinterpret_cast<const char*>(protocol), size);
  const auto found = std::ranges::find(own, agreed);
  return found == own.end() ? std::string_view() : std::string_view(*found);
}

TlsFacts TlsStream::AgreedFacts() const {
  SSL* const ssl = ssl_.get();
  TlsFacts facts;
  facts.version = VersionOf(SSL_version(ssl));
  NoteSuite(ssl, facts);
  // OpenSSL looks into the session without asking whether there is one.
  const int group = SSL_get0_session(ssl) == nullptr ? NID_undef : static_cast<int>(SSL_get_negotiated_group(ssl));
  const char* const group_name = group == NID_undef ? nullptr : SSL_group_to_name(ssl, group);
  if (group_name != nullptr) facts.group = group_name;
  facts.client_certificate = client_certificate_;
  return facts;
}

TlsFacts TlsStream::FactsOfFailure() const { return AgreedFacts(); }

std::unique_ptr<Stream> TlsStream::TakeTransport(StreamEvents& events) {
  if (!unsent_.empty()) return nullptr;
  transport_->set_events(events);
  return std::move(transport_);
}

// ---- reading

bool TlsStream::got_close_notify() const { return (SSL_get_shutdown(ssl_.get()) & SSL_RECEIVED_SHUTDOWN) != 0; }

bool TlsStream::peer_closed() const { return got_close_notify() || transport_->peer_closed(); }

IoResult TlsStream::Read(std::span<char> buffer) {
  std::size_t got = 0;
  SSL* const ssl = ssl_.get();
  while (ended_ == Ended::kNo && got < buffer.size()) {
    ERR_clear_error();
    const int wanted = static_cast<int>(std::min<std::size_t>(buffer.size() - got, INT_MAX));
    const int bytes = SSL_read(ssl, buffer.data() + got, wanted);
    if (bytes <= 0) {
      NoteEndOfRead(SSL_get_error(ssl, bytes));
      more_ = false;
      break;
    }
    got += static_cast<std::size_t>(bytes);
    more_ = SSL_has_pending(ssl) == 1;
    if (!readable()) break;
  }
  // The end is told by a read of its own.
  if (got > 0) {
    more_ = more_ || ended_ != Ended::kNo;
    return {IoStatus::kOk, got, 0};
  }
  more_ = false;
  if (ended_ == Ended::kEnd) return {IoStatus::kEnd, 0, 0};
  if (ended_ == Ended::kError) return Break(read_error_);
  return {IoStatus::kWouldBlock, 0, 0};
}

// A call of SSL_read gave nothing.
void TlsStream::NoteEndOfRead(int reason) {
  // A key update may want to answer while reading. Where nothing can be sent any more, what the peer said before is
  // still to be read.
  const bool flushed = (side_->out_.empty() || Flush()) && !broken_;
  if (reason == SSL_ERROR_ZERO_RETURN) {
    ended_ = Ended::kEnd;
  } else if (reason != SSL_ERROR_WANT_READ) {
    NoteFailure({});
    ended_ = Ended::kError;
    read_error_ = EPROTO;
  } else if (last_read_ == IoStatus::kError) {
    ended_ = Ended::kError;
  } else if (last_read_ == IoStatus::kEnd) {
    // Many clients close without a close_notify, but none means to close within a record. Where a write failed it took
    // the socket's error with it, which was no end.
    const bool is_end = flushed && !IsInRecord(ssl_.get());
    ended_ = is_end ? Ended::kEnd : Ended::kError;
    read_error_ = flushed ? EPROTO : EPIPE;
  }
  ERR_clear_error();
}

IoResult TlsStream::Break(int error) {
  broken_ = true;
  return {IoStatus::kError, 0, error};
}

// ---- writing

bool TlsStream::Flush(bool is_last) {
  std::string& out = side_->out_;
  if (!unsent_.empty()) {
    unsent_ += out;
    out.clear();
  }
  const std::string_view bytes = unsent_.empty() ? std::string_view(out) : std::string_view(unsent_);
  if (bytes.empty()) return true;
  const iovec piece{.iov_base = const_cast<char*>(bytes.data()), .iov_len = bytes.size()};
  const IoResult sent = is_last ? transport_->WriteLast({&piece, 1}) : transport_->Write({&piece, 1});
  if (sent.bytes == bytes.size()) {
    if (!unsent_.empty()) std::string().swap(unsent_);
  } else if (unsent_.empty()) {
    unsent_.assign(out, sent.bytes);
  } else {
    unsent_.erase(0, sent.bytes);
  }
  out.clear();
  return sent.status == IoStatus::kOk || sent.status == IoStatus::kWouldBlock;
}

IoResult TlsStream::Send(std::span<const iovec> pieces, bool is_last) {
  if (broken_) return {IoStatus::kError, 0, EPIPE};
  if (!unsent_.empty() && !Flush()) return Break(EPIPE);
  if (!unsent_.empty()) return {IoStatus::kWouldBlock, 0, 0};
  std::size_t offered = 0;
  for (const iovec& piece : pieces) offered += piece.iov_len;
  // Bytes count as taken when the system has them, as with any other stream: the end may follow at once.
  std::size_t taken = std::min(encrypted_, offered);
  encrypted_ -= taken;
  std::string joined;
  while (taken < offered) {
    std::size_t sealed = 0;
    while (taken + sealed < offered && sealed < kWriteBytes) {
      const std::string_view bytes = BytesFrom(pieces, taken + sealed, joined);
      ERR_clear_error();
      const int done = SSL_write(ssl_.get(), bytes.data(), static_cast<int>(bytes.size()));
      if (done <= 0) {
        ERR_clear_error();
        side_->out_.clear();
        return Break(EPIPE);
      }
      sealed += bytes.size();
    }
    const bool all = taken + sealed == offered;
    if (is_last && all) SSL_shutdown(ssl_.get());
    if (!Flush(is_last && all)) return Break(EPIPE);
    if (!unsent_.empty()) {
      encrypted_ = sealed;
      break;
    }
    taken += sealed;
  }
  return {taken > 0 || offered == 0 ? IoStatus::kOk : IoStatus::kWouldBlock, taken, 0};
}

void TlsStream::OnWritable() {
  const bool flushed = Flush();
  if (flushed && !unsent_.empty()) return;
  if (ending_ && flushed) {
    ending_ = false;
    transport_->ShutdownWrite();
  }
  // Of a broken connection, too: the next Write tells.
  if (facts_ != nullptr) events_->OnWritable();
}

bool TlsStream::SendCloseNotify() {
  // The second SSL_shutdown of a connection reads, and takes data for a fault.
  if ((SSL_get_shutdown(ssl_.get()) & SSL_SENT_SHUTDOWN) == 0) SSL_shutdown(ssl_.get());
  ERR_clear_error();
  // A FIN follows. Behind a client's back there may be a ticket: a close that finds it unread would lose what is held
  // back for the FIN.
  return Flush(SSL_is_server(ssl_.get()) == 1);
}

void TlsStream::ShutdownWrite() {
  if (!SendCloseNotify()) return;
  ending_ = !unsent_.empty();
  if (!ending_) transport_->ShutdownWrite();
}

void TlsStream::Close(CloseMode mode) {
  // RFC 8446 section 6.1. To a peer that has gone it would only bring about a reset.
  if (mode == CloseMode::kGraceful && facts_ != nullptr && open() && !transport_->peer_closed() && !broken()) {
    static_cast<void>(SendCloseNotify());
  }
  transport_->Close(mode);
}

}  // namespace weir::net
