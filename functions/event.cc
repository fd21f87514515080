#include "functions/event.h"

#include "base/base64.h"
#include "base/figures.h"
#include "base/text.h"
#include "functions/json_text.h"
#include "http/scan.h"

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

#include <algorithm>
#include <array>
#include <map>

namespace weir::functions {
namespace {

namespace json = boost::json;

constexpr std::size_t kJsonDepthMax = 64;  // our choice: a response is three deep

// ---- requests

// Names with all their values, in the order in which an event has them.
using NamedValues = std::vector<std::pair<std::string, std::vector<std::string_view>>>;

void AppendMember(std::string& out, std::string_view name, std::string_view value) {
  AppendJsonString(out, name);
  out += ':';
  AppendJsonString(out, value);
}

void AppendValues(std::string& out, std::string_view single, std::string_view multiple, const NamedValues& named,
                  Values values) {
  ((out += ",\"") += values == Values::kAll ? multiple : single) += "\":{";
  bool first = true;
  for (const auto& [name, all] : named) {
    if (!std::exchange(first, false)) out += ',';
    if (values == Values::kLast) {
      AppendMember(out, name, all.back());
      continue;
    }
    AppendJsonString(out, name);
    for (std::size_t i = 0; i < all.size(); ++i) {
      out += i == 0 ? ":[" : ",";
      AppendJsonString(out, all[i]);
    }
    out += ']';
  }
  out += '}';
}

// In the order of their first appearance, not decoded. A parameter without `=` has an empty value.
NamedValues ParametersOf(std::string_view query) {
  NamedValues out;
  std::map<std::string_view, std::size_t> known;
  while (!query.empty()) {
    const std::size_t end = std::min(query.find('&'), query.size());
    const std::string_view pair = query.substr(0, end);
    query.remove_prefix(std::min(end + 1, query.size()));
    if (pair.empty()) continue;
    const std::size_t equals = std::min(pair.find('='), pair.size());
    const std::string_view name = pair.substr(0, equals);
    const auto [found, is_new] = known.emplace(name, out.size());
    if (is_new) out.emplace_back(name, std::vector<std::string_view>());
    out[found->second].second.push_back(pair.substr(std::min(equals + 1, pair.size())));
  }
  return out;
}

// By name, as AWS's examples have them.
NamedValues FieldsOf(const std::vector<http::Field>& fields) {
  std::map<std::string, std::vector<std::string_view>> sorted;
  for (const http::Field& field : fields) sorted[ToLowerAscii(field.name)].push_back(field.value);
  return {sorted.begin(), sorted.end()};
}

bool IsTextType(std::string_view type) {
  constexpr auto kTypes =
      std::to_array<std::string_view>({"application/json", "application/javascript", "application/xml"});
  type = http::TrimSpace(type.substr(0, type.find(';')));
  const bool is_text = type.size() > 5 && EqualsIgnoreCase(type.substr(0, 5), "text/");
  return is_text || std::ranges::any_of(kTypes, [type](auto known) { return EqualsIgnoreCase(known, type); });
}

bool IsSentAsText(const EventRequest& request) {
  if (request.content.empty()) return true;
  if (http::FindField(request.fields, "content-encoding") != nullptr) return false;
  const http::Field* const type = http::FindField(request.fields, "content-type");
  return type != nullptr && IsTextType(type->value) && IsUtf8(request.content);
}

void AppendBody(std::string& out, const EventRequest& request) {
  const bool is_text = IsSentAsText(request);
  out += ",\"body\":";
  if (is_text) {
    AppendJsonString(out, request.content);
  } else {
    out += '"';
    AppendBase64(out, request.content);
    out += '"';
  }
  (out += ",\"isBase64Encoded\":") += is_text ? "false}" : "true}";
}

// ---- responses

// What a function may say as one value of a field.
std::optional<std::string> TextOf(const json::value& value) {
  if (value.is_string()) return std::string(value.get_string());
  if (value.is_bool()) return value.get_bool() ? "true" : "false";
  if (value.is_int64()) return std::to_string(value.get_int64());
  return std::nullopt;
}

// Framing is written anew, and what is of one connection alone goes no further.
bool IsIgnored(std::string_view name) {
  constexpr auto kNames =
      std::to_array<std::string_view>({"connection", "content-length", "keep-alive", "proxy-authenticate",
                                       "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade"});
  return std::ranges::any_of(kNames, [name](auto known) { return EqualsIgnoreCase(known, name); });
}

// False when it cannot be sent.
bool AddField(std::string_view name, const json::value& value, EventResponse& out) {
  auto text = TextOf(value);
  const auto is_sendable = [](char c) { return static_cast<unsigned char>(c) >= 0x20 ? c != 0x7f : c == '\t'; };
  if (!text || !http::IsToken(name) || !std::ranges::all_of(*text, is_sendable)) return false;
  if (!IsIgnored(name)) out.fields.emplace_back(name, http::TrimSpace(*text));
  return true;
}

bool AddFields(const json::object& fields, Values values, EventResponse& out) {
  for (const auto& [name, value] : fields) {
    if (values == Values::kLast) {
      if (!AddField(name, value, out)) return false;
      continue;
    }
    if (!value.is_array()) return false;
    const bool added =
        std::ranges::all_of(value.get_array(), [&](const auto& item) { return AddField(name, item, out); });
    if (!added) return false;
  }
  return true;
}

// `200 OK`, or the words alone.
bool TakeReason(const json::object& response, EventResponse& out) {
  const json::value* const description = response.if_contains("statusDescription");
  if (description == nullptr || description->is_null()) return true;
  if (!description->is_string()) return false;
  std::string_view reason(description->get_string());
  const std::string code = std::to_string(out.status);
  if (reason.starts_with(code)) reason.remove_prefix(code.size());
  out.reason = http::TrimSpace(reason);
  return std::ranges::all_of(out.reason, [](char c) { return c >= 0x20 && c < 0x7f; });
}

bool TakeStatus(const json::object& response, EventResponse& out) {
  const json::value* const code = response.if_contains("statusCode");
  if (code == nullptr || !code->is_int64() || code->get_int64() < 200 || code->get_int64() > 599) return false;
  out.status = static_cast<std::uint16_t>(code->get_int64());
  return true;
}

bool TakeFields(const json::object& response, Values values, EventResponse& out) {
  const json::value* const single = response.if_contains("headers");
  const json::value* const multiple = response.if_contains("multiValueHeaders");
  if (single == nullptr && multiple == nullptr) return false;
  const json::value* const chosen = values == Values::kAll ? multiple : single;
  if (chosen == nullptr || chosen->is_null()) return true;
  return chosen->is_object() && AddFields(chosen->get_object(), values, out);
}

bool TakeContent(const json::object& response, EventResponse& out) {
  const json::value* const is_base64 = response.if_contains("isBase64Encoded");
  if (is_base64 == nullptr || !is_base64->is_bool()) return false;
  const json::value* const body = response.if_contains("body");
  if (body == nullptr || body->is_null()) return true;
  if (!body->is_string()) return false;
  if (!is_base64->get_bool()) {
    out.content = body->get_string();
    return true;
  }
  auto decoded = DecodeBase64(body->get_string());
  if (!decoded) return false;
  out.content = std::move(*decoded);
  return true;
}

}  // namespace

std::string EncodeEvent(const EventRequest& request, Values values) {
  const std::size_t mark = std::min(request.target.find('?'), request.target.size());
  const std::string_view query = request.target.substr(std::min(mark + 1, request.target.size()));
  std::string out;
  out.reserve(1024 + request.content.size());
  out += R"({"requestContext":{"elb":{)";
  AppendMember(out, "targetGroupArn", request.target_group_arn);
  out += "}},";
  AppendMember(out, "httpMethod", request.method);
  out += ',';
  AppendMember(out, "path", request.target.substr(0, mark));
  AppendValues(out, "queryStringParameters", "multiValueQueryStringParameters", ParametersOf(query), values);
  AppendValues(out, "headers", "multiValueHeaders", FieldsOf(request.fields), values);
  AppendBody(out, request);
  return out;
}

std::string EncodeHealthCheckEvent(std::string_view target_group_arn, std::string_view path, Values values) {
  const std::vector<http::Field> fields{{.name = "user-agent", .value = "ELB-HealthChecker/2.0"}};
  return EncodeEvent(
      {.target_group_arn = target_group_arn, .method = "GET", .target = path, .fields = fields, .content = {}}, values);
}

std::optional<EventResponse> DecodeResponse(std::string_view text, Values values) {
  json::parse_options options;
  options.max_depth = kJsonDepthMax;
  json::error_code error;
  const json::value value = json::parse({text.data(), text.size()}, error, {}, options);
  if (error || !value.is_object()) return std::nullopt;
  const json::object& response = value.get_object();
  EventResponse out;
  const bool is_whole = TakeStatus(response, out) && TakeReason(response, out) && TakeFields(response, values, out) &&
                        TakeContent(response, out);
  return is_whole ? std::optional(std::move(out)) : std::nullopt;
}

}  // namespace weir::functions
