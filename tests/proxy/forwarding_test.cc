#include "proxy/forwarding.h"

#include "http/target.h"
#include "net/tls_client_certificate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace weir::proxy {
namespace {

using ::testing::AllOf;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::Not;
using ::testing::StartsWith;

constexpr WallTime kNow{std::chrono::seconds(0x69072f22)};

class ForwardingTest : public ::testing::Test {
 protected:
  RequestMessage Build() {
    head_.fields = fields_;
    EXPECT_TRUE(http::TakeTargetApart(head_));
    RequestMessage out;
    BuildRequestMessage(head_, attributes_, origin_, kNow, random_, out, trace_id_);
    return out;
  }
  void SetHost(std::string_view host) {
    head_.authority = http::ParseHostPort(host).value_or(http::HostPort());
    fields_.insert(fields_.begin(), {"Host", host});
  }

  ForwardingTest() {
    head_.method = "GET";
    head_.target = "/";
    origin_.peer = *Endpoint::Parse("192.0.2.7:40112");
    origin_.local = *Endpoint::Parse("127.0.0.1:8080");
    origin_.port = 8080;
    origin_.forwarded_port = 8443;  // as a PROXY header says
    origin_.scheme = "http";
  }

  http::RequestHead head_;
  std::vector<http::Field> fields_;
  config::LoadBalancerAttributes attributes_;
  RequestOrigin origin_;
  Random random_{1};
  std::string trace_id_;
};

TEST_F(ForwardingTest, WhatWasAgreedOnReplacesWhatTheClientClaims) {
  const TlsFields tls{.version_name = "X-Amzn-Tls-Version",
                      .version = "TLSv1.3",
                      .cipher_suite_name = "X-Suite",
                      .cipher_suite = "TLS_AES_128_GCM_SHA256"};
  fields_ = {{"x-amzn-tls-version", "forged"}, {"X-Suite", "forged"}, {"X-Amzn-Tls-Cipher-Suite", "kept"}};
  EXPECT_THAT(Build().fields, HasSubstr("x-amzn-tls-version: forged"));
  origin_.tls = &tls;
  const std::string fields = Build().fields;
  EXPECT_THAT(fields, HasSubstr("X-Amzn-Tls-Version: TLSv1.3\r\n"));
  EXPECT_THAT(fields, HasSubstr("X-Suite: TLS_AES_128_GCM_SHA256\r\n"));
  EXPECT_THAT(fields, HasSubstr("X-Amzn-Tls-Cipher-Suite: kept\r\n"));
  EXPECT_THAT(fields, Not(HasSubstr("forged")));
}

// spec: alb.md 18.3.
TEST_F(ForwardingTest, AVerifiedClientIsToldInFiveFields) {
  const config::MtlsFieldNames names;
  const net::TlsClientCertificate certificate{
      .subject = "CN=client",
      .issuer = "CN=authority",
      .serial_number = "03A5B1",
      .validity = "NotBefore=2023-09-21T01:50:17Z;NotAfter=2024-09-20T01:50:17Z",
      .leaf = "-----BEGIN%20CERTIFICATE-----%0A",
      .chain = {}};
  const MtlsFields mtls{.names = &names, .certificate = &certificate};
  origin_.mtls = &mtls;
  EXPECT_THAT(
      Build().fields,
      EndsWith("X-Amzn-Mtls-Clientcert-Serial-Number: 03A5B1\r\n"
               "X-Amzn-Mtls-Clientcert-Issuer: CN=authority\r\n"
               "X-Amzn-Mtls-Clientcert-Subject: CN=client\r\n"
               "X-Amzn-Mtls-Clientcert-Validity: NotBefore=2023-09-21T01:50:17Z;NotAfter=2024-09-20T01:50:17Z\r\n"
               "X-Amzn-Mtls-Clientcert-Leaf: -----BEGIN%20CERTIFICATE-----%0A\r\n"));
}

TEST_F(ForwardingTest, AChainThatWasNotVerifiedIsOneField) {
  const config::MtlsFieldNames names{.chain = "X-Chain"};
  const net::TlsClientCertificate certificate{
      .subject = "CN=client", .issuer = {}, .serial_number = {}, .validity = {}, .leaf = {}, .chain = "-----BEGIN"};
  const MtlsFields mtls{.names = &names, .certificate = &certificate};
  origin_.mtls = &mtls;
  EXPECT_THAT(Build().fields, AllOf(EndsWith("X-Chain: -----BEGIN\r\n"), Not(HasSubstr("Mtls"))));
}

TEST_F(ForwardingTest, NobodyElseTellsOfACertificate) {
  fields_ = {{"x-amzn-mtls-clientcert-subject", "forged"}, {"X-Amzn-Mtls-Clientcert", "forged"},
             {"X_Amzn_Mtls_Clientcert_Leaf", "forged"},    {"x-issuer", "forged"},
             {"X-Amzn-Mtls-Clientcert-Issuer", "forged"},  {"X-Amzn-Mtls-Other", "kept"}};
  EXPECT_THAT(Build().fields, HasSubstr("x-amzn-mtls-clientcert-subject: forged"));
  const config::MtlsFieldNames names{.issuer = "X-Issuer"};
  const MtlsFields mtls{.names = &names, .certificate = nullptr};
  origin_.mtls = &mtls;
  EXPECT_THAT(Build().fields, AllOf(Not(HasSubstr("forged")), HasSubstr("X-Amzn-Mtls-Other: kept\r\n")));
}

TEST_F(ForwardingTest, FieldsThatTellOfAUserAreOurs) {
  for (const char* name : {"x-amzn-oidc-data", "X-Amzn-Oidc-Identity", "X_AMZN_OIDC_accesstoken", "x-amzn-oidc-"}) {
    EXPECT_TRUE(TellsOfUser(name)) << name;
  }
  for (const char* name : {"x-amzn-oidc", "x-amzn-trace-id", "my-x-amzn-oidc-data", ""}) {
    EXPECT_FALSE(TellsOfUser(name)) << name;
  }
}

TEST_F(ForwardingTest, WhatOnlyTheLoadBalancerSaysIsReserved) {
  const TlsFields tls{.version_name = "X-Version", .version = {}, .cipher_suite_name = "X-Suite", .cipher_suite = {}};
  const config::MtlsFieldNames names{.leaf = "X-Leaf"};
  const MtlsFields mtls{.names = &names, .certificate = nullptr};
  for (const char* name : {"x-version", "X_Version", "X-Suite"}) {
    EXPECT_TRUE(IsReserved(name, &tls, nullptr)) << name;
    EXPECT_FALSE(IsReserved(name, nullptr, &mtls)) << name;
  }
  for (const char* name : {"x-leaf", "X_LEAF", "X-Amzn-Mtls-Clientcert-Leaf", "x_amzn_mtls_clientcert"}) {
    EXPECT_TRUE(IsReserved(name, nullptr, &mtls)) << name;
    EXPECT_FALSE(IsReserved(name, &tls, nullptr)) << name;
  }
  EXPECT_FALSE(IsReserved("X-Sum", &tls, &mtls));
  EXPECT_FALSE(IsReserved("X-Version", nullptr, nullptr));
}

struct HostRow {
  const char* name;
  std::uint16_t port;
  const char* target;
  const char* host;
  bool preserve;
  const char* expected;
};

// spec: alb.md 12.3.
class HostTest : public ForwardingTest, public ::testing::WithParamInterface<HostRow> {};

TEST_P(HostTest, SendsTheHostOfTheTable) {
  const HostRow& row = GetParam();
  head_.target = row.target;
  SetHost(row.host);
  origin_.port = row.port;
  attributes_.preserve_host_header = row.preserve;
  EXPECT_EQ(Build().host_lines, std::string("Host: ") + row.expected + "\r\n");
}

INSTANTIATE_TEST_SUITE_P(
    Section12Point3, HostTest,
    ::testing::Values(HostRow{"Port80Plain", 80, "/", "example.com", false, "example.com"},
                      HostRow{"Port80WithPort", 80, "/", "example.com:80", false, "example.com"},
                      HostRow{"OtherPortPlain", 8080, "/", "example.com", false, "example.com:8080"},
                      HostRow{"OtherPortWithPort", 8080, "/", "example.com:8080", false, "example.com:8080"},
                      HostRow{"LowerCased", 80, "/", "Example.COM", false, "example.com"},
                      HostRow{"LowerCasedAcrossWords", 80, "/", "ABCYZabcyz-019.Shop_XYZ~.Q", false,
                              "abcyzabcyz-019.shop_xyz~.q"},
                      HostRow{"AbsoluteForm", 80, "http://dns_name/x", "example.com", false, "dns_name"},
                      HostRow{"Ipv6Literal", 8080, "/", "[::1]", false, "[::1]:8080"},
                      HostRow{"Preserved", 8080, "/", "Example.com", true, "Example.com"}),
    [](const auto& row) { return row.param.name; });

TEST_F(ForwardingTest, GivesARequestWithoutHostTheAddressItWasSentTo) {
  EXPECT_EQ(Build().host_lines, "Host: 127.0.0.1:8080\r\n");
}

TEST_F(ForwardingTest, SendsAnAbsoluteFormTargetInOriginForm) {
  head_.target = "http://a.example/p/q?x=1";
  SetHost("b.example");
  EXPECT_EQ(Build().target, "/p/q?x=1");
}

// spec: alb.md 12.4.
TEST_F(ForwardingTest, AppendsTheClientToEveryForwardedForLine) {
  fields_ = {{"X-Forwarded-For", "198.51.100.1"}, {"x-forwarded-for", "198.51.100.2, 198.51.100.3"}};
  EXPECT_THAT(Build().fields, HasSubstr("X-Forwarded-For: 198.51.100.1, 198.51.100.2, 198.51.100.3, 192.0.2.7\r\n"));
}

using XffEmptyTest = ForwardingTest;

// RFC 9110 section 5.6.1.1.
TEST_F(XffEmptyTest, AnEmptyFieldAddsNoElement) {
  for (const char* value : {"", ",", " , ,"}) {
    fields_ = {{"X-Forwarded-For", value}};
    EXPECT_THAT(Build().fields, HasSubstr("X-Forwarded-For: 192.0.2.7\r\n"));
  }
  fields_ = {{"X-Forwarded-For", ""}, {"X-Forwarded-For", "198.51.100.1"}, {"X-Forwarded-For", ""}};
  EXPECT_THAT(Build().fields, HasSubstr("X-Forwarded-For: 198.51.100.1, 192.0.2.7\r\n"));
  attributes_.xff_processing = config::XffProcessing::kPreserve;
  EXPECT_THAT(Build().fields, HasSubstr("X-Forwarded-For: 198.51.100.1\r\n"));
}

TEST_F(XffEmptyTest, EmptyElementsBetweenOthersStay) {
  fields_ = {{"X-Forwarded-For", "198.51.100.1,,198.51.100.2"}};
  EXPECT_THAT(Build().fields, HasSubstr("X-Forwarded-For: 198.51.100.1,,198.51.100.2, 192.0.2.7\r\n"));
}

TEST_F(XffEmptyTest, TheFirstElementIsNeverEmpty) {
  fields_ = {{"X-Forwarded-For", ", ,198.51.100.1"}};
  EXPECT_THAT(Build().fields, HasSubstr("X-Forwarded-For: 198.51.100.1, 192.0.2.7\r\n"));
}

TEST_F(ForwardingTest, AddsTheClientPortWhenAsked) {
  attributes_.xff_client_port = true;
  EXPECT_THAT(Build().fields, HasSubstr("X-Forwarded-For: 192.0.2.7:40112\r\n"));
  origin_.peer = *Endpoint::Parse("[2001:db8::7]:40112");
  EXPECT_THAT(Build().fields, HasSubstr("X-Forwarded-For: [2001:db8::7]:40112\r\n"));
}

TEST_F(ForwardingTest, WritesAnIpv6ClientBareWithoutPort) {
  origin_.peer = *Endpoint::Parse("[2001:db8::7]:40112");
  EXPECT_THAT(Build().fields, HasSubstr("X-Forwarded-For: 2001:db8::7\r\n"));
}

TEST_F(ForwardingTest, PreserveLeavesForwardedForAlone) {
  attributes_.xff_processing = config::XffProcessing::kPreserve;
  EXPECT_THAT(Build().fields, Not(HasSubstr("X-Forwarded-For")));
  fields_ = {{"X-Forwarded-For", "198.51.100.1"}};
  EXPECT_THAT(Build().fields, HasSubstr("X-Forwarded-For: 198.51.100.1\r\n"));
}

TEST_F(ForwardingTest, RemoveDeletesForwardedFor) {
  attributes_.xff_processing = config::XffProcessing::kRemove;
  fields_ = {{"X-Forwarded-For", "198.51.100.1"}};
  EXPECT_THAT(Build().fields, Not(HasSubstr("X-Forwarded-For")));
}

TEST_F(ForwardingTest, ReplacesForwardedProtoAndPort) {
  fields_ = {{"X-Forwarded-Proto", "https"}, {"X-Forwarded-Port", "443"}};
  const std::string fields = Build().fields;
  EXPECT_THAT(fields, HasSubstr("X-Forwarded-Proto: http\r\nX-Forwarded-Port: 8443\r\n"));
  EXPECT_THAT(fields, Not(HasSubstr("https")));
}

TEST_F(ForwardingTest, RemovesHopByHopFieldsAndThoseThatConnectionNames) {
  fields_ = {{"Connection", "keep-alive, X-Secret"},
             {"Keep-Alive", "timeout=5"},
             {"X-Secret", "1"},
             {"TE", "trailers"},
             {"Upgrade", "h2c"},
             {"Transfer-Encoding", "chunked"},
             {"Expect", "100-continue"},
             {"Accept", "*/*"}};
  const std::string fields = Build().fields;
  EXPECT_THAT(fields, StartsWith("Accept: */*\r\nX-Forwarded-For"));
  for (const char* gone : {"Connection", "Keep-Alive", "X-Secret", "TE:", "Upgrade", "Transfer-Encoding", "Expect"}) {
    EXPECT_THAT(fields, Not(HasSubstr(gone)));
  }
}

TEST_F(ForwardingTest, DropsInvalidNamesOnlyWhenAsked) {
  fields_ = {{"X_Under", "1"}};
  EXPECT_THAT(Build().fields, HasSubstr("X_Under: 1\r\n"));
  attributes_.drop_invalid_header_fields = true;
  EXPECT_THAT(Build().fields, Not(HasSubstr("X_Under")));
}

// spec: alb.md 12.5.
TEST_F(ForwardingTest, MakesATraceparentOfTheSameTraceWhereAsked) {
  EXPECT_THAT(Build().fields, Not(HasSubstr("traceparent")));
  attributes_.makes_traceparent = true;
  const std::string made = Build().fields;
  const std::string root = trace_id_.substr(7, 8) + trace_id_.substr(16);
  EXPECT_THAT(made, MatchesRegex("(.|\r|\n)*\r\ntraceparent: 00-" + root + "-[0-9a-f]{16}-00\r\n"));

  fields_.push_back({"X-Amzn-Trace-Id", "Root=1-67891233-ABCDEF012345678912345678;Sampled=1"});
  EXPECT_THAT(Build().fields, HasSubstr("\r\ntraceparent: 00-67891233abcdef012345678912345678-"));
  EXPECT_THAT(Build().fields, EndsWith("-01\r\n"));
  for (const char* root_of_others :
       {"Root=own", "Root=1-00000000-000000000000000000000000", "Root=1-6789123x-abcdef012345678912345678"}) {
    fields_.back().value = root_of_others;
    EXPECT_THAT(Build().fields, MatchesRegex("(.|\r|\n)*\r\ntraceparent: 00-[0-9a-f]{32}-[0-9a-f]{16}-00\r\n"))
        << root_of_others;
  }

  fields_ = {{"Traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}, {"tracestate", "a=1"}};
  EXPECT_THAT(Build().fields,
              AllOf(HasSubstr("Traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\r\n"),
                    HasSubstr("tracestate: a=1\r\n"), Not(HasSubstr("traceparent: 00-"))));
}

TEST_F(ForwardingTest, MakesATraceIdOfTimeAndChance) {
  const std::string fields = Build().fields;
  EXPECT_THAT(fields, EndsWith("X-Amzn-Trace-Id: " + trace_id_ + "\r\n"));
  EXPECT_THAT(trace_id_, MatchesRegex("Root=1-69072f22-[0-9a-f]{24}"));
}

TEST_F(ForwardingTest, AddsSelfBeforeAReceivedRootAndKeepsOtherFields) {
  const std::string id = TraceId("Root=1-67891233-abcdef012345678912345678;CalledFrom=app", 100, kNow, random_);
  EXPECT_THAT(id, MatchesRegex("Self=1-69072f22-[0-9a-f]{24};Root=1-67891233-abcdef012345678912345678;CalledFrom=app"));
}

TEST_F(ForwardingTest, ReplacesAReceivedSelf) {
  const std::string id = TraceId("Self=1-1-2;Root=1-67891233-abcdef012345678912345678", 100, kNow, random_);
  EXPECT_THAT(id, MatchesRegex("Self=1-69072f22-[0-9a-f]{24};Root=1-67891233-abcdef012345678912345678"));
}

TEST_F(ForwardingTest, KeepsOnlyTheRootWhenTheHeadersAreLarge) {
  EXPECT_EQ(TraceId("Self=1-1-2;Root=1-6-a;X=1", 8'000, kNow, random_), "Root=1-6-a");
}

TEST(ForwardedForTest, CountsAddressesOverAllLines) {
  EXPECT_EQ(CountForwardedFor({{"X-Forwarded-For", "a, b"}, {"Via", "x"}, {"x-forwarded-for", "c"}}), 3U);
  EXPECT_EQ(CountForwardedFor({{"X-Forwarded-For", ""}}), 0U);
}

// spec: alb.md section 3.
TEST(ResponseFieldsTest, SetsListenerFieldsInPlaceOfTheTargets) {
  http::ResponseHead head;
  head.fields = {{"X-Frame-Options", "DENY"}, {"Content-Length", "3"}, {"Connection", "close"}, {"ETag", "\"1\""}};
  config::ListenerAttributes attributes;
  attributes.response_fields = {{"X-Frame-Options", "SAMEORIGIN"}, {"X-Content-Type-Options", "nosniff"}};
  FieldBlock out;
  AppendResponseFields(head, attributes, out);
  EXPECT_EQ(out, "ETag: \"1\"\r\nX-Frame-Options: SAMEORIGIN\r\nX-Content-Type-Options: nosniff\r\n");
}

}  // namespace
}  // namespace weir::proxy
