#include "net/tls_trust_store.h"

#include "base/file.h"
#include "net/pem_file.h"
#include "net/tls_client_certificate.h"

#include <openssl/asn1.h>
#include <openssl/err.h>
#include <openssl/objects.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <cstdint>
#include <string_view>
#include <utility>

namespace weir::net {
namespace {

// As much as a program of this kind can be expected to read; AWS's own limits are objections.
constexpr std::size_t kBundleBytesMax = 16 * 1024 * 1024;
constexpr std::size_t kRevocationBytesMax = 256 * 1024 * 1024;
// spec: alb.md 18.3.
constexpr std::size_t kAwsAuthoritiesMax = 25;
constexpr std::size_t kAwsAuthorityBytesMax = 16 * 1024;
constexpr std::size_t kAwsEntriesMax = 500'000;
constexpr std::size_t kAwsRevocationBytesMax = 50 * 1024 * 1024;

bool SameName(const X509_NAME* left, const X509_NAME* right) { return X509_NAME_cmp(left, right) == 0; }

std::string Numbered(std::size_t index, const std::string& path) {
  return "certificate " + std::to_string(index + 1) + " of " + path;
}

std::string UnsupportedSignature(const X509_CRL& list) {
  const int algorithm = X509_CRL_get_signature_nid(&list);
  int digest = NID_undef;
  int key = NID_undef;
  OBJ_find_sigid_algs(algorithm, &digest, &key);
  // The hash of RSASSA-PSS is in its parameters.
  if (algorithm == NID_rsassaPss || digest == NID_sha256 || digest == NID_sha384 || digest == NID_sha512) return {};
  const char* const name = OBJ_nid2ln(algorithm);
  return name == nullptr ? "an unknown algorithm" : name;
}

// Extensions that change what a list means; empty when it has none of which nothing is known.
std::string UnknownExtension(const X509_CRL& list) {
  for (int at = -1; (at = X509_CRL_get_ext_by_critical(&list, 1, at)) >= 0;) {
    const int kind = OBJ_obj2nid(X509_EXTENSION_get_object(X509_CRL_get_ext(&list, at)));
    if (kind == NID_issuing_distribution_point || kind == NID_authority_key_identifier) continue;
    const char* const name = kind == NID_undef ? nullptr : OBJ_nid2ln(kind);
    return name == nullptr ? "of an unknown kind" : name;
  }
  return {};
}

// The rules of AWS's user guide for bundles; empty when they are kept.
std::string ObjectionToText(std::string_view text) {
  bool inside = false;
  std::size_t number = 0;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    ++number;
    if (line.ends_with('\r')) line.remove_suffix(1);
    const std::string where = "line " + std::to_string(number);
    if (line == "-----BEGIN CERTIFICATE-----") {
      inside = true;
    } else if (line == "-----END CERTIFICATE-----") {
      inside = false;
    } else if (line.find_first_not_of(" \t") == std::string_view::npos) {
      return "a blank line, " + where;
    } else if (!inside && !line.starts_with('#')) {
      return "text outside of certificates, " + where;
    } else if (!inside && line.find('-') != std::string_view::npos) {
      return "a comment with a hyphen, " + where;
    }
  }
  return {};
}

}  // namespace

TlsTrustStore::~TlsTrustStore() = default;

std::expected<std::shared_ptr<const TlsTrustStore>, TlsTrustStoreFinding> TlsTrustStore::Load(const Files& files) {
  const std::shared_ptr<TlsTrustStore> store(new TlsTrustStore);
  auto failure = store->ReadBundle(files.bundle);
  for (std::size_t i = 0; i < files.revocations.size() && !failure; ++i) {
    failure = store->ReadRevocations(files.revocations[i], i);
  }
  ERR_clear_error();
  if (failure) return std::unexpected(std::move(*failure));
  store->LeaveOutRevoked();
  return store;
}

