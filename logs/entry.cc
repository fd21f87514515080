#include "logs/entry.h"

#include "base/figures.h"
#include "base/text.h"

#include <boost/json/monotonic_resource.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <boost/system/error_code.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <bitset>
#include <iterator>
#include <span>

namespace weir::logs {
namespace {

constexpr std::string_view kMissing = "-";

enum class Form : std::uint8_t { kBare, kQuoted };
struct FieldRow {
  std::string_view key;  // in JSON
  Form form = Form::kBare;
  bool number = false;  // in JSON
};
constexpr auto kRequestRows = std::to_array<FieldRow>({
    {"type"},
    {"time"},
    {"elb"},
    {"client"},
    {"target"},
    {"request_processing_time", Form::kBare, true},
    {"target_processing_time", Form::kBare, true},
    {"response_processing_time", Form::kBare, true},
    {"elb_status_code", Form::kBare, true},
    {"target_status_code", Form::kBare, true},
    {"received_bytes", Form::kBare, true},
    {"sent_bytes", Form::kBare, true},
    {"request", Form::kQuoted},
    {"user_agent", Form::kQuoted},
    {"ssl_cipher"},
    {"ssl_protocol"},
    {"target_group"},
    {"trace_id", Form::kQuoted},
    {"domain_name", Form::kQuoted},
    {"chosen_cert", Form::kQuoted},
    {"matched_rule_priority", Form::kBare, true},
    {"request_creation_time"},
    {"actions_executed", Form::kQuoted},
    {"redirect_url", Form::kQuoted},
    {"error_reason", Form::kQuoted},
    {"target_list", Form::kQuoted},
    {"target_status_code_list", Form::kQuoted},
    {"classification", Form::kQuoted},
    {"classification_reason", Form::kQuoted},
    {"conn_trace_id"},
    {"transformed_host", Form::kQuoted},
    {"transformed_uri", Form::kQuoted},
    {"request_transform_status", Form::kQuoted},
    {"ip_address"},
    {"target_error_code"},
    {"elb_error_code"},
});
static_assert(kRequestRows.size() == kFieldsMax);
constexpr auto kConnectionRows = std::to_array<FieldRow>({
    {"timestamp"},
    {"client_ip"},
    {"client_port", Form::kBare, true},
    {"listener_port", Form::kBare, true},
    {"tls_protocol"},
    {"tls_cipher"},
    {"tls_handshake_latency", Form::kBare, true},
    {"leaf_client_cert_subject", Form::kQuoted},
    {"leaf_client_cert_validity"},
    {"leaf_client_cert_serial_number"},
    {"tls_verify_status"},
    {"conn_trace_id"},
    {"tls_keyexchange"},
    {"elb"},
    {"ip_address"},
});
// What a line must have; AWS adds fields at the end, and says that parsers tolerate further ones.
constexpr std::size_t kRequestFieldsNeeded = 25;
constexpr std::size_t kConnectionFieldsNeeded = 12;
constexpr std::string_view kRuleNameKey = "matched_rule_name";
constexpr auto kTypes = std::to_array<std::string_view>({"http", "https", "h2", "grpcs", "ws", "wss"});

std::span<const FieldRow> RowsOf(EntryKind kind) {
  if (kind == EntryKind::kRequest) return kRequestRows;
  return kConnectionRows;
}

std::string NameOf(const Entry& entry, std::size_t field) {
  return fmt::format("field {} ({})", field + 1, RowsOf(entry.kind)[field].key);
}

std::optional<std::uint16_t> ReadStatus(std::string_view text) {
  if (text == kMissing) return 0;
  const auto value = ParseDecimal(text);
  if (!value || *value > 999) return std::nullopt;
  return static_cast<std::uint16_t>(*value);
}

// The program's JSON writes bytes, each above ASCII as \u00XX: characters back into bytes.
void AppendBytes(std::string& out, std::string_view utf8) {
  for (std::size_t i = 0; i < utf8.size(); ++i) {
    const auto byte = static_cast<unsigned char>(utf8[i]);
    if ((byte == 0xC2 || byte == 0xC3) && i + 1 < utf8.size()) {
      const auto next = static_cast<unsigned char>(utf8[++i]);
      out += static_cast<char>(((byte & 0x03U) << 6U) | (next & 0x3FU));
    } else {
      out += utf8[i];
    }
  }
}

std::string TextOf(const boost::json::value& value) {
  if (value.is_string()) {
    std::string bytes;
    AppendBytes(bytes, value.get_string());
    std::string out;
    AppendEscaped(out, bytes);
    return out;
  }
  if (value.is_int64()) return fmt::format("{}", value.get_int64());
  if (value.is_uint64()) return fmt::format("{}", value.get_uint64());
  if (value.is_double()) return fmt::format("{:.6f}", value.get_double());
  return {};
}

}  // namespace

std::optional<std::chrono::microseconds> Entry::total_time() const {
  if (!request_time && !target_time && !response_time) return std::nullopt;
  constexpr std::chrono::microseconds kNone{0};
  return request_time.value_or(kNone) + target_time.value_or(kNone) + response_time.value_or(kNone);
}

std::string_view Entry::target_group() const {
  std::string_view text = (*this)[RequestField::kTargetGroup];
  if (text == kMissing) return {};
  constexpr std::string_view kResource = ":targetgroup/";
  const std::size_t resource = text.find(kResource);
  if (resource == std::string_view::npos) return text;
  text.remove_prefix(resource + kResource.size());
  return text.substr(0, text.find('/'));
}

std::string_view Entry::error_reason() const {
  const std::string_view text = (*this)[RequestField::kErrorReason];
  return text == kMissing ? std::string_view() : text;
}

Entry::RequestLine Entry::request_line() const {
  std::string_view text = (*this)[RequestField::kRequest];
  const std::size_t first = text.find(' ');
  const std::size_t last = text.rfind(' ');
  if (first == std::string_view::npos || last <= first) return {};
  RequestLine out{.method = text.substr(0, first), .version = text.substr(last + 1)};
  if (out.method == kMissing) return {};
  text = text.substr(first + 1, last - first - 1);
  const std::size_t scheme = text.find("://");
  if (scheme == std::string_view::npos) {
    out.target = text;
    return out;
  }
  out.scheme = text.substr(0, scheme);
  text.remove_prefix(scheme + 3);
  const std::size_t end = std::min(text.find_first_of("/?#*"), text.size());
  out.host = text.substr(0, end);
  out.target = text.substr(end);
  return out;
}

Result<Entry> EntryParser::Parse(std::string_view line) {
  Entry entry;
  entry.line = line;
  entry.fields.fill(kMissing);
  entry.json = line.starts_with('{');
  const auto split = entry.json ? ParseJson(line, entry) : ParseFields(line, entry);
  if (!split) return std::unexpected(split.error());
  if (const auto read = ReadValues(entry); !read) return std::unexpected(read.error());
  return entry;
}

Result<void> EntryParser::ParseFields(std::string_view line, Entry& entry) {
  const std::string_view first = line.substr(0, line.find(' '));
  if (std::ranges::find(kTypes, first) == kTypes.end()) {
    if (!ParseLogTime(first)) {
      return Failure(
          fmt::format("`{}` begins neither a line of an access log nor one of a connection log", first.substr(0, 40)));
    }
    entry.kind = EntryKind::kConnection;
  }
  const bool request = entry.kind == EntryKind::kRequest;
  const std::size_t most = RowsOf(entry.kind).size();
  std::size_t count = 0;
  std::string_view rest = line;
  while (count < most) {
    const auto field = TakeField(rest);
    if (!field) break;
    entry.fields[count++] = field->text;
  }
  if (count < (request ? kRequestFieldsNeeded : kConnectionFieldsNeeded)) {
    return Failure(fmt::format("field {} is missing, or its quote does not end", count + 1));
  }
  return {};
}

Result<void> EntryParser::ParseJson(std::string_view line, Entry& entry) {
  std::array<unsigned char, 8192> first_block;  // NOLINT: filled by the parser
  boost::json::monotonic_resource memory(first_block.data(), first_block.size());
  boost::system::error_code error;
  const boost::json::value parsed = boost::json::parse(line, error, &memory);
  if (error || !parsed.is_object()) return Failure("this is no JSON object");
  const boost::json::object& object = parsed.get_object();
  if (object.contains("timestamp")) {
    entry.kind = EntryKind::kConnection;
  } else if (object.contains("target_addr") && !object.contains("elb_status_code")) {
    return Failure("this is a line of a health check log");
  }
  const auto rows = RowsOf(entry.kind);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const boost::json::value* const value = object.if_contains(rows[i].key);
    if (value == nullptr) continue;
    texts_[i] = TextOf(*value);
    if (!texts_[i].empty()) entry.fields[i] = texts_[i];
  }
  if (const boost::json::value* const name = object.if_contains(kRuleNameKey)) {
    texts_.back() = TextOf(*name);
    entry.rule_name = texts_.back();
  }
  return {};
}

