#include "net/tls_server.h"

#include "base/check.h"
#include "base/text.h"
#include "net/tls_settings.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstring>
#include <optional>
#include <span>
#include <utility>

namespace weir::net {
namespace {

// The numbers of a ClientHello, as many as are looked at.
class Numbers {
 public:
  void Add(int number) {
    if (count_ < values_.size()) values_[count_++] = static_cast<std::uint16_t>(number);
  }
  [[nodiscard]] std::span<const std::uint16_t> values() const { return std::span(values_).first(count_); }
  [[nodiscard]] std::optional<std::span<const std::uint16_t>> values_if_any() const {
    return count_ == 0 ? std::nullopt : std::optional(values());
  }

 private:
  std::array<std::uint16_t, 64> values_{};
  std::size_t count_ = 0;
};

TlsClientOffer ReadOffer(SSL* ssl, const TlsPolicy& policy) {
  Numbers suites;
  const STACK_OF(SSL_CIPHER)* const ciphers = SSL_get_client_ciphers(ssl);
  for (int i = 0; i < sk_SSL_CIPHER_num(ciphers); ++i) {
    const std::uint16_t id = SSL_CIPHER_get_protocol_id(sk_SSL_CIPHER_value(ciphers, i));
    for (std::size_t j = 0; j < policy.suite_count; ++j) {
      if (policy.suite(j).id == id) suites.Add(id);
    }
  }
  Numbers schemes;
  for (int i = 0, count = 1; i < count; ++i) {
    unsigned char signature = 0;
    unsigned char hash = 0;
    count = SSL_get_sigalgs(ssl, i, nullptr, nullptr, nullptr, &signature, &hash);
    if (i < count) schemes.Add(hash << 8 | signature);
  }
  Numbers groups;
  std::array<int, 128> ids{};
  const long group_count = SSL_get1_groups(ssl, nullptr);
  if (group_count > 0 && static_cast<std::size_t>(group_count) <= ids.size()) {
    SSL_get1_groups(ssl, ids.data());
    for (long i = 0; i < group_count; ++i) {
      const int id = ids[static_cast<std::size_t>(i)];
      if (id == NID_X9_62_prime256v1) groups.Add(23);
      if (id == NID_secp384r1) groups.Add(24);
      if (id == NID_secp521r1) groups.Add(25);
    }
  }
  return OfferOf({.version = VersionOf(SSL_version(ssl)),
                  .suites = suites.values(),
                  .schemes = schemes.values_if_any(),
                  .groups = group_count > 0 ? std::optional(groups.values()) : std::nullopt});
}

std::string_view ViewOf(const unsigned char* bytes, std::size_t size) {
  return {reinterpret_cast<const char*>(bytes), size};
}

}  // namespace

// Fetching an algorithm takes locks of the library: once for each server.
struct TlsServer::Algorithms {
  EVP_CIPHER* cipher = EVP_CIPHER_fetch(nullptr, "AES-256-CBC", nullptr);
  ~Algorithms() { EVP_CIPHER_free(cipher); }
  Algorithms() = default;
  Algorithms(const Algorithms&) = delete;
  Algorithms& operator=(const Algorithms&) = delete;
};

struct TlsServer::Callbacks {
  static TlsServer& ServerOf(SSL* ssl) { return static_cast<TlsServer&>(*StreamOf(ssl).side_); }
  static TlsStream& StreamOf(const SSL* ssl) { return TlsStream::Of(ssl); }

  // Runs when the ClientHello is read and no session is resumed.
  static int ChooseCertificate(SSL* ssl, void* /*unused*/) {
    const TlsServer& server = ServerOf(ssl);
    const char* const name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
    if (name == nullptr) return 1;
    const TlsChoice& choice = *server.plan_->choice;
    const std::size_t chosen =
        choice.Select(name, ReadOffer(ssl, *server.plan_->policy), std::chrono::system_clock::now());
    StreamOf(ssl).chosen_ = static_cast<std::uint16_t>(chosen);
    // The context has the default one.
    return chosen == 0 || UseTlsCredential(ssl, *choice.credentials()[chosen]) ? 1 : 0;
  }

  // Runs when the certificate is chosen, for a client that asks what its authority says of it.
  static int Staple(SSL* ssl, void* /*unused*/) {
    const auto& staples = ServerOf(ssl).plan_->staples;
    const std::size_t chosen = StreamOf(ssl).chosen_;
    if (chosen >= staples.size() || !staples[chosen].IsServed(std::chrono::system_clock::now())) {
      return SSL_TLSEXT_ERR_NOACK;
    }
    const std::string& encoded = staples[chosen].response->encoded();
    void* const copy = OPENSSL_memdup(encoded.data(), encoded.size());
    if (copy == nullptr) return SSL_TLSEXT_ERR_NOACK;
    // The macro around this call has a cast of C. It takes the copy over.
    SSL_ctrl(ssl, SSL_CTRL_SET_TLSEXT_STATUS_REQ_OCSP_RESP, static_cast<long>(encoded.size()), copy);
    return SSL_TLSEXT_ERR_OK;
  }

