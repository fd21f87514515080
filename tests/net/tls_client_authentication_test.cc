#include "net/tls_client_authentication.h"

#include "tests/net/tls_server_fixture.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/obj_mac.h>
#include <openssl/param_build.h>

#include <array>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace weir::net {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;
using Fault = ClientCertificateFault;

// A key that looks like that of `victim`, and signs like that of `thief`.
OwnedKey ForgedKey(const Made& victim, const Made& thief) {
  std::array<unsigned char, 256> point{};
  std::size_t size = 0;
  EVP_PKEY_get_octet_string_param(&victim.key(), OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size(), &size);
  BIGNUM* secret = nullptr;
  EVP_PKEY_get_bn_param(&thief.key(), OSSL_PKEY_PARAM_PRIV_KEY, &secret);
  OSSL_PARAM_BLD* const builder = OSSL_PARAM_BLD_new();
  OSSL_PARAM_BLD_push_utf8_string(builder, OSSL_PKEY_PARAM_GROUP_NAME, "prime256v1", 0);
  OSSL_PARAM_BLD_push_octet_string(builder, OSSL_PKEY_PARAM_PUB_KEY, point.data(), size);
  OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_PRIV_KEY, secret);
  OSSL_PARAM* const parameters = OSSL_PARAM_BLD_to_param(builder);
  EVP_PKEY_CTX* const context = EVP_PKEY_CTX_new_from_name(nullptr, "EC", nullptr);
  EVP_PKEY_fromdata_init(context);
  EVP_PKEY* key = nullptr;
  EVP_PKEY_fromdata(context, &key, EVP_PKEY_KEYPAIR, parameters);
  EVP_PKEY_CTX_free(context);
  OSSL_PARAM_free(parameters);
  OSSL_PARAM_BLD_free(builder);
  BN_free(secret);
  return OwnedKey(key);
}

// Every case in TLS 1.2, where the client hears before its handshake is over, and in TLS 1.3, where it hears after.
class TlsClientAuthenticationTest : public TlsServerTest, public ::testing::WithParamInterface<int> {
 protected:
  void Verify(const std::string& bundle, const std::vector<std::string>& revocations = {}) {
    TlsTrustStore::Files files{.bundle = folder_.Write("ca.pem", bundle), .revocations = {}};
    for (const std::string& list : revocations) {
      files.revocations.push_back(folder_.Write(std::to_string(files.revocations.size()) + ".crl", list));
    }
    auto loaded = TlsTrustStore::Load(files);
    ASSERT_TRUE(loaded) << loaded.error().error.message;
    authentication_ = {.mode = TlsClientAuthentication::Mode::kVerify, .trust_store = *loaded};
  }
  // What became of a client with that chain: `taken`, or the fault and the alert that it was sent.
  std::string Try(std::vector<const Made*> chain, std::string_view policy = "TLS13-1-2-2021-06") {
    const auto server = MakeServer(policy);
    Client client({.version_max = GetParam(), .chain = std::move(chain)});
    if (Handshake(*server, client) == 0) return "taken";
    const TlsFailure& failure = stream_->failure();
    const std::string fault(ToString(failure.certificate_fault));
    const auto alert = failure.alert_sent ? TlsAlertName(*failure.alert_sent) : std::string_view("none");
    return (fault.empty() ? "other" : fault.substr(std::string_view("ClientCert").size())) + " " + std::string(alert);
  }
  [[nodiscard]] const TlsClientCertificate& shown() const { return *stream_->tls()->client_certificate; }

  Made authority_ = Made::Make({.is_authority = true, .common_name = "authority"});
  Made client_ = Made::Make({.common_name = "client"}, &authority_);
};
INSTANTIATE_TEST_SUITE_P(Versions, TlsClientAuthenticationTest, ::testing::Values(TLS1_2_VERSION, TLS1_3_VERSION),
                         [](const auto& version) { return version.param == TLS1_2_VERSION ? "Tls12" : "Tls13"; });

TEST_P(TlsClientAuthenticationTest, ACertificateOfTheTrustStoreIsTakenAndTold) {
  Verify(authority_.Pem());
  ASSERT_EQ(Try({&client_}), "taken");
  EXPECT_EQ(shown().subject, "CN=client");
  EXPECT_EQ(shown().issuer, "CN=authority");
  EXPECT_THAT(shown().validity, StartsWith("NotBefore="));
  EXPECT_EQ(shown().leaf, UrlEncodedPem(client_.certificate()));
  EXPECT_EQ(shown().chain, "");
}

TEST_P(TlsClientAuthenticationTest, EveryKindThatAwsTakesIsTaken) {
  Verify(authority_.Pem());
  for (const auto key :
       {Made::Key::kP256, Made::Key::kP384, Made::Key::kP521, Made::Key::kRsa2048, Made::Key::kRsa3072}) {
    const Made client = Made::Make({.key = key}, &authority_);
    EXPECT_EQ(Try({&client}), "taken");
    EXPECT_EQ(stream_->tls()->group, "x25519");
  }
}

