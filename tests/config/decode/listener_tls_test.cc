// HTTPS listeners: what they need, and what HTTP listeners cannot have.

#include "tests/config/load_text.h"

#include <gtest/gtest.h>

#include <string>

namespace weir::config {
namespace {

std::string ListenerWith(std::string_view keys) {
  return std::string("load-balancers: [{name: a, listeners: [{port: 443, ")
      .append(keys)
      .append(", default-actions: [{fixed-response: {status-code: 200}}]}]}]\n");
}

constexpr std::string_view kCertificates = "certificates: [{certificate: a.pem, key: a.key}]";

TEST(ListenerTlsTest, KeysAreReadWithTheirPlaces) {
  const auto loaded = LoadFor(ListenerWith(
      "protocol: https, ssl-policy: elbsecuritypolicy-tls13-1-3-2021-06, certificates: [{certificate: {file: a.pem}, "
      "key: keys/a.key, passphrase: {file: a.pass}}, {certificate: b.pem, key: {file: b.key}, passphrase: secret}], "
      "attributes: {routing.http.request.x_amzn_tls_version.header_name: X-Version}"));
  ASSERT_TRUE(loaded.model) << loaded.diagnostics.FormatAll();
  EXPECT_TRUE(loaded.diagnostics.items.empty()) << loaded.diagnostics.FormatAll();
  const Listener& listener = loaded.model->load_balancers[0].listeners[0];
  EXPECT_EQ(listener.protocol, ListenerProtocol::kHttps);
  EXPECT_EQ(listener.ssl_policy.text, "ELBSecurityPolicy-TLS13-1-3-2021-06");
  ASSERT_EQ(listener.certificates.size(), 2U);
  EXPECT_EQ(listener.certificates[0].certificate.text, "a.pem");
  EXPECT_EQ(listener.certificates[0].key.text, "keys/a.key");
  EXPECT_EQ(listener.certificates[0].passphrase->file, "a.pass");
  EXPECT_EQ(listener.certificates[1].key.text, "b.key");
  EXPECT_EQ(listener.certificates[1].passphrase->text, "secret");
  EXPECT_GT(listener.certificates[1].key.position.column, listener.certificates[1].certificate.position.column);
  EXPECT_EQ(listener.attributes.tls_version_field, "X-Version");
  EXPECT_EQ(listener.attributes.tls_cipher_suite_field, "X-Amzn-Tls-Cipher-Suite");
}

TEST(ListenerTlsTest, WithoutAPolicyItIsAwssDefaultWithAWarning) {
  const auto loaded = LoadFor(ListenerWith(std::string("protocol: HTTPS, ").append(kCertificates)));
  ASSERT_TRUE(loaded.model) << loaded.diagnostics.FormatAll();
  EXPECT_EQ(loaded.model->load_balancers[0].listeners[0].ssl_policy.text, "ELBSecurityPolicy-2016-08");
  EXPECT_NE(loaded.diagnostics.FormatAll().find("warning: no `ssl-policy`: ELBSecurityPolicy-2016-08"),
            std::string::npos);
}

std::string Https(std::string_view keys) {
  return ListenerWith(std::string("protocol: HTTPS, ssl-policy: ELBSecurityPolicy-TLS13-1-3-2021-06, ")
                          .append(kCertificates)
                          .append(", ")
                          .append(keys));
}
constexpr std::string_view kStores = "trust-stores: [{name: partners, ca-bundle: ca.pem}]\n";

TEST(MutualAuthenticationTest, KeysAreRead) {
  const auto loaded = LoadFor(
      Https("mutual-authentication: {mode: Verify, trust-store: partners, ignore-client-certificate-expiry: true, "
            "advertise-trust-store-ca-names: on}, attributes: "
            "{routing.http.request.x_amzn_mtls_clientcert_subject.header_name: X-Subject}") +
      "trust-stores: [{name: other, ca-bundle: o.pem}, {name: partners, ca-bundle: {file: ca.pem}, revocations: "
      "[one.crl, {file: two.crl}]}]\n");
  ASSERT_TRUE(loaded.model) << loaded.diagnostics.FormatAll();
  EXPECT_NE(loaded.diagnostics.FormatAll().find("warning: no listener uses trust store `other`"), std::string::npos)
      << loaded.diagnostics.FormatAll();
  const Listener& listener = loaded.model->load_balancers[0].listeners[0];
  EXPECT_EQ(listener.mutual_authentication.mode, MutualAuthenticationMode::kVerify);
  EXPECT_EQ(listener.mutual_authentication.trust_store, 1U);
  EXPECT_TRUE(listener.mutual_authentication.ignores_expiry);
  EXPECT_TRUE(listener.mutual_authentication.advertises_ca_names);
  EXPECT_EQ(listener.attributes.mtls_fields.subject, "X-Subject");
  EXPECT_EQ(listener.attributes.mtls_fields.leaf, "X-Amzn-Mtls-Clientcert-Leaf");
  const TrustStore& store = loaded.model->trust_stores[1];
  EXPECT_EQ(store.ca_bundle.text, "ca.pem");
  ASSERT_EQ(store.revocations.size(), 2U);
  EXPECT_EQ(store.revocations[1].text, "two.crl");
  EXPECT_GT(store.revocations[1].position.column, store.revocations[0].position.column);
}

TEST(MutualAuthenticationTest, WithoutTheKeyItIsOff) {
  for (const char* const keys : {"rules: []", "mutual-authentication: {}", "mutual-authentication: {mode: off}"}) {
    const auto loaded = LoadFor(Https(keys));
    ASSERT_TRUE(loaded.model) << loaded.diagnostics.FormatAll();
    EXPECT_EQ(loaded.model->load_balancers[0].listeners[0].mutual_authentication.mode, MutualAuthenticationMode::kOff);
  }
}

TEST(MutualAuthenticationTest, WhatDoesNotGoTogetherIsAnError) {
  const auto finds = [](const std::string& text, std::string_view wanted) {
    const std::string found = FindingsOf(text);
    EXPECT_NE(found.find(wanted), std::string::npos) << found;
  };
  const std::string stores(kStores);
  finds(Https("mutual-authentication: {mode: verify}"), "`mode: verify` without `trust-store`");
  finds(Https("mutual-authentication: {mode: verify, trust-store: partnrs}") + stores,
        "no trust store is named `partnrs`; did you mean `partners`?");
  finds(Https("mutual-authentication: {mode: passthrough, trust-store: partners}") + stores,
        "`trust-store` has no meaning with `mode: passthrough`");
  finds(Https("mutual-authentication: {ignore-client-certificate-expiry: true}"),
        "`ignore-client-certificate-expiry` has no meaning with `mode: off`");
  finds(Https("mutual-authentication: {mode: strict}"), "strict");
  finds(ListenerWith("mutual-authentication: {mode: passthrough}"),
        "`mutual-authentication` has no meaning for an HTTP listener");
  finds(ListenerWith("attributes: {routing.http.request.x_amzn_mtls_clientcert.header_name: X-Chain}"),
        "`routing.http.request.x_amzn_mtls_clientcert.header_name` has no meaning for an HTTP listener");
  finds(Https("attributes: {routing.http.request.x_amzn_mtls_clientcert.header_name: 'X Chain'}"),
        "is no name of a header field");
  finds("trust-stores: [{name: a}]\n", "ca-bundle");
  finds("trust-stores: [{name: a, ca-bundle: a.pem}, {name: a, ca-bundle: b.pem}]\n", "second");
}

TEST(ConnectionLogTest, ItIsReadLikeTheAccessLog) {
  const auto loaded = LoadFor(
      "load-balancers: [{name: a, connection-log: {path: c.log, format: json}, listeners: [{port: 1, default-actions: "
      "[{fixed-response: {status-code: 200}}]}]}]\n");
  ASSERT_TRUE(loaded.model) << loaded.diagnostics.FormatAll();
  EXPECT_EQ(loaded.model->load_balancers[0].connection_log->path, "c.log");
  EXPECT_EQ(loaded.model->load_balancers[0].connection_log->format, LogFormat::kJson);
  const std::string found = FindingsOf(
      "load-balancers: [{name: a, access-log: {path: c.log}, connection-log: {path: c.log}, listeners: [{port: 1, "
      "default-actions: [{fixed-response: {status-code: 200}}]}]}]\n");
  EXPECT_NE(found.find("the access log is written to the same file"), std::string::npos) << found;
}

TEST(ListenerTlsTest, TicketKeysAreListedInOrder) {
  const auto loaded = LoadFor("tls-ticket-keys: [{file: one.key}, {file: two.key}]\n");
  ASSERT_TRUE(loaded.model) << loaded.diagnostics.FormatAll();
  ASSERT_EQ(loaded.model->tls_ticket_keys.size(), 2U);
  EXPECT_EQ(loaded.model->tls_ticket_keys[1].text, "two.key");
}

TEST(ListenerTlsTest, TheStateDirectoryIsAPath) {
  for (const char* text : {"state: {directory: here}\n", "state: {directory: {file: here}}\n"}) {
    const auto loaded = LoadFor(text);
    ASSERT_TRUE(loaded.model) << loaded.diagnostics.FormatAll();
    EXPECT_EQ(loaded.model->state_directory.text, "here");
    EXPECT_EQ(loaded.model->state_directory.position.line, 1U);
  }
  EXPECT_EQ(LoadFor("node: {name: a}\n").model->state_directory.text, "");
  EXPECT_NE(FindingsOf("state: {}\n").find("directory"), std::string::npos);
  EXPECT_NE(FindingsOf("state: here\n").find("state"), std::string::npos);
}

TEST(ListenerTlsTest, ARedirectOfAnHttpsListenerKeepsItsPort) {
  const std::string found = FindingsOf(
      std::string("load-balancers: [{name: a, listeners: [{port: 8443, protocol: HTTPS, ssl-policy: "
                  "ELBSecurityPolicy-TLS13-1-3-2021-06, ")
          .append(kCertificates)
          .append(", default-actions: [{redirect: {protocol: HTTPS, path: /new, status-code: HTTP_301}}]}]}]\n"));
  EXPECT_EQ(found.find("which speaks HTTP"), std::string::npos) << found;
}

TEST(ListenerTlsTest, AwsMixesFipsAndPostQuantumPoliciesWithNoOthers) {
  const auto listener = [](std::string_view port, std::string_view policy) {
    return std::string("{port: ")
        .append(port)
        .append(", protocol: HTTPS, ")
        .append(kCertificates)
        .append(", ssl-policy: ELBSecurityPolicy-")
        .append(policy)
        .append(", default-actions: [{fixed-response: {status-code: 200}}]}");
  };
  const auto found = [&](std::string_view second) {
    const std::string text = "load-balancers: [{name: a, listeners: [" + listener("443", "TLS13-1-2-PQ-2025-09") +
                             ", " + listener("444", second) + "]}]\n";
    return FindingsOf(text, true);
  };
  EXPECT_NE(found("2016-08").find("AWS: ELBSecurityPolicy-2016-08 beside ELBSecurityPolicy-TLS13-1-2-PQ-2025-09"),
            std::string::npos);
  EXPECT_EQ(found("TLS13-1-2-FIPS-2023-04").find("beside"), std::string::npos);
}

struct ListenerTlsCase {
  const char* name;
  const char* keys;
  const char* finding;
};
void PrintTo(const ListenerTlsCase& c, std::ostream* out) { *out << c.name; }
class ListenerTlsMistakeTest : public ::testing::TestWithParam<ListenerTlsCase> {};

TEST_P(ListenerTlsMistakeTest, IsReported) {
  const std::string found = FindingsOf(ListenerWith(GetParam().keys));
  EXPECT_NE(found.find(GetParam().finding), std::string::npos) << found;
}

INSTANTIATE_TEST_SUITE_P(
    All, ListenerTlsMistakeTest,
    ::testing::Values(
        ListenerTlsCase{"NoCertificates", "protocol: HTTPS",
                        "an HTTPS listener without `certificates`; add `certificates: ["},
        ListenerTlsCase{"NoneInTheList", "protocol: HTTPS, certificates: []", "`certificates`"},
        ListenerTlsCase{"NoKey", "protocol: HTTPS, certificates: [{certificate: a.pem}]",
                        "listener-certificate without `key`; add `key: ...`"},
        ListenerTlsCase{"EmptyPath", "protocol: HTTPS, certificates: [{certificate: '', key: a.key}]",
                        "`certificate` is empty"},
        ListenerTlsCase{"AnotherMap", "protocol: HTTPS, certificates: [{certificate: {path: a.pem}, key: a.key}]",
                        "`certificate` wants a path, or {file: PATH}, found another map"},
        ListenerTlsCase{"AListForAPath", "protocol: HTTPS, certificates: [{certificate: [a.pem], key: a.key}]",
                        "`certificate` wants a path, or {file: PATH}, found a list"},
        ListenerTlsCase{"UnknownPolicy", "protocol: HTTPS, ssl-policy: ELBSecurityPolicy-TLS13-1-3-2021-07",
                        "did you mean `ELBSecurityPolicy-TLS13-1-3-2021-06`?"},
        ListenerTlsCase{"PolicyForHttp", "ssl-policy: ELBSecurityPolicy-2016-08",
                        "`ssl-policy` has no meaning for an HTTP listener"},
        ListenerTlsCase{"CertificatesForHttp", "certificates: [{certificate: a.pem, key: a.key}]",
                        "`certificates` has no meaning for an HTTP listener"},
        ListenerTlsCase{"NameForHttp", "attributes: {routing.http.request.x_amzn_tls_version.header_name: X-V}",
                        "`routing.http.request.x_amzn_tls_version.header_name` has no meaning for an HTTP listener"},
        ListenerTlsCase{"NoFieldName",
                        "protocol: HTTPS, certificates: [{certificate: a.pem, key: a.key}], attributes: "
                        "{routing.http.request.x_amzn_tls_version.header_name: 'X V'}",
                        "`X V` is no name of a header field"}),
    [](const auto& row) { return std::string(row.param.name); });

}  // namespace
}  // namespace weir::config