  // Says to the client that its name was understood, and keeps it with the session.
  static int TakeName(SSL* /*ssl*/, int* /*alert*/, void* /*unused*/) { return SSL_TLSEXT_ERR_OK; }

  // RFC 7301 section 3.2: a client that speaks nothing of ours is told so.
  static int ChooseProtocol(SSL* ssl, const unsigned char** chosen, unsigned char* chosen_size,
                            const unsigned char* offered, unsigned offered_size, void* /*unused*/) {
    const std::string& own = ServerOf(ssl).alpn_;
    unsigned char* found = nullptr;
    const int outcome = SSL_select_next_proto(&found, chosen_size, reinterpret_cast<const unsigned char*>(own.data()),
                                              static_cast<unsigned>(own.size()), offered, offered_size);
    *chosen = found;
    return outcome == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
  }

  static int UseTicketKey(SSL* ssl, unsigned char* name, unsigned char* iv, EVP_CIPHER_CTX* cipher, EVP_MAC_CTX* mac,
                          int encrypts) {
    TlsServer& server = ServerOf(ssl);
    server.ticket_keys_.Refresh();
    const TlsTicketKeySet& keys = *server.ticket_keys_.value();
    const TlsTicketKey* key = &keys.front();
    if (encrypts == 1) {
      std::memcpy(name, key->name.data(), key->name.size());
      if (RAND_bytes(iv, EVP_CIPHER_get_iv_length(server.algorithms_->cipher)) != 1) return -1;
    } else {
      const auto found = std::ranges::find_if(
          keys, [name](const TlsTicketKey& one) { return std::memcmp(name, one.name.data(), one.name.size()) == 0; });
      if (found == keys.end()) return 0;  // a full handshake
      key = &*found;
    }
    char digest[] = "SHA256";
    const OSSL_PARAM params[] = {
        OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, const_cast<std::uint8_t*>(key->mac_key.data()),
                                          key->mac_key.size()),
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0), OSSL_PARAM_construct_end()};
    const bool ready =
        EVP_CipherInit_ex(cipher, server.algorithms_->cipher, nullptr, key->cipher_key.data(), iv, encrypts) == 1 &&
        EVP_MAC_CTX_set_params(mac, params) == 1;
    if (!ready) return -1;
    // 2: a ticket is given anew: for one that an old key made, and in TLS 1.3, where clients use each of them once (RFC
    // 8446 appendix C.4).
    const bool renews = key != &keys.front() || SSL_version(ssl) == TLS1_3_VERSION;
    return encrypts == 0 && renews ? 2 : 1;
  }

  static int KeepSession(SSL* ssl, SSL_SESSION* session) {
    // What resumes by tickets needs no place here.
    unsigned id_size = 0;
    const unsigned char* const id = SSL_SESSION_get_id(session, &id_size);
    if (SSL_version(ssl) == TLS1_3_VERSION || id_size == 0 || SSL_SESSION_has_ticket(session) == 1) return 0;
    const int size = i2d_SSL_SESSION(session, nullptr);
    if (size <= 0) return 0;
    std::string encoded(static_cast<std::size_t>(size), '\0');
    auto* out = reinterpret_cast<unsigned char*>(encoded.data());
    i2d_SSL_SESSION(session, &out);
    ServerOf(ssl).session_cache_->Put(ViewOf(id, id_size), std::move(encoded));
    return 0;  // the session itself is not held
  }

  static SSL_SESSION* FindSession(SSL* ssl, const unsigned char* id, int size, int* copies) {
    *copies = 0;
    const auto encoded = ServerOf(ssl).session_cache_->Find(ViewOf(id, static_cast<std::size_t>(size)));
    if (!encoded) return nullptr;
    const auto* in = reinterpret_cast<const unsigned char*>(encoded->data());
    return d2i_SSL_SESSION(nullptr, &in, static_cast<long>(encoded->size()));
  }

  static int JudgeChain(X509_STORE_CTX* chain, void* /*unused*/) {
    SSL& ssl = *static_cast<SSL*>(X509_STORE_CTX_get_ex_data(chain, SSL_get_ex_data_X509_STORE_CTX_idx()));
    TlsStream& stream = StreamOf(&ssl);
    const TlsServerPlan& plan = ServerOf(&ssl).plan();
    X509& certificate = *X509_STORE_CTX_get0_cert(chain);
    stream.client_certificate_ = std::make_shared<TlsClientCertificate>(Describe(certificate));
    const ClientCertificateFault fault = Judge(*chain, *plan.client_authentication, *plan.policy);
    stream.failure_.certificate_fault = fault;
    if (fault != ClientCertificateFault::kNone) return 0;
    AllowCurve(ssl, certificate);
    if (plan.client_authentication->mode == TlsClientAuthentication::Mode::kVerify) {
      stream.client_certificate_->leaf = UrlEncodedPem(certificate);
      return 1;
    }
    const STACK_OF(X509)* const sent = X509_STORE_CTX_get0_untrusted(chain);
    for (int i = 0; i < sk_X509_num(sent); ++i) {
      stream.client_certificate_->chain += UrlEncodedPem(*sk_X509_value(sent, i));
    }
    return 1;
  }
};