Result<void> EntryParser::ReadValues(Entry& entry) {
  const bool request = entry.kind == EntryKind::kRequest;
  const std::size_t time_field = request ? static_cast<std::size_t>(RequestField::kTime) : 0;
  const auto time = times_.Read(entry.fields[time_field]);
  if (!time) return Failure(NameOf(entry, time_field) + " is no time like 2026-11-02T10:15:30Z");
  entry.time = *time;
  if (!request) return {};
  const auto status = ReadStatus(entry[RequestField::kElbStatusCode]);
  if (!status) {
    return Failure(NameOf(entry, static_cast<std::size_t>(RequestField::kElbStatusCode)) + " is no status");
  }
  entry.status = *status;
  entry.target_status = ReadStatus(entry[RequestField::kTargetStatusCode]).value_or(0);
  entry.request_time = ParseLogSeconds(entry[RequestField::kRequestProcessingTime]);
  entry.target_time = ParseLogSeconds(entry[RequestField::kTargetProcessingTime]);
  entry.response_time = ParseLogSeconds(entry[RequestField::kResponseProcessingTime]);
  entry.received_bytes = ParseDecimal(entry[RequestField::kReceivedBytes]).value_or(0);
  entry.sent_bytes = ParseDecimal(entry[RequestField::kSentBytes]).value_or(0);
  return {};
}

