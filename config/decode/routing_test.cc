#include "base/record_type.h"
#include "base/text.h"
#include "config/decode/decode.h"
#include "config/decode/dns_name.h"
#include "config/findings.h"

#include <fmt/format.h>

namespace weir::config {
namespace {

// The two words of `METHOD URL` or `NAME TYPE`; empty views when it is not two.
std::pair<std::string_view, std::string_view> TwoWords(std::string_view text) {
  const std::size_t first_end = text.find(' ');
  if (first_end == std::string_view::npos) return {};
  std::string_view second = text.substr(first_end);
  second.remove_prefix(std::min(second.find_first_not_of(' '), second.size()));
  if (second.empty() || second.find(' ') != std::string_view::npos) return {};
  return {text.substr(0, first_end), second};
}

void DecodeRequest(const Node& node, RoutingTest& out, Findings& findings) {
  const auto [method, url] = TwoWords(node.text);
  const bool http = url.size() > 7 &&
                    (EqualsIgnoreCase(url.substr(0, 7), "http://") || EqualsIgnoreCase(url.substr(0, 8), "https://"));
  if (method.empty() || !http) {
    findings.AddError(node.position, fmt::format("{} is no request", Quoted(node.text)),
                      "METHOD URL, as in `GET http://shop.example.test/`");
    return;
  }
  out.method = method;
  out.url = url;
}

void DecodeQuery(const Node& node, RoutingTest& out, Findings& findings) {
  const auto [name, type] = TwoWords(node.text);
  if (name.empty()) {
    findings.AddError(node.position, fmt::format("{} is no query", Quoted(node.text)),
                      "NAME TYPE, as in `www.example.test A`");
    return;
  }
  if (const auto absolute = ParseDnsName(name, "."); !absolute) {
    findings.AddError(node.position, absolute.error().message, absolute.error().hint);
  }
  if (!ParseZoneRecordType(type) && !EqualsIgnoreCase(type, "ANY")) {
    findings.AddError(node.position, fmt::format("{} is no record type", Quoted(type)), RecordTypeHint(type));
  }
  out.query_name = name;
  out.query_type = type;
}

// Whether `text` is a target, ADDRESS:PORT or HOST:PORT, of some group: those are checked when the test runs, only the
// form is checked here.
bool LooksLikeTarget(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return false;
  const auto port = ParseDecimal(text.substr(colon + 1));
  const std::string_view host = text.substr(0, colon);
  return port && *port > 0 && *port < 65'536 && (Endpoint::Parse(text).has_value() || IsHostName(host));
}

void DecodeUnhealthy(const Fields& fields, RoutingTest& out, Decoding& decoding) {
  out.unhealthy = fields.LocatedList("unhealthy");
  for (const LocatedText& name : out.unhealthy) {
    const bool known = decoding.load_balancers.Contains(name.text) || decoding.target_groups.Contains(name.text) ||
                       decoding.health_checks.Contains(name.text) || LooksLikeTarget(name.text);
    if (known) continue;
    std::vector<std::string_view> names = decoding.load_balancers.names();
    names.insert(names.end(), decoding.target_groups.names().begin(), decoding.target_groups.names().end());
    names.insert(names.end(), decoding.health_checks.names().begin(), decoding.health_checks.names().end());
    decoding.findings.AddError(name.position, fmt::format("nothing is named {}", Quoted(name.text)),
                               NearestHint(name.text, names));
  }
}

void DecodeExpectation(const Fields& fields, RoutingTest& test, Decoding& decoding, bool query) {
  auto& out = test.expect;
  const auto text = [&](std::string_view key) {
    return fields.Has(key) ? std::optional(fields.Text(key)) : std::nullopt;
  };
  out.rule = text("rule");
  out.target_group = text("target-group");
  out.location = text("location");
  out.body = text("body");
  out.rcode = text("rcode");
  out.ttl_seconds = fields.Seconds("ttl");
  if (const auto status = fields.Integer("status")) out.status = static_cast<std::uint16_t>(*status);
  if (fields.Has("values")) {
    out.values.emplace();
    for (const LocatedText& value : fields.LocatedList("values")) out.values->push_back(value.text);
  }
  if (const Node* const group = fields.Scalar("target-group"))
    (void)decoding.target_groups.Resolve(*group, decoding.findings);
  if (fields.node().entries() == 0) decoding.findings.AddError(fields.position(), "a test that expects nothing");
  for (const std::string_view key : {"rule", "target-group", "status", "location", "body"}) {
    if (query && fields.Has(key))
      decoding.findings.AddError(fields.PositionOf(key), fmt::format("`{}` has no meaning for a query", key),
                                 "values, rcode or ttl");
  }
  for (const std::string_view key : {"values", "rcode", "ttl"}) {
    if (!query && fields.Has(key))
      decoding.findings.AddError(fields.PositionOf(key), fmt::format("`{}` has no meaning for a request", key),
                                 "rule, target-group, status, location or body");
  }
}

void DecodeHeaders(const Fields& fields, RoutingTest& out) {
  const Node* const headers = fields.Map("headers");
  for (std::size_t i = 0; headers != nullptr && i < headers->entries(); ++i) {
    out.headers.emplace_back(headers->key(i).text, headers->value(i).text);
  }
}

}  // namespace

RoutingTest DecodeTest(const Node& node, Decoding& decoding) {
  const Fields fields(node);
  Findings& findings = decoding.findings;
  RoutingTest out;
  out.position = node.position;
  if (!node.is_map()) return out;
  if (fields.Has("request") == fields.Has("query")) {
    findings.AddError(node.position, fields.Has("request") ? "`request` beside `query`" : "a test that asks nothing",
                      "either `request: METHOD URL` or `query: NAME TYPE`");
  }
  const bool query = fields.Has("query");
  if (const Node* const request = fields.Scalar("request")) DecodeRequest(*request, out, findings);
  if (const Node* const question = fields.Scalar("query")) DecodeQuery(*question, out, findings);
  if (query && fields.Has("headers")) findings.AddError(fields.PositionOf("headers"), "a query has no headers");
  DecodeHeaders(fields, out);
  out.from = fields.Text("from");
  if (!query && fields.Has("from") && !IpAddress::Parse(out.from)) {
    findings.AddError(fields.PositionOf("from"),
                      fmt::format("a request comes from one address, not from {}", Quoted(out.from)));
  }
  DecodeUnhealthy(fields, out, decoding);
  if (const Node* const expect = fields.Map("expect")) DecodeExpectation(Fields(*expect), out, decoding, query);
  return out;
}

}  // namespace weir::config
