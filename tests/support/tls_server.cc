#include "tests/support/tls_server.h"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/ocsp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <map>
#include <mutex>
#include <utility>

namespace weir::testing {
namespace {

void AddExtension(X509* certificate, X509* issuer, int kind, const std::string& value) {
  X509V3_CTX about{};
  X509V3_set_ctx(&about, issuer, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &about, kind, value.c_str());
  ASSERT_NE(extension, nullptr) << value;
  X509_add_ext(certificate, extension, -1);
  X509_EXTENSION_free(extension);
}

std::string AlternativeNames(const Certificate::Options& options) {
  std::string text;
  const auto add = [&text](std::string_view kind, const std::string& value) {
    if (!text.empty()) text += ',';
    text += std::string(kind) + value;
  };
  for (const std::string& name : options.names) add("DNS:", name);
  for (const std::string& address : options.addresses) add("IP:", address);
  return text;
}

std::string TakeText(BIO* memory) {
  char* bytes = nullptr;
  const long size = BIO_get_mem_data(memory, &bytes);
  std::string text(bytes, static_cast<std::size_t>(size));
  BIO_free(memory);
  return text;
}

// RSA keys take long to make: one of each size serves all certificates. They live to the end: OpenSSL takes itself
// apart before a destructor of a static would run.
EVP_PKEY* RsaKey(unsigned bits) {
  static std::mutex mutex;
  static auto& made = *new std::map<unsigned, EVP_PKEY*>;
  const std::lock_guard lock(mutex);
  EVP_PKEY*& key = made[bits];
  if (key == nullptr) key = EVP_RSA_gen(bits);
  EVP_PKEY_up_ref(key);
  return key;
}

EVP_PKEY* MakeKey(Certificate::Key kind) {
  switch (kind) {
    case Certificate::Key::kP256:
      return EVP_EC_gen("P-256");
    case Certificate::Key::kP384:
      return EVP_EC_gen("P-384");
    case Certificate::Key::kP521:
      return EVP_EC_gen("P-521");
    case Certificate::Key::kRsa1024:
      return RsaKey(1024);
    case Certificate::Key::kRsa2048:
      return RsaKey(2048);
    case Certificate::Key::kRsa3072:
      return RsaKey(3072);
    case Certificate::Key::kEd25519:
      return EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519");
  }
  std::unreachable();
}

const EVP_MD* HashOf(Certificate::Hash hash, const EVP_PKEY* signer) {
  if (EVP_PKEY_get_base_id(signer) == EVP_PKEY_ED25519) return nullptr;  // it has its own
  switch (hash) {
    case Certificate::Hash::kMd5:
      return EVP_md5();
    case Certificate::Hash::kSha1:
      return EVP_sha1();
    case Certificate::Hash::kSha256:
      return EVP_sha256();
    case Certificate::Hash::kSha384:
      return EVP_sha384();
  }
  std::unreachable();
}

void SetSubject(X509_NAME* subject, const Certificate::Options& options, long serial) {
  if (!options.subject.empty()) {
    for (const auto& part : options.subject) {
      X509_NAME_add_entry_by_txt(subject, part.type.c_str(), MBSTRING_UTF8,
                                 reinterpret_cast<const unsigned char*>(part.value.data()),
                                 static_cast<int>(part.value.size()), -1, part.joins ? -1 : 0);
    }
    return;
  }
  // Each its own subject, so that nothing takes a certificate for its own issuer that is not.
  const std::string name = options.common_name.empty() ? "weir test " + std::to_string(serial) : options.common_name;
  X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1,
                             0);
}

void SetSerial(X509* certificate, const std::string& text, long next) {
  if (text.empty()) {
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), next);
    return;
  }
  BIGNUM* number = nullptr;
  BN_hex2bn(&number, text.c_str());
  BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate));
  BN_free(number);
}

}  // namespace

struct Certificate::Parts {
  X509* certificate = X509_new();
  EVP_PKEY* key;
  explicit Parts(Key kind) : key(MakeKey(kind)) {}
  ~Parts() {
    X509_free(certificate);
    EVP_PKEY_free(key);
  }
  Parts(const Parts&) = delete;
  Parts& operator=(const Parts&) = delete;
};

