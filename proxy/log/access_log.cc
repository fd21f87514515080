#include "proxy/log/access_log.h"

#include "base/arn.h"
#include "base/text.h"
#include "base/text_writer.h"
#include "net/tls_facts.h"
#include "proxy/log/access_log_sink.h"
#include "proxy/log/connection_log.h"
#include "proxy/log/log_text.h"

#include <array>
#include <charconv>

namespace weir::proxy {
namespace {

void PutSecondsOrMinusOne(TextWriter& out, double seconds) {
  if (seconds < 0) return out.Put("-1");
  PutSeconds(out, seconds);
}

void PutOrDash(TextWriter& out, std::uint16_t status) {
  if (status == 0) return out.Put('-');
  out.PutDecimal(status);
}

void PutPriority(TextWriter& out, std::int32_t priority) {
  if (priority < -1) return out.Put('-');
  if (priority < 0) return out.Put("-1");
  out.PutDecimal(static_cast<std::uint64_t>(priority));
}

// What it has put, to be put again.
std::string_view PutTargetOrDash(TextWriter& out, const AccessLogRecord& record) {
  const char* const begin = out.position();
  if (record.has_target) {
    record.target.Put(out);
  } else {
    out.Put('-');
  }
  return {begin, out.position()};
}

void PutCertificateArn(TextWriter& out, std::string_view id, std::string_view region) {
  out.Put("arn:aws:acm:");
  out.Put(region.empty() ? std::string_view("local") : region);
  out.Put(':');
  out.Put(kArnAccount);
  out.Put(":certificate/");
  out.Put(id);
}

std::string_view VersionText(http::Version version) {
  switch (version) {
    case http::Version::kHttp10:
      return "HTTP/1.0";
    case http::Version::kHttp11:
      return "HTTP/1.1";
    case http::Version::kHttp2:
      return "HTTP/2.0";
  }
  return "HTTP/1.1";
}

}  // namespace

void AppendLoggedRequest(std::string& out, const http::RequestHead& head, std::string_view scheme,
                         const Endpoint& local, std::uint16_t port) {
  if (head.method.empty()) {
    // No request line was understood: the form that ALB's logs show.
    ((out += "- ") += scheme) += "://";
    local.AppendTo(out);
    out += "- -";
    return;
  }
  out += head.method;
  out += ' ';
  if (head.parts.form != http::TargetForm::kAbsolute) {
    (out += scheme) += "://";
    if (!head.authority.host.empty()) {
      out += head.authority.host;
    } else {
      const bool v6 = !local.address.is_v4();
      if (v6) out += '[';
      local.address.AppendTo(out);
      if (v6) out += ']';
    }
    out += ':';
    AppendDecimal(out, port);
  }
  out += head.target;
  out += ' ';
  out += VersionText(head.version);
}

namespace {

// Everything in a line but the texts of a record.
constexpr std::size_t kAlbFixedBytesMax = 1024;

std::string_view LoggedUserAgent(const AccessLogRecord& record) { return record.user_agent.substr(0, 8 * 1024); }

// Field 1.
std::string_view TypeOf(const AccessLogRecord& record) {
  if (record.is_websocket) return record.tls == nullptr ? "ws" : "wss";
  if (record.version == http::Version::kHttp2) return record.is_grpc && record.tls != nullptr ? "grpcs" : "h2";
  return record.tls == nullptr ? "http" : "https";
}

// Fields 35 and 36: `0x7`, `-` without one.
struct ErrorCodeText {
  explicit ErrorCodeText(std::optional<std::uint32_t> code) {
    if (code) end = std::to_chars(digits.data() + 2, digits.data() + digits.size(), *code, 16).ptr;
  }
  [[nodiscard]] std::string_view text() const {
    return end == nullptr ? std::string_view("-") : std::string_view(digits.data(), end);
  }
  std::array<char, 10> digits{'0', 'x'};
  const char* end = nullptr;
};

constexpr std::string_view kSessionReused = "session-reused";

// Fields 19 and 20.
void PutTlsNames(TextWriter& out, const net::TlsFacts* tls, std::string_view region) {
  if (tls == nullptr) return out.Put("\"-\" \"-\"");
  PutQuoted(out, tls->is_name_matched ? std::string_view(tls->server_name) : std::string_view());
  out.Put(" \"");
  if (tls->certificate_id.empty()) {
    out.Put(kSessionReused);
  } else {
    PutCertificateArn(out, tls->certificate_id, region);
  }
  out.Put('"');
}

std::size_t AlbLineBytesMax(const AccessLogRecord& record, std::string_view node_region) {
  std::size_t bytes = kAlbFixedBytesMax + record.load_balancer.size() + node_region.size() +
                      record.target_group.size() + record.connection_id.size();
  if (record.tls != nullptr) bytes += QuotedBytesMax(record.tls->server_name) + node_region.size();
  for (const std::string_view text :
       {record.request_line, LoggedUserAgent(record), record.trace_id, record.actions, record.redirect_url,
        record.error_reason, record.transformed_host, record.transformed_target}) {
    bytes += QuotedBytesMax(text);
  }
  return bytes;
}

void PutAlbLine(TextWriter& out, const AccessLogRecord& record, std::string_view node_region, Iso8601Writer& times) {
  out.Put(TypeOf(record));
  out.Put(' ');
  times.Put(out, record.time);
  out.Put(' ');
  PutLoadBalancerId(out, record.load_balancer);
  out.Put(' ');
  record.client.Put(out);
  out.Put(' ');
  const std::string_view target = PutTargetOrDash(out, record);
  out.Put(' ');
  PutSecondsOrMinusOne(out, record.request_processing_seconds);
  out.Put(' ');
  PutSecondsOrMinusOne(out, record.target_processing_seconds);
  out.Put(' ');
  PutSecondsOrMinusOne(out, record.response_processing_seconds);
  out.Put(' ');
  if (record.status == 0) {
    out.Put("000");
  } else {
    out.PutDecimal(record.status);
  }
  out.Put(' ');
  PutOrDash(out, record.target_status);
  out.Put(' ');
  out.PutDecimal(record.received_bytes);
  out.Put(' ');
  out.PutDecimal(record.sent_bytes);
  out.Put(' ');
  PutQuoted(out, record.request_line);
  out.Put(' ');
  PutQuoted(out, LoggedUserAgent(record));
  if (record.tls == nullptr) {
    out.Put(" - - ");  // ssl_cipher, ssl_protocol
  } else {
    out.Put(' ');
    out.Put(record.tls->suite);
    out.Put(' ');
    out.Put(net::ToString(record.tls->version));
    out.Put(' ');
  }
  if (record.target_group.empty()) {
    out.Put('-');
  } else {
    PutTargetGroupArn(out, record.target_group, node_region);
  }
  out.Put(' ');
  PutQuoted(out, record.trace_id);
  out.Put(' ');
  PutTlsNames(out, record.tls, node_region);
  out.Put(' ');
  PutPriority(out, record.rule_priority);
  out.Put(' ');
  times.Put(out, record.creation_time);
  out.Put(' ');
  PutQuoted(out, record.actions);
  out.Put(' ');
  PutQuoted(out, record.redirect_url);
  out.Put(' ');
  PutQuoted(out, record.error_reason);
  out.Put(" \"");
  out.Put(target);
  out.Put("\" \"");
  PutOrDash(out, record.target_status);
  out.Put("\" \"");
  out.Put(http::ToString(record.desync_class));
  out.Put("\" \"");
  out.Put(http::ToString(record.desync_reason));
  out.Put("\" ");
  out.Put(record.connection_id);
  for (const std::string_view text :
       {record.transformed_host, record.transformed_target, ToString(record.transform_status)}) {
    out.Put(' ');
    PutQuoted(out, text);
  }
  out.Put(' ');
  record.node.address.Put(out);
  out.Put(' ');
  out.Put(ErrorCodeText(record.target_error).text());
  out.Put(' ');
  out.Put(ErrorCodeText(record.error).text());
  out.Put('\n');
}

}  // namespace

void AppendAlbLine(std::string& out, const AccessLogRecord& record, std::string_view node_region,
                   Iso8601Writer& times) {
  AppendWith(out, AlbLineBytesMax(record, node_region),
             [&](TextWriter& line) { PutAlbLine(line, record, node_region, times); });
}

void AppendJsonLine(std::string& out, const AccessLogRecord& record) {
  ((out += "{\"type\":\"") += TypeOf(record)) += '"';
  AppendJsonText(out, "time", FormatIso8601(record.time));
  std::string text;
  AppendLoadBalancerId(text, record.load_balancer);
  AppendJsonText(out, "elb", text);
  AppendJsonText(out, "client", record.client.ToString());
  if (record.has_target) AppendJsonText(out, "target", record.target.ToString());
  AppendJsonSeconds(out, "request_processing_time", record.request_processing_seconds);
  AppendJsonSeconds(out, "target_processing_time", record.target_processing_seconds);
  AppendJsonSeconds(out, "response_processing_time", record.response_processing_seconds);
  if (record.is_websocket) {
    AppendJsonSeconds(out, "duration", std::chrono::duration<double>(record.time - record.creation_time).count());
  }
  AppendJsonNumber(out, "elb_status_code", record.status);
  if (record.target_status != 0) AppendJsonNumber(out, "target_status_code", record.target_status);
  AppendJsonNumber(out, "received_bytes", record.received_bytes);
  AppendJsonNumber(out, "sent_bytes", record.sent_bytes);
  AppendJsonText(out, "request", record.request_line);
  AppendJsonText(out, "user_agent", record.user_agent.substr(0, 8 * 1024));
  if (record.tls != nullptr) {
    AppendJsonText(out, "ssl_cipher", record.tls->suite);
    AppendJsonText(out, "ssl_protocol", net::ToString(record.tls->version));
    if (record.tls->is_name_matched) AppendJsonText(out, "domain_name", record.tls->server_name);
    AppendJsonText(out, "chosen_cert",
                   record.tls->certificate_id.empty() ? kSessionReused : record.tls->certificate_id);
  }
  if (!record.target_group.empty()) AppendJsonText(out, "target_group", record.target_group);
  if (!record.target_protocol_version.empty()) {
    AppendJsonText(out, "target_protocol_version", record.target_protocol_version);
  }
  if (!record.function_version.empty()) AppendJsonText(out, "function_version", record.function_version);
  if (!record.function_error.empty()) AppendJsonText(out, "function_error", record.function_error);
  AppendJsonText(out, "trace_id", record.trace_id);
  if (record.rule_priority >= 0)
    AppendJsonNumber(out, "matched_rule_priority", static_cast<std::uint64_t>(record.rule_priority));
  if (!record.rule_name.empty()) AppendJsonText(out, "matched_rule_name", record.rule_name);
  AppendJsonText(out, "request_creation_time", FormatIso8601(record.creation_time));
  if (!record.actions.empty()) AppendJsonText(out, "actions_executed", record.actions);
  if (!record.redirect_url.empty()) AppendJsonText(out, "redirect_url", record.redirect_url);
  if (!record.error_reason.empty()) AppendJsonText(out, "error_reason", record.error_reason);
  if (!record.transformed_host.empty()) AppendJsonText(out, "transformed_host", record.transformed_host);
  if (!record.transformed_target.empty()) AppendJsonText(out, "transformed_uri", record.transformed_target);
  if (record.transform_status != TransformStatus::kNone) {
    AppendJsonText(out, "request_transform_status", ToString(record.transform_status));
  }
  if (record.desync_class != http::DesyncClass::kCompliant) {
    AppendJsonText(out, "classification", http::ToString(record.desync_class));
    AppendJsonText(out, "classification_reason", http::ToString(record.desync_reason));
  }
  if (record.target_error) AppendJsonText(out, "target_error_code", ErrorCodeText(record.target_error).text());
  if (record.error) AppendJsonText(out, "elb_error_code", ErrorCodeText(record.error).text());
  AppendJsonText(out, "conn_trace_id", record.connection_id);
  AppendJsonText(out, "ip_address", record.node.address.ToString());
  out += "}\n";
}

template <class Write>
void AccessLog::AppendTo(const config::LogFile& log, Write write) {
  if (sinks_ == nullptr) return;
  auto found = batches_.find(log.path);
  if (found == batches_.end()) found = batches_.emplace(log.path, std::string()).first;
  std::string& batch = found->second;
  write(batch);
  pending_ = true;
  if (batch.size() >= kBatchBytes) {
    batch = sinks_->Submit(log.path, std::move(batch));
  }
}

void AccessLog::Append(const config::LogFile& log, const AccessLogRecord& record) {
  AppendTo(log, [&](std::string& batch) {
    if (log.format == config::LogFormat::kAlb) {
      AppendAlbLine(batch, record, node_region_, times_);
    } else {
      AppendJsonLine(batch, record);
    }
  });
}

void AccessLog::Append(const config::LogFile& log, const ConnectionLogRecord& record) {
  AppendTo(log, [&](std::string& batch) {
    if (log.format == config::LogFormat::kAlb) {
      AppendAlbLine(batch, record, times_);
    } else {
      AppendJsonLine(batch, record);
    }
  });
}

void AccessLog::Flush() {
  for (auto& [path, batch] : batches_) {
    if (batch.empty()) continue;
    batch = sinks_->Submit(path, std::move(batch));
  }
  pending_ = false;
}

}  // namespace weir::proxy
