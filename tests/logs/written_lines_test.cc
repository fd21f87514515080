// What the program writes is what `weir logs` reads, whatever was asked and answered.

#include "base/random.h"
#include "logs/entry.h"
#include "net/tls_facts.h"
#include "proxy/log/access_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <random>
#include <string>

namespace weir::logs {
namespace {

class Exchanges {
 public:
  // Texts live until the next call.
  proxy::AccessLogRecord Next() {
    proxy::AccessLogRecord record;
    record.creation_time = WallTime(std::chrono::microseconds(1'700'000'000'000'000 + Below(100'000'000'000'000)));
    record.time = record.creation_time + std::chrono::microseconds(Below(100'000'000));
    record.load_balancer = "shop";
    record.client = *Endpoint::Parse("198.51.100.7:40112");
    record.node = *Endpoint::Parse("[2001:db8::1]:8080");
    record.has_target = Below(4) != 0;
    record.target = *Endpoint::Parse(Below(2) == 0 ? "10.1.2.3:8080" : "[2001:db8::7]:80");
    for (double* const seconds :
         {&record.request_processing_seconds, &record.target_processing_seconds, &record.response_processing_seconds}) {
      *seconds = Below(5) == 0 ? -1 : static_cast<double>(Below(100'000'000)) / 1e6;
    }
    record.status = static_cast<std::uint16_t>(Below(20) == 0 ? 0 : 100 + Below(500));
    record.target_status = static_cast<std::uint16_t>(record.has_target ? 100 + Below(500) : 0);
    record.received_bytes = static_cast<std::uint64_t>(Below(1'000'000'000));
    record.sent_bytes = static_cast<std::uint64_t>(Below(1'000'000'000));
    texts_[0] = "GET https://shop.test:443/" + Text() + " HTTP/1.1";
    texts_[1] = Text();
    texts_[2] = Text();
    texts_[3] = Text();
    record.request_line = texts_[0];
    record.user_agent = texts_[1];
    record.redirect_url = texts_[2];
    record.transformed_target = texts_[3];
    record.target_group = Below(3) == 0 ? "" : "web";
    record.trace_id = "Root=1-69072f22-0123456789abcdef01234567";
    record.rule_priority = static_cast<std::int32_t>(Below(10)) - 1;
    record.actions = "forward";
    record.error_reason = Below(4) == 0 ? "LambdaUnhandled" : "";
    record.connection_id = "TID_0123456789abcdef0123456789abcdef";
    return record;
  }

 private:
  std::int64_t Below(std::int64_t end) { return std::uniform_int_distribution<std::int64_t>(0, end - 1)(engine_); }
  // Any bytes; sometimes none.
  std::string Text() {
    std::string out;
    const std::int64_t size = Below(30);
    for (std::int64_t i = 0; i < size; ++i) out += static_cast<char>(Below(3) == 0 ? Below(256) : 'a' + Below(26));
    return out;
  }

  std::mt19937_64 engine_{20261130};
  std::array<std::string, 4> texts_;
};

std::string Bytes(std::string_view field) { return field == "-" ? std::string() : Unescape(field); }
std::string Bytes(const Entry& entry, RequestField field) { return Bytes(entry[field]); }

// ALB's format has milliseconds, JSON microseconds.
void ExpectTime(const std::optional<std::chrono::microseconds>& read, double written, double tolerance) {
  ASSERT_EQ(read.has_value(), written >= 0);
  if (read) {
    EXPECT_NEAR(static_cast<double>(read->count()) / 1e6, written, tolerance);
  }
}

void ExpectSame(const Entry& entry, const proxy::AccessLogRecord& record, double tolerance) {
  using enum RequestField;
  EXPECT_EQ(entry.time, record.time);
  EXPECT_EQ(entry.status, record.status);
  EXPECT_EQ(entry.target_status, record.target_status);
  EXPECT_EQ(entry.received_bytes, record.received_bytes);
  EXPECT_EQ(entry.sent_bytes, record.sent_bytes);
  ExpectTime(entry.request_time, record.request_processing_seconds, tolerance);
  ExpectTime(entry.target_time, record.target_processing_seconds, tolerance);
  ExpectTime(entry.response_time, record.response_processing_seconds, tolerance);
  EXPECT_EQ(Bytes(entry, kRequest), record.request_line);
  // A lone dash and nothing look alike in ALB's format.
  if (record.user_agent != "-") {
    EXPECT_EQ(Bytes(entry, kUserAgent), record.user_agent);
  }
  if (record.redirect_url != "-") {
    EXPECT_EQ(Bytes(entry, kRedirectUrl), record.redirect_url);
  }
  if (record.transformed_target != "-") {
    EXPECT_EQ(Bytes(entry, kTransformedUri), record.transformed_target);
  }
  EXPECT_EQ(entry[kTarget], record.has_target ? record.target.ToString() : "-");
  EXPECT_EQ(entry.target_group(), record.target_group);
  EXPECT_EQ(entry.error_reason(), record.error_reason);
  EXPECT_EQ(Bytes(entry, kConnectionId), record.connection_id);
}

TEST(WrittenLinesTest, EveryExchangeIsReadAsItWasWrittenInBothFormats) {
  Exchanges exchanges;
  EntryParser parser;
  Iso8601Writer times;
  for (int i = 0; i < 5'000 && !::testing::Test::HasFailure(); ++i) {
    const proxy::AccessLogRecord record = exchanges.Next();
    std::string alb;
    AppendAlbLine(alb, record, "eu-west", times);
    ASSERT_TRUE(alb.ends_with('\n'));
    alb.pop_back();
    EXPECT_EQ(alb.find('\n'), std::string::npos);
    const auto from_alb = parser.Parse(alb);
    ASSERT_TRUE(from_alb) << from_alb.error().message << alb;
    ExpectSame(*from_alb, record, 0.0005001);

    std::string json;
    AppendJsonLine(json, record);
    json.pop_back();
    const auto from_json = parser.Parse(json);
    ASSERT_TRUE(from_json) << from_json.error().message << json;
    ExpectSame(*from_json, record, 1e-6);
    std::string back;
    AppendAlbLine(back, *from_json);
    EntryParser again;
    const auto twice = again.Parse(back);
    ASSERT_TRUE(twice) << twice.error().message << back;
    ExpectSame(*twice, record, 1e-6);
  }
}

}  // namespace
}  // namespace weir::logs
