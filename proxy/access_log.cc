#include "proxy/access_log.h"

#include "base/text.h"
#include "http/target.h"
#include "proxy/access_log_sink.h"

#include <algorithm>
#include <cstdio>

namespace weir::proxy {
namespace {

constexpr std::string_view kAccount = "000000000000";

void AppendHash(std::string& out, std::string_view name) {
  // FNV-1a: the same id on every appliance and after every restart.
  std::uint64_t hash = 0xcbf29ce484222325ULL;
  for (const char c : name) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL;
  AppendHex(out, hash, 16);
}

// `1.002`: three digits behind the point, rounded.
void AppendSeconds(std::string& out, double seconds) {
  if (seconds < 0) {
    out += "-1";
    return;
  }
  const auto milliseconds = static_cast<std::uint64_t>(seconds * 1'000 + 0.5);
  AppendDecimal(out, milliseconds / 1'000);
  const auto rest = static_cast<unsigned>(milliseconds % 1'000);
  const char text[] = {'.', static_cast<char>('0' + rest / 100), static_cast<char>('0' + rest / 10 % 10),
                       static_cast<char>('0' + rest % 10)};
  out.append(text, sizeof(text));
}

// Quotes, backslashes and control characters as \xHH: the form observed in ALB's logs.
void AppendQuoted(std::string& out, std::string_view text) {
  static constexpr char kHex[] = "0123456789ABCDEF";
  const auto must_be_escaped = [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte < 0x20 || byte == 0x7f || c == '"' || c == '\\';
  };
  out += '"';
  if (text.empty()) out += '-';
  while (!text.empty()) {
    const auto stop = std::ranges::find_if(text, must_be_escaped);
    const auto plain = static_cast<std::size_t>(stop - text.begin());
    out += text.substr(0, plain);
    text.remove_prefix(plain);
    if (text.empty()) break;
    const auto byte = static_cast<unsigned char>(text.front());
    out += "\\x";
    out += kHex[byte >> 4];
    out += kHex[byte & 15];
    text.remove_prefix(1);
  }
  out += '"';
}

void AppendStatus(std::string& out, std::uint16_t status) {
  if (status == 0) {
    out += "000";
  } else {
    AppendDecimal(out, status);
  }
}

void AppendPriority(std::string& out, std::int32_t priority) {
  if (priority < -1) {
    out += '-';
  } else {
    out += std::to_string(priority);
  }
}

void AppendTargetGroupArn(std::string& out, std::string_view group, std::string_view region) {
  out += "arn:aws:elasticloadbalancing:";
  out += region.empty() ? std::string_view("local") : region;
  out += ':';
  out += kAccount;
  out += ":targetgroup/";
  out += group;
  out += '/';
  AppendHash(out, group);
}

void AppendEndpointOrDash(std::string& out, const AccessLogRecord& record) {
  if (record.has_target) {
    record.target.AppendTo(out);
  } else {
    out += '-';
  }
}

// Appends `,"key":"value"`, escaped as RFC 8259 asks; bytes that are not UTF-8 cannot stand in JSON and are written as
// \u00HH.
void AppendJsonText(std::string& out, std::string_view key, std::string_view value) {
  out += ",\"";
  out += key;
  out += "\":\"";
  for (const char c : value) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (byte < 0x20 || byte >= 0x7f) {
      char text[8];
      std::snprintf(text, sizeof(text), "\\u%04x", byte);
      out += text;
    } else {
      out += c;
    }
  }
  out += '"';
}

void AppendJsonNumber(std::string& out, std::string_view key, std::uint64_t value) {
  out += ",\"";
  out += key;
  out += "\":";
  AppendDecimal(out, value);
}

void AppendJsonSeconds(std::string& out, std::string_view key, double seconds) {
  if (seconds < 0) return;
  char text[32];
  std::snprintf(text, sizeof(text), "%.6f", seconds);
  out += ",\"";
  out += key;
  out += "\":";
  out += text;
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

void AppendLoadBalancerId(std::string& out, std::string_view name) {
  out += "app/";
  out += name;
  out += '/';
  AppendHash(out, name);
}

void AppendLoggedRequest(std::string& out, const http::RequestHead& head, const Endpoint& local, std::uint16_t port) {
  if (head.method.empty()) {
    // No request line was understood: the form that ALB's logs show.
    out += "- http://";
    local.AppendTo(out);
    out += "- -";
    return;
  }
  out += head.method;
  out += ' ';
  const auto target = http::ParseTarget(head.method, head.target);
  if (!target || target->form != http::TargetForm::kAbsolute) {
    out += "http://";
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

void AppendAlbLine(std::string& out, const AccessLogRecord& record, std::string_view node_region) {
  out += "http ";
  AppendIso8601(out, record.time);
  out += ' ';
  AppendLoadBalancerId(out, record.load_balancer);
  out += ' ';
  record.client.AppendTo(out);
  out += ' ';
  AppendEndpointOrDash(out, record);
  out += ' ';
  AppendSeconds(out, record.request_processing_seconds);
  out += ' ';
  AppendSeconds(out, record.target_processing_seconds);
  out += ' ';
  AppendSeconds(out, record.response_processing_seconds);
  out += ' ';
  AppendStatus(out, record.status);
  out += ' ';
  if (record.target_status == 0) {
    out += '-';
  } else {
    AppendDecimal(out, record.target_status);
  }
  out += ' ';
  AppendDecimal(out, record.received_bytes);
  out += ' ';
  AppendDecimal(out, record.sent_bytes);
  out += ' ';
  AppendQuoted(out, record.request_line);
  out += ' ';
  AppendQuoted(out, record.user_agent.substr(0, 8 * 1024));
  out += " - - ";  // ssl_cipher, ssl_protocol
  if (record.target_group.empty()) {
    out += '-';
  } else {
    AppendTargetGroupArn(out, record.target_group, node_region);
  }
  out += ' ';
  AppendQuoted(out, record.trace_id);
  out += " \"-\" \"-\" ";  // domain_name, chosen_cert_arn
  AppendPriority(out, record.rule_priority);
  out += ' ';
  AppendIso8601(out, record.creation_time);
  out += ' ';
  AppendQuoted(out, record.actions);
  out += ' ';
  AppendQuoted(out, record.redirect_url);
  out += ' ';
  AppendQuoted(out, record.error_reason);
  out += " \"";
  AppendEndpointOrDash(out, record);
  out += "\" \"";
  if (record.target_status == 0) {
    out += '-';
  } else {
    AppendDecimal(out, record.target_status);
  }
  out += "\" ";
  AppendQuoted(out, http::ToString(record.desync_class));
  out += ' ';
  AppendQuoted(out, http::ToString(record.desync_reason));
  out += ' ';
  out += record.connection_id;
  out += " \"-\" \"-\" \"-\" ";  // transformed_host, transformed_uri, request_transform_status
  record.node.address.AppendTo(out);
  out += " - -\n";  // target_error_code, elb_error_code
}

void AppendJsonLine(std::string& out, const AccessLogRecord& record) {
  out += "{\"type\":\"http\"";
  AppendJsonText(out, "time", FormatIso8601(record.time));
  std::string text;
  AppendLoadBalancerId(text, record.load_balancer);
  AppendJsonText(out, "elb", text);
  AppendJsonText(out, "client", record.client.ToString());
  if (record.has_target) AppendJsonText(out, "target", record.target.ToString());
  AppendJsonSeconds(out, "request_processing_time", record.request_processing_seconds);
  AppendJsonSeconds(out, "target_processing_time", record.target_processing_seconds);
  AppendJsonSeconds(out, "response_processing_time", record.response_processing_seconds);
  AppendJsonNumber(out, "elb_status_code", record.status);
  if (record.target_status != 0) AppendJsonNumber(out, "target_status_code", record.target_status);
  AppendJsonNumber(out, "received_bytes", record.received_bytes);
  AppendJsonNumber(out, "sent_bytes", record.sent_bytes);
  AppendJsonText(out, "request", record.request_line);
  AppendJsonText(out, "user_agent", record.user_agent.substr(0, 8 * 1024));
  if (!record.target_group.empty()) AppendJsonText(out, "target_group", record.target_group);
  AppendJsonText(out, "trace_id", record.trace_id);
  if (record.rule_priority >= 0)
    AppendJsonNumber(out, "matched_rule_priority", static_cast<std::uint64_t>(record.rule_priority));
  if (!record.rule_name.empty()) AppendJsonText(out, "matched_rule_name", record.rule_name);
  AppendJsonText(out, "request_creation_time", FormatIso8601(record.creation_time));
  if (!record.actions.empty()) AppendJsonText(out, "actions_executed", record.actions);
  if (!record.redirect_url.empty()) AppendJsonText(out, "redirect_url", record.redirect_url);
  if (!record.error_reason.empty()) AppendJsonText(out, "error_reason", record.error_reason);
  if (record.desync_class != http::DesyncClass::kCompliant) {
    AppendJsonText(out, "classification", http::ToString(record.desync_class));
    AppendJsonText(out, "classification_reason", http::ToString(record.desync_reason));
  }
  AppendJsonText(out, "conn_trace_id", record.connection_id);
  AppendJsonText(out, "ip_address", record.node.address.ToString());
  out += "}\n";
}

void AccessLog::Append(const config::AccessLog& log, const AccessLogRecord& record) {
  if (sinks_ == nullptr) return;
  auto found = batches_.find(log.path);
  if (found == batches_.end()) found = batches_.emplace(log.path, std::string()).first;
  std::string& batch = found->second;
  if (log.format == config::AccessLogFormat::kAlb) {
    AppendAlbLine(batch, record, node_region_);
  } else {
    AppendJsonLine(batch, record);
  }
  pending_ = true;
  if (batch.size() >= kBatchBytes) {
    batch = sinks_->Submit(log.path, std::move(batch));
  }
}

void AccessLog::Flush() {
  for (auto& [path, batch] : batches_) {
    if (batch.empty()) continue;
    batch = sinks_->Submit(path, std::move(batch));
  }
  pending_ = false;
}

}  // namespace weir::proxy
