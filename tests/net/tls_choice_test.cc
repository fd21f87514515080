#include "net/tls_choice.h"

#include "tests/app/temporary_folder.h"
#include "tests/support/tls_server.h"

#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace weir::net {
namespace {

using Made = weir::testing::Certificate;

class TlsChoiceTest : public ::testing::Test {
 protected:
  // Adds a certificate, and gives its place.
  std::size_t Add(const Made::Options& options) {
    const Made made = Made::Make(options);
    auto loaded = TlsCredential::Load({.certificate = folder_.Write("one.pem", made.Pem()),
                                       .key = folder_.Write("one.key", made.KeyPem()),
                                       .passphrase = {}});
    EXPECT_TRUE(loaded) << loaded.error().error.message;
    credentials_.push_back(*loaded);
    return credentials_.size() - 1;
  }
  std::size_t Select(std::string_view name, const TlsClientOffer& offer = {}) {
    return TlsChoice(credentials_).Select(name, offer, std::chrono::system_clock::now());
  }
  static std::vector<std::string> Shop() { return {"shop.example.test"}; }

  app::TemporaryFolder folder_;
  std::vector<std::shared_ptr<const TlsCredential>> credentials_;
};

TEST_F(TlsChoiceTest, TheDefaultAnswersWithoutANameOrAMatch) {
  const std::size_t first = Add({.names = {"first.example.test"}});
  const std::size_t shop = Add({.names = Shop()});
  EXPECT_EQ(Select(""), first);
  EXPECT_EQ(Select("other.example.test"), first);
  EXPECT_EQ(Select("shop.example.test"), shop);
  EXPECT_EQ(Select("SHOP.example.TEST."), shop);
  EXPECT_FALSE(TlsChoice(credentials_).Matches("other.example.test"));
  EXPECT_TRUE(TlsChoice(credentials_).Matches("shop.example.test"));
}

TEST_F(TlsChoiceTest, TheExplanationSaysOfEachCertificateWhy) {
  using Hash = Made::Hash;
  Add({.names = {"first.example.test"}});
  Add({.names = Shop(), .key = Made::Key::kRsa2048});
  Add({.names = Shop(), .valid_from = std::chrono::hours(-48), .valid_until = std::chrono::hours(-24)});
  Add({.names = Shop(), .key = Made::Key::kP384, .hash = Hash::kSha256});
  Add({.names = Shop(), .hash = Hash::kSha384});
  Add({.names = Shop(), .key = Made::Key::kP384, .hash = Hash::kSha384});
  Add({.names = Shop(), .key = Made::Key::kP384, .hash = Hash::kSha384});
  Add({.names = Shop(), .valid_until = std::chrono::hours(2), .key = Made::Key::kP384, .hash = Hash::kSha384});
  const auto reasons = [&](std::string_view name, const TlsClientOffer& offer = {}) {
    std::vector<std::string> out;
    const TlsChoice choice(credentials_);
    const auto explained = choice.Explain(name, offer, std::chrono::system_clock::now());
    EXPECT_EQ(explained.chosen, Select(name, offer));
    for (std::size_t i = 0; i < explained.certificates.size(); ++i) {
      EXPECT_EQ(explained.certificates[i].chosen, i == explained.chosen);
      out.push_back(explained.certificates[i].reason);
    }
    return out;
  };
  const std::string expired_at = FormatCertificateTime(credentials_[2]->facts().not_after);
  EXPECT_EQ(reasons("shop.example.test"),
            (std::vector<std::string>{"it is for other names", "ECDSA comes before RSA", "it expired at " + expired_at,
                                      "its signature has the shorter hash: 256 bits, not 384",
                                      "its key is shorter: 256 bits, not 384", "it is valid for a shorter time",
                                      "it is valid for a shorter time", "the first of those for this name"}));
  EXPECT_EQ(reasons("")[0], "the default one: the client sends no name");
  EXPECT_EQ(reasons("")[1], "it is asked for by its names only");
  EXPECT_EQ(reasons("other.example.test")[0], "the default one: no certificate is for this name");
  EXPECT_EQ(reasons("first.example.test")[0], "the one for this name");
  const auto rsa_only = reasons("shop.example.test", {.takes_rsa = true, .takes_ecdsa = {}});
  EXPECT_EQ(rsa_only[1], "the first of those for this name");
  EXPECT_EQ(rsa_only[5], "the client does not verify ECDSA");
  EXPECT_EQ(reasons("first.example.test", {.takes_rsa = true, .takes_ecdsa = {}})[0],
            "it is for this name, but the client does not verify ECDSA: the handshake fails");
}

TEST_F(TlsChoiceTest, ThatComesLaterInTheFileIsAReasonToo) {
  Add({.names = Shop()});
  const Made same = Made::Make({.names = Shop()});
  for (int i = 0; i < 2; ++i) {
    credentials_.push_back(*TlsCredential::Load({.certificate = folder_.Write("two.pem", same.Pem()),
                                                 .key = folder_.Write("two.key", same.KeyPem()),
                                                 .passphrase = {}}));
  }
  credentials_.erase(credentials_.begin());
  const auto explained = TlsChoice(credentials_).Explain("shop.example.test", {}, std::chrono::system_clock::now());
  EXPECT_EQ(explained.certificates[1].reason, "it comes later in the file");
}

TEST_F(TlsChoiceTest, AWildcardIsForOneLabel) {
  const std::size_t first = Add({.names = {"first.example.test"}});
  const std::size_t wild = Add({.names = {"*.shop.example.test"}});
  EXPECT_EQ(Select("a.shop.example.test"), wild);
  EXPECT_EQ(Select("shop.example.test"), first);
  EXPECT_EQ(Select("a.b.shop.example.test"), first);
  EXPECT_EQ(Select(".shop.example.test"), first);
  EXPECT_EQ(Select("*.shop.example.test"), first) << "a star is no name";
}

TEST_F(TlsChoiceTest, EcdsaComesBeforeRsaForThoseWhoTakeIt) {
  Add({.names = {"first.example.test"}});
  const std::size_t rsa = Add({.names = Shop(), .key = Made::Key::kRsa2048, .hash = Made::Hash::kSha384});
  const std::size_t ecdsa = Add({.names = Shop()});
  EXPECT_EQ(Select("shop.example.test"), ecdsa);
  EXPECT_EQ(Select("shop.example.test", {.takes_rsa = true, .takes_ecdsa = {}}), rsa);
  EXPECT_EQ(Select("shop.example.test", {.takes_rsa = true, .takes_ecdsa = {false, true, true}}), rsa);
  EXPECT_EQ(Select("shop.example.test", {.takes_rsa = false, .takes_ecdsa = {}}), ecdsa) << "the handshake will say so";
}

TEST_F(TlsChoiceTest, WhatHasNotExpiredComesNext) {
  Add({.names = {"first.example.test"}});
  const std::size_t expired = Add({.names = Shop(),
                                   .valid_from = std::chrono::hours(-48),
                                   .valid_until = std::chrono::hours(-24),
                                   .hash = Made::Hash::kSha384});
  const std::size_t valid = Add({.names = Shop()});
  EXPECT_EQ(Select("shop.example.test"), valid);
  credentials_.pop_back();
  EXPECT_EQ(Select("shop.example.test"), expired);
}

TEST_F(TlsChoiceTest, ThenTheHighestHashTheLongestKeyAndTheLongestValidity) {
  Add({.names = {"first.example.test"}});
  Add({.names = Shop(), .key = Made::Key::kRsa3072, .hash = Made::Hash::kMd5});
  const std::size_t sha1 = Add({.names = Shop(), .key = Made::Key::kRsa2048, .hash = Made::Hash::kSha1});
  EXPECT_EQ(Select("shop.example.test"), sha1) << "any SHA over MD5";
  const std::size_t sha256 = Add({.names = Shop(), .key = Made::Key::kRsa2048});
  EXPECT_EQ(Select("shop.example.test"), sha256);
  const std::size_t longer_key = Add({.names = Shop(), .key = Made::Key::kRsa3072});
  EXPECT_EQ(Select("shop.example.test"), longer_key);
  const std::size_t longer_valid =
      Add({.names = Shop(), .valid_until = std::chrono::hours(48), .key = Made::Key::kRsa3072});
  EXPECT_EQ(Select("shop.example.test"), longer_valid);
}

TEST_F(TlsChoiceTest, OfEqualsTheFirstOfTheFileIsTaken) {
  Add({.names = {"first.example.test"}});
  const std::size_t one = Add({.names = Shop()});
  Add({.names = Shop()});
  EXPECT_EQ(Select("shop.example.test"), one);
}

TEST(TlsClientOfferTest, SignatureSchemesDecideInTls13) {
  constexpr std::array<std::uint16_t, 2> kSchemes = {0x0403, 0x0805};
  const auto offer = OfferOf({.version = TlsVersion::k13, .suites = {}, .schemes = kSchemes, .groups = std::nullopt});
  EXPECT_TRUE(offer.takes_rsa);
  EXPECT_EQ(offer.takes_ecdsa, (std::array<bool, 3>{true, false, false}));
  constexpr std::array<std::uint16_t, 1> kPkcs1 = {0x0401};
  EXPECT_FALSE(
      OfferOf({.version = TlsVersion::k13, .suites = {}, .schemes = kPkcs1, .groups = std::nullopt}).takes_rsa);
}

TEST(TlsClientOfferTest, SuitesAndCurvesDecideBelow) {
  constexpr std::array<std::uint16_t, 2> kBoth = {0xc02b, 0xc02f};
  constexpr std::array<std::uint16_t, 1> kRsa = {0x009c};
  constexpr std::array<std::uint16_t, 1> kP384 = {24};
  constexpr std::array<std::uint16_t, 1> kEcdsaScheme = {0x0403};
  const auto old = OfferOf({.version = TlsVersion::k11, .suites = kBoth, .schemes = std::nullopt, .groups = kP384});
  EXPECT_TRUE(old.takes_rsa);
  EXPECT_EQ(old.takes_ecdsa, (std::array<bool, 3>{false, true, false}));
  const auto rsa =
      OfferOf({.version = TlsVersion::k12, .suites = kRsa, .schemes = std::nullopt, .groups = std::nullopt});
  EXPECT_TRUE(rsa.takes_rsa);
  EXPECT_EQ(rsa.takes_ecdsa, (std::array<bool, 3>{}));
  const auto signs =
      OfferOf({.version = TlsVersion::k12, .suites = kBoth, .schemes = kEcdsaScheme, .groups = std::nullopt});
  EXPECT_FALSE(signs.takes_rsa);
  EXPECT_EQ(signs.takes_ecdsa, (std::array<bool, 3>{true, true, true}));
}

}  // namespace
}  // namespace weir::net