std::optional<TlsTrustStoreFinding> TlsTrustStore::ReadBundle(const std::string& path) {
  const auto fail = [](std::string message, std::string hint) {
    return TlsTrustStoreFinding{.revocation = {}, .error = {std::move(message), std::move(hint)}};
  };
  bundle_ = path;
  const auto text = ReadFileUpTo(path, kBundleBytesMax, "certificates of authorities");
  if (!text) return fail(text.error().message, text.error().hint);
  auto certificates = ParseCertificates(*text, path);
  if (!certificates) return fail(certificates.error().message, certificates.error().hint);
  for (std::size_t i = 0; i < certificates->size(); ++i) {
    X509& certificate = *(*certificates)[i];
    // 1: basicConstraints says so. What else OpenSSL takes for one are certificates from before version 3.
    if (X509_check_ca(&certificate) != 1) {
      return fail(Numbered(i, path) + " is not that of an authority: " + FactsOf(certificate).subject,
                  "certificates with CA:TRUE; that of a client does not belong here");
    }
    if (const std::string kind = UnsupportedKind(certificate); !kind.empty()) {
      return fail(
          Numbered(i, path) + " cannot be used: it has " + kind,
          "RSA of 2048 to 8192 bits or ECDSA on P-256, P-384 or P-521, signed with SHA-256, SHA-384 or SHA-512");
    }
    const int bytes = i2d_X509(&certificate, nullptr);
    if (bytes > static_cast<int>(kAwsAuthorityBytesMax)) {
      aws_objections_.push_back(fail(Numbered(i, path) + " has " + std::to_string(bytes) + " bytes", "at most 16 KB"));
    }
    if (std::ranges::any_of(authorities_,
                            [&](const OwnedX509& known) { return X509_cmp(known.get(), &certificate) == 0; })) {
      continue;
    }
    subject_bytes_ += static_cast<std::size_t>(i2d_X509_NAME(X509_get_subject_name(&certificate), nullptr));
    facts_.push_back(FactsOf(certificate));
    authorities_.push_back(std::move((*certificates)[i]));
  }
  if (certificates->size() > kAwsAuthoritiesMax) {
    aws_objections_.push_back(fail(std::to_string(certificates->size()) + " certificates in " + path,
                                   "at most " + std::to_string(kAwsAuthoritiesMax)));
  }
  if (const std::string objection = ObjectionToText(*text); !objection.empty()) {
    aws_objections_.push_back(fail(path + " has " + objection, "certificates, and comments that begin with #"));
  }
  return std::nullopt;
}

std::optional<TlsTrustStoreFinding> TlsTrustStore::ReadRevocations(const std::string& path, std::size_t file) {
  const auto fail = [file](std::string message, std::string hint) {
    return TlsTrustStoreFinding{.revocation = file, .error = {std::move(message), std::move(hint)}};
  };
  const auto text = ReadFileUpTo(path, kRevocationBytesMax, "a revocation list");
  if (!text) return fail(text.error().message, text.error().hint);
  const OwnedBio memory = MemoryOf(*text);
  const std::size_t first = lists_.size();
  ERR_clear_error();
  while (OwnedCrl list{PEM_read_bio_X509_CRL(memory.get(), nullptr, nullptr, nullptr)}) {
    lists_.push_back(std::move(list));
  }
  const bool at_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
  const std::string reason = TakeOpensslReason();
  if (!at_end) return fail(path + " has a revocation list that cannot be read: " + reason, {});
  if (lists_.size() == first) {
    return fail(path + " has no revocation list in PEM form", "a file that begins with -----BEGIN X509 CRL-----");
  }
  std::size_t entries = 0;
  for (std::size_t i = first; i < lists_.size(); ++i) {
    X509_CRL& list = *lists_[i];
    if (auto error = CheckList(list, path)) return TlsTrustStoreFinding{.revocation = file, .error = std::move(*error)};
    STACK_OF(X509_REVOKED)* const revoked = X509_CRL_get_REVOKED(&list);
    const auto count = static_cast<std::size_t>(std::max(sk_X509_REVOKED_num(revoked), 0));
    for (int at = 0; at < sk_X509_REVOKED_num(revoked); ++at) {
      const ASN1_INTEGER* const serial = X509_REVOKED_get0_serialNumber(sk_X509_REVOKED_value(revoked, at));
      if (ASN1_STRING_type(serial) != V_ASN1_NEG_INTEGER) continue;
      unobeyed_.push_back(fail(path + " revokes the serial number " + SerialText(*serial),
                               "AWS does not revoke negative ones; this appliance does"));
      break;
    }
    NoteList(list, path, file, count);
    entries += count;
    // The first look-up sorts the list: better here than in a worker.
    X509_REVOKED* found = nullptr;
    X509_CRL_get0_by_serial(&list, &found, X509_get0_serialNumber(authorities_.front().get()));
  }
  if (entries > kAwsEntriesMax) {
    aws_objections_.push_back(fail(path + " has " + std::to_string(entries) + " entries", "at most 500,000"));
  }
  if (text->size() > kAwsRevocationBytesMax) {
    aws_objections_.push_back(fail(path + " has " + std::to_string(text->size()) + " bytes", "at most 50 MB"));
  }
  return std::nullopt;
}

void TlsTrustStore::NoteList(const X509_crl_st& list, const std::string& path, std::size_t file, std::size_t entries) {
  const ASN1_TIME* const next = X509_CRL_get0_nextUpdate(&list);
  Revocations noted{.file_index = file,
                    .file = path,
                    .issuer = NameText(*X509_CRL_get_issuer(&list)),
                    .entries = entries,
                    .next_update = next == nullptr ? std::nullopt : std::optional(TimeOf(*next))};
  const auto same = std::ranges::find_if(revocation_facts_, [&noted](const Revocations& each) {
    return each.file_index == noted.file_index && each.issuer == noted.issuer;
  });
  if (same == revocation_facts_.end()) {
    revocation_facts_.push_back(std::move(noted));
    return;
  }
  same->entries += noted.entries;
  if (!same->next_update || (noted.next_update && *noted.next_update < *same->next_update)) {
    same->next_update = noted.next_update;
  }
}