std::shared_ptr<TlsServer> TlsServer::Make(std::shared_ptr<const TlsServerPlan> plan, const TlsSharedState& shared) {
  return std::shared_ptr<TlsServer>(new TlsServer(std::move(plan), shared));
}

TlsServer::TlsServer(std::shared_ptr<const TlsServerPlan> plan, const TlsSharedState& shared)
    : TlsSide(OwnedSslSettings(SSL_CTX_new(TLS_server_method()))),
      plan_(std::move(plan)),
      ticket_keys_(shared.ticket_keys->published()),
      session_cache_(shared.session_cache),
      algorithms_(std::make_unique<Algorithms>()) {
  SSL_CTX* const context = this->context();
  WEIR_CHECK(algorithms_->cipher != nullptr);
  SSL_CTX_set_options(context, SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_NO_RENEGOTIATION);
  SetTlsPolicy(context, *plan_->policy);
  const auto& credentials = plan_->choice->credentials();
  WEIR_CHECK(UseTlsCredential(context, *credentials.front()));
  if (credentials.size() > 1) SSL_CTX_set_cert_cb(context, Callbacks::ChooseCertificate, nullptr);
  // The macro around this call has a cast of C.
  SSL_CTX_callback_ctrl(context, SSL_CTRL_SET_TLSEXT_SERVERNAME_CB, reinterpret_cast<void (*)()>(Callbacks::TakeName));
  if (!plan_->staples.empty()) {
    SSL_CTX_callback_ctrl(context, SSL_CTRL_SET_TLSEXT_STATUS_REQ_CB, reinterpret_cast<void (*)()>(Callbacks::Staple));
  }
  for (const std::string& name : plan_->alpn) (alpn_ += static_cast<char>(name.size())) += name;
  if (!alpn_.empty()) SSL_CTX_set_alpn_select_cb(context, Callbacks::ChooseProtocol, nullptr);
  SetResumption();
  if (plan_->client_authentication) AskForCertificates(*context, *plan_->client_authentication, Callbacks::JudgeChain);
  ERR_clear_error();
}

TlsServer::~TlsServer() = default;

void TlsServer::SetResumption() {
  SSL_CTX* const context = this->context();
  const std::string scope = plan_->session_scope + '\n' + std::string(plan_->policy->name);
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  EVP_Digest(scope.data(), scope.size(), digest.data(), &size, EVP_sha256(), nullptr);
  SSL_CTX_set_session_id_context(context, digest.data(), std::min(size, unsigned{SSL_MAX_SID_CTX_LENGTH}));
  SSL_CTX_set_timeout(context, std::chrono::seconds(TlsTicketKeys::kTicketLifetime).count());
  // Clients take one, and a second one costs as much as a tenth of the handshake.
  SSL_CTX_set_num_tickets(context, 1);
  SSL_CTX_set_tlsext_ticket_key_evp_cb(context, Callbacks::UseTicketKey);
  SSL_CTX_set_session_cache_mode(context,
                                 SSL_SESS_CACHE_SERVER | SSL_SESS_CACHE_NO_INTERNAL | SSL_SESS_CACHE_NO_AUTO_CLEAR);
  SSL_CTX_sess_set_new_cb(context, Callbacks::KeepSession);
  SSL_CTX_sess_set_get_cb(context, Callbacks::FindSession);
}

void TlsServer::NoteFacts(const TlsStream& stream, SSL* ssl, TlsFacts& facts) const {
  if (const char* const name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name); name != nullptr) {
    facts.server_name = ToLowerAscii(name);
    facts.is_name_matched = plan_->choice->Matches(name);
  }
  if (!facts.is_resumed) facts.certificate_id = plan_->choice->credentials()[stream.chosen_]->facts().id;
  facts.alpn = TlsStream::AgreedProtocol(ssl, plan_->alpn);
}

std::unique_ptr<TlsStream> TlsServer::Accept(std::unique_ptr<Stream> transport, StreamEvents& events) {
  OwnedSsl ssl(SSL_new(context()));
  WEIR_CHECK(ssl != nullptr);
  SSL_set_accept_state(ssl.get());
  return std::unique_ptr<TlsStream>(new TlsStream(shared_from_this(), std::move(ssl), std::move(transport), events));
}

}  // namespace weir::net
