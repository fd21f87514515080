#include "proxy/log/connection_log.h"

#include "base/random.h"
#include "net/tls_facts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>

namespace weir::proxy {
namespace {

using ::testing::MatchesRegex;

constexpr std::string_view kEnd = " app/shop/46dc5e18e28e2409 192.0.2.10\n";

class ConnectionLogTest : public ::testing::Test {
 protected:
  ConnectionLogTest() {
    record_.time = WallTime(std::chrono::microseconds(1'696'439'115'514'108));
    record_.client = *Endpoint::Parse("203.0.113.1:36280");
    record_.listener_port = 443;
    record_.connection_id = "TID_3180a73013c8ca4bac2f731159d4b0fe";
    record_.load_balancer = "shop";
    record_.node = *IpAddress::Parse("192.0.2.10");
    facts_.version = net::TlsVersion::k12;
    facts_.suite = "ECDHE-RSA-AES128-GCM-SHA256";
    facts_.group = "x25519";
    certificate_.subject = "CN=amazondomains.com,O=endEntity,L=Seattle,ST=Washington,C=US";
    certificate_.validity = "NotBefore=2023-09-21T22:43:21Z;NotAfter=2026-06-17T22:43:21Z";
    certificate_.serial_number = "FEF257372D5C14D4";
  }
  void OverTls(bool with_certificate) {
    facts_.client_certificate =
        with_certificate ? std::make_shared<const net::TlsClientCertificate>(certificate_) : nullptr;
    record_.tls = &facts_;
  }
  std::string Alb() {
    std::string line;
    AppendAlbLine(line, record_, times_);
    return line;
  }
  std::string Json() {
    std::string line;
    AppendJsonLine(line, record_);
    return line;
  }

  ConnectionLogRecord record_;
  net::TlsFacts facts_;
  net::TlsClientCertificate certificate_;
  Iso8601Writer times_;
};

// The first twelve fields are those of AWS's own examples.
TEST_F(ConnectionLogTest, AVerifiedClient) {
  OverTls(true);
  record_.handshake_seconds = 4.0361;
  EXPECT_EQ(Alb(),
            "2023-10-04T17:05:15.514108Z 203.0.113.1 36280 443 TLSv1.2 ECDHE-RSA-AES128-GCM-SHA256 4.036 "
            "\"CN=amazondomains.com,O=endEntity,L=Seattle,ST=Washington,C=US\" "
            "NotBefore=2023-09-21T22:43:21Z;NotAfter=2026-06-17T22:43:21Z FEF257372D5C14D4 Success "
            "TID_3180a73013c8ca4bac2f731159d4b0fe x25519" +
                std::string(kEnd));
  EXPECT_EQ(Json(), R"({"timestamp":"2023-10-04T17:05:15.514108Z","client_ip":"203.0.113.1","client_port":36280,)"
                    R"("listener_port":443,"tls_protocol":"TLSv1.2","tls_cipher":"ECDHE-RSA-AES128-GCM-SHA256",)"
                    R"("tls_handshake_latency":4.036100,)"
                    R"("leaf_client_cert_subject":"CN=amazondomains.com,O=endEntity,L=Seattle,ST=Washington,C=US",)"
                    R"("leaf_client_cert_validity":"NotBefore=2023-09-21T22:43:21Z;NotAfter=2026-06-17T22:43:21Z",)"
                    R"("leaf_client_cert_serial_number":"FEF257372D5C14D4","tls_verify_status":"Success",)"
                    R"("conn_trace_id":"TID_3180a73013c8ca4bac2f731159d4b0fe","tls_keyexchange":"x25519",)"
                    R"("elb":"app/shop/46dc5e18e28e2409","ip_address":"192.0.2.10"})"
                    "\n");
}

TEST_F(ConnectionLogTest, ARefusedClient) {
  OverTls(true);
  record_.failed = true;
  record_.fault = net::ClientCertificateFault::kUntrusted;
  EXPECT_EQ(Alb(),
            "2023-10-04T17:05:15.514108Z 203.0.113.1 36280 443 TLSv1.2 ECDHE-RSA-AES128-GCM-SHA256 - "
            "\"CN=amazondomains.com,O=endEntity,L=Seattle,ST=Washington,C=US\" "
            "NotBefore=2023-09-21T22:43:21Z;NotAfter=2026-06-17T22:43:21Z FEF257372D5C14D4 "
            "Failed:ClientCertUntrusted TID_3180a73013c8ca4bac2f731159d4b0fe x25519" +
                std::string(kEnd));
}

TEST_F(ConnectionLogTest, AClientWithoutACertificate) {
  OverTls(false);
  record_.handshake_seconds = 0;
  facts_.group = {};
  EXPECT_EQ(Alb(),
            "2023-10-04T17:05:15.514108Z 203.0.113.1 36280 443 TLSv1.2 ECDHE-RSA-AES128-GCM-SHA256 0.000 \"-\" - - "
            "Success TID_3180a73013c8ca4bac2f731159d4b0fe -" +
                std::string(kEnd));
}

TEST_F(ConnectionLogTest, AHandshakeThatAgreedOnNothing) {
  OverTls(false);
  record_.failed = true;
  facts_.suite = {};
  facts_.group = {};
  EXPECT_EQ(Alb(),
            "2023-10-04T17:05:15.514108Z 203.0.113.1 36280 443 - - - \"-\" - - Failed:UnmappedConnectionError "
            "TID_3180a73013c8ca4bac2f731159d4b0fe -" +
                std::string(kEnd));
  EXPECT_EQ(Json(), R"({"timestamp":"2023-10-04T17:05:15.514108Z","client_ip":"203.0.113.1","client_port":36280,)"
                    R"("listener_port":443,"tls_verify_status":"Failed:UnmappedConnectionError",)"
                    R"("conn_trace_id":"TID_3180a73013c8ca4bac2f731159d4b0fe",)"
                    R"("elb":"app/shop/46dc5e18e28e2409","ip_address":"192.0.2.10"})"
                    "\n");
}

TEST_F(ConnectionLogTest, PlainHttpHasNothingToSayOfTls) {
  record_.client = *Endpoint::Parse("[2001:db8::1]:36280");
  record_.node = *IpAddress::Parse("2001:db8::2");
  EXPECT_EQ(Alb(),
            "2023-10-04T17:05:15.514108Z 2001:db8::1 36280 443 - - - \"-\" - - - "
            "TID_3180a73013c8ca4bac2f731159d4b0fe - app/shop/46dc5e18e28e2409 2001:db8::2\n");
}

TEST_F(ConnectionLogTest, WhatStandsInASubjectDoesNotEndItsField) {
  certificate_.subject = R"(CN=a\"b\,c\0A)";
  OverTls(true);
  EXPECT_THAT(Alb(), ::testing::HasSubstr(R"( "CN=a\x5C\x22b\x5C,c\x5C0A" NotBefore=)"));
}

TEST_F(ConnectionLogTest, IdsHave32Digits) {
  Random random(1);
  const std::string id = MakeConnectionId(random);
  EXPECT_THAT(id, MatchesRegex("TID_[0-9a-f]+"));
  EXPECT_EQ(id.size(), 36U);
  EXPECT_NE(MakeConnectionId(random), id);
}

}  // namespace
}  // namespace weir::proxy
