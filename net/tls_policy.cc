#include "net/tls_policy.h"

#include "base/check.h"
#include "net/openssl_parts.h"

#include <openssl/err.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <iterator>
#include <string>
#include <utility>

namespace weir::net {
namespace {

// A policy takes families of suites, and ciphers within them.
enum Family : unsigned {
  kTls13 = 1U << 0U,
  kEcdheGcm = 1U << 1U,
  kEcdheSha2 = 1U << 2U,
  kEcdheSha1 = 1U << 3U,
  kRsaGcm = 1U << 4U,
  kRsaSha2 = 1U << 5U,
  kRsaSha1 = 1U << 6U,
};
enum Cipher : unsigned { kAes128 = 1, kAes256 = 2, kChacha20 = 4 };

struct KnownSuite {
  TlsSuite suite;
  Family family;
  Cipher cipher;
};

// In the order of the 2016-08 list, behind those of TLS 1.3.
constexpr KnownSuite kSuites[] = {
    {{0x1301, "TLS_AES_128_GCM_SHA256"}, kTls13, kAes128},
    {{0x1302, "TLS_AES_256_GCM_SHA384"}, kTls13, kAes256},
    {{0x1303, "TLS_CHACHA20_POLY1305_SHA256"}, kTls13, kChacha20},
    {{0xc02b, "ECDHE-ECDSA-AES128-GCM-SHA256"}, kEcdheGcm, kAes128},
    {{0xc02f, "ECDHE-RSA-AES128-GCM-SHA256"}, kEcdheGcm, kAes128},
    {{0xc023, "ECDHE-ECDSA-AES128-SHA256"}, kEcdheSha2, kAes128},
    {{0xc027, "ECDHE-RSA-AES128-SHA256"}, kEcdheSha2, kAes128},
    {{0xc009, "ECDHE-ECDSA-AES128-SHA"}, kEcdheSha1, kAes128},
    {{0xc013, "ECDHE-RSA-AES128-SHA"}, kEcdheSha1, kAes128},
    {{0xc02c, "ECDHE-ECDSA-AES256-GCM-SHA384"}, kEcdheGcm, kAes256},
    {{0xc030, "ECDHE-RSA-AES256-GCM-SHA384"}, kEcdheGcm, kAes256},
    {{0xc024, "ECDHE-ECDSA-AES256-SHA384"}, kEcdheSha2, kAes256},
    {{0xc028, "ECDHE-RSA-AES256-SHA384"}, kEcdheSha2, kAes256},
    {{0xc00a, "ECDHE-ECDSA-AES256-SHA"}, kEcdheSha1, kAes256},
    {{0xc014, "ECDHE-RSA-AES256-SHA"}, kEcdheSha1, kAes256},
    {{0x009c, "AES128-GCM-SHA256"}, kRsaGcm, kAes128},
    {{0x003c, "AES128-SHA256"}, kRsaSha2, kAes128},
    {{0x002f, "AES128-SHA"}, kRsaSha1, kAes128},
    {{0x009d, "AES256-GCM-SHA384"}, kRsaGcm, kAes256},
    {{0x003d, "AES256-SHA256"}, kRsaSha2, kAes256},
    {{0x0035, "AES256-SHA"}, kRsaSha1, kAes256},
};
static_assert(std::size(kSuites) == kTlsSuiteCount);

constexpr std::size_t IndexOf(std::uint16_t id) {
  std::size_t index = 0;
  while (kSuites[index].suite.id != id) ++index;
  return index;
}
// Lists of FIPS and FS policies have this pair the other way round.
constexpr std::size_t kEcdsaAes256Sha = IndexOf(0xc00a);
constexpr std::size_t kRsaAes256Sha = IndexOf(0xc014);

// AWS names the groups of the post-quantum policies and no others: the rest is what the names promise
// (docs/decisions.md).
using Groups = std::span<const std::string_view>;
constexpr std::string_view kGroups[] = {"x25519", "secp256r1", "secp384r1"};
constexpr std::string_view kPostQuantumGroups[] = {"X25519MLKEM768", "SecP256r1MLKEM768", "SecP384r1MLKEM1024",
                                                   "x25519",         "secp256r1",         "secp384r1"};
constexpr std::string_view kFipsGroups[] = {"secp256r1", "secp384r1"};
constexpr std::string_view kFipsPostQuantumGroups[] = {"SecP256r1MLKEM768", "SecP384r1MLKEM1024", "X25519MLKEM768",
                                                       "secp256r1", "secp384r1"};
constexpr std::string_view kRfc9151Groups[] = {"secp384r1"};
constexpr std::string_view kRfc9151InteropGroups[] = {"secp384r1", "secp256r1"};

constexpr Groups GroupsOf(TlsPolicyKind kind, std::string_view name) {
  switch (kind) {
    case TlsPolicyKind::kOld:
    case TlsPolicyKind::kWithTls13:
      return kGroups;
    case TlsPolicyKind::kPostQuantum:
      return kPostQuantumGroups;
    case TlsPolicyKind::kFips:
      return kFipsGroups;
    case TlsPolicyKind::kFipsPostQuantum:
      return kFipsPostQuantumGroups;
    case TlsPolicyKind::kRfc9151:
      return name.find("INTEROP") == std::string_view::npos ? Groups(kRfc9151Groups) : Groups(kRfc9151InteropGroups);
  }
  std::unreachable();
}

constexpr void AddSuites(TlsPolicy& policy, unsigned families, unsigned ciphers) {
  const bool swaps = policy.kind == TlsPolicyKind::kFips || policy.kind == TlsPolicyKind::kFipsPostQuantum ||
                     policy.name.starts_with("ELBSecurityPolicy-FS-");
  for (std::size_t i = 0; i < std::size(kSuites); ++i) {
    if ((kSuites[i].family & families) == 0 || (kSuites[i].cipher & ciphers) == 0) continue;
    std::size_t index = i;
    if (swaps && i == kEcdsaAes256Sha) index = kRsaAes256Sha;
    if (swaps && i == kRsaAes256Sha) index = kEcdsaAes256Sha;
    policy.suite_indexes[policy.suite_count++] = static_cast<std::uint8_t>(index);
  }
}

constexpr TlsPolicy Make(std::string_view name, TlsVersion min, TlsVersion max, TlsPolicyKind kind, unsigned families) {
  TlsPolicy policy{.name = name,
                   .version_min = min,
                   .version_max = max,
                   .kind = kind,
                   .suite_indexes = {},
                   .groups = GroupsOf(kind, name)};
  const bool is_fips = kind == TlsPolicyKind::kFips || kind == TlsPolicyKind::kFipsPostQuantum;
  AddSuites(policy, families, is_fips ? kAes128 | kAes256 : kAes128 | kAes256 | kChacha20);
  return policy;
}

// Lists of RFC 9151 policies have AES256 before AES128, where they have that at all; in TLS 1.3 as below it.
constexpr TlsPolicy Rfc9151(std::string_view name, TlsVersion min, unsigned families, unsigned ciphers) {
  TlsPolicy policy{.name = name,
                   .version_min = min,
                   .version_max = TlsVersion::k13,
                   .kind = TlsPolicyKind::kRfc9151,
                   .suite_indexes = {},
                   .groups = GroupsOf(TlsPolicyKind::kRfc9151, name)};
  for (const unsigned part : {static_cast<unsigned>(kTls13), families & ~kTls13}) {
    AddSuites(policy, part, ciphers & kAes256);
    AddSuites(policy, part, ciphers & kAes128);
  }
  return policy;
}

// The families of the lists, by what AWS calls them.
constexpr unsigned kRes = kEcdheGcm;
constexpr unsigned kForward = kRes | kEcdheSha2;
constexpr unsigned kExt0 = kForward | kEcdheSha1;
constexpr unsigned kExt1 = kForward | kRsaGcm | kRsaSha2;
constexpr unsigned kExt2 = kExt0 | kExt1 | kRsaSha1;

using enum TlsVersion;
using enum TlsPolicyKind;

// spec: alb.md 18.2.
constexpr TlsPolicy kPolicies[] = {
    Make("ELBSecurityPolicy-TLS13-1-3-2021-06", k13, k13, kWithTls13, kTls13),
    Make("ELBSecurityPolicy-TLS13-1-3-PQ-2025-09", k13, k13, kPostQuantum, kTls13),
    Make("ELBSecurityPolicy-TLS13-1-2-2021-06", k12, k13, kWithTls13, kTls13 | kForward),
    Make("ELBSecurityPolicy-TLS13-1-2-PQ-2025-09", k12, k13, kPostQuantum, kTls13 | kForward),
    Make("ELBSecurityPolicy-TLS13-1-2-Res-2021-06", k12, k13, kWithTls13, kTls13 | kRes),
    Make("ELBSecurityPolicy-TLS13-1-2-Res-PQ-2025-09", k12, k13, kPostQuantum, kTls13 | kRes),
    Make("ELBSecurityPolicy-TLS13-1-2-Ext1-2021-06", k12, k13, kWithTls13, kTls13 | kExt1),
    Make("ELBSecurityPolicy-TLS13-1-2-Ext1-PQ-2025-09", k12, k13, kPostQuantum, kTls13 | kExt1),
    Make("ELBSecurityPolicy-TLS13-1-2-Ext2-2021-06", k12, k13, kWithTls13, kTls13 | kExt2),
    Make("ELBSecurityPolicy-TLS13-1-2-Ext2-PQ-2025-09", k12, k13, kPostQuantum, kTls13 | kExt2),
    Make("ELBSecurityPolicy-TLS13-1-1-2021-06", k11, k13, kWithTls13, kTls13 | kExt2),
    Make("ELBSecurityPolicy-TLS13-1-0-2021-06", k10, k13, kWithTls13, kTls13 | kExt2),
    Make("ELBSecurityPolicy-TLS13-1-0-PQ-2025-09", k10, k13, kPostQuantum, kTls13 | kExt2),
    Make("ELBSecurityPolicy-TLS-1-2-Ext-2018-06", k12, k12, kOld, kExt2),
    Make("ELBSecurityPolicy-TLS-1-2-2017-01", k12, k12, kOld, kExt1),
    Make("ELBSecurityPolicy-TLS-1-1-2017-01", k11, k12, kOld, kExt2),
    Make("ELBSecurityPolicy-2016-08", k10, k12, kOld, kExt2),
    Make("ELBSecurityPolicy-TLS13-1-3-FIPS-2023-04", k13, k13, kFips, kTls13),
    Make("ELBSecurityPolicy-TLS13-1-3-FIPS-PQ-2025-09", k13, k13, kFipsPostQuantum, kTls13),
    Make("ELBSecurityPolicy-TLS13-1-2-FIPS-2023-04", k12, k13, kFips, kTls13 | kForward),
    Make("ELBSecurityPolicy-TLS13-1-2-FIPS-PQ-2025-09", k12, k13, kFipsPostQuantum, kTls13 | kForward),
    Make("ELBSecurityPolicy-TLS13-1-2-Res-FIPS-2023-04", k12, k13, kFips, kTls13 | kRes),
    Make("ELBSecurityPolicy-TLS13-1-2-Res-FIPS-PQ-2025-09", k12, k13, kFipsPostQuantum, kTls13 | kRes),
    Make("ELBSecurityPolicy-TLS13-1-2-Ext0-FIPS-2023-04", k12, k13, kFips, kTls13 | kExt0),
    Make("ELBSecurityPolicy-TLS13-1-2-Ext0-FIPS-PQ-2025-09", k12, k13, kFipsPostQuantum, kTls13 | kExt0),
    Make("ELBSecurityPolicy-TLS13-1-2-Ext1-FIPS-2023-04", k12, k13, kFips, kTls13 | kExt1),
    Make("ELBSecurityPolicy-TLS13-1-2-Ext1-FIPS-PQ-2025-09", k12, k13, kFipsPostQuantum, kTls13 | kExt1),
    Make("ELBSecurityPolicy-TLS13-1-2-Ext2-FIPS-2023-04", k12, k13, kFips, kTls13 | kExt2),
    Make("ELBSecurityPolicy-TLS13-1-2-Ext2-FIPS-PQ-2025-09", k12, k13, kFipsPostQuantum, kTls13 | kExt2),
    Make("ELBSecurityPolicy-TLS13-1-1-FIPS-2023-04", k11, k13, kFips, kTls13 | kExt2),
    Make("ELBSecurityPolicy-TLS13-1-0-FIPS-2023-04", k10, k13, kFips, kTls13 | kExt2),
    Make("ELBSecurityPolicy-TLS13-1-0-FIPS-PQ-2025-09", k10, k13, kFipsPostQuantum, kTls13 | kExt2),
    Rfc9151("ELBSecurityPolicy-TLS13-1-3-RFC9151-FIPS-2023-07", k13, kTls13, kAes256),
    Rfc9151("ELBSecurityPolicy-TLS13-1-2-RFC9151-FIPS-2023-07", k12, kTls13 | kEcdheGcm, kAes256),
    Rfc9151("ELBSecurityPolicy-TLS13-1-2-Ext0-RFC9151-FIPS-2023-07", k12, kTls13 | kEcdheGcm | kRsaGcm, kAes256),
    Rfc9151("ELBSecurityPolicy-TLS13-1-2-RFC9151-INTEROP1-FIPS-2023-07", k12, kTls13 | kRes, kAes128 | kAes256),
    Rfc9151("ELBSecurityPolicy-TLS13-1-2-RFC9151-INTEROP2-FIPS-2023-07", k12, kTls13 | kForward, kAes128 | kAes256),
    Rfc9151("ELBSecurityPolicy-TLS13-1-2-RFC9151-INTEROP3-FIPS-2023-07", k12, kTls13 | kExt0, kAes128 | kAes256),
    Rfc9151("ELBSecurityPolicy-TLS13-1-2-RFC9151-INTEROP4-FIPS-2023-07", k12, kTls13 | kExt2, kAes128 | kAes256),
    Make("ELBSecurityPolicy-FS-1-2-Res-2020-10", k12, k12, kOld, kRes),
    Make("ELBSecurityPolicy-FS-1-2-Res-2019-08", k12, k12, kOld, kForward),
    Make("ELBSecurityPolicy-FS-1-2-2019-08", k12, k12, kOld, kExt0),
    Make("ELBSecurityPolicy-FS-1-1-2019-08", k11, k12, kOld, kExt0),
    Make("ELBSecurityPolicy-FS-2018-06", k10, k12, kOld, kExt0),
};

}  // namespace

std::string_view ToString(TlsVersion version) {
  switch (version) {
    case TlsVersion::k10:
      return "TLSv1";
    case TlsVersion::k11:
      return "TLSv1.1";
    case TlsVersion::k12:
      return "TLSv1.2";
    case TlsVersion::k13:
      return "TLSv1.3";
  }
  std::unreachable();
}

const TlsSuite& TlsSuiteAt(std::size_t index) { return kSuites[index].suite; }

const TlsSuite& TlsPolicy::suite(std::size_t index) const { return kSuites[suite_indexes[index]].suite; }

std::span<const TlsPolicy> TlsPolicies() { return kPolicies; }

const TlsPolicy* FindTlsPolicy(std::string_view name) {
  const auto* const found = std::ranges::find(kPolicies, name, &TlsPolicy::name);
  return found == std::end(kPolicies) ? nullptr : found;
}

const TlsPolicy& TargetTlsPolicy(std::span<const TlsPolicy* const> listeners) {
  struct Row {
    TlsPolicyKind any;
    std::string_view policy;
  };
  static constexpr Row kRows[] = {
      {kRfc9151, "ELBSecurityPolicy-TLS13-1-2-RFC9151-INTEROP4-FIPS-2023-07"},
      {kFipsPostQuantum, "ELBSecurityPolicy-TLS13-1-0-FIPS-PQ-2025-09"},
      {kFips, "ELBSecurityPolicy-TLS13-1-0-FIPS-2023-04"},
      {kPostQuantum, "ELBSecurityPolicy-TLS13-1-0-PQ-2025-09"},
      {kWithTls13, "ELBSecurityPolicy-TLS13-1-0-2021-06"},
  };
  for (const Row& row : kRows) {
    const auto fits = [&](const TlsPolicy* policy) { return policy->kind == row.any; };
    if (std::ranges::any_of(listeners, fits)) return *FindTlsPolicy(row.policy);
  }
  return *FindTlsPolicy(kDefaultTlsPolicy);
}

std::vector<std::string_view> MissingGroups(const TlsPolicy& policy) {
  const OwnedSslSettings scratch(SSL_CTX_new(TLS_server_method()));
  WEIR_CHECK(scratch != nullptr);
  std::vector<std::string_view> missing;
  for (const std::string_view group : policy.groups) {
    if (SSL_CTX_set1_groups_list(scratch.get(), std::string(group).c_str()) != 1) missing.push_back(group);
  }
  ERR_clear_error();
  return missing;
}

}  // namespace weir::net
