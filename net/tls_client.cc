#include "net/tls_client.h"

#include "base/check.h"
#include "net/tls_settings.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <cerrno>
#include <utility>

namespace weir::net {
namespace {

// The macro behind SSL_set_tlsext_host_name casts away const.
void SendName(SSL* ssl, const std::string& server_name) {
  SSL_ctrl(ssl, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name, const_cast<char*>(server_name.c_str()));
}

// Accepts only certificates for this name or address; false when no certificate can be for it.
bool ExpectName(SSL* ssl, const std::string& server_name, bool is_literal) {
  // OpenSSL takes the empty name for none, and would not look at the certificate's.
  if (server_name.empty()) return false;
  X509_VERIFY_PARAM* const expected = SSL_get0_param(ssl);
  if (is_literal) return X509_VERIFY_PARAM_set1_ip_asc(expected, server_name.c_str()) == 1;
  return X509_VERIFY_PARAM_set1_host(expected, server_name.c_str(), server_name.size()) == 1;
}

void OfferProtocols(SSL_CTX* context, const std::vector<std::string>& names) {
  std::string offered;  // each name behind its length
  for (const std::string& name : names) (offered += static_cast<char>(name.size())) += name;
  const auto* bytes = reinterpret_cast<const unsigned char*>(offered.data());
  // This one function of OpenSSL returns 0 when it worked.
  WEIR_CHECK(offered.empty() || SSL_CTX_set_alpn_protos(context, bytes, static_cast<unsigned>(offered.size())) == 0);
}

}  // namespace

bool operator==(const TlsClientPlan& left, const TlsClientPlan& right) {
  return left.policy == right.policy && left.authorities == right.authorities &&
         left.server_name == right.server_name && left.credential == right.credential && left.alpn == right.alpn;
}

struct TlsClient::Callbacks {
  // OpenSSL gives its reference away when the answer is 1.
  static int KeepSession(SSL* ssl, SSL_SESSION* session) {
    TlsClientSessions* const sessions = TlsStream::Of(ssl).sessions_;
    if (sessions == nullptr || SSL_SESSION_is_resumable(session) != 1) return 0;
    sessions->Put(OwnedSslSession(session));
    return 1;
  }
};

TlsClient::TlsClient(std::shared_ptr<const TlsClientPlan> plan)
    : TlsSide(OwnedSslSettings(SSL_CTX_new(TLS_client_method()))), plan_(std::move(plan)) {
  SSL_CTX* const context = this->context();
  if (plan_->policy != nullptr) {
    // Which keys the servers have is not for the policies of listeners to say.
    SetTlsPolicy(context, *plan_->policy, ":ed25519:ed448");
  } else {
    SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  }
  if (plan_->authorities != nullptr) {
    // A certificate that proves something must not be one that anybody can make.
    if (SSL_CTX_get_security_level(context) < 1) SSL_CTX_set_security_level(context, 1);
    SSL_CTX_set1_cert_store(context, plan_->authorities->store());
  } else if (plan_->policy != nullptr) {
    SSL_CTX_set_options(context, SSL_OP_LEGACY_SERVER_CONNECT);
  }
  SSL_CTX_set_verify(context, plan_->authorities != nullptr ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, nullptr);
  if (plan_->credential != nullptr) WEIR_CHECK(UseTlsCredential(context, *plan_->credential));
  OfferProtocols(context, plan_->alpn);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
  SSL_CTX_sess_set_new_cb(context, Callbacks::KeepSession);
  ERR_clear_error();
}

TlsClient::~TlsClient() = default;

std::shared_ptr<TlsClient> TlsClient::Make(std::shared_ptr<const TlsClientPlan> plan) {
  return std::shared_ptr<TlsClient>(new TlsClient(std::move(plan)));
}

std::shared_ptr<TlsClient> TlsClient::ForProbes(std::vector<std::string> alpn) {
  auto plan = std::make_shared<TlsClientPlan>();
  plan->alpn = std::move(alpn);
  auto client = Make(std::move(plan));
  client->TakeAnything();
  return client;
}

// Old targets are probed too: whether they are safe to use is not what a probe asks.
void TlsClient::TakeAnything() {
  SSL_CTX_set_min_proto_version(context(), TLS1_VERSION);
  SSL_CTX_set_security_level(context(), 0);
  SSL_CTX_set_options(context(), SSL_OP_LEGACY_SERVER_CONNECT);
  sends_literals_ = true;  // what was configured
}

Result<std::shared_ptr<TlsClient>> TlsClient::Build(const TlsClientSettings& settings) {
  auto plan = std::make_shared<TlsClientPlan>();
  plan->alpn = settings.alpn;
  if (settings.verifies || !settings.ca_file.empty()) {
    auto authorities = settings.ca_file.empty() ? TlsAuthorities::OfSystem() : TlsAuthorities::Load(settings.ca_file);
    if (!authorities) return std::unexpected(authorities.error());
    if (settings.verifies) plan->authorities = std::move(*authorities);
  }
  return Make(std::move(plan));
}

// Null when certificates are verified and none can be for the name.
OwnedSsl TlsClient::NewConnection(const std::string& server_name) const {
  OwnedSsl ssl(SSL_new(context()));
  WEIR_CHECK(ssl != nullptr);
  SSL_set_connect_state(ssl.get());
  std::string name = server_name;
  if (name.ends_with('.')) name.pop_back();
  const bool is_literal = IpAddress::Parse(name).has_value();
  if (plan_->authorities != nullptr && !ExpectName(ssl.get(), name, is_literal)) {
    ERR_clear_error();
    return nullptr;
  }
  if (!name.empty() && (!is_literal || sends_literals_)) SendName(ssl.get(), name);
  return ssl;
}

std::unique_ptr<TlsStream> TlsClient::Connect(EventLoop& loop, const Endpoint& peer, const std::string& server_name,
                                              StreamEvents& events, int& error) {
  OwnedSsl ssl = NewConnection(server_name);
  if (ssl == nullptr) {
    error = EINVAL;
    return nullptr;
  }
  std::unique_ptr<TlsStream> stream(new TlsStream(shared_from_this(), std::move(ssl), nullptr, events));
  stream->transport_ = TcpStream::Connect(loop, peer, *stream, error);
  if (stream->transport_ == nullptr) return nullptr;
  return stream;
}

std::unique_ptr<TlsStream> TlsClient::Secure(std::unique_ptr<Stream> transport, const std::string& server_name,
                                             TlsClientSessions& sessions, StreamEvents& events) {
  OwnedSsl ssl = NewConnection(server_name);
  WEIR_CHECK(ssl != nullptr);
  if (const OwnedSslSession known = sessions.Take(); known != nullptr) SSL_set_session(ssl.get(), known.get());
  std::unique_ptr<TlsStream> stream(new TlsStream(shared_from_this(), std::move(ssl), std::move(transport), events));
  stream->sessions_ = &sessions;
  return stream;
}

std::unique_ptr<TlsStream> TlsClient::SecureAlone(std::unique_ptr<Stream> transport, const std::string& server_name,
                                                  StreamEvents& events) {
  OwnedSsl ssl = NewConnection(server_name);
  if (ssl == nullptr) return nullptr;
  return std::unique_ptr<TlsStream>(new TlsStream(shared_from_this(), std::move(ssl), std::move(transport), events));
}

std::string TlsClient::NameFor(std::string_view host, const IpAddress& address) const {
  if (!plan_->server_name.empty()) return plan_->server_name;
  return host.empty() ? address.WithZone(0).ToString() : std::string(host);
}

void TlsClient::NoteFacts(const TlsStream& /*stream*/, SSL* ssl, TlsFacts& facts) const {
  facts.alpn = TlsStream::AgreedProtocol(ssl, plan_->alpn);
}

std::shared_ptr<TlsClient> TlsClients::For(const std::shared_ptr<const TlsClientPlan>& plan) {
  if (plan == nullptr) return nullptr;
  const auto found = std::ranges::find_if(clients_, [&](const auto& client) { return client->plan() == *plan; });
  if (found != clients_.end()) return *found;
  return clients_.emplace_back(TlsClient::Make(plan));
}

void TlsClients::ForgetUnused() {
  std::erase_if(clients_, [](const auto& client) { return client.use_count() == 1; });
}

}  // namespace weir::net
