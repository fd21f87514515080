#pragma once

// One line of a log, whoever wrote it: an Application Load Balancer, or this program in either of its formats.

#include "base/clock.h"
#include "base/result.h"
#include "logs/log_fields.h"

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace weir::logs {

enum class EntryKind : std::uint8_t { kRequest, kConnection };

// The fields of an access log in their order; spec: alb.md 16.1.
enum class RequestField : std::uint8_t {
  kType,
  kTime,
  kElb,
  kClient,
  kTarget,
  kRequestProcessingTime,
  kTargetProcessingTime,
  kResponseProcessingTime,
  kElbStatusCode,
  kTargetStatusCode,
  kReceivedBytes,
  kSentBytes,
  kRequest,
  kUserAgent,
  kSslCipher,
  kSslProtocol,
  kTargetGroup,
  kTraceId,
  kDomainName,
  kChosenCert,
  kRulePriority,
  kCreationTime,
  kActions,
  kRedirectUrl,
  kErrorReason,
  kTargetList,
  kTargetStatusList,
  kClassification,
  kClassificationReason,
  kConnectionId,
  kTransformedHost,
  kTransformedUri,
  kTransformStatus,
  kIpAddress,
  kTargetErrorCode,
  kElbErrorCode,
};
// Those of a connection log; spec: alb.md 16.3.
enum class ConnectionField : std::uint8_t {
  kTimestamp,
  kClientIp,
  kClientPort,
  kListenerPort,
  kTlsProtocol,
  kTlsCipher,
  kHandshakeLatency,
  kSubject,
  kValidity,
  kSerialNumber,
  kVerifyStatus,
  kConnectionId,
  kKeyExchange,
  kElb,
  kIpAddress,
};
inline constexpr std::size_t kFieldsMax = 36;

// Views into the line, and into its parser where the line was JSON.
struct Entry {
  EntryKind kind = EntryKind::kRequest;
  bool json = false;
  std::string_view line;
  WallTime time;  // the response was complete; the connection was made
  // By RequestField or ConnectionField; `-` where the line has none. Escaped as in ALB's format.
  std::array<std::string_view, kFieldsMax> fields{};
  // Of requests.
  std::string_view rule_name;       // in JSON lines alone
  std::uint16_t status = 0;         // 0: 000
  std::uint16_t target_status = 0;  // 0: none
  // What it took until the request was sent, until the response began, until it was sent on; absent: it did not get
  // there.
  std::optional<std::chrono::microseconds> request_time;
  std::optional<std::chrono::microseconds> target_time;
  std::optional<std::chrono::microseconds> response_time;
  std::uint64_t received_bytes = 0;
  std::uint64_t sent_bytes = 0;

  [[nodiscard]] std::string_view operator[](RequestField field) const {
    return fields[static_cast<std::size_t>(field)];
  }
  [[nodiscard]] std::string_view operator[](ConnectionField field) const {
    return fields[static_cast<std::size_t>(field)];
  }
  // All of it; absent where no part is known.
  [[nodiscard]] std::optional<std::chrono::microseconds> total_time() const;
  // The name in the ARN of the target group, or that of a JSON line; empty without one.
  [[nodiscard]] std::string_view target_group() const;
  // The last one where a log counts more than one; empty without.
  [[nodiscard]] std::string_view error_reason() const;
  // `GET https://shop.test:443/a?b HTTP/1.1`, taken apart: views into `fields`.
  struct RequestLine {
    std::string_view method = {};
    std::string_view scheme = {};
    std::string_view host = {};  // with its port, as it is logged
    std::string_view target = {};
    std::string_view version = {};
  };
  // Empty parts where the request was not understood.
  [[nodiscard]] RequestLine request_line() const;
};

// Reads lines. Thread: one owner.
class EntryParser {
 public:
  // `line` has no line end. What is given holds until the next call, and as long as `line`. Fails with the reason,
  // which names the field.
  [[nodiscard]] Result<Entry> Parse(std::string_view line);

 private:
  [[nodiscard]] Result<void> ParseFields(std::string_view line, Entry& entry);
  [[nodiscard]] Result<void> ParseJson(std::string_view line, Entry& entry);
  [[nodiscard]] Result<void> ReadValues(Entry& entry);

  LogTimeReader times_;
  std::array<std::string, kFieldsMax + 1> texts_;  // of a JSON line, the last one is the rule's name
};

// The line as an ALB writes it, without line end: what JSON lines lack is `-`.
void AppendAlbLine(std::string& out, const Entry& entry);
// One JSON object with the fields' names, numbers as numbers, without what is `-`; no line end.
void AppendJsonLine(std::string& out, const Entry& entry);

}  // namespace weir::logs
