#include "proxy/log/access_log.h"

#include "net/tls_facts.h"
#include "proxy/log/access_log_sink.h"
#include "tests/support/loopback.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

namespace weir::proxy {
namespace {

using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::Not;

AccessLogRecord Record() {
  AccessLogRecord record;
  record.time = WallTime(std::chrono::microseconds(1'762'078'530'123'456));
  record.creation_time = record.time;
  record.load_balancer = "shop";
  record.client = *Endpoint::Parse("198.51.100.7:40112");
  record.node = *Endpoint::Parse("192.0.2.10:8080");
  record.has_target = true;
  record.target = *Endpoint::Parse("10.1.2.3:8080");
  record.request_processing_seconds = 0.001;
  record.target_processing_seconds = 0.0124;
  record.response_processing_seconds = 0;
  record.status = 200;
  record.target_status = 200;
  record.received_bytes = 412;
  record.sent_bytes = 1530;
  record.request_line = "GET http://shop.example.net:8080/a?b=c HTTP/1.1";
  record.user_agent = "curl/8.9.1";
  record.target_group = "web";
  record.trace_id = "Root=1-69072f22-0123456789abcdef01234567";
  record.rule_priority = 10;
  record.actions = "forward";
  record.connection_id = "TID_0123456789abcdef0123456789abcdef";
  return record;
}

// Splits at spaces outside quotes.
std::vector<std::string> Fields(const std::string& line) {
  std::vector<std::string> fields(1);
  bool quoted = false;
  for (const char c : line.substr(0, line.size() - 1)) {
    if (c == '"') quoted = !quoted;
    if (c == ' ' && !quoted) {
      fields.emplace_back();
    } else {
      fields.back() += c;
    }
  }
  return fields;
}

TEST(AlbLineTest, TlsFillsItsFields) {
  net::TlsFacts tls;
  tls.version = net::TlsVersion::k12;
  tls.suite = "ECDHE-RSA-AES128-GCM-SHA256";
  tls.server_name = "shop.example.net";
  tls.is_name_matched = true;
  tls.certificate_id = "00112233-4455-6677-8899-aabbccddeeff";
  AccessLogRecord record = Record();
  record.tls = &tls;
  const auto fields = [&] {
    std::string line;
    Iso8601Writer times;
    AppendAlbLine(line, record, "eu-west", times);
    return Fields(line);
  };
  auto found = fields();
  ASSERT_EQ(found.size(), 36U);
  EXPECT_EQ(found[0], "https");
  EXPECT_EQ(found[14], "ECDHE-RSA-AES128-GCM-SHA256");
  EXPECT_EQ(found[15], "TLSv1.2");
  EXPECT_EQ(found[18], "\"shop.example.net\"");
  EXPECT_EQ(found[19], "\"arn:aws:acm:eu-west:000000000000:certificate/00112233-4455-6677-8899-aabbccddeeff\"");
  tls.is_name_matched = false;
  tls.certificate_id = {};
  found = fields();
  EXPECT_EQ(found[18], "\"-\"");
  EXPECT_EQ(found[19], "\"session-reused\"");
  std::string json;
  AppendJsonLine(json, record);
  EXPECT_THAT(json, HasSubstr("{\"type\":\"https\""));
  EXPECT_THAT(json, HasSubstr("\"ssl_protocol\":\"TLSv1.2\""));
  EXPECT_THAT(json, HasSubstr("\"chosen_cert\":\"session-reused\""));
}

// spec: alb.md 16.1.
TEST(AlbLineTest, HasThe36FieldsInTheirOrder) {
  std::string line;
  Iso8601Writer times;
  AppendAlbLine(line, Record(), "eu-west", times);
  const auto fields = Fields(line);
  ASSERT_EQ(fields.size(), 36U) << line;
  EXPECT_EQ(fields[0], "http");
  EXPECT_EQ(fields[1], "2025-11-02T10:15:30.123456Z");
  EXPECT_THAT(fields[2], MatchesRegex("app/shop/[0-9a-f]{16}"));
  EXPECT_EQ(fields[3], "198.51.100.7:40112");
  EXPECT_EQ(fields[4], "10.1.2.3:8080");
  EXPECT_EQ(fields[5], "0.001");
  EXPECT_EQ(fields[6], "0.012");
  EXPECT_EQ(fields[7], "0.000");
  EXPECT_EQ(fields[8], "200");
  EXPECT_EQ(fields[9], "200");
  EXPECT_EQ(fields[10], "412");
  EXPECT_EQ(fields[11], "1530");
  EXPECT_EQ(fields[12], "\"GET http://shop.example.net:8080/a?b=c HTTP/1.1\"");
  EXPECT_EQ(fields[13], "\"curl/8.9.1\"");
  EXPECT_EQ(fields[14], "-");
  EXPECT_EQ(fields[15], "-");
  EXPECT_THAT(fields[16], MatchesRegex("arn:aws:elasticloadbalancing:eu-west:[0-9]{12}:targetgroup/web/[0-9a-f]{16}"));
  EXPECT_EQ(fields[17], "\"Root=1-69072f22-0123456789abcdef01234567\"");
  EXPECT_EQ(fields[20], "10");
  EXPECT_EQ(fields[22], "\"forward\"");
  EXPECT_EQ(fields[25], "\"10.1.2.3:8080\"");
  EXPECT_EQ(fields[26], "\"200\"");
  EXPECT_EQ(fields[29], "TID_0123456789abcdef0123456789abcdef");
  EXPECT_EQ(fields[33], "192.0.2.10");
}

TEST(AlbLineTest, WritesADashForWhatIsMissing) {
  AccessLogRecord record = Record();
  record.has_target = false;
  record.target_group = {};
  record.target_status = 0;
  record.status = 503;
  record.rule_priority = -2;
  record.request_processing_seconds = record.target_processing_seconds = record.response_processing_seconds = -1;
  std::string line;
  Iso8601Writer times;
  AppendAlbLine(line, record, {}, times);
  const auto fields = Fields(line);
  ASSERT_EQ(fields.size(), 36U) << line;
  EXPECT_EQ(fields[4], "-");
  EXPECT_EQ(fields[5], "-1");
  EXPECT_EQ(fields[9], "-");
  EXPECT_EQ(fields[16], "-");
  EXPECT_EQ(fields[20], "-");
  EXPECT_EQ(fields[25], "\"-\"");
}

TEST(AlbLineTest, EscapesQuotesAndControlCharacters) {
  AccessLogRecord record = Record();
  record.user_agent = "a\"b\\c\x01";
  std::string line;
  Iso8601Writer times;
  AppendAlbLine(line, record, {}, times);
  EXPECT_THAT(line, HasSubstr("\"a\\x22b\\x5Cc\\x01\""));
}

TEST(AlbLineTest, EscapesAByteWhereverItStands) {
  for (int byte = 0; byte < 256; ++byte) {
    const bool escaped = byte < 0x20 || byte == 0x7f || byte == '"' || byte == '\\';
    for (std::size_t size : {1U, 7U, 8U, 9U, 19U}) {
      for (std::size_t at = 0; at < size; ++at) {
        std::string text(size, 'x');
        text[at] = static_cast<char>(byte);
        AccessLogRecord record = Record();
        record.user_agent = text;
        std::string line;
        Iso8601Writer times;
        AppendAlbLine(line, record, {}, times);
        EXPECT_EQ(line.find("\\x") != std::string::npos, escaped) << byte << " at " << at << " of " << size;
        EXPECT_EQ(line.contains('"' + text + '"'), !escaped) << byte << " at " << at << " of " << size;
      }
    }
  }
}

TEST(JsonLineTest, IsOneObjectWithEscapedTexts) {
  AccessLogRecord record = Record();
  record.user_agent = "a\"b\n";
  record.error_reason = "NoTarget";
  std::string line;
  AppendJsonLine(line, record);
  EXPECT_THAT(line, HasSubstr("\"user_agent\":\"a\\\"b\\u000a\""));
  EXPECT_THAT(line, HasSubstr("\"elb_status_code\":200"));
  EXPECT_THAT(line, HasSubstr("\"error_reason\":\"NoTarget\""));
  EXPECT_EQ(line.back(), '\n');
}

std::string ReadFile(const std::string& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

TEST(AccessLogSinksTest, ReopensItsFilesForRotation) {
  const std::string path = ::testing::TempDir() + "weir-access-" + std::to_string(getpid()) + ".log";
  const std::string old_path = path + ".1";
  {
    AccessLogSinks sinks;
    sinks.Submit(path, "one\n");
    ASSERT_TRUE(testing::Eventually([&] { return ReadFile(path) == "one\n"; }));
    ASSERT_EQ(std::rename(path.c_str(), old_path.c_str()), 0);
    sinks.Submit(path, "two\n");
    sinks.Reopen();
    sinks.Submit(path, "three\n");
  }
  EXPECT_EQ(ReadFile(old_path), "one\ntwo\n");
  EXPECT_EQ(ReadFile(path), "three\n");
  std::remove(path.c_str());
  std::remove(old_path.c_str());
}

TEST(AccessLogSinksTest, AFileThatCannotBeWrittenIsRefusedWithNameAndReason) {
  AccessLogSinks sinks;
  const auto opened = sinks.Open("/nonexistent-folder/access.log");
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().message,
            "cannot write access log /nonexistent-folder/access.log: No such file or directory");
  EXPECT_EQ(sinks.Open(::testing::TempDir()).error().message,
            "cannot write access log " + ::testing::TempDir() + ": Is a directory");
  EXPECT_TRUE(sinks.Open("-"));
}

TEST(AccessLogSinksTest, AFileIsThereOnceItIsOpenedAndKeepsItsDescriptor) {
  const std::string path = ::testing::TempDir() + "weir-opened-" + std::to_string(getpid()) + ".log";
  const std::string moved = path + ".moved";
  {
    AccessLogSinks sinks;
    ASSERT_TRUE(sinks.Open(path));
    EXPECT_EQ(ReadFile(path), "");
    ASSERT_EQ(std::rename(path.c_str(), moved.c_str()), 0);
    sinks.Submit(path, "one\n");
    ASSERT_TRUE(testing::Eventually([&] { return ReadFile(moved) == "one\n"; }));
    sinks.CloseOthers({});
    sinks.Submit(path, "two\n");
  }
  EXPECT_EQ(ReadFile(moved), "one\n");
  EXPECT_EQ(ReadFile(path), "two\n");
  std::remove(path.c_str());
  std::remove(moved.c_str());
}

// Requests that outlive the configuration with their log still write their lines.
TEST(AccessLogSinksTest, AFileThatWasLeftIsNotHeldOpenByLaterLines) {
  const std::string path = ::testing::TempDir() + "weir-left-" + std::to_string(getpid()) + ".log";
  const auto is_open = [&path] {
    for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
      std::error_code error;
      if (std::filesystem::read_symlink(entry.path(), error) == path) return true;
    }
    return false;
  };
  AccessLogSinks sinks;
  ASSERT_TRUE(sinks.Open(path));
  EXPECT_TRUE(is_open());
  sinks.CloseOthers({});
  sinks.Submit(path, "one\n");
  EXPECT_TRUE(testing::Eventually([&] { return ReadFile(path) == "one\n" && !is_open(); }));
  ASSERT_TRUE(sinks.Open(path));
  sinks.Submit(path, "two\n");
  EXPECT_TRUE(testing::Eventually([&] { return ReadFile(path) == "one\ntwo\n"; }));
  EXPECT_TRUE(is_open());
  std::remove(path.c_str());
}

TEST(AccessLogSinksTest, AFifoThatNobodyReadsHoldsNobodyUp) {
  const std::string path = ::testing::TempDir() + "weir-fifo-" + std::to_string(getpid());
  ASSERT_EQ(mkfifo(path.c_str(), 0600), 0);
  AccessLogSinks sinks;
  const auto opened = sinks.Open(path);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().message, "cannot write access log " + path + ": No such device or address");
  std::remove(path.c_str());
}

TEST(AccessLogSinksTest, AFileThatCannotBeReopenedIsWrittenOn) {
  const std::string folder = ::testing::TempDir() + "weir-folder-" + std::to_string(getpid());
  const std::string moved = folder + ".moved";
  std::filesystem::create_directory(folder);
  {
    AccessLogSinks sinks;
    ASSERT_TRUE(sinks.Open(folder + "/access.log"));
    std::filesystem::rename(folder, moved);
    sinks.Reopen();
    sinks.Submit(folder + "/access.log", "one\n");
  }
  EXPECT_EQ(ReadFile(moved + "/access.log"), "one\n");
  std::filesystem::remove_all(moved);
}

TEST(AccessLogSinksTest, CountsLinesThatCannotBeWritten) {
  AccessLogSinks sinks;
  sinks.Submit("/nonexistent-folder/access.log", "one\ntwo\n");
  EXPECT_TRUE(testing::Eventually([&] { return sinks.dropped_lines() == 2; }));
}

}  // namespace
}  // namespace weir::proxy
