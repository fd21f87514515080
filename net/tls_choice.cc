#include "net/tls_choice.h"

#include "base/check.h"
#include "base/text.h"

#include <algorithm>
#include <tuple>
#include <utility>

namespace weir::net {
namespace {

// Numbers of IANA's TLS registries.
constexpr std::uint16_t kEcdsaSha1 = 0x0203;
constexpr std::array<std::uint16_t, 3> kEcdsaSchemes = {0x0403, 0x0503, 0x0603};  // in TLS 1.3 each has its curve
constexpr std::array<std::uint16_t, 3> kCurves = {23, 24, 25};
constexpr std::array<std::uint16_t, 3> kPssSchemes = {0x0804, 0x0805, 0x0806};
constexpr std::array<std::uint16_t, 4> kPkcs1Schemes = {0x0401, 0x0501, 0x0601, 0x0201};

template <class Range>
bool AnyOf(std::span<const std::uint16_t> offered, const Range& wanted) {
  return std::ranges::any_of(wanted,
                             [&](std::uint16_t one) { return std::ranges::find(offered, one) != offered.end(); });
}
bool Has(std::span<const std::uint16_t> offered, std::uint16_t wanted) {
  return std::ranges::find(offered, wanted) != offered.end();
}

bool HasSuite(std::span<const std::uint16_t> suites, bool ecdsa) {
  // Every suite below TLS 1.3 that any policy has is ECDHE-ECDSA, ECDHE-RSA or RSA.
  static constexpr std::array<std::uint16_t, 6> kEcdsa = {0xc02b, 0xc023, 0xc009, 0xc02c, 0xc024, 0xc00a};
  return std::ranges::any_of(suites,
                             [&](std::uint16_t suite) { return (suite >> 8U) != 0x13 && Has(kEcdsa, suite) == ecdsa; });
}

std::size_t CurveIndex(std::uint16_t key_bits) {
  if (key_bits <= 256) return 0;
  return key_bits <= 384 ? 1 : 2;
}

}  // namespace

bool TlsClientOffer::Takes(const TlsCertificateFacts& certificate) const {
  if (certificate.key_type == TlsKeyType::kRsa) return takes_rsa;
  return takes_ecdsa[CurveIndex(certificate.key_bits)];
}

TlsClientOffer OfferOf(const TlsClientHello& hello) {
  TlsClientOffer offer;
  const bool is_13 = hello.version == TlsVersion::k13;
  const bool signs_by_scheme = hello.version >= TlsVersion::k12 && hello.schemes.has_value();
  if (is_13) {
    const auto schemes = hello.schemes.value_or(std::span<const std::uint16_t>());
    offer.takes_rsa = AnyOf(schemes, kPssSchemes);
    for (std::size_t i = 0; i < kCurves.size(); ++i) offer.takes_ecdsa[i] = Has(schemes, kEcdsaSchemes[i]);
    return offer;
  }
  offer.takes_rsa = HasSuite(hello.suites, false) &&
                    (!signs_by_scheme || AnyOf(*hello.schemes, kPssSchemes) || AnyOf(*hello.schemes, kPkcs1Schemes));
  const bool ecdsa = HasSuite(hello.suites, true) &&
                     (!signs_by_scheme || AnyOf(*hello.schemes, kEcdsaSchemes) || Has(*hello.schemes, kEcdsaSha1));
  for (std::size_t i = 0; i < kCurves.size(); ++i) {
    offer.takes_ecdsa[i] = ecdsa && (!hello.groups.has_value() || Has(*hello.groups, kCurves[i]));
  }
  return offer;
}

TlsChoice::TlsChoice(std::vector<std::shared_ptr<const TlsCredential>> credentials)
    : credentials_(std::move(credentials)) {
  WEIR_CHECK(!credentials_.empty());
  for (std::size_t i = 0; i < credentials_.size(); ++i) {
    for (const std::string& name : credentials_[i]->facts().names) {
      auto& same = by_name_[name];
      if (same.empty() || same.back() != i) same.push_back(i);
    }
  }
}

std::vector<std::size_t> TlsChoice::Candidates(std::string_view server_name) const {
  std::string name = ToLowerAscii(server_name);
  if (name.ends_with('.')) name.pop_back();
  std::vector<std::size_t> found;
  const auto add = [&](const std::string& key) {
    const auto same = by_name_.find(key);
    if (same != by_name_.end()) found.insert(found.end(), same->second.begin(), same->second.end());
  };
  if (name.find('*') != std::string::npos) return found;
  add(name);
  const auto label = name.find('.');
  if (label != std::string::npos && label > 0) add("*" + name.substr(label));
  return found;
}

bool TlsChoice::IsBetter(std::size_t left, std::size_t right, WallTime now) const {
  const auto rank = [&](std::size_t index) {
    const TlsCertificateFacts& facts = credentials_[index]->facts();
    return std::tuple(facts.key_type == TlsKeyType::kEcdsa, !facts.expired(now), facts.hash_bits, facts.key_bits,
                      facts.not_after - facts.not_before);
  };
  const auto ranks = std::pair(rank(left), rank(right));
  return ranks.first != ranks.second ? ranks.first > ranks.second : left < right;
}

std::size_t TlsChoice::Select(std::string_view server_name, const TlsClientOffer& offer, WallTime now) const {
  auto candidates = Candidates(server_name);
  if (candidates.empty()) return 0;
  const auto is_taken = [&](std::size_t index) { return offer.Takes(credentials_[index]->facts()); };
  if (std::ranges::any_of(candidates, is_taken)) std::erase_if(candidates, [&](std::size_t i) { return !is_taken(i); });
  return *std::ranges::min_element(candidates, [&](std::size_t a, std::size_t b) { return IsBetter(a, b, now); });
}

// In the order of IsBetter.
std::string TlsChoice::WhyAfter(std::size_t loser, std::size_t winner, WallTime now) const {
  const TlsCertificateFacts& own = credentials_[loser]->facts();
  const TlsCertificateFacts& other = credentials_[winner]->facts();
  if (own.key_type != other.key_type) return "ECDSA comes before RSA";
  if (own.expired(now) != other.expired(now)) return "it expired at " + FormatCertificateTime(own.not_after);
  if (own.hash_bits != other.hash_bits) {
    return "its signature has the shorter hash: " + std::to_string(own.hash_bits) + " bits, not " +
           std::to_string(other.hash_bits);
  }
  if (own.key_bits != other.key_bits) {
    return "its key is shorter: " + std::to_string(own.key_bits) + " bits, not " + std::to_string(other.key_bits);
  }
  if (own.not_after - own.not_before != other.not_after - other.not_before) return "it is valid for a shorter time";
  return "it comes later in the file";
}

TlsChoiceExplanation TlsChoice::Explain(std::string_view server_name, const TlsClientOffer& offer, WallTime now) const {
  TlsChoiceExplanation out{.certificates = std::vector<TlsChoiceExplanation::Candidate>(credentials_.size()),
                           .chosen = Select(server_name, offer, now)};
  const auto matching = Candidates(server_name);
  const auto is_taken = [&](std::size_t index) { return offer.Takes(credentials_[index]->facts()); };
  const auto taken = std::ranges::count_if(matching, is_taken);
  for (std::size_t i = 0; i < credentials_.size(); ++i) {
    auto& [chosen, reason] = out.certificates[i];
    chosen = i == out.chosen;
    const std::string kind = credentials_[i]->facts().key_type == TlsKeyType::kRsa ? "RSA" : "ECDSA";
    if (matching.empty()) {
      const std::string why = server_name.empty() ? "the client sends no name" : "no certificate is for this name";
      reason = chosen ? "the default one: " + why : "it is asked for by its names only";
    } else if (std::ranges::find(matching, i) == matching.end()) {
      reason = "it is for other names";
    } else if (chosen && taken == 0) {
      reason = "it is for this name, but the client does not verify " + kind + ": the handshake fails";
    } else if (!chosen && taken > 0 && !is_taken(i)) {
      reason = "the client does not verify " + kind;
    } else if (chosen) {
      reason = taken > 1 || matching.size() > 1 ? "the first of those for this name" : "the one for this name";
    } else {
      reason = WhyAfter(i, out.chosen, now);
    }
  }
  return out;
}

}  // namespace weir::net
