#pragma once

#include "net/openssl_parts.h"
#include "net/stream.h"
#include "net/tls_facts.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace weir::net {

class TlsClient;
class TlsClientSessions;
class TlsServer;
class TlsSide;

// One side of a TLS connection; made by TlsServer and TlsClient. OnConnected comes once, when the handshake is over,
// before anything else: 0, the errno of a failed connection, or that of a failed handshake (EPROTO: failure() says
// why). Bytes that Write did not take are offered again, unchanged, before any others: they may be encrypted already.
// Read gives kEnd for a close_notify and for a connection that ends between two records; whether the message was whole
// is for its framing to tell, and where that is the end itself for got_close_notify (RFC 9112 section 9.8). Readable
// need not mean that there is something to read: tickets and key updates are records, too. Idle, it owns no buffer. Not
// destroyed in its own callbacks. Thread: that of its loop.
class TlsStream final : public Stream, private StreamEvents {
 public:
  ~TlsStream() override;

  [[nodiscard]] IoResult Read(std::span<char> buffer) override;
  [[nodiscard]] IoResult Write(std::span<const iovec> pieces) override { return Send(pieces, false); }
  [[nodiscard]] IoResult WriteLast(std::span<const iovec> pieces) override { return Send(pieces, true); }
  void AwaitWritable() override { transport_->AwaitWritable(); }
  void set_events(StreamEvents& events) override { events_ = &events; }
  void ExpectOnlyEnd() override { transport_->ExpectOnlyEnd(); }
  void ShutdownWrite() override;
  void Close(CloseMode mode) override;
  [[nodiscard]] bool readable() const override { return more_ || (ended_ == Ended::kNo && transport_->readable()); }
  [[nodiscard]] bool open() const override { return transport_->open(); }
  [[nodiscard]] bool peer_closed() const override;
  [[nodiscard]] bool broken() const override { return broken_ || transport_->broken(); }
  [[nodiscard]] bool acknowledged() const override { return unsent_.empty() && transport_->acknowledged(); }
  [[nodiscard]] const Endpoint& peer() const override { return transport_->peer(); }
  [[nodiscard]] const Endpoint& local() const override { return transport_->local(); }
  [[nodiscard]] const TlsFacts* tls() const override { return facts_.get(); }

  // Why the handshake failed, or why TLS broke the connection later.
  [[nodiscard]] const TlsFailure& failure() const { return failure_; }
  // The peer has said that nothing follows, as far as was read.
  [[nodiscard]] bool got_close_notify() const;
  // Of a client whose transport was connected already.
  void StartHandshake() { Handshake(); }
  // How far one that failed had come; without a suite, the version means nothing.
  [[nodiscard]] TlsFacts FactsOfFailure() const;
  // After a handshake that failed: the connection below, which has the alert to deliver. Its events go to `events` from
  // now on; only the destructor of this stream may be called any more. Null where the alert waits for room.
  [[nodiscard]] std::unique_ptr<Stream> TakeTransport(StreamEvents& events);

 private:
  friend class TlsClient;
  friend class TlsServer;
  friend class TlsSide;
  struct Bio;  // OpenSSL's view of the transport, in tls_stream.cc
  [[nodiscard]] static TlsStream& Of(const ssl_st* ssl);
  [[nodiscard]] static OwnedBioMethod MakeBioMethod();
  static void NoteAlert(const ssl_st* ssl, int where, int value);
  // What ALPN chose, as a view into `own`; empty: nothing.
  [[nodiscard]] static std::string_view AgreedProtocol(const ssl_st* ssl, const std::vector<std::string>& own);
  enum class Ended : std::uint8_t { kNo, kEnd, kError };

  // `ssl` knows its role. `transport` may follow before the stream is used.
  TlsStream(std::shared_ptr<TlsSide> side, OwnedSsl ssl, std::unique_ptr<Stream> transport, StreamEvents& events);

  void OnConnected(int error) override;
  void OnReadable() override;
  void OnWritable() override;
  void Handshake();
  void FailHandshake(int error);
  void NoteFacts();
  // Takes the reason from OpenSSL; `otherwise` where it has none.
  void NoteFailure(std::string_view otherwise);
  [[nodiscard]] TlsFacts AgreedFacts() const;
  [[nodiscard]] IoResult Send(std::span<const iovec> pieces, bool is_last);
  // Sends what was encrypted; false when the connection broke. What the socket does not take is kept.
  [[nodiscard]] bool Flush(bool is_last = false);
  [[nodiscard]] bool SendCloseNotify();
  void NoteEndOfRead(int reason);
  IoResult Break(int error);

  std::shared_ptr<TlsSide> side_;
  std::unique_ptr<Stream> transport_;
  OwnedSsl ssl_;
  StreamEvents* events_;
  std::string unsent_;  // encrypted, waits for room in the socket
  // Bytes of the last Write that are encrypted but were not called taken, because the socket had no room for all of
  // them. The next Write begins with the same bytes.
  std::size_t encrypted_ = 0;
  std::unique_ptr<TlsFacts> facts_;  // null until the handshake is done
  TlsFailure failure_;
  TlsClientSessions* sessions_ = nullptr;                     // of a client: where sessions to come are kept
  std::shared_ptr<TlsClientCertificate> client_certificate_;  // of a server: what the client sent, refused or not
  std::uint16_t chosen_ = 0;                                  // of a server's certificates
  IoStatus last_read_ = IoStatus::kWouldBlock;
  int read_error_ = 0;
  Ended ended_ = Ended::kNo;
  bool handshake_over_ = false;
  bool more_ = false;    // bytes, or the end, are known without asking the transport
  bool broken_ = false;  // nothing can be sent any more
  bool ending_ = false;  // the end of writing follows what is unsent
};

}  // namespace weir::net
