#include "net/tls_credentials.h"

#include "tests/app/temporary_folder.h"
#include "tests/support/tls_server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>
#include <vector>

namespace weir::net {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using Part = TlsCredentialFailure::Part;
using Made = weir::testing::Certificate;

class TlsCredentialsTest : public ::testing::Test {
 protected:
  std::shared_ptr<const TlsCredential> Load(const std::string& certificate, const std::string& key,
                                            const std::string& passphrase = {}) {
    auto loaded = TlsCredential::Load({.certificate = folder_.Write("shop.pem", certificate),
                                       .key = folder_.Write("shop.key", key),
                                       .passphrase = passphrase});
    if (loaded) return *loaded;
    failure_ = loaded.error();
    return nullptr;
  }
  static std::vector<std::string> DoubtsOf(const TlsCredential& credential,
                                           WallTime now = std::chrono::system_clock::now()) {
    std::vector<std::string> texts;
    for (const Error& doubt : credential.Doubts(now)) texts.push_back(doubt.message);
    return texts;
  }

  app::TemporaryFolder folder_;
  TlsCredentialFailure failure_;
};

TEST_F(TlsCredentialsTest, ACertificateSaysWhatItIsFor) {
  const Made made = Made::Make({.names = {"Shop.example.test", "*.example.test"}, .hash = Made::Hash::kSha384});
  const auto loaded = Load(made.Pem(), made.KeyPem());
  ASSERT_NE(loaded, nullptr) << failure_.error.message;
  const TlsCertificateFacts& facts = loaded->facts();
  EXPECT_THAT(facts.names, ElementsAre("shop.example.test", "*.example.test"));
  EXPECT_EQ(facts.key_type, TlsKeyType::kEcdsa);
  EXPECT_EQ(facts.key_bits, 256);
  EXPECT_EQ(facts.hash_bits, 384);
  EXPECT_THAT(facts.subject, HasSubstr("CN=weir test"));
  EXPECT_EQ(facts.issuer, facts.subject);
  EXPECT_THAT(facts.id, ::testing::MatchesRegex("[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"));
  EXPECT_THAT(facts.serial_number, ::testing::MatchesRegex("([0-9A-F]{2})+"));
  const auto now = std::chrono::system_clock::now();
  EXPECT_TRUE(facts.valid(now));
  EXPECT_NEAR(std::chrono::duration<double>(facts.not_after - now).count(), 3'600, 60);
  EXPECT_THAT(DoubtsOf(*loaded), IsEmpty());
}

TEST_F(TlsCredentialsTest, WithoutDnsNamesTheCommonNameCounts) {
  const Made made = Made::Make({.addresses = {"127.0.0.1"}, .common_name = "Old.example.test"});
  const auto loaded = Load(made.Pem(), made.KeyPem());
  ASSERT_NE(loaded, nullptr);
  EXPECT_THAT(loaded->facts().names, ElementsAre("old.example.test"));
}

TEST_F(TlsCredentialsTest, RsaKeysAreTakenFrom2048Bits) {
  const Made good = Made::Make({.key = Made::Key::kRsa2048});
  const auto loaded = Load(good.Pem(), good.KeyPem());
  ASSERT_NE(loaded, nullptr);
  EXPECT_EQ(loaded->facts().key_type, TlsKeyType::kRsa);
  EXPECT_EQ(loaded->facts().key_bits, 2048);
  const Made small = Made::Make({.key = Made::Key::kRsa1024});
  EXPECT_EQ(Load(small.Pem(), small.KeyPem()), nullptr);
  EXPECT_THAT(failure_.error.message, HasSubstr("an RSA key of 1024 bits is too short"));
  EXPECT_EQ(failure_.part, Part::kKey);
}

TEST_F(TlsCredentialsTest, Ed25519IsRefused) {
  const Made made = Made::Make({.key = Made::Key::kEd25519});
  EXPECT_EQ(Load(made.Pem(), made.KeyPem()), nullptr);
  EXPECT_THAT(failure_.error.message, HasSubstr("ED25519 keys are not supported"));
  EXPECT_THAT(failure_.error.hint, HasSubstr("P-256"));
}

TEST_F(TlsCredentialsTest, AKeyThatDoesNotFitNamesBothFiles) {
  EXPECT_EQ(Load(Made::Make({}).Pem(), Made::Make({}).KeyPem()), nullptr);
  EXPECT_THAT(failure_.error.message, AllOf(HasSubstr("shop.key does not fit"), HasSubstr("shop.pem")));
  EXPECT_EQ(failure_.part, Part::kKey);
}

TEST_F(TlsCredentialsTest, AnEncryptedKeyWantsItsPassphrase) {
  const Made made = Made::Make({});
  EXPECT_NE(Load(made.Pem(), made.KeyPem("open sesame"), "open sesame"), nullptr) << failure_.error.message;
  EXPECT_EQ(Load(made.Pem(), made.KeyPem("open sesame")), nullptr);
  EXPECT_THAT(failure_.error.message, HasSubstr("shop.key is encrypted"));
  EXPECT_EQ(failure_.part, Part::kKey);
  EXPECT_EQ(Load(made.Pem(), made.KeyPem("open sesame"), "guessed"), nullptr);
  EXPECT_THAT(failure_.error.message, HasSubstr("the passphrase does not open the key"));
  EXPECT_THAT(failure_.error.message, ::testing::Not(HasSubstr("guessed")));
  EXPECT_EQ(failure_.part, Part::kPassphrase);
}

TEST_F(TlsCredentialsTest, WhatIsNoCertificateOrKeyIsSaidSo) {
  const Made made = Made::Make({});
  EXPECT_EQ(Load("nothing", made.KeyPem()), nullptr);
  EXPECT_THAT(failure_.error.message, HasSubstr("shop.pem has no certificate in PEM form"));
  EXPECT_EQ(failure_.part, Part::kCertificate);
  EXPECT_EQ(Load(made.Pem().replace(60, 5, "AAAAA"), made.KeyPem()), nullptr);
  EXPECT_THAT(failure_.error.message, HasSubstr("has a certificate that cannot be read"));
  EXPECT_EQ(Load(made.Pem(), made.Pem()), nullptr);
  EXPECT_THAT(failure_.error.message, HasSubstr("shop.key has no private key in PEM form"));
  const auto absent = TlsCredential::Load({.certificate = folder_.Path("absent.pem"), .key = "x", .passphrase = {}});
  ASSERT_FALSE(absent);
  EXPECT_THAT(absent.error().error.message, HasSubstr("absent.pem: No such file or directory"));
}

TEST_F(TlsCredentialsTest, DatesThatAreNotNowAreDoubtsWithTheDate) {
  const Made made = Made::Make({});
  const auto loaded = Load(made.Pem(), made.KeyPem());
  ASSERT_NE(loaded, nullptr);
  const auto& facts = loaded->facts();
  EXPECT_THAT(DoubtsOf(*loaded, facts.not_after + std::chrono::seconds(1)),
              ElementsAre(HasSubstr("shop.pem expired at " + FormatCertificateTime(facts.not_after))));
  EXPECT_THAT(DoubtsOf(*loaded, facts.not_before - std::chrono::seconds(1)),
              ElementsAre(HasSubstr("shop.pem is not valid before " + FormatCertificateTime(facts.not_before))));
  EXPECT_EQ(FormatCertificateTime(WallTime(std::chrono::sys_days{std::chrono::year{2026} / 1 / 2})),
            "2026-01-02T00:00:00Z");
}

TEST_F(TlsCredentialsTest, AMissingIntermediateIsADoubt) {
  const Made root = Made::Make({.is_authority = true, .common_name = "weir root"});
  const Made middle = Made::Make({.is_authority = true, .common_name = "weir middle"}, &root);
  const Made leaf = Made::Make({.names = {"shop.example.test"}}, &middle);
  const auto alone = Load(leaf.Pem(), leaf.KeyPem());
  ASSERT_NE(alone, nullptr);
  EXPECT_THAT(DoubtsOf(*alone), ElementsAre(HasSubstr("does not have the certificate of its issuer, CN=weir middle")));
  const auto whole = Load(leaf.Pem() + middle.Pem() + root.Pem(), leaf.KeyPem());
  ASSERT_NE(whole, nullptr);
  EXPECT_EQ(whole->issuers().size(), 2U);
  EXPECT_THAT(DoubtsOf(*whole), IsEmpty());
  const auto mixed = Load(leaf.Pem() + root.Pem() + middle.Pem(), leaf.KeyPem());
  ASSERT_NE(mixed, nullptr);
  EXPECT_THAT(DoubtsOf(*mixed), ElementsAre(HasSubstr("certificate 2 is not the issuer of the one before it")));
}

}  // namespace
}  // namespace weir::net