TEST_P(TlsClientAuthenticationTest, WithoutACertificateThereIsNoConnection) {
  Verify(authority_.Pem());
  EXPECT_EQ(Try({}), GetParam() == TLS1_2_VERSION ? "other handshake_failure" : "other certificate_required");
}

TEST_P(TlsClientAuthenticationTest, AStrangerIsNotTrusted) {
  Verify(authority_.Pem());
  const Made stranger = Made::Make({.is_authority = true, .common_name = "stranger"});
  const Made client = Made::Make({}, &stranger);
  EXPECT_EQ(Try({&client}), "Untrusted unknown_ca");
  EXPECT_EQ(Try({&client, &stranger}), "Untrusted unknown_ca");
  const Made lonely = Made::Make({});
  EXPECT_EQ(Try({&lonely}), "Untrusted unknown_ca");
  // One that only calls itself so.
  const Made impostor = Made::Make({.is_authority = true, .common_name = "authority"});
  const Made forged = Made::Make({}, &impostor);
  EXPECT_THAT(Try({&forged}), StartsWith("Untrusted "));
}

TEST_P(TlsClientAuthenticationTest, ThePeriodCountsAtBothEnds) {
  Verify(authority_.Pem());
  const Made late =
      Made::Make({.valid_from = std::chrono::hours(-2), .valid_until = std::chrono::hours(-1)}, &authority_);
  const Made early =
      Made::Make({.valid_from = std::chrono::hours(1), .valid_until = std::chrono::hours(2)}, &authority_);
  EXPECT_EQ(Try({&late}), "Expired certificate_expired");
  EXPECT_EQ(Try({&early}), "NotYetValid certificate_expired");
  EXPECT_EQ(stream_->FactsOfFailure().client_certificate->subject, Describe(early.certificate()).subject);
  authentication_->ignores_expiry = true;
  EXPECT_EQ(Try({&late}), "taken");
  EXPECT_EQ(Try({&early}), "NotYetValid certificate_expired");
}

TEST_P(TlsClientAuthenticationTest, ExpiryOfAnAuthorityIsNotIgnored) {
  const Made old =
      Made::Make({.valid_from = std::chrono::hours(-2), .valid_until = std::chrono::hours(-1), .is_authority = true});
  const Made client = Made::Make({}, &old);
  Verify(old.Pem());
  authentication_->ignores_expiry = true;
  EXPECT_EQ(Try({&client}), "Expired certificate_expired");
}

TEST_P(TlsClientAuthenticationTest, WhatIsRevokedIsRefused) {
  const Made other = Made::Make({}, &authority_);
  Verify(authority_.Pem(), {authority_.RevocationList({&other})});
  EXPECT_EQ(Try({&client_}), "taken");
  EXPECT_EQ(Try({&other}), "CrlHit certificate_revoked");
}

TEST_P(TlsClientAuthenticationTest, ARevokedIntermediateIsRefused) {
  const Made lower = Made::Make({.is_authority = true, .common_name = "lower"}, &authority_);
  const Made client = Made::Make({}, &lower);
  Verify(authority_.Pem(), {authority_.RevocationList({&lower})});
  EXPECT_EQ(Try({&client, &lower}), "CrlHit certificate_revoked");
}

TEST_P(TlsClientAuthenticationTest, AnAuthorityWithoutAListRevokesNothing) {
  const Made other = Made::Make({.is_authority = true, .common_name = "other"});
  const Made client = Made::Make({}, &other);
  Verify(authority_.Pem() + other.Pem(), {authority_.RevocationList({})});
  EXPECT_EQ(Try({&client}), "taken");
  EXPECT_EQ(Try({&client_}), "taken");
}

TEST_P(TlsClientAuthenticationTest, AListThatIsOutOfDateIsObeyed) {
  const Made other = Made::Make({}, &authority_);
  Verify(authority_.Pem(), {authority_.RevocationList({&other}, {.next_update = std::chrono::hours(-1)})});
  EXPECT_EQ(Try({&client_}), "taken");
  EXPECT_EQ(Try({&other}), "CrlHit certificate_revoked");
}

TEST_P(TlsClientAuthenticationTest, AnIntermediateOfTheStoreIsTrustedLikeARoot) {
  const Made lower = Made::Make({.is_authority = true, .common_name = "lower"}, &authority_);
  const Made client = Made::Make({}, &lower);
  Verify(lower.Pem());
  EXPECT_EQ(Try({&client}), "taken");
  EXPECT_EQ(Try({&client, &lower}), "taken");
  EXPECT_EQ(Try({&client_}), "Untrusted unknown_ca");
  // Also where its issuer has a list, which says nothing of it.
  Verify(authority_.Pem() + lower.Pem(), {authority_.RevocationList({})});
  EXPECT_EQ(Try({&client}), "taken");
}

