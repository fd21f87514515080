#include "net/tls_trust_store.h"

#include "tests/app/temporary_folder.h"
#include "tests/support/tls_server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/obj_mac.h>

#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace weir::net {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using Made = weir::testing::Certificate;

class TlsTrustStoreTest : public ::testing::Test {
 protected:
  // What is wrong; empty: it was loaded into store_.
  std::string Load(const std::string& bundle, const std::vector<std::string>& revocations = {}) {
    TlsTrustStore::Files files{.bundle = folder_.Write("ca.pem", bundle), .revocations = {}};
    for (std::size_t i = 0; i < revocations.size(); ++i) {
      files.revocations.push_back(folder_.Write(std::to_string(i) + ".crl", revocations[i]));
    }
    auto loaded = TlsTrustStore::Load(files);
    store_ = loaded ? *loaded : nullptr;
    where_ = loaded ? std::nullopt : loaded.error().revocation;
    return loaded ? std::string() : loaded.error().error.message;
  }
  std::vector<std::string> Doubts(std::chrono::hours later = {}) const {
    std::vector<std::string> texts;
    for (const auto& doubt : store_->Doubts(std::chrono::system_clock::now() + later)) {
      texts.push_back((doubt.revocation ? std::to_string(*doubt.revocation) + " " : "bundle ") + doubt.error.message);
    }
    return texts;
  }

  app::TemporaryFolder folder_;
  Made authority_ = Made::Make({.is_authority = true, .common_name = "authority"});
  std::shared_ptr<const TlsTrustStore> store_;
  std::optional<std::size_t> where_;
};

TEST_F(TlsTrustStoreTest, ABundleHasAuthoritiesAndComments) {
  const Made other = Made::Make({.is_authority = true, .common_name = "other"});
  ASSERT_EQ(Load("# first\n" + authority_.Pem() + "# second\n" + other.Pem()), "");
  ASSERT_EQ(store_->authorities().size(), 2U);
  EXPECT_EQ(store_->authorities()[1].subject, "CN=other");
  EXPECT_THAT(Doubts(), IsEmpty());
  EXPECT_THAT(store_->aws_objections(), IsEmpty());
}

TEST_F(TlsTrustStoreTest, AnAuthorityCountsOnce) {
  ASSERT_EQ(Load(authority_.Pem() + authority_.Pem()), "");
  EXPECT_EQ(store_->authorities().size(), 1U);
}

TEST_F(TlsTrustStoreTest, WhatIsNoCertificateIsSaid) {
  EXPECT_THAT(Load("nonsense"), HasSubstr("has no certificate in PEM form"));
  EXPECT_FALSE(where_);
  EXPECT_THAT(Load("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"),
              HasSubstr("has a certificate that cannot be read: "));
  EXPECT_THAT(Load(""), HasSubstr("has no certificate"));
  const auto absent = TlsTrustStore::Load({.bundle = folder_.Path("absent.pem"), .revocations = {}});
  ASSERT_FALSE(absent);
  EXPECT_THAT(absent.error().error.message, HasSubstr("No such file or directory"));
}

TEST_F(TlsTrustStoreTest, OnlyAuthoritiesOfSupportedKindsAreTaken) {
  EXPECT_THAT(Load(authority_.Pem() + Made::Make({.common_name = "client"}).Pem()),
              AllOf(HasSubstr("certificate 2 of "), HasSubstr("is not that of an authority: CN=client")));
  EXPECT_THAT(Load(Made::Make({.is_authority = true, .key = Made::Key::kRsa1024}).Pem()),
              HasSubstr("cannot be used: it has an RSA key of 1024 bits"));
  EXPECT_THAT(Load(Made::Make({.is_authority = true, .hash = Made::Hash::kSha1}).Pem()),
              HasSubstr("cannot be used: it has a signature by ecdsa-with-SHA1"));
  EXPECT_THAT(Load(Made::Make({.is_old = true}).Pem()), HasSubstr("is not that of an authority"));
}

