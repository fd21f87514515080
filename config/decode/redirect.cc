// The redirect action; spec: alb.md 5.2.

#include "base/text.h"
#include "config/decode/decode.h"
#include "config/findings.h"
#include "config/schema/schema.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace weir::config {
namespace {

using std::string_view;

constexpr auto kHostPlaceholders = std::to_array<string_view>({"#{host}"});
constexpr auto kPathPlaceholders = std::to_array<string_view>({"#{host}", "#{path}", "#{port}"});
constexpr auto kQueryPlaceholders =
    std::to_array<string_view>({"#{protocol}", "#{host}", "#{port}", "#{path}", "#{query}"});
constexpr string_view kPortPlaceholder = "#{port}";
constexpr std::uint16_t kHttpsPort = 443;

// Reports placeholders that are unknown, or that have no place in this field. Returns the text without any.
std::string CheckPlaceholders(const Fields& fields, string_view key, std::span<const string_view> allowed,
                              Findings& findings) {
  std::string plain;
  const Node* const node = fields.Scalar(key);
  if (node == nullptr) return plain;
  string_view rest = node->text;
  for (std::size_t at = rest.find("#{"); at != string_view::npos; at = rest.find("#{")) {
    plain.append(rest.substr(0, at));
    rest.remove_prefix(at);
    const std::size_t end = rest.find('}');
    const string_view found = rest.substr(0, end == string_view::npos ? end : end + 1);
    if (std::ranges::find(allowed, found) == allowed.end()) {
      findings.AddError(node->position, fmt::format("{} has no meaning in `{}`", Quoted(found), key),
                        fmt::format("only {}", JoinWords(allowed)));
    }
    rest.remove_prefix(found.size());
  }
  return plain.append(rest);
}

// Reports characters that no part of a Location can hold; true when there are none.
bool CheckCharacters(const Fields& fields, string_view key, Findings& findings) {
  const Node* const node = fields.Scalar(key);
  const auto is_sent = [](char c) { return c > 0x20 && c < 0x7F; };
  if (node == nullptr || std::ranges::all_of(node->text, is_sent)) return true;
  findings.AddError(node->position, fmt::format("`{}` holds a character that cannot be sent", key),
                    key == "host" ? "visible ASCII without spaces; other letters in their xn-- form"
                                  : "visible characters; percent-encode the rest");
  return false;
}

bool IsIpv6Literal(string_view text) {
  if (!text.starts_with('[') || !text.ends_with(']')) return false;
  const auto address = IpAddress::Parse(text.substr(1, text.size() - 2));
  return address && !address->is_v4();
}

// Where what stands in the host belongs; empty when all of it may stand there.
string_view HostHint(string_view plain) {
  if (IsIpv6Literal(plain)) return {};
  if (plain.find("://") != string_view::npos) return "the scheme goes into `protocol`";
  const std::size_t wrong = plain.find_first_of(":/?#@[]\\");
  if (wrong == string_view::npos) return {};
  switch (plain[wrong]) {
    case ':':
      return "the port goes into `port`; an IPv6 address stands in brackets";
    case '/':
      return "the path goes into `path`";
    case '?':
      return "the query goes into `query`";
    case '@':
      return "user information has no place in a redirect";
    default:
      return "a name or an address";
  }
}

void CheckHost(const Fields& fields, string_view host, Findings& findings) {
  const std::string plain = CheckPlaceholders(fields, "host", kHostPlaceholders, findings);
  if (host.empty()) {
    findings.AddError(fields.PositionOf("host"), "an empty host");
    return;
  }
  if (!CheckCharacters(fields, "host", findings)) return;
  if (const string_view hint = HostHint(plain); !hint.empty()) {
    findings.AddError(fields.PositionOf("host"), fmt::format("{} is no host", Quoted(host)), std::string(hint));
  }
}

void CheckPort(const Fields& fields, string_view port, Findings& findings) {
  if (port == kPortPlaceholder) return;
  const auto number = ParseDecimal(port);
  if (number && *number >= 1 && *number <= 65'535 && !port.starts_with('0')) return;
  findings.AddError(fields.PositionOf("port"), fmt::format("`port` cannot be {}", Quoted(port)),
                    "1 to 65535, or \"#{port}\"");
}

void CheckPath(const Fields& fields, string_view path, Findings& findings) {
  const std::string plain = CheckPlaceholders(fields, "path", kPathPlaceholders, findings);
  CheckCharacters(fields, "path", findings);
  if (!path.starts_with('/')) {
    findings.AddError(fields.PositionOf("path"), fmt::format("path {} does not start with /", Quoted(path)),
                      fmt::format("/{}", path.substr(0, 80)));
  }
  if (plain.find('?') != std::string::npos) {
    findings.AddWarning(fields.PositionOf("path"), "a `?` in the path of a redirect ends the path",
                        "the query goes into `query`; a `?` of the path is written %3F");
  } else if (plain.find('#') != std::string::npos) {
    findings.AddWarning(fields.PositionOf("path"), "a `#` in the path of a redirect begins a fragment",
                        "the client keeps it for itself, the query behind it too; a `#` of the path is written %23");
  }
}

void CheckQuery(const Fields& fields, string_view query, Findings& findings) {
  const std::string plain = CheckPlaceholders(fields, "query", kQueryPlaceholders, findings);
  CheckCharacters(fields, "query", findings);
  if (query.starts_with('?')) {
    findings.AddError(fields.PositionOf("query"), "a query is written without the leading ?");
  }
  if (plain.find('#') != std::string::npos) {
    findings.AddWarning(fields.PositionOf("query"), "a `#` in the query of a redirect begins a fragment",
                        "the client keeps it for itself; a `#` of the query is written %23");
  }
}

}  // namespace

RedirectAction DecodeRedirect(const Fields& fields, Findings& findings) {
  RedirectAction out;
  if (const auto word = fields.Word("protocol", kRedirectProtocolWords)) out.protocol = kRedirectProtocolWords[*word];
  out.host = fields.Text("host", out.host);
  out.port = fields.Text("port", out.port);
  out.path = fields.Text("path", out.path);
  out.query = fields.Text("query", out.query);
  if (const auto word = fields.Word("status-code", kRedirectStatusWords)) out.status_code = *word == 0 ? 301 : 302;
  CheckHost(fields, out.host, findings);
  CheckPort(fields, out.port, findings);
  CheckPath(fields, out.path, findings);
  CheckQuery(fields, out.query, findings);
  const RedirectAction same;
  const bool changes = out.protocol != same.protocol || out.host != same.host || out.port != same.port ||
                       out.path != same.path ||
                       (fields.Has("protocol") && !fields.Word("protocol", kRedirectProtocolWords));
  if (!changes) {
    findings.AddError(fields.position(), "a redirect to the same place would never end",
                      "change protocol, host, port or path");
  }
  return out;
}

void CheckSecureRedirect(const Fields& fields, string_view key, std::uint16_t listener_port, Findings& findings) {
  const auto actions = fields.List(key);
  const Node* const map = actions.empty() ? nullptr : Fields(actions.front()).Map("redirect");
  if (map == nullptr || listener_port == kHttpsPort) return;
  const Fields redirect(*map);
  const Node* const protocol = redirect.Scalar("protocol");
  if (protocol == nullptr || !EqualsIgnoreCase(protocol->text, "HTTPS") || redirect.Has("port")) return;
  findings.AddWarning(
      protocol->position,
      listener_port == 0
          ? std::string("a redirect to HTTPS at the port of its listener, which speaks HTTP")
          : fmt::format("a redirect to HTTPS at port {}, the port of its listener, which speaks HTTP", listener_port),
      "add `port: 443`, or `port: \"#{port}\"` if that is meant");
}

}  // namespace weir::config
