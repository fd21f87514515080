// HTTPS target groups: what they may say about TLS, and what HTTP groups cannot have.

#include "tests/config/load_text.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace weir::config {
namespace {

std::string GroupWith(std::string_view keys) {
  return std::string("target-groups: [{name: a, targets: [{address: 127.0.0.1, port: 1}], ").append(keys) + "}]\n";
}

TEST(TargetTlsTest, WithoutTlsNothingIsVerifiedAndChecksAreByHttps) {
  const auto loaded = LoadFor(GroupWith("protocol: https"));
  ASSERT_TRUE(loaded.model) << loaded.diagnostics.FormatAll();
  const TargetGroup& group = loaded.model->target_groups[0];
  EXPECT_EQ(group.protocol, TargetProtocol::kHttps);
  EXPECT_FALSE(group.tls.verify);
  EXPECT_FALSE(group.tls.certificate);
  EXPECT_EQ(group.health_check.protocol, ProbeProtocol::kHttps);
}

TEST(TargetTlsTest, AHealthCheckMayHaveAnotherProtocolThanItsGroup) {
  auto loaded = LoadFor(GroupWith("protocol: HTTPS, health-check: {path: /health}"));
  ASSERT_TRUE(loaded.model) << loaded.diagnostics.FormatAll();
  EXPECT_EQ(loaded.model->target_groups[0].health_check.protocol, ProbeProtocol::kHttps);
  loaded = LoadFor(GroupWith("protocol: HTTPS, health-check: {protocol: HTTP, port: 81}"));
  ASSERT_TRUE(loaded.model) << loaded.diagnostics.FormatAll();
  EXPECT_EQ(loaded.model->target_groups[0].health_check.protocol, ProbeProtocol::kHttp);
  loaded = LoadFor(GroupWith("health-check: {protocol: HTTPS}"));
  ASSERT_TRUE(loaded.model) << loaded.diagnostics.FormatAll();
  EXPECT_EQ(loaded.model->target_groups[0].protocol, TargetProtocol::kHttp);
}

TEST(TargetTlsTest, KeysAreReadWithTheirPlaces) {
  const auto loaded =
      LoadFor(GroupWith("protocol: HTTPS, tls: {verify: true, ca-bundle: internal-ca.pem, server-name: app.internal, "
                        "certificate: front.pem, key: {file: front.key}, passphrase: {file: front.pass}}"));
  ASSERT_TRUE(loaded.model) << loaded.diagnostics.FormatAll();
  const TargetTls& tls = loaded.model->target_groups[0].tls;
  EXPECT_TRUE(tls.verify);
  EXPECT_EQ(tls.ca_bundle.text, "internal-ca.pem");
  EXPECT_EQ(tls.ca_bundle.position.line, 1U);
  EXPECT_EQ(tls.server_name, "app.internal");
  ASSERT_TRUE(tls.certificate);
  EXPECT_EQ(tls.certificate->certificate.text, "front.pem");
  EXPECT_EQ(tls.certificate->key.text, "front.key");
  EXPECT_EQ(tls.certificate->passphrase->file, "front.pass");
}

struct TargetTlsCase {
  const char* name;
  std::string keys;
  std::string_view finding;
};

class TargetTlsErrorTest : public ::testing::TestWithParam<TargetTlsCase> {};

TEST_P(TargetTlsErrorTest, IsFoundAtItsPlace) {
  const std::string found = FindingsOf(GroupWith(GetParam().keys));
  EXPECT_NE(found.find(GetParam().finding), std::string::npos) << found;
}

INSTANTIATE_TEST_SUITE_P(
    Keys, TargetTlsErrorTest,
    ::testing::Values(
        TargetTlsCase{"OfAnHttpGroup", "tls: {verify: true}", "error: `tls` has no meaning for an HTTP target group"},
        TargetTlsCase{"AuthoritiesForNothing", "protocol: HTTPS, tls: {ca-bundle: ca.pem}",
                      "error: `ca-bundle` has no meaning without `verify: true`"},
        TargetTlsCase{"CertificateWithoutKey", "protocol: HTTPS, tls: {certificate: a.pem}",
                      "error: `certificate` without `key`; add `key: PATH`"},
        TargetTlsCase{"KeyWithoutCertificate", "protocol: HTTPS, tls: {key: a.key}",
                      "error: `key` without `certificate`; add `certificate: PATH`"},
        TargetTlsCase{"PassphraseAlone", "protocol: HTTPS, tls: {passphrase: {file: a.pass}}",
                      "error: `passphrase` without `key`"},
        TargetTlsCase{"NoHostName", "protocol: HTTPS, tls: {server-name: 'app internal'}", "is no host name"},
        TargetTlsCase{"UnknownKey", "protocol: HTTPS, tls: {verfy: true}", "did you mean `verify`?"},
        TargetTlsCase{"NoBoolean", "protocol: HTTPS, tls: {verify: maybe}", "`verify`"}),
    [](const auto& row) { return row.param.name; });

TEST(TargetTlsTest, AwsHasNothingOfTheKind) {
  const std::string text = GroupWith("protocol: HTTPS, tls: {server-name: app.internal}");
  EXPECT_EQ(FindingsOf(text).find("tls"), std::string::npos);
}

}  // namespace
}  // namespace weir::config