TEST_F(TlsTrustStoreTest, RevocationsAreThoseOfItsAuthorities) {
  const Made client = Made::Make({}, &authority_);
  ASSERT_EQ(Load(authority_.Pem(), {authority_.RevocationList({&client})}), "");
  ASSERT_EQ(store_->revocations().size(), 1U);
  EXPECT_EQ(store_->revocations()[0].issuer, "CN=authority");
  EXPECT_EQ(store_->revocations()[0].entries, 1U);
  const Made stranger = Made::Make({.is_authority = true, .common_name = "stranger"});
  EXPECT_THAT(Load(authority_.Pem(), {authority_.RevocationList({}), stranger.RevocationList({})}),
              AllOf(HasSubstr("the issuer of the revocation list"), HasSubstr("CN=stranger, is not in ")));
  EXPECT_EQ(where_, 1U);
  const Made impostor = Made::Make({.is_authority = true, .common_name = "authority"});
  EXPECT_THAT(Load(authority_.Pem(), {impostor.RevocationList({})}), HasSubstr("is not signed by CN=authority"));
  // Two generations of one authority have one name.
  EXPECT_EQ(Load(authority_.Pem() + impostor.Pem(), {impostor.RevocationList({})}), "");
}

TEST_F(TlsTrustStoreTest, WhatCannotBeObeyedIsNoRevocationList) {
  EXPECT_THAT(Load(authority_.Pem(), {"nonsense"}), HasSubstr("has no revocation list in PEM form"));
  EXPECT_THAT(Load(authority_.Pem(), {authority_.Pem()}), HasSubstr("has no revocation list in PEM form"));
  EXPECT_THAT(Load(authority_.Pem(), {"-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n"}),
              HasSubstr("has a revocation list that cannot be read: "));
  EXPECT_THAT(Load(authority_.Pem(), {authority_.RevocationList({}, {.hash = Made::Hash::kSha1})}),
              HasSubstr("is signed by ecdsa-with-SHA1"));
  EXPECT_THAT(Load(authority_.Pem(), {authority_.RevocationList({}, {.is_delta = true})}),
              HasSubstr("is a delta of another"));
  const Made mute = Made::Make(
      {.is_authority = true, .common_name = "mute", .extensions = {{NID_key_usage, "critical,keyCertSign"}}});
  EXPECT_THAT(Load(mute.Pem(), {mute.RevocationList({})}), HasSubstr("which may not sign lists"));
}

TEST_F(TlsTrustStoreTest, WhatIsOutOfDateIsADoubt) {
  ASSERT_EQ(Load(authority_.Pem(), {authority_.RevocationList({})}), "");
  EXPECT_THAT(Doubts(), IsEmpty());
  EXPECT_THAT(Doubts(std::chrono::hours(2)),
              ElementsAre(AllOf(HasSubstr("bundle CN=authority of "), HasSubstr("expired at ")),
                          HasSubstr("0 a newer revocation list than ")));
  EXPECT_THAT(Doubts(std::chrono::hours(-2)), ElementsAre(HasSubstr("is not valid before ")));
}

TEST_F(TlsTrustStoreTest, ARevokedAuthorityIsNotTrusted) {
  const Made lower = Made::Make({.is_authority = true, .common_name = "lower"}, &authority_);
  ASSERT_EQ(Load(authority_.Pem() + lower.Pem(), {authority_.RevocationList({&lower})}), "");
  EXPECT_EQ(store_->authorities().size(), 1U);
  EXPECT_THAT(Doubts(), ElementsAre(HasSubstr("bundle CN=lower of ")));
}

TEST_F(TlsTrustStoreTest, ANegativeSerialNumberIsRevokedHereAlone) {
  const Made client = Made::Make({.serial_number = "-1A"}, &authority_);
  ASSERT_EQ(Load(authority_.Pem(), {authority_.RevocationList({&client})}), "");
  EXPECT_THAT(Doubts(), ElementsAre(HasSubstr("revokes the serial number -1A")));
}

TEST_F(TlsTrustStoreTest, AwsWouldRefuseMoreOrOtherText) {
  const auto objections = [this] {
    std::vector<std::string> texts;
    for (const auto& objection : store_->aws_objections()) texts.push_back(objection.error.message);
    return texts;
  };
  std::string many;
  for (int i = 0; i < 26; ++i) many += Made::Make({.is_authority = true}).Pem();
  ASSERT_EQ(Load(many), "");
  EXPECT_THAT(objections(), ElementsAre(HasSubstr("26 certificates in ")));
  ASSERT_EQ(Load(authority_.Pem() + "\n" + authority_.Pem()), "");
  EXPECT_THAT(objections(), ElementsAre(HasSubstr("has a blank line, line ")));
  ASSERT_EQ(Load("Certificate:\n" + authority_.Pem()), "");
  EXPECT_THAT(objections(), ElementsAre(HasSubstr("has text outside of certificates, line 1")));
  ASSERT_EQ(Load("# a-b\n" + authority_.Pem()), "");
  EXPECT_THAT(objections(), ElementsAre(HasSubstr("has a comment with a hyphen, line 1")));
}

}  // namespace
}  // namespace weir::net
