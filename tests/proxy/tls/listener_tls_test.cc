#include "proxy/tls/listener_tls.h"

#include "config/schema/schema.h"
#include "net/tls_policy.h"
#include "net/tls_server.h"
#include "proxy/tls/credential_store.h"
#include "proxy/tls/key_files.h"
#include "tests/proxy/tls/tls_fixture.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace weir::proxy {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class ListenerTlsTest : public TlsFixture {
 protected:
  ListenerTlsTest() {
    balancer_.name = "shop";
    listener_.port = 443;
    listener_.protocol = config::ListenerProtocol::kHttps;
    listener_.ssl_policy.text = "ELBSecurityPolicy-TLS13-1-2-2021-06";
    listener_.ssl_policy.position.line = 1;
    listener_.certificates.push_back(Write(Made::Make({.names = {"shop.example.test"}})));
  }
  std::shared_ptr<const net::TlsServerPlan> Build(std::chrono::hours later = {}) {
    findings_.clear();
    const WallTime now = std::chrono::system_clock::now() + later;
    const TrustStores trust_stores = LoadTrustStores(model_, store_, now, findings_);
    return BuildTlsPlan(balancer_, listener_, 0, store_, trust_stores, now, findings_);
  }
  // Clients are verified by a trust store of these files.
  void Verify(const std::string& bundle, const std::vector<std::string>& lists = {}) {
    folder_.Replace("ca.pem", bundle);
    config::TrustStore store{.name = "partners",
                             .ca_bundle = {.text = folder_.Path("ca.pem"), .position = {0, 5, 1}},
                             .revocations = {},
                             .position = {0, 4, 1}};
    for (std::size_t i = 0; i < lists.size(); ++i) {
      const std::string name = std::to_string(i) + ".crl";
      folder_.Replace(name, lists[i]);
      store.revocations.push_back({.text = folder_.Path(name), .position = {0, static_cast<std::uint32_t>(6 + i), 1}});
    }
    model_.trust_stores = {store};
    listener_.mutual_authentication.mode = config::MutualAuthenticationMode::kVerify;
    listener_.mutual_authentication.trust_store = 0;
  }

  config::LoadBalancer balancer_;
  config::Listener listener_;
};

TEST_F(ListenerTlsTest, APlanHasPolicyCertificatesAndScope) {
  const auto plan = Build();
  ASSERT_NE(plan, nullptr);
  EXPECT_THAT(Messages(), IsEmpty());
  EXPECT_EQ(plan->policy->name, listener_.ssl_policy.text);
  EXPECT_EQ(plan->choice->credentials().size(), 1U);
  EXPECT_EQ(plan->session_scope, "shop/443");
  EXPECT_THAT(plan->alpn, ElementsAre("h2", "http/1.1"));
  listener_.protocol = config::ListenerProtocol::kHttp;
  EXPECT_EQ(Build(), nullptr);
}

TEST_F(ListenerTlsTest, FilesThatDidNotChangeAreTheSameServer) {
  const auto first = Build();
  const auto second = Build();
  EXPECT_TRUE(SameTlsPlan(*first, *second));
  Write(Made::Make({}));
  EXPECT_FALSE(SameTlsPlan(*first, *Build()));
}

TEST_F(ListenerTlsTest, ABadPairIsAnErrorAtFirstAndAWarningWhileTheOldOneServes) {
  folder_.Replace("shop.key", Made::Make({}).KeyPem());
  EXPECT_EQ(Build(), nullptr);
  EXPECT_THAT(Messages(), ElementsAre(HasSubstr("error 3 the key in ")));
  Write(Made::Make({}));
  const auto good = Build();
  ASSERT_NE(good, nullptr);
  folder_.Replace("shop.pem", "nonsense");
  const auto kept = Build();
  ASSERT_NE(kept, nullptr);
  EXPECT_TRUE(SameTlsPlan(*good, *kept));
  EXPECT_THAT(Messages(), ElementsAre(::testing::AllOf(HasSubstr("warning 2 "), HasSubstr("serves on"))));
}

// A response about the certificate, made by its authority, behind which it stands in the file.
class OcspTest : public ListenerTlsTest {
 protected:
  OcspTest() {
    folder_.Replace("shop.pem", certificate_.Pem() + authority_.Pem());
    folder_.Replace("shop.key", certificate_.KeyPem());
    listener_.certificates.front().ocsp_response = {.text = folder_.Path("shop.ocsp"), .position = {0, 4, 1}};
  }
  void Respond(const weir::testing::OcspOptions& options) { Respond(authority_, certificate_, options); }
  void Respond(const Made& signer, const Made& about, const weir::testing::OcspOptions& options) {
    folder_.Replace("shop.ocsp", signer.OcspResponse(about, options));
  }
  // What clients get, and what is said.
  bool IsStapled() {
    plan_ = Build();
    return plan_ != nullptr && !plan_->staples.empty() &&
           plan_->staples.front().IsServed(std::chrono::system_clock::now());
  }