TEST_P(TlsClientAuthenticationTest, FourCertificatesMayBeSent) {
  Verify(authority_.Pem());
  const Made a = Made::Make({.is_authority = true, .common_name = "a"}, &authority_);
  const Made b = Made::Make({.is_authority = true, .common_name = "b"}, &a);
  const Made c = Made::Make({.is_authority = true, .common_name = "c"}, &b);
  const Made d = Made::Make({.is_authority = true, .common_name = "d"}, &c);
  const Made of_c = Made::Make({}, &c);
  const Made of_d = Made::Make({}, &d);
  EXPECT_EQ(Try({&of_c, &c, &b, &a}), "taken");
  EXPECT_EQ(Try({&of_d, &d, &c, &b, &a}), "MaxChainDepthExceeded unknown_ca");
}

TEST_P(TlsClientAuthenticationTest, WhatAwsDoesNotSupportIsRefused) {
  Verify(authority_.Pem());
  const Made weak = Made::Make({.key = Made::Key::kRsa1024}, &authority_);
  EXPECT_EQ(Try({&weak}), "TypeUnsupported unsupported_certificate");
  const Made hash = Made::Make({.hash = Made::Hash::kSha1}, &authority_);
  EXPECT_EQ(Try({&hash}), "TypeUnsupported unsupported_certificate");
  const Made old = Made::Make({.is_old = true}, &authority_);
  EXPECT_EQ(Try({&old}), "TypeUnsupported unsupported_certificate");
  const Made lower = Made::Make({.is_authority = true, .key = Made::Key::kRsa1024}, &authority_);
  const Made below = Made::Make({}, &lower);
  EXPECT_EQ(Try({&below, &lower}), "TypeUnsupported unsupported_certificate");
}

TEST_P(TlsClientAuthenticationTest, AKeyThatThePolicyDoesNotKnowIsIncompatible) {
  Verify(authority_.Pem());
  credentials_.clear();
  Add({.key = Made::Key::kP384, .hash = Made::Hash::kSha384});
  const Made p384 = Made::Make({.key = Made::Key::kP384}, &authority_);
  const Made p521 = Made::Make({.key = Made::Key::kP521}, &authority_);
  constexpr std::string_view kPolicy = "TLS13-1-2-RFC9151-FIPS-2023-07";
  EXPECT_EQ(Try({&p384}, kPolicy), "taken");
  EXPECT_EQ(Try({&client_}, kPolicy), "Incompatible unsupported_certificate");
  EXPECT_EQ(Try({&p521}, kPolicy), "Incompatible unsupported_certificate");
}

TEST_P(TlsClientAuthenticationTest, TheUseMustBeThatOfAClient) {
  Verify(authority_.Pem());
  const auto with = [this](int kind, std::string value) {
    return Made::Make({.extensions = {{kind, std::move(value)}}}, &authority_);
  };
  const Made for_clients = with(NID_ext_key_usage, "clientAuth");
  const Made for_both = with(NID_ext_key_usage, "serverAuth,clientAuth");
  const Made for_servers = with(NID_ext_key_usage, "serverAuth");
  const Made for_secrets = with(NID_key_usage, "critical,keyEncipherment");
  EXPECT_EQ(Try({&for_clients}), "taken");
  EXPECT_EQ(Try({&for_both}), "taken");
  EXPECT_EQ(Try({&client_}), "taken");  // it says nothing of its use
  EXPECT_EQ(Try({&for_servers}), "PurposeInvalid unsupported_certificate");
  EXPECT_EQ(Try({&for_secrets}), "PurposeInvalid unsupported_certificate");
}

TEST_P(TlsClientAuthenticationTest, WhoeverIsNoAuthorityIssuesNothing) {
  Verify(authority_.Pem());
  const Made client = Made::Make({}, &client_);
  EXPECT_EQ(Try({&client, &client_}), "Untrusted unknown_ca");
}

