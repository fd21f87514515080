#include "proxy/tls/credential_store.h"

#include "config/secret_text.h"

#include <expected>
#include <utility>

namespace weir::proxy {
namespace {

using Part = net::TlsCredentialFailure::Part;

std::expected<std::string, net::TlsCredentialFailure> TextOf(const config::Secret& secret) {
  auto text = config::ReadSecret(secret, "a passphrase");
  if (!text) return std::unexpected(net::TlsCredentialFailure{.part = Part::kPassphrase, .error = text.error()});
  return std::move(*text);
}

config::Position PlaceOf(const config::CertificateFiles& certificate, net::TlsCredentialFailure::Part part) {
  using enum net::TlsCredentialFailure::Part;
  if (part == kPassphrase && certificate.passphrase) return certificate.passphrase->position;
  return part == kCertificate ? certificate.certificate.position : certificate.key.position;
}

}  // namespace

TlsCredentialStore::Loaded TlsCredentialStore::Load(const config::CertificateFiles& wanted) {
  const config::Secret passphrase = wanted.passphrase.value_or(config::Secret{});
  std::string key;
  for (const std::string* part : {&wanted.certificate.text, &wanted.key.text, &passphrase.text, &passphrase.file}) {
    key += *part;
    key += '\0';
  }
  Entry& entry = entries_[key];
  // Taken before reading: a file that changes meanwhile is read again the next time.
  const std::array<FileStamp, 3> stamps = {StampOf(wanted.certificate.text), StampOf(wanted.key.text),
                                           StampOf(passphrase.file)};
  if (entry.credential != nullptr && entry.stamps == stamps) return {.credential = entry.credential, .failure = {}};
  auto text = TextOf(passphrase);
  if (!text) return {.credential = entry.credential, .failure = text.error()};
  auto loaded = net::TlsCredential::Load(
      {.certificate = wanted.certificate.text, .key = wanted.key.text, .passphrase = std::move(*text)});
  if (!loaded) return {.credential = entry.credential, .failure = loaded.error()};
  entry.stamps = stamps;
  entry.credential = std::move(*loaded);
  return {.credential = entry.credential, .failure = {}};
}

TlsCredentialStore::LoadedResponse TlsCredentialStore::LoadResponse(const std::string& path) {
  ResponseEntry& entry = responses_[path];
  const FileStamp stamp = StampOf(path);
  if (entry.response != nullptr && entry.stamp == stamp) return {.response = entry.response, .failure = {}};
  auto loaded = net::TlsOcspResponse::Load(path);
  if (!loaded) return {.response = entry.response, .failure = loaded.error()};
  entry = {.stamp = stamp, .response = std::move(*loaded)};
  return {.response = entry.response, .failure = {}};
}

TlsCredentialStore::LoadedAuthorities TlsCredentialStore::LoadAuthorities(const std::string& path) {
  AuthoritiesEntry& entry = authorities_[path];
  const FileStamp stamp = StampOf(path);
  if (entry.authorities != nullptr && entry.stamp == stamp) return {.authorities = entry.authorities, .failure = {}};
  auto loaded = path.empty() ? net::TlsAuthorities::OfSystem() : net::TlsAuthorities::Load(path);
  if (!loaded) return {.authorities = entry.authorities, .failure = loaded.error()};
  entry = {.stamp = stamp, .authorities = std::move(*loaded)};
  return {.authorities = entry.authorities, .failure = {}};
}

void AddFinding(std::vector<config::Diagnostic>& findings, config::Severity severity, config::Position position,
                const Error& error) {
  findings.push_back(
      {.severity = severity, .position = position, .path = {}, .message = error.message, .hint = error.hint});
}

std::shared_ptr<const net::TlsAuthorities> LoadAuthorities(const config::LocatedText& ca_bundle,
                                                           config::Position position, TlsCredentialStore& credentials,
                                                           std::vector<config::Diagnostic>& findings) {
  auto loaded = credentials.LoadAuthorities(ca_bundle.text);
  if (loaded.failure) {
    Error error = *loaded.failure;
    const bool serves = loaded.authorities != nullptr;
    if (serves) error.message += "; the authorities that were loaded before are trusted on";
    AddFinding(findings, serves ? config::Severity::kWarning : config::Severity::kError,
               ca_bundle.text.empty() ? position : ca_bundle.position, error);
  }
  return loaded.authorities;
}

std::shared_ptr<const net::TlsCredential> LoadCredential(const config::CertificateFiles& wanted,
                                                         TlsCredentialStore& credentials, WallTime now,
                                                         std::vector<config::Diagnostic>& findings) {
  // Paths that could not be read were reported.
  if (wanted.certificate.text.empty() || wanted.key.text.empty()) return nullptr;
  auto loaded = credentials.Load(wanted);
  if (loaded.failure) {
    Error error = loaded.failure->error;
    const bool serves = loaded.credential != nullptr;
    if (serves) error.message += "; the certificate that was loaded before serves on";
    AddFinding(findings, serves ? config::Severity::kWarning : config::Severity::kError,
               PlaceOf(wanted, loaded.failure->part), error);
  }
  if (loaded.credential != nullptr) {
    for (const Error& doubt : loaded.credential->Doubts(now)) {
      AddFinding(findings, config::Severity::kWarning, wanted.certificate.position, doubt);
    }
  }
  return loaded.credential;
}

net::TlsStaple LoadStaple(const config::CertificateFiles& wanted, const net::TlsCredential& credential,
                          TlsCredentialStore& credentials, WallTime now, std::vector<config::Diagnostic>& findings) {
  using Standing = net::TlsOcspAnswer::Standing;
  const std::string& path = wanted.ocsp_response.text;
  if (path.empty()) return {};
  const auto warn = [&](std::string message, std::string hint = {}) {
    AddFinding(findings, config::Severity::kWarning, wanted.ocsp_response.position,
               {std::move(message), std::move(hint)});
  };
  auto loaded = credentials.LoadResponse(path);
  if (loaded.failure && loaded.response == nullptr) {
    AddFinding(findings, config::Severity::kError, wanted.ocsp_response.position, *loaded.failure);
    return {};
  }
  if (loaded.failure) warn(loaded.failure->message + "; the response that was loaded before serves on");
  const auto answer = loaded.response->AnswerFor(credential);
  if (!answer) {
    warn(answer.error().message + "; clients get none", answer.error().hint);
    return {};
  }
  if (answer->standing == Standing::kUnknown) {
    warn(path + " says that the authority does not know the certificate; clients get none");
    return {};
  }
  if (answer->standing == Standing::kRevoked) warn(path + " says that the certificate is revoked");
  const net::TlsStaple staple{.response = loaded.response,
                              .valid_from = answer->this_update - net::kOcspClockDifference,
                              .valid_until = answer->next_update.value_or(WallTime::max())};
  if (now > staple.valid_until) {
    warn(path + " is out of date since " + net::FormatCertificateTime(staple.valid_until) + "; clients get none");
  } else if (!staple.IsServed(now)) {
    warn(path + " is for later: it begins at " + net::FormatCertificateTime(answer->this_update) +
         "; clients get none until then");
  }
  return staple;
}

TlsCredentialStore::LoadedTrustStore TlsCredentialStore::Load(const config::TrustStore& wanted) {
  net::TlsTrustStore::Files files{.bundle = wanted.ca_bundle.text, .revocations = {}};
  for (const config::LocatedText& path : wanted.revocations) files.revocations.push_back(path.text);
  std::vector<std::string> key = files.revocations;
  key.insert(key.begin(), files.bundle);
  std::vector<FileStamp> stamps;
  for (const std::string& path : key) stamps.push_back(StampOf(path));
  TrustStoreEntry& entry = trust_stores_[key];
  if (entry.store != nullptr && entry.stamps == stamps) return {.store = entry.store, .failure = {}};
  auto loaded = net::TlsTrustStore::Load(files);
  if (!loaded) return {.store = entry.store, .failure = std::move(loaded.error())};
  entry.stamps = std::move(stamps);
  entry.store = std::move(*loaded);
  return {.store = entry.store, .failure = {}};
}

}  // namespace weir::proxy