  Made authority_ = Made::Make({.is_authority = true, .common_name = "authority"});
  Made certificate_ = Made::Make({.names = {"shop.example.test"}}, &authority_);
  std::shared_ptr<const net::TlsServerPlan> plan_;
};

TEST_F(OcspTest, AResponseThatFitsIsStapledWhileItIsValid) {
  Respond({});
  EXPECT_TRUE(IsStapled());
  EXPECT_THAT(Messages(), IsEmpty());
  const auto first = plan_;
  EXPECT_TRUE(IsStapled());
  EXPECT_TRUE(SameTlsPlan(*first, *plan_)) << "a file that did not change is not read again";
  EXPECT_FALSE(plan_->staples.front().IsServed(std::chrono::system_clock::now() + std::chrono::hours(2)));
  Respond({});
  EXPECT_TRUE(IsStapled());
  EXPECT_FALSE(SameTlsPlan(*first, *plan_));
}

TEST_F(OcspTest, WhatIsOfNoUseIsNotStapledAndSaysWhy) {
  using enum weir::testing::OcspOptions::Standing;
  const auto expects = [this](const char* message) {
    EXPECT_FALSE(IsStapled()) << message;
    EXPECT_NE(plan_, nullptr) << message;
    EXPECT_THAT(Messages(), ElementsAre(::testing::AllOf(HasSubstr("warning 4 "), HasSubstr(message))));
  };
  Respond({.standing = kUnknown});
  expects("does not know the certificate; clients get none");
  Respond({.next_update = std::chrono::seconds(-60)});
  expects("is out of date since ");
  Respond({.this_update = std::chrono::seconds(1800)});
  expects("is for later: it begins at ");
  Respond(authority_, Made::Make({}, &authority_), {});
  expects("says nothing of the certificate");
  const Made forger = Made::Make({.is_authority = true, .common_name = "authority"});
  Respond(forger, certificate_, {});
  expects("is not signed by the issuer of the certificate");
  Respond({.standing = kRevoked});
  EXPECT_TRUE(IsStapled());
  EXPECT_THAT(Messages(), ElementsAre(HasSubstr("says that the certificate is revoked")));
}

TEST_F(OcspTest, AFileThatHoldsNoneIsAnErrorAtFirstAndAWarningLater) {
  EXPECT_FALSE(IsStapled());
  EXPECT_THAT(Messages(), ElementsAre(HasSubstr("error 4 cannot read ")));
  folder_.Replace("shop.ocsp", "nonsense");
  EXPECT_FALSE(IsStapled());
  EXPECT_THAT(Messages(), ElementsAre(::testing::AllOf(HasSubstr("error 4 "), HasSubstr("holds no OCSP response"))));
  Respond({});
  EXPECT_TRUE(IsStapled());
  folder_.Replace("shop.ocsp", "nonsense");
  EXPECT_TRUE(IsStapled());
  EXPECT_THAT(Messages(), ElementsAre(::testing::AllOf(HasSubstr("warning 4 "), HasSubstr("serves on"))));
  // A renewed certificate is not held back by what was said of the one before.
  Write(Made::Make({.names = {"shop.example.test"}}));
  EXPECT_FALSE(IsStapled());
  EXPECT_NE(plan_, nullptr);
}

TEST_F(ListenerTlsTest, ExpiryIsAWarningAtTheCertificate) {
  ASSERT_NE(Build(std::chrono::hours(48)), nullptr);
  EXPECT_THAT(Messages(), ElementsAre(::testing::AllOf(HasSubstr("warning 2 "), HasSubstr("expired at"))));
}

TEST_F(ListenerTlsTest, GroupsThatTheLibraryLacksAreNamed) {
  listener_.ssl_policy.text = "ELBSecurityPolicy-TLS13-1-2-PQ-2025-09";
  ASSERT_NE(Build(), nullptr);
  const bool has_all = net::MissingGroups(*net::FindTlsPolicy(listener_.ssl_policy.text)).empty();
  if (has_all) {
    EXPECT_THAT(Messages(), IsEmpty());
  } else {
    EXPECT_THAT(Messages(), ElementsAre(::testing::AllOf(HasSubstr("warning 1 "), HasSubstr("MLKEM"))));
  }
}

TEST_F(ListenerTlsTest, APassphraseFileEndsWithoutItsLineEnd) {
  const Made made = Made::Make({});
  folder_.Write("shop.pem", made.Pem());
  folder_.Write("shop.key", made.KeyPem("open sesame"));
  listener_.certificates[0].passphrase =
      config::Secret{.text = {}, .file = folder_.Write("shop.pass", "open sesame\n"), .position = {0, 4, 1}};
  EXPECT_NE(Build(), nullptr);
  folder_.Replace("shop.pass", "guessed\n");
  EXPECT_NE(Build(), nullptr);
  EXPECT_THAT(Messages(), ElementsAre(HasSubstr("warning 4 the passphrase does not open the key")));
}