Certificate Certificate::Make(const Options& options, const Certificate* issuer) {
  static std::atomic<long> serial{0};
  auto made = std::make_shared<Parts>(options.key);
  X509* const certificate = made->certificate;
  X509* const signer = issuer == nullptr ? certificate : issuer->parts_->certificate;
  X509_set_version(certificate, options.is_old ? X509_VERSION_1 : X509_VERSION_3);
  SetSerial(certificate, options.serial_number, ++serial);
  X509_gmtime_adj(X509_getm_notBefore(certificate), options.valid_from.count());
  X509_gmtime_adj(X509_getm_notAfter(certificate), options.valid_until.count());
  if (!options.not_after.empty()) ASN1_TIME_set_string(X509_getm_notAfter(certificate), options.not_after.c_str());
  X509_set_pubkey(certificate, made->key);
  SetSubject(X509_get_subject_name(certificate), options, serial);
  X509_set_issuer_name(certificate, X509_get_subject_name(signer));
  if (!options.is_old) {
    AddExtension(certificate, signer, NID_basic_constraints, options.is_authority ? "critical,CA:TRUE" : "CA:FALSE");
    const std::string names = AlternativeNames(options);
    if (!names.empty()) AddExtension(certificate, signer, NID_subject_alt_name, names);
    for (const auto& [kind, value] : options.extensions) AddExtension(certificate, signer, kind, value);
  }
  EVP_PKEY* const key = issuer == nullptr ? made->key : issuer->parts_->key;
  X509_sign(certificate, key, HashOf(options.hash, key));
  return Certificate(std::move(made));
}

std::string Certificate::RevocationList(const std::vector<const Certificate*>& revoked,
                                        const ListOptions& options) const {
  X509_CRL* const list = X509_CRL_new();
  X509_CRL_set_version(list, X509_CRL_VERSION_2);
  X509_CRL_set_issuer_name(list, X509_get_subject_name(parts_->certificate));
  ASN1_TIME* const time = X509_gmtime_adj(nullptr, -7200);
  X509_CRL_set1_lastUpdate(list, time);
  X509_gmtime_adj(time, options.next_update.count());
  X509_CRL_set1_nextUpdate(list, time);
  X509_gmtime_adj(time, -3600);
  for (const Certificate* each : revoked) {
    X509_REVOKED* const entry = X509_REVOKED_new();
    X509_REVOKED_set_serialNumber(entry, X509_get_serialNumber(each->parts_->certificate));
    X509_REVOKED_set_revocationDate(entry, time);
    X509_CRL_add0_revoked(list, entry);
  }
  ASN1_TIME_free(time);
  ASN1_INTEGER* const number = ASN1_INTEGER_new();
  ASN1_INTEGER_set(number, 1);
  if (options.is_delta) X509_CRL_add1_ext_i2d(list, NID_delta_crl, number, 1, 0);
  ASN1_INTEGER_free(number);
  X509_CRL_sign(list, parts_->key, HashOf(options.hash, parts_->key));
  BIO* const memory = BIO_new(BIO_s_mem());
  PEM_write_bio_X509_CRL(memory, list);
  X509_CRL_free(list);
  return TakeText(memory);
}

std::string Certificate::OcspResponse(const Certificate& about, const OcspOptions& options) const {
  using enum OcspOptions::Standing;
  OCSP_BASICRESP* const basic = OCSP_BASICRESP_new();
  OCSP_CERTID* const id = OCSP_cert_to_id(nullptr, about.parts_->certificate, parts_->certificate);
  ASN1_TIME* const this_update = X509_gmtime_adj(nullptr, options.this_update.count());
  ASN1_TIME* const next_update = X509_gmtime_adj(nullptr, options.next_update.count());
  int status = V_OCSP_CERTSTATUS_GOOD;
  if (options.standing == kRevoked) status = V_OCSP_CERTSTATUS_REVOKED;
  if (options.standing == kUnknown) status = V_OCSP_CERTSTATUS_UNKNOWN;
  OCSP_basic_add1_status(basic, id, status, OCSP_REVOKED_STATUS_UNSPECIFIED, this_update, this_update, next_update);
  OCSP_basic_sign(basic, parts_->certificate, parts_->key, EVP_sha256(), nullptr, 0);
  OCSP_RESPONSE* const response = OCSP_response_create(OCSP_RESPONSE_STATUS_SUCCESSFUL, basic);
  std::string out(static_cast<std::size_t>(i2d_OCSP_RESPONSE(response, nullptr)), '\0');
  auto* end = reinterpret_cast<unsigned char*>(out.data());
  i2d_OCSP_RESPONSE(response, &end);
  OCSP_RESPONSE_free(response);
  OCSP_BASICRESP_free(basic);
  OCSP_CERTID_free(id);
  ASN1_TIME_free(this_update);
  ASN1_TIME_free(next_update);
  return out;
}

