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
