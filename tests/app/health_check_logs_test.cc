// spec: alb.md 16.4.

#include "app/health_check_logs.h"

#include <gtest/gtest.h>

#include <cerrno>

namespace weir::app {
namespace {

using health::ProbeOutcome;

TEST(HealthCheckLogsTest, ReasonsAreAws) {
  EXPECT_EQ(HealthCheckLogReason({.outcome = ProbeOutcome::kPassed, .code = 200}), "");
  EXPECT_EQ(HealthCheckLogReason({.outcome = ProbeOutcome::kTimeout}), "TimedOut");
  EXPECT_EQ(HealthCheckLogReason({.outcome = ProbeOutcome::kCodeMismatch, .code = 404}), "ResponseCodeMismatch");
  EXPECT_EQ(HealthCheckLogReason({.outcome = ProbeOutcome::kCodeMismatch, .code = 503}), "TargetError");
  EXPECT_EQ(HealthCheckLogReason({.outcome = ProbeOutcome::kCodeMismatch, .code = 14, .is_grpc = true}),
            "GRPCUnexpectedStatus");
  EXPECT_EQ(HealthCheckLogReason({.outcome = ProbeOutcome::kFailed, .detail = health::kNoGrpcStatus}),
            "GRPCStatusHeaderEmpty");
  EXPECT_EQ(HealthCheckLogReason({.outcome = ProbeOutcome::kFailed, .error = ECONNREFUSED}), "ConnectionReset");
  EXPECT_EQ(HealthCheckLogReason({.outcome = ProbeOutcome::kStringMismatch}), "ResponseStringMismatch");
  EXPECT_EQ(HealthCheckLogReason({.outcome = ProbeOutcome::kInternalError}), "InternalError");
}

TEST(HealthCheckLogsTest, TypesAreAws) {
  config::TargetGroup group;
  EXPECT_EQ(HealthCheckLogType(group), "http");
  group.health_check.protocol = config::ProbeProtocol::kHttps;
  EXPECT_EQ(HealthCheckLogType(group), "https");
  group.health_check.version = config::TargetProtocolVersion::kHttp2;
  EXPECT_EQ(HealthCheckLogType(group), "h2");
  group.health_check.version = config::TargetProtocolVersion::kGrpc;
  EXPECT_EQ(HealthCheckLogType(group), "grpc");
  group.health_check.protocol = config::ProbeProtocol::kTcp;
  EXPECT_EQ(HealthCheckLogType(group), "tcp");
  group.function.emplace();
  EXPECT_EQ(HealthCheckLogType(group), "lambda");
}

}  // namespace
}  // namespace weir::app