std::optional<Error> TlsTrustStore::CheckList(X509_crl_st& list, const std::string& path) const {
  const X509_NAME* const issuer = X509_CRL_get_issuer(&list);
  bool is_known = false;
  X509* signer = nullptr;
  for (const OwnedX509& authority : authorities_) {
    if (!SameName(X509_get_subject_name(authority.get()), issuer)) continue;
    is_known = true;
    if (X509_CRL_verify(&list, X509_get0_pubkey(authority.get())) == 1) signer = authority.get();
  }
  if (!is_known) {
    return Error{"the issuer of the revocation list " + path + ", " + NameText(*issuer) + ", is not in " + bundle_,
                 "a list of an authority of the bundle"};
  }
  if (signer == nullptr) {
    return Error{"the revocation list " + path + " is not signed by " + NameText(*issuer) + " of " + bundle_,
                 "the list as that authority publishes it"};
  }
  if ((X509_get_key_usage(signer) & KU_CRL_SIGN) == 0) {
    return Error{"the revocation list " + path + " is signed by " + NameText(*issuer) + ", which may not sign lists",
                 "an authority whose key usage has cRLSign, or none"};
  }
  if (const std::string algorithm = UnsupportedSignature(list); !algorithm.empty()) {
    return Error{"the revocation list " + path + " is signed by " + algorithm, "SHA-256, SHA-384 or SHA-512"};
  }
  if (X509_CRL_get_ext_by_NID(&list, NID_delta_crl, -1) >= 0) {
    return Error{"the revocation list " + path + " is a delta of another", "a complete list"};
  }
  if (const std::string extension = UnknownExtension(list); !extension.empty()) {
    return Error{"the revocation list " + path + " has a critical extension " + extension, "a list without it"};
  }
  return std::nullopt;
}

void TlsTrustStore::LeaveOutRevoked() {
  for (std::size_t i = 0; i < authorities_.size();) {
    X509* const authority = authorities_[i].get();
    const bool is_revoked = std::ranges::any_of(lists_, [authority](const OwnedCrl& list) {
      X509_REVOKED* found = nullptr;
      return SameName(X509_CRL_get_issuer(list.get()), X509_get_issuer_name(authority)) &&
             X509_CRL_get0_by_cert(list.get(), &found, authority) == 1;
    });
    if (!is_revoked) {
      ++i;
      continue;
    }
    revoked_.push_back(facts_[i].subject);
    authorities_.erase(authorities_.begin() + static_cast<std::ptrdiff_t>(i));
    facts_.erase(facts_.begin() + static_cast<std::ptrdiff_t>(i));
  }
}

std::vector<TlsTrustStoreFinding> TlsTrustStore::Doubts(WallTime now) const {
  std::vector<TlsTrustStoreFinding> out = unobeyed_;
  const auto doubt = [&out](std::optional<std::size_t> revocation, std::string message, std::string hint = {}) {
    out.push_back({.revocation = revocation, .error = {std::move(message), std::move(hint)}});
  };
  for (const std::string& subject : revoked_) {
    doubt({}, subject + " of " + bundle_ + " is revoked by a list of this trust store", "it is not trusted");
  }
  for (const TlsCertificateFacts& authority : facts_) {
    if (authority.expired(now)) {
      doubt({}, authority.subject + " of " + bundle_ + " expired at " + FormatCertificateTime(authority.not_after),
            "its certificates are refused");
    } else if (!authority.valid(now)) {
      doubt(
          {},
          authority.subject + " of " + bundle_ + " is not valid before " + FormatCertificateTime(authority.not_before),
          "its certificates are refused");
    }
  }
  for (const Revocations& list : revocation_facts_) {
    if (!list.next_update || now <= *list.next_update) continue;
    doubt(list.file_index,
          "a newer revocation list than " + list.file + " was due at " + FormatCertificateTime(*list.next_update),
          "what it revokes stays revoked");
  }
  return out;
}

OwnedX509Store TlsTrustStore::MakeStore() const {
  OwnedX509Store store(X509_STORE_new());
  for (const OwnedX509& authority : authorities_) X509_STORE_add_cert(store.get(), authority.get());
  for (const OwnedCrl& list : lists_) X509_STORE_add_crl(store.get(), list.get());
  ERR_clear_error();
  return store;
}

bool TlsTrustStore::HasRevocationsOf(const X509_name_st& issuer) const {
  return std::ranges::any_of(
      lists_, [&issuer](const OwnedCrl& list) { return SameName(X509_CRL_get_issuer(list.get()), &issuer); });
}

}  // namespace weir::net