x509_st& Certificate::certificate() const { return *parts_->certificate; }

evp_pkey_st& Certificate::key() const { return *parts_->key; }

std::string Certificate::Pem() const {
  BIO* const memory = BIO_new(BIO_s_mem());
  PEM_write_bio_X509(memory, parts_->certificate);
  return TakeText(memory);
}

std::string Certificate::KeyPem() const {
  BIO* const memory = BIO_new(BIO_s_mem());
  PEM_write_bio_PrivateKey(memory, parts_->key, nullptr, nullptr, 0, nullptr, nullptr);
  return TakeText(memory);
}

std::string Certificate::KeyPem(const std::string& passphrase) const {
  BIO* const memory = BIO_new(BIO_s_mem());
  PEM_write_bio_PKCS8PrivateKey(memory, parts_->key, EVP_aes_256_cbc(), passphrase.data(),
                                static_cast<int>(passphrase.size()), nullptr, nullptr);
  return TakeText(memory);
}

struct TlsConnection::Session {
  explicit Session(SSL_CTX* settings) : ssl(SSL_new(settings)), in(BIO_new(BIO_s_mem())), out(BIO_new(BIO_s_mem())) {
    BIO_set_mem_eof_return(in, -1);
    SSL_set_bio(ssl, in, out);
    SSL_set_accept_state(ssl);
  }
  ~Session() { SSL_free(ssl); }
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;
  SSL* ssl;
  BIO* in;   // owned by ssl
  BIO* out;  // owned by ssl
};