TEST_F(ListenerTlsTest, ClientsAreAskedAsConfigured) {
  EXPECT_FALSE(Build()->client_authentication);
  listener_.mutual_authentication.mode = config::MutualAuthenticationMode::kPassthrough;
  const auto passthrough = Build();
  EXPECT_EQ(passthrough->client_authentication->mode, net::TlsClientAuthentication::Mode::kPassthrough);
  Verify(Made::Make({.is_authority = true}).Pem());
  listener_.mutual_authentication.ignores_expiry = true;
  listener_.mutual_authentication.advertises_ca_names = true;
  const auto verify = Build();
  EXPECT_EQ(verify->client_authentication->mode, net::TlsClientAuthentication::Mode::kVerify);
  EXPECT_TRUE(verify->client_authentication->ignores_expiry);
  EXPECT_TRUE(verify->client_authentication->advertises_authorities);
  EXPECT_EQ(verify->client_authentication->trust_store->authorities().size(), 1U);
  EXPECT_THAT(Messages(), IsEmpty());
  EXPECT_FALSE(SameTlsPlan(*passthrough, *verify));
}

TEST_F(ListenerTlsTest, ATrustStoreIsReadAgainWhenItsFilesChange) {
  const Made authority = Made::Make({.is_authority = true, .common_name = "authority"});
  Verify(authority.Pem(), {authority.RevocationList({})});
  const auto first = Build();
  EXPECT_TRUE(SameTlsPlan(*first, *Build()));
  Verify(authority.Pem(), {authority.RevocationList({&authority})});
  EXPECT_FALSE(SameTlsPlan(*first, *Build()));
}

TEST_F(ListenerTlsTest, ABadTrustStoreIsAnErrorAtFirstAndAWarningWhileTheOldOneServes) {
  Verify("nonsense");
  EXPECT_EQ(Build(), nullptr);
  EXPECT_THAT(Messages(), ElementsAre(HasSubstr("error 5 ")));
  const Made authority = Made::Make({.is_authority = true, .common_name = "authority"});
  Verify(authority.Pem(), {authority.RevocationList({})});
  const auto good = Build();
  ASSERT_NE(good, nullptr);
  Verify(authority.Pem(), {Made::Make({.common_name = "authority"}).RevocationList({})});
  const auto kept = Build();
  ASSERT_NE(kept, nullptr);
  EXPECT_TRUE(SameTlsPlan(*good, *kept));
  EXPECT_THAT(Messages(), ElementsAre(::testing::AllOf(HasSubstr("warning 6 "), HasSubstr("serves on"))));
}

TEST_F(ListenerTlsTest, DoubtsAboutATrustStoreAreWarningsAtTheirFiles) {
  const Made authority = Made::Make({.is_authority = true, .common_name = "authority"});
  Verify(authority.Pem(), {authority.RevocationList({}, {.next_update = std::chrono::hours(-1)})});
  ASSERT_NE(Build(), nullptr);
  EXPECT_THAT(Messages(), ElementsAre(HasSubstr("warning 6 a newer revocation list than ")));
}

TEST_F(ListenerTlsTest, AwsObjectsToWhatIsInATrustStore) {
  Verify("text\n" + Made::Make({.is_authority = true}).Pem());
  const TrustStores stores = LoadTrustStores(model_, store_, std::chrono::system_clock::now(), findings_);
  findings_ = AwsObjections(model_, stores);
  EXPECT_THAT(Messages(), ElementsAre(::testing::AllOf(HasSubstr("warning 5 AWS: "), HasSubstr("text outside"))));
}

TEST_F(ListenerTlsTest, TicketKeysComeFromTheirFiles) {
  config::Model model;
  model.tls_ticket_keys = {
      {.text = folder_.Write("one.key", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n"), .position = {0, 1, 1}},
      {.text = folder_.Write("two.key", "no key"), .position = {0, 2, 1}},
      {.text = folder_.Path("absent.key"), .position = {0, 3, 1}}};
  EXPECT_EQ(ReadTicketKeys(model, findings_).size(), 1U);
  EXPECT_THAT(Messages(), ElementsAre(HasSubstr("two.key is not a ticket key"), HasSubstr("cannot read")));
}

TEST_F(ListenerTlsTest, StickinessKeysComeFromTheirFiles) {
  config::Model model;
  model.stickiness_keys = {
      {.text = folder_.Write("one.key", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n"), .position = {0, 1, 1}},
      {.text = folder_.Write("two.key", "no key"), .position = {0, 2, 1}}};
  EXPECT_EQ(ReadStickinessKeys(model, findings_).size(), 1U);
  EXPECT_THAT(Messages(), ElementsAre(HasSubstr("two.key is not a stickiness key")));
}

TEST(SslPolicyNamesTest, TheSchemaHasThemAll) {
  std::vector<std::string_view> known;
  for (const net::TlsPolicy& policy : net::TlsPolicies()) known.push_back(policy.name);
  EXPECT_THAT(std::vector<std::string_view>(config::kSslPolicyWords.begin(), config::kSslPolicyWords.end()),
              ::testing::ElementsAreArray(known));
}

}  // namespace
}  // namespace weir::proxy