TEST_P(TlsClientAuthenticationTest, TooLargeAMessageIsRefused) {
  Verify(authority_.Pem());
  std::string names = "DNS:a.example.test";
  for (int i = 0; i < 4'000; ++i) names += ",DNS:name-" + std::to_string(i) + ".example.test";
  const Made huge = Made::Make({.extensions = {{NID_subject_alt_name, names}}}, &authority_);
  EXPECT_EQ(Try({&huge}), "MaxSizeExceeded illegal_parameter");
}

TEST_P(TlsClientAuthenticationTest, PassthroughTakesWhatComes) {
  authentication_.emplace();
  const Made stranger = Made::Make({.is_authority = true, .key = Made::Key::kRsa1024, .common_name = "stranger"});
  const Made late =
      Made::Make({.valid_from = std::chrono::hours(-2), .valid_until = std::chrono::hours(-1)}, &stranger);
  ASSERT_EQ(Try({&late, &stranger}), "taken");
  EXPECT_EQ(shown().chain, UrlEncodedPem(late.certificate()) + UrlEncodedPem(stranger.certificate()));
  EXPECT_EQ(shown().leaf, "");
  ASSERT_EQ(Try({}), "taken");
  EXPECT_EQ(stream_->tls()->client_certificate, nullptr);
}

TEST_P(TlsClientAuthenticationTest, TheAuthoritiesAreNamedWhereThatIsAsked) {
  const Made other = Made::Make({.is_authority = true, .common_name = "other"});
  Verify(authority_.Pem() + other.Pem());
  for (const bool told : {false, true}) {
    authentication_->advertises_authorities = told;
    const auto server = MakeServer("TLS13-1-2-2021-06");
    Client client({.version_max = GetParam(), .chain = {&client_}});
    ASSERT_EQ(Handshake(*server, client), 0);
    if (told) {
      EXPECT_THAT(client.authorities(), ElementsAre("CN=authority", "CN=other"));
    } else {
      EXPECT_THAT(client.authorities(), ElementsAre());
    }
  }
}

TEST_P(TlsClientAuthenticationTest, NoSessionIsResumed) {
  Verify(authority_.Pem());
  const auto server = MakeServer("TLS13-1-2-2021-06");
  for (const bool takes_tickets : {true, false}) {
    Client first({.version_max = GetParam(), .takes_tickets = takes_tickets, .chain = {&client_}});
    ASSERT_EQ(Handshake(*server, first), 0);
    const auto session = TakeSession(first);
    EXPECT_EQ(SSL_SESSION_is_resumable(session.get()), 0);
    Client again(
        {.version_max = GetParam(), .session = session.get(), .takes_tickets = takes_tickets, .chain = {&client_}});
    ASSERT_EQ(Handshake(*server, again), 0);
    EXPECT_FALSE(stream_->tls()->is_resumed);
  }
}

TEST_P(TlsClientAuthenticationTest, ASessionWithoutACertificateIsNotResumedWhereOneIsWanted) {
  const auto open = MakeServer("TLS13-1-2-2021-06");
  Client first({.version_max = GetParam()});
  ASSERT_EQ(Handshake(*open, first), 0);
  const auto session = TakeSession(first);
  Verify(authority_.Pem());
  const auto strict = MakeServer("TLS13-1-2-2021-06");
  Client again({.version_max = GetParam(), .session = session.get()});
  EXPECT_NE(Handshake(*strict, again), 0);
}

TEST_P(TlsClientAuthenticationTest, ACertificateWithoutItsKeyIsNoProof) {
  Verify(authority_.Pem());
  const auto server = MakeServer("TLS13-1-2-2021-06");
  Client client({.version_max = GetParam()});
  const OwnedKey forged = ForgedKey(client_, Made::Make({}));
  ASSERT_EQ(SSL_use_certificate(client.ssl(), &client_.certificate()), 1);
  ASSERT_EQ(SSL_use_PrivateKey(client.ssl(), forged.get()), 1);
  EXPECT_NE(Handshake(*server, client), 0);
  EXPECT_EQ(stream_->failure().certificate_fault, Fault::kInvalid);
}

TEST_P(TlsClientAuthenticationTest, AFailureTellsHowFarItCame) {
  Verify(authority_.Pem());
  const Made stranger = Made::Make({.common_name = "stranger"});
  EXPECT_EQ(Try({&stranger}), "Untrusted unknown_ca");
  const TlsFacts facts = stream_->FactsOfFailure();
  EXPECT_EQ(facts.version, GetParam() == TLS1_2_VERSION ? TlsVersion::k12 : TlsVersion::k13);
  EXPECT_EQ(facts.suite, GetParam() == TLS1_2_VERSION ? "ECDHE-ECDSA-AES128-GCM-SHA256" : "TLS_AES_128_GCM_SHA256");
  EXPECT_EQ(facts.group, "x25519");
  EXPECT_EQ(facts.client_certificate->subject, "CN=stranger");
}

TEST_P(TlsClientAuthenticationTest, WithoutACommonSuiteNothingWasAgreed) {
  Verify(authority_.Pem());
  const auto server = MakeServer("TLS13-1-2-2021-06");
  Client client({.version_max = TLS1_1_VERSION});
  EXPECT_NE(Handshake(*server, client), 0);
  EXPECT_EQ(stream_->FactsOfFailure().suite, "");
  EXPECT_EQ(stream_->failure().certificate_fault, Fault::kNone);
}

}  // namespace
}  // namespace weir::net