TlsConnection::TlsConnection(Connection& transport, std::unique_ptr<Session> session, std::size_t piece_bytes)
    : transport_(transport), session_(std::move(session)), piece_bytes_(piece_bytes) {
  const int on = 1;
  setsockopt(transport.fd(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  // A small window, so that a client to which nobody listens runs out of room soon.
  const int window_bytes = 64 * 1024;
  setsockopt(transport.fd(), SOL_SOCKET, SO_RCVBUF, &window_bytes, sizeof(window_bytes));
}

TlsConnection::~TlsConnection() = default;

void TlsConnection::Flush() {
  char* bytes = nullptr;
  const long size = BIO_get_mem_data(session_->out, &bytes);
  std::string_view left(bytes, static_cast<std::size_t>(std::max(size, 0L)));
  for (; !left.empty(); left.remove_prefix(std::min(piece_bytes_, left.size()))) {
    transport_.Send(left.substr(0, piece_bytes_));
  }
  BIO_reset(session_->out);
}

bool TlsConnection::Fill() {
  const std::string bytes = transport_.ReadSome();
  if (bytes.empty()) return false;
  BIO_write(session_->in, bytes.data(), static_cast<int>(bytes.size()));
  return true;
}

bool TlsConnection::Accept() {
  for (;;) {
    const int done = SSL_do_handshake(session_->ssl);
    const int reason = SSL_get_error(session_->ssl, done);
    Flush();
    if (done == 1) return true;
    if (reason != SSL_ERROR_WANT_READ || !Fill()) return false;
  }
}

std::string TlsConnection::server_name() const {
  const char* const name = SSL_get_servername(session_->ssl, TLSEXT_NAMETYPE_host_name);
  return name == nullptr ? std::string() : std::string(name);
}

bool TlsConnection::resumed() const { return SSL_session_reused(session_->ssl) == 1; }

std::string TlsConnection::client_name() const {
  X509* const shown = SSL_get0_peer_certificate(session_->ssl);
  if (shown == nullptr) return {};
  std::array<char, 256> name{};
  X509_NAME_get_text_by_NID(X509_get_subject_name(shown), NID_commonName, name.data(), static_cast<int>(name.size()));
  return name.data();
}

void TlsConnection::Refresh() {
  if (SSL_version(session_->ssl) == TLS1_3_VERSION) {
    SSL_key_update(session_->ssl, SSL_KEY_UPDATE_REQUESTED);
  } else {
    SSL_renegotiate(session_->ssl);
  }
  SSL_do_handshake(session_->ssl);
  Flush();
}

void TlsConnection::Send(std::string_view text) {
  if (!text.empty()) SSL_write(session_->ssl, text.data(), static_cast<int>(text.size()));
  Flush();
}

std::string TlsConnection::Encrypt(std::string_view text) {
  SSL_write(session_->ssl, text.data(), static_cast<int>(text.size()));
  char* bytes = nullptr;
  const long size = BIO_get_mem_data(session_->out, &bytes);
  std::string records(bytes, static_cast<std::size_t>(size));
  BIO_reset(session_->out);
  return records;
}

void TlsConnection::SendCloseNotify() {
  SSL_shutdown(session_->ssl);
  Flush();
}

std::string TlsConnection::ReadBytes(std::size_t count) {
  std::string text;
  std::string buffer(16 * 1024, '\0');
  while (text.size() < count) {
    const auto wanted = static_cast<int>(std::min(buffer.size(), count - text.size()));
    const int got = SSL_read(session_->ssl, buffer.data(), wanted);
    const int reason = SSL_get_error(session_->ssl, got);
    Flush();
    if (got > 0) text.append(buffer, 0, static_cast<std::size_t>(got));
    if (got <= 0 && (reason != SSL_ERROR_WANT_READ || !Fill())) break;
  }
  return text;
}

std::string TlsConnection::ReadAll() { return ReadBytes(std::string::npos); }

bool TlsConnection::got_close_notify() const { return (SSL_get_shutdown(session_->ssl) & SSL_RECEIVED_SHUTDOWN) != 0; }

struct TlsServer::Settings {
  SSL_CTX* ctx = SSL_CTX_new(TLS_server_method());
  std::string alpn;  // each name behind its length
  Settings() = default;
  ~Settings() { SSL_CTX_free(ctx); }
  Settings(const Settings&) = delete;
  Settings& operator=(const Settings&) = delete;
};

namespace {

// The first of the server's protocols that the client offers; without one the server goes on without ALPN.
int ChooseProtocol(SSL* /*ssl*/, const unsigned char** chosen, unsigned char* chosen_size, const unsigned char* offered,
                   unsigned offered_size, void* settings) {
  const std::string& own = *static_cast<const std::string*>(settings);
  unsigned char* found = nullptr;
  const int outcome = SSL_select_next_proto(&found, chosen_size, reinterpret_cast<const unsigned char*>(own.data()),
                                            static_cast<unsigned>(own.size()), offered, offered_size);
  *chosen = found;
  return outcome == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_NOACK;
}

}  // namespace

TlsServer::TlsServer(const Certificate& certificate, Options options, Serve serve)
    : settings_(std::make_unique<Settings>()), serve_(std::move(serve)) {
  SSL_CTX* const ctx = settings_->ctx;
  SSL_CTX_use_certificate(ctx, certificate.parts_->certificate);
  SSL_CTX_use_PrivateKey(ctx, certificate.parts_->key);
  if (options.version_max != 0) SSL_CTX_set_max_proto_version(ctx, options.version_max);
  const auto take_any = [](int /*verified*/, X509_STORE_CTX* /*chain*/) { return 1; };
  if (options.wants_certificate) SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, take_any);
  if (options.asks_for_certificate) SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, take_any);
  if (!options.gives_tickets) SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET);
  SSL_CTX_set_session_id_context(ctx, reinterpret_cast<const unsigned char*>("weir"), 4);
  for (const std::string& name : options.alpn) settings_->alpn += static_cast<char>(name.size()) + name;
  if (!options.alpn.empty()) SSL_CTX_set_alpn_select_cb(ctx, ChooseProtocol, &settings_->alpn);
  const std::size_t piece_bytes = options.byte_by_byte ? 1 : std::string_view::npos;
  target_ = std::make_unique<FakeTarget>([this, piece_bytes](Connection& transport) {
    TlsConnection connection(transport, std::make_unique<TlsConnection::Session>(settings_->ctx), piece_bytes);
    if (!connection.Accept()) return;
    ++accepted_;
    serve_(connection);
  });
}

TlsServer::~TlsServer() = default;

}  // namespace weir::testing
