// spec: alb.md 16.4.

#include "proxy/log/health_check_log.h"

#include "proxy/log/log_text.h"

#include <gtest/gtest.h>

#include <string>

namespace weir::proxy {
namespace {

HealthCheckLogRecord Passed() {
  return {.type = "http",
          .time = WallTime(std::chrono::seconds(1'700'000'000) + std::chrono::microseconds(123'456)),
          .latency = std::chrono::nanoseconds(19'584'304),
          .target = "192.0.2.7:8080",
          .target_group = "blue",
          .passed = true,
          .status_code = 200,
          .reason = {},
          .load_balancer = "shop",
          .node = *IpAddress::Parse("192.0.2.1")};
}

std::string Id() {
  std::string id;
  AppendLoadBalancerId(id, "shop");
  return id;
}

TEST(HealthCheckLogTest, ALineHasTenFields) {
  std::string out;
  AppendAlbLine(out, Passed());
  EXPECT_EQ(out,
            "http 2023-11-14T22:13:20.123456Z 0.019584304 192.0.2.7:8080 blue PASS 200 - " + Id() + " 192.0.2.1\n");
}

TEST(HealthCheckLogTest, AFailureHasAReasonAndPerhapsNoStatus) {
  auto record = Passed();
  record.passed = false;
  record.status_code.reset();
  record.reason = "TimedOut";
  record.latency = std::chrono::seconds(5);
  std::string out;
  AppendAlbLine(out, record);
  EXPECT_EQ(
      out, "http 2023-11-14T22:13:20.123456Z 5.000000000 192.0.2.7:8080 blue FAIL - TimedOut " + Id() + " 192.0.2.1\n");
}

TEST(HealthCheckLogTest, ZeroIsAStatusOfGrpc) {
  auto record = Passed();
  record.type = "grpc";
  record.status_code = 0;
  std::string out;
  AppendAlbLine(out, record);
  EXPECT_NE(out.find(" PASS 0 - "), std::string::npos) << out;
}

TEST(HealthCheckLogTest, JsonHasTheSameFacts) {
  std::string out;
  AppendJsonLine(out, Passed());
  EXPECT_EQ(out,
            R"({"time":"2023-11-14T22:13:20.123456Z","type":"http","latency":0.019584304,)"
            R"("target_addr":"192.0.2.7:8080","target_group_id":"blue","status":"PASS","status_code":200,"elb":")" +
                Id() + R"(","ip_address":"192.0.2.1"})" + "\n");
}

}  // namespace
}  // namespace weir::proxy
