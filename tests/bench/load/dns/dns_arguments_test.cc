#include "bench/load/dns/dns_arguments.h"

#include <gtest/gtest.h>

#include <chrono>
#include <string>

namespace weir::bench {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

DnsArguments Ask() {
  DnsArguments arguments;
  arguments.server = "192.0.2.53";
  arguments.name = "www.example.test";
  return arguments;
}

std::string RefusalOf(const DnsArguments& arguments, RefusalCause cause = RefusalCause::kArguments) {
  const auto load = BuildDnsLoad(arguments);
  if (load) return "accepted";
  EXPECT_EQ(load.error().cause, cause);
  return load.error().findings.empty() ? load.error().error.message : load.error().findings;
}

TEST(DnsArgumentsTest, DefaultsAreTenSecondsOfUdpOnPort53) {
  const auto planned = BuildDnsLoad(Ask());
  ASSERT_TRUE(planned);
  EXPECT_EQ(planned->load.server.ToString(), "192.0.2.53:53");
  EXPECT_EQ(planned->load.transport, DnsTransport::kUdp);
  EXPECT_EQ(planned->load.duration, seconds(10));
  EXPECT_EQ(planned->load.timeout, seconds(5));
  EXPECT_EQ(planned->load.sockets, 1U);
  EXPECT_EQ(planned->title, "weir bench dns 192.0.2.53");
}

TEST(DnsArgumentsTest, ACountOfQueriesReplacesTheDefaultDuration) {
  auto arguments = Ask();
  arguments.count = 100;
  EXPECT_EQ(BuildDnsLoad(arguments)->load.duration.count(), 0);
  arguments.duration = "500ms";
  EXPECT_EQ(BuildDnsLoad(arguments)->load.duration, milliseconds(500));
}

TEST(DnsArgumentsTest, AServerMayHaveAPort) {
  auto arguments = Ask();
  for (const auto& [text, endpoint] : {std::pair{"192.0.2.53:5353", "192.0.2.53:5353"},
                                       {"2001:db8::1", "[2001:db8::1]:53"},
                                       {"[2001:db8::1]:5353", "[2001:db8::1]:5353"}}) {
    arguments.server = text;
    const auto planned = BuildDnsLoad(arguments);
    ASSERT_TRUE(planned) << text;
    EXPECT_EQ(planned->load.server.ToString(), endpoint);
  }
  for (const char* text : {"192.0.2.53:", "192.0.2.53:0", "192.0.2.53:65536", ""}) {
    arguments.server = text;
    EXPECT_EQ(RefusalOf(arguments), "'" + std::string(text) + "' is no server");
  }
}

TEST(DnsArgumentsTest, WrongArgumentsAreTold) {
  auto arguments = Ask();
  arguments.duration = "soon";
  EXPECT_EQ(RefusalOf(arguments), "--duration: 'soon' is no duration");
  arguments.duration = "0s";
  EXPECT_EQ(RefusalOf(arguments), "--duration: a run of no length");
  arguments = Ask();
  arguments.name.clear();
  EXPECT_EQ(RefusalOf(arguments), "nothing to ask for");
  arguments = Ask();
  arguments.client_subnets = {"nowhere"};
  EXPECT_EQ(RefusalOf(arguments).substr(0, 16), "--client-subnet:");
}

TEST(DnsArgumentsTest, AFileThatCannotBeReadIsWrongInput) {
  auto arguments = Ask();
  arguments.name.clear();
  arguments.queries = "/nowhere/names.txt";
  EXPECT_NE(RefusalOf(arguments, RefusalCause::kInput).find("/nowhere/names.txt"), std::string::npos);
  arguments.queries.clear();
  arguments.zone = "/nowhere/weir.yaml";
  EXPECT_TRUE(RefusalOf(arguments, RefusalCause::kInput).ends_with("\n"));
}

}  // namespace
}  // namespace weir::bench
