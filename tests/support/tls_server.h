#pragma once

#include "tests/support/loopback.h"

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

struct evp_pkey_st;
struct x509_st;

namespace weir::testing {

// What an authority says of a certificate (RFC 6960).
struct OcspOptions {
  enum class Standing : std::uint8_t { kGood, kRevoked, kUnknown };
  Standing standing = Standing::kGood;
  std::chrono::seconds this_update{-60};  // as seen from now
  std::chrono::seconds next_update{3600};
};

// A certificate and its key, made on the spot: nothing that could expire lies in the tree. A value. Thread: any
// (const).
class Certificate {
 public:
  enum class Key : std::uint8_t { kP256, kP384, kP521, kRsa1024, kRsa2048, kRsa3072, kEd25519 };
  enum class Hash : std::uint8_t { kMd5, kSha1, kSha256, kSha384 };
  struct Options {
    std::vector<std::string> names = {};      // DNS names that it is for
    std::vector<std::string> addresses = {};  // address literals that it is for
    std::chrono::seconds valid_from{-3600};   // as seen from now
    std::chrono::seconds valid_until{3600};
    bool is_authority = false;
    Key key = Key::kP256;
    Hash hash = Hash::kSha256;     // of the signature
    std::string common_name = {};  // empty: one of its own
    // In place of the common name: `CN`, its value in UTF-8, and whether it stands in one RDN with the one before.
    struct NamePart {
      std::string type;
      std::string value;
      bool joins = false;
    };
    std::vector<NamePart> subject = {};
    // OpenSSL's number of an extension, and its value in the words of openssl.cnf.
    std::vector<std::pair<int, std::string>> extensions = {};
    std::string serial_number = {};  // hexadecimal, may be negative; empty: the next one
    std::string not_after = {};      // as ASN.1 writes it, 99991231235959Z; empty: valid_until
    bool is_old = false;             // of X.509 version 1, without extensions
  };
  // Signed by `issuer`, or by itself without one.
  [[nodiscard]] static Certificate Make(const Options& options, const Certificate* issuer = nullptr);

  struct ListOptions {
    std::chrono::seconds next_update{3600};  // as seen from now
    Hash hash = Hash::kSha256;
    bool is_delta = false;
  };
  // A list of what this authority revokes, in PEM.
  [[nodiscard]] std::string RevocationList(const std::vector<const Certificate*>& revoked) const {
    return RevocationList(revoked, ListOptions{});
  }
  [[nodiscard]] std::string RevocationList(const std::vector<const Certificate*>& revoked,
                                           const ListOptions& options) const;

  // What this authority says of a certificate of its own, in DER.
  [[nodiscard]] std::string OcspResponse(const Certificate& about, const OcspOptions& options) const;

  [[nodiscard]] x509_st& certificate() const;
  [[nodiscard]] evp_pkey_st& key() const;
  [[nodiscard]] std::string Pem() const;
  [[nodiscard]] std::string KeyPem() const;
  // Encrypted.
  [[nodiscard]] std::string KeyPem(const std::string& passphrase) const;

 private:
  friend class TlsServer;
  struct Parts;
  explicit Certificate(std::shared_ptr<const Parts> parts) : parts_(std::move(parts)) {}
  std::shared_ptr<const Parts> parts_;
};

// The server's side of one TLS connection over a loopback Connection. Blocks, with the deadlines of the transport.
// Thread: one at a time.
class TlsConnection {
 public:
  struct Session;
  TlsConnection(Connection& transport, std::unique_ptr<Session> session, std::size_t piece_bytes);
  ~TlsConnection();
  TlsConnection(const TlsConnection&) = delete;
  TlsConnection& operator=(const TlsConnection&) = delete;

  // True when the handshake went through.
  [[nodiscard]] bool Accept();
  // What the client sent as SNI; empty: nothing.
  [[nodiscard]] std::string server_name() const;
  void Send(std::string_view text);
  // The handshake resumed a session.
  [[nodiscard]] bool resumed() const;
  // The CN of the certificate that the client showed; empty: none.
  [[nodiscard]] std::string client_name() const;
  // A key update or, before TLS 1.3, the wish for another handshake: records without content.
  void Refresh();
  // The records that would carry `text`, not sent.
  [[nodiscard]] std::string Encrypt(std::string_view text);
  // Sends close_notify; the transport stays open.
  void SendCloseNotify();
  // Reads until `count` bytes, the end, or the deadline.
  [[nodiscard]] std::string ReadBytes(std::size_t count);
  [[nodiscard]] std::string ReadAll();
  // The client ended with close_notify, as far as was read.
  [[nodiscard]] bool got_close_notify() const;
  [[nodiscard]] Connection& transport() { return transport_; }

 private:
  // Sends what TLS wants to send, in pieces of piece_bytes_.
  void Flush();
  bool Fill();

  Connection& transport_;
  std::unique_ptr<Session> session_;
  std::size_t piece_bytes_;
};

// A TLS server on 127.0.0.1. Each connection whose handshake goes through is given to `serve` on a thread of its own.
class TlsServer {
 public:
  struct Options {
    std::vector<std::string> alpn = {};  // the server's choice, the preferred one first; empty: no ALPN
    int version_max = 0;                 // OpenSSL's number of a version, TLS1_2_VERSION; 0: the newest
    bool byte_by_byte = false;           // every byte in a segment of its own
    bool wants_certificate = false;      // of the client
    bool asks_for_certificate = false;   // the same, and does without
    bool gives_tickets = true;           // false: sessions are resumed by their IDs
  };
  using Serve = std::function<void(TlsConnection&)>;
  TlsServer(const Certificate& certificate, Serve serve) : TlsServer(certificate, {}, std::move(serve)) {}
  TlsServer(const Certificate& certificate, Options options, Serve serve);
  ~TlsServer();
  TlsServer(const TlsServer&) = delete;
  TlsServer& operator=(const TlsServer&) = delete;

  [[nodiscard]] const Endpoint& endpoint() const { return target_->endpoint(); }
  // How many handshakes went through.
  [[nodiscard]] int accepted() const { return accepted_; }

 private:
  struct Settings;
  std::unique_ptr<Settings> settings_;
  Serve serve_;
  std::atomic<int> accepted_{0};
  std::unique_ptr<FakeTarget> target_;  // the last: its threads use all of the others
};

}  // namespace weir::testing
