#include "net/tls_client_certificate.h"

#include "net/tls_certificate.h"
#include "tests/support/tls_server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/obj_mac.h>

#include <algorithm>
#include <chrono>
#include <string>
#include <string_view>

namespace weir::net {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::StartsWith;
using Made = weir::testing::Certificate;

std::string SubjectOf(std::vector<Made::Options::NamePart> parts) {
  return Describe(Made::Make({.subject = std::move(parts)}).certificate()).subject;
}

TEST(TlsClientCertificateTest, TheSubjectBeginsWithItsLastPart) {
  EXPECT_EQ(SubjectOf({{"C", "US"},
                       {"ST", "Washington"},
                       {"L", "Seattle"},
                       {"O", "mTLS"},
                       {"OU", "client-3"},
                       {"CN", "client_.com"}}),
            "CN=client_.com,OU=client-3,O=mTLS,L=Seattle,ST=Washington,C=US");
}

TEST(TlsClientCertificateTest, WhatHasAMeaningInANameIsEscaped) {
  // RFC 2253 section 2.4.
  EXPECT_EQ(SubjectOf({{"CN", R"(a,b+c"d\e<f>g;h)"}}), R"(CN=a\,b\+c\"d\\e\<f\>g\;h)");
  EXPECT_EQ(SubjectOf({{"CN", "#begins"}}), R"(CN=\#begins)");
  EXPECT_EQ(SubjectOf({{"CN", " spaces "}}), R"(CN=\ spaces\ )");
  EXPECT_EQ(SubjectOf({{"CN", "a=b"}}), "CN=a=b");
}

TEST(TlsClientCertificateTest, NothingButVisibleAsciiIsLeft) {
  EXPECT_EQ(SubjectOf({{"CN", "M\xC3\xBCller"}}), R"(CN=M\C3\BCller)");
  EXPECT_EQ(SubjectOf({{"CN", "\xE6\x97\xA5\xE6\x9C\xAC"}}), R"(CN=\E6\97\A5\E6\9C\AC)");
  const std::string hostile = SubjectOf({{"CN", "a\r\nX-Admin: yes\x01\x7F"}});
  EXPECT_EQ(hostile, R"(CN=a\0D\0AX-Admin: yes\01\7F)");
}

TEST(TlsClientCertificateTest, PartsOfOneRdnAreJoinedByAPlus) {
  EXPECT_EQ(SubjectOf({{"O", "mTLS"}, {"CN", "one"}, {"UID", "42", true}}), "UID=42+CN=one,O=mTLS");
}

TEST(TlsClientCertificateTest, AnUnknownTypeIsItsNumberAndItsBytes) {
  EXPECT_EQ(SubjectOf({{"CN", "one"}, {"1.2.3.4.5", "x"}}), "1.2.3.4.5=#0C0178,CN=one");
}

TEST(TlsClientCertificateTest, ASerialNumberHasWholeBytes) {
  const auto serial = [](std::string_view hex) {
    return Describe(Made::Make({.serial_number = std::string(hex)}).certificate()).serial_number;
  };
  EXPECT_EQ(serial("3A5B1"), "03A5B1");
  EXPECT_EQ(serial("2"), "02");
  EXPECT_EQ(serial("FEF257372D5C14D4"), "FEF257372D5C14D4");
  EXPECT_EQ(serial("FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF"), "FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF");
  EXPECT_EQ(serial("-1A"), "-1A");
  EXPECT_EQ(serial("0"), "00");
}

TEST(TlsClientCertificateTest, TheValidityHasBothEndsInUtc) {
  const auto validity = Describe(Made::Make({.not_after = "20240920015017Z"}).certificate()).validity;
  EXPECT_THAT(validity, StartsWith("NotBefore=20"));
  EXPECT_THAT(validity, EndsWith(";NotAfter=2024-09-20T01:50:17Z"));
  EXPECT_EQ(validity.size(), std::string_view("NotBefore=2023-09-21T01:50:17Z;NotAfter=2024-09-20T01:50:17Z").size());
}

TEST(TlsClientCertificateTest, ACertificateWithoutAnEndSaysSo) {
  // RFC 5280 section 4.1.2.5. A WallTime does not reach so far.
  const Made made = Made::Make({.not_after = "99991231235959Z"});
  EXPECT_THAT(Describe(made.certificate()).validity, EndsWith(";NotAfter=9999-12-31T23:59:59Z"));
  const TlsCertificateFacts facts = FactsOf(made.certificate());
  EXPECT_TRUE(facts.valid(std::chrono::system_clock::now()));
  EXPECT_THAT(FormatCertificateTime(facts.not_after), StartsWith("2262-"));
}

TEST(TlsClientCertificateTest, AUrlEncodedPemKeepsWhatBase64Needs) {
  const Made made = Made::Make({.common_name = "one"});
  const std::string encoded = UrlEncodedPem(made.certificate());
  EXPECT_THAT(encoded, StartsWith("-----BEGIN%20CERTIFICATE-----%0AMII"));
  EXPECT_THAT(encoded, EndsWith("%0A-----END%20CERTIFICATE-----%0A"));
  // Decoding gives the PEM back.
  std::string decoded;
  for (std::size_t i = 0; i < encoded.size(); ++i) {
    if (encoded[i] != '%') {
      decoded += encoded[i];
      continue;
    }
    decoded += static_cast<char>(std::stoi(encoded.substr(i + 1, 2), nullptr, 16));
    i += 2;
  }
  EXPECT_EQ(decoded, made.Pem());
  EXPECT_TRUE(std::ranges::none_of(encoded, [](char c) { return c <= ' ' || c > '~'; }));
}

TEST(TlsClientCertificateTest, KindsAreThoseOfAws) {
  const Made authority = Made::Make({.is_authority = true, .key = Made::Key::kRsa2048});
  const auto kind = [&authority](Made::Options options) {
    return UnsupportedKind(Made::Make(options, &authority).certificate());
  };
  for (const auto key :
       {Made::Key::kP256, Made::Key::kP384, Made::Key::kP521, Made::Key::kRsa2048, Made::Key::kRsa3072}) {
    EXPECT_EQ(kind({.key = key}), "");
  }
  EXPECT_EQ(kind({.hash = Made::Hash::kSha384}), "");
  EXPECT_EQ(kind({.key = Made::Key::kRsa1024}), "an RSA key of 1024 bits");
  EXPECT_THAT(kind({.key = Made::Key::kEd25519}), HasSubstr("ED25519"));
  EXPECT_EQ(kind({.hash = Made::Hash::kSha1}), "a signature by sha1WithRSAEncryption");
  EXPECT_EQ(kind({.hash = Made::Hash::kMd5}), "a signature by md5WithRSAEncryption");
  EXPECT_EQ(kind({.is_old = true}), "not of X.509 version 3");
}

TEST(TlsClientCertificateTest, EveryFaultHasACodeOfTheConnectionLog) {
  EXPECT_EQ(ToString(ClientCertificateFault::kNone), "");
  for (std::size_t i = 1; i < kClientCertificateFaults; ++i) {
    EXPECT_THAT(std::string(ToString(static_cast<ClientCertificateFault>(i))), StartsWith("ClientCert"));
  }
}

}  // namespace
}  // namespace weir::net