void AppendAlbLine(std::string& out, const Entry& entry) {
  if (!entry.json) {
    out += entry.line;
    return;
  }
  const auto rows = RowsOf(entry.kind);
  const bool request = entry.kind == EntryKind::kRequest;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (i > 0) out += ' ';
    std::string_view text = entry.fields[i];
    const auto field = static_cast<RequestField>(i);
    const bool is_time =
        request && (field == RequestField::kRequestProcessingTime || field == RequestField::kTargetProcessingTime ||
                    field == RequestField::kResponseProcessingTime);
    if (request && field == RequestField::kElbStatusCode && text == "0") text = "000";
    if (is_time && text == kMissing) text = "-1";
    if (request && text == kMissing) {
      if (field == RequestField::kTargetList) text = entry[RequestField::kTarget];
      if (field == RequestField::kTargetStatusList) text = entry[RequestField::kTargetStatusCode];
    }
    const bool quoted = rows[i].form == Form::kQuoted;
    if (quoted) out += '"';
    if (request && field == RequestField::kTargetGroup && text == entry.target_group() && text != kMissing) {
      fmt::format_to(std::back_inserter(out),
                     "arn:aws:elasticloadbalancing:local:000000000000:targetgroup/{}/0000000000000000", text);
    } else {
      out += text;
    }
    if (quoted) out += '"';
  }
}

void AppendJsonLine(std::string& out, const Entry& entry) {
  const auto rows = RowsOf(entry.kind);
  bool first = true;
  out += '{';
  const auto put_key = [&](std::string_view key) {
    if (!first) out += ',';
    first = false;
    out += '"';
    out += key;
    out += "\":";
  };
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const std::string_view text = entry.fields[i];
    if (text == kMissing || (rows[i].number && text == "-1")) continue;
    put_key(rows[i].key);
    if (rows[i].number) {
      // `000` is no number of JSON.
      const std::size_t zeros = std::min(text.find_first_not_of('0'), text.size() - 1);
      out += text[zeros] == '.' ? text.substr(zeros - 1) : text.substr(zeros);
    } else {
      AppendJsonBytes(out, Unescape(text));
    }
  }
  if (!entry.rule_name.empty()) {
    put_key(kRuleNameKey);
    AppendJsonBytes(out, Unescape(entry.rule_name));
  }
  out += '}';
}

}  // namespace weir::logs
