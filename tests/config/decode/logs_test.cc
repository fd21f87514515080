// Logs that AWS writes to S3 are local files. spec: alb.md 2.

#include "tests/config/load_text.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace weir::config {
namespace {

std::string LogsText(std::string_view attributes, std::string_view logs = "") {
  return std::string("load-balancers:\n  - name: a\n    attributes: {")
      .append(attributes)
      .append("}\n")
      .append(logs)
      .append("    listeners: [{port: 1, default-actions: [{fixed-response: {status-code: 200}}]}]\n");
}

constexpr std::string_view kBoth =
    "access_logs.s3.enabled: true, access_logs.s3.bucket: b, access_logs.s3.prefix: p, "
    "connection_logs.s3.enabled: \"true\", connection_logs.s3.bucket: b";

TEST(LogsTest, S3IsALocalFileAndAWarningSaysWhich) {
  const auto loaded = LoadFor(LogsText(kBoth));
  ASSERT_TRUE(loaded.model) << loaded.diagnostics.FormatAll();
  const LoadBalancer& balancer = loaded.model->load_balancers[0];
  ASSERT_TRUE(balancer.access_log && balancer.connection_log);
  EXPECT_EQ(balancer.access_log->path, "access.log");
  EXPECT_EQ(balancer.access_log->format, LogFormat::kAlb);
  EXPECT_EQ(balancer.connection_log->path, "connections.log");
  EXPECT_EQ(loaded.diagnostics.FormatAll(),
            "t.yaml:3:42: warning: `access_logs.s3.enabled`: there is no S3 here; requests are logged to `access.log`; "
            "`access-log: {path: ...}` says where\n"
            "t.yaml:3:128: warning: `connection_logs.s3.enabled`: there is no S3 here; connections are logged to "
            "`connections.log`; `connection-log: {path: ...}` says where\n");
}

TEST(LogsTest, AFileOfOnesOwnTakesThePlaceOfTheBucket) {
  const auto loaded = LoadFor(LogsText(kBoth,
                                       "    access-log: {path: /var/log/r.json, format: json}\n"
                                       "    connection-log: {path: \"-\"}\n"));
  ASSERT_TRUE(loaded.model) << loaded.diagnostics.FormatAll();
  EXPECT_EQ(loaded.model->load_balancers[0].access_log->path, "/var/log/r.json");
  EXPECT_EQ(loaded.model->load_balancers[0].access_log->format, LogFormat::kJson);
  EXPECT_EQ(loaded.model->load_balancers[0].connection_log->path, "-");
  const std::string found = loaded.diagnostics.FormatAll();
  EXPECT_NE(found.find("there is no S3 here; requests are logged to `/var/log/r.json`\n"), std::string::npos) << found;
  EXPECT_NE(found.find("there is no S3 here; connections are logged to standard output\n"), std::string::npos) << found;
}

TEST(LogsTest, ABucketThatIsNotEnabledLogsNothing) {
  const auto loaded =
      LoadFor(LogsText("access_logs.s3.enabled: false, access_logs.s3.bucket: b, access_logs.s3.prefix: p"));
  ASSERT_TRUE(loaded.model) << loaded.diagnostics.FormatAll();
  EXPECT_FALSE(loaded.model->load_balancers[0].access_log);
  EXPECT_FALSE(loaded.model->load_balancers[0].connection_log);
  EXPECT_EQ(loaded.diagnostics.FormatAll(), "");
}

TEST(LogsTest, TheFileOfTheBucketIsNotThatOfTheOtherLog) {
  const std::string found =
      FindingsOf(LogsText("access_logs.s3.enabled: true", "    connection-log: {path: access.log}\n"));
  EXPECT_NE(found.find("t.yaml:4:28: error: the access log is written to the same file"), std::string::npos) << found;
}

TEST(LogsTest, HealthChecksHaveALogToo) {
  const auto loaded = LoadFor(LogsText("health_check_logs.s3.enabled: true, health_check_logs.s3.bucket: b"));
  ASSERT_TRUE(loaded.model) << loaded.diagnostics.FormatAll();
  ASSERT_TRUE(loaded.model->load_balancers[0].health_check_log);
  EXPECT_EQ(loaded.model->load_balancers[0].health_check_log->path, "health-checks.log");
  const std::string found = loaded.diagnostics.FormatAll();
  EXPECT_NE(found.find("there is no S3 here; health checks are logged to `health-checks.log`"), std::string::npos)
      << found;
  const auto own =
      LoadFor(LogsText("idle_timeout.timeout_seconds: 60", "    health-check-log: {path: /h.log, format: json}\n"));
  ASSERT_TRUE(own.model) << own.diagnostics.FormatAll();
  EXPECT_EQ(own.model->load_balancers[0].health_check_log->path, "/h.log");
  EXPECT_EQ(own.model->load_balancers[0].health_check_log->format, LogFormat::kJson);
}

TEST(LogsTest, NoTwoLogsShareAFile) {
  const std::string found = FindingsOf(LogsText(
      "idle_timeout.timeout_seconds: 60", "    connection-log: {path: a.log}\n    health-check-log: {path: a.log}\n"));
  EXPECT_NE(found.find("t.yaml:5:30: error: the connection log is written to the same file"), std::string::npos)
      << found;
}

TEST(LogsTest, ALogIsPutAsideBySizeAndTime) {
  const auto loaded =
      LoadFor(LogsText("idle_timeout.timeout_seconds: 60",
                       "    access-log: {path: a.log, rotate: {size-mb: 100, interval: 1h, keep: 24, compress: true}}\n"
                       "    connection-log: {path: b.log, rotate: {interval: 5m}}\n"));
  ASSERT_TRUE(loaded.model) << loaded.diagnostics.FormatAll();
  const LoadBalancer& balancer = loaded.model->load_balancers[0];
  EXPECT_EQ(balancer.access_log->rotation,
            (LogRotation{.bytes = 100'000'000, .interval = std::chrono::hours(1), .keep = 24, .compress = true}));
  EXPECT_EQ(balancer.connection_log->rotation, (LogRotation{.interval = std::chrono::minutes(5)}));
}

TEST(LogsTest, RotationThatNeverComesIsAnError) {
  EXPECT_NE(
      FindingsOf(LogsText("idle_timeout.timeout_seconds: 60", "    access-log: {path: a.log, rotate: {keep: 2}}\n"))
          .find("t.yaml:4:39: error: `rotate` without `size-mb` and `interval`; one of them, or both"),
      std::string::npos);
  EXPECT_NE(
      FindingsOf(LogsText("idle_timeout.timeout_seconds: 60", "    access-log: {path: \"-\", rotate: {size-mb: 1}}\n"))
          .find("error: standard output cannot be put aside"),
      std::string::npos);
}

TEST(LogsTest, WhatAwsWouldRefuse) {
  const std::string found = FindingsOf(
      LogsText("access_logs.s3.enabled: true, connection_logs.s3.bucket: b, connection_logs.s3.prefix: x/AWSLogs/y"),
      true);
  EXPECT_NE(found.find("t.yaml:3:42: warning: AWS: `access_logs.s3.enabled` without a bucket; `access_logs.s3.bucket`"),
            std::string::npos)
      << found;
  EXPECT_NE(found.find("warning: AWS: `x/AWSLogs/y` in `connection_logs.s3.prefix`; a text without AWSLogs"),
            std::string::npos)
      << found;
  EXPECT_EQ(FindingsOf(LogsText(kBoth), true).find("AWS:"), std::string::npos);
}

}  // namespace
}  // namespace weir::config
