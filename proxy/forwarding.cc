#include "proxy/forwarding.h"

#include "base/text.h"
#include "http/target.h"
#include "http/writer.h"

#include <algorithm>
#include <charconv>
#include <cstdio>

namespace weir::proxy {
namespace {

// Headers larger than this get a trace id of the root alone.
constexpr std::size_t kTraceHeadBytesMax = 7 * 1024;

enum class FieldKind : std::uint8_t {
  kOther,
  kDropped,  // framing and expectations: the codec writes its own
  kHost,
  kForwardedFor,
  kForwardedReplaced,  // X-Forwarded-Proto, X-Forwarded-Port
  kTraceId,
};

// By length first: nearly every field of a request is told apart from these six without comparing a character.
FieldKind KindOf(std::string_view name) {
  switch (name.size()) {
    case 4:
      return EqualsIgnoreCase(name, "host") ? FieldKind::kHost : FieldKind::kOther;
    case 6:
      return EqualsIgnoreCase(name, "expect") ? FieldKind::kDropped : FieldKind::kOther;
    case 14:
      return EqualsIgnoreCase(name, "content-length") ? FieldKind::kDropped : FieldKind::kOther;
    case 15:
      if (EqualsIgnoreCase(name, "x-forwarded-for")) return FieldKind::kForwardedFor;
      return EqualsIgnoreCase(name, "x-amzn-trace-id") ? FieldKind::kTraceId : FieldKind::kOther;
    case 16:
      return EqualsIgnoreCase(name, "x-forwarded-port") ? FieldKind::kForwardedReplaced : FieldKind::kOther;
    case 17:
      return EqualsIgnoreCase(name, "x-forwarded-proto") ? FieldKind::kForwardedReplaced : FieldKind::kOther;
    default:
      return FieldKind::kOther;
  }
}

bool IsValidName(std::string_view name) {
  return std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-';
  });
}

void AppendPort(std::string& out, std::uint16_t port) {
  char digits[8];
  out.append(digits, std::to_chars(digits, digits + sizeof(digits), port).ptr);
}

// spec: alb.md 12.3.
void AppendHost(std::string_view authority, const RequestOrigin& origin, std::string& out) {
  const auto parsed = http::ParseHostPort(authority);
  if (!parsed) {
    // HTTP/1.0 without Host: there is no name but the address the client used.
    origin.local.AppendTo(out);
    return;
  }
  for (const char c : parsed->host) out += ToLowerAscii(c);
  if (origin.port == 80 || origin.port == 443) return;
  out += ':';
  AppendPort(out, parsed->port.value_or(origin.port));
}

void AppendClient(const Endpoint& peer, bool with_port, std::string& out) {
  const IpAddress address = peer.address.Unmapped();
  if (with_port) {
    Endpoint{address, peer.port}.AppendTo(out);
  } else {
    address.AppendTo(out);
  }
}

void AppendForwardedFor(const std::vector<http::Field>& fields, const config::LoadBalancerAttributes& attributes,
                        const Endpoint& peer, FieldBlock& out) {
  using enum config::XffProcessing;
  if (attributes.xff_processing == kRemove) return;
  const bool append = attributes.xff_processing == kAppend;
  bool begun = false;
  for (const http::Field& field : fields) {
    if (KindOf(field.name) != FieldKind::kForwardedFor) continue;
    out += begun ? ", " : "X-Forwarded-For: ";
    out += field.value;
    begun = true;
  }
  if (append) {
    out += begun ? ", " : "X-Forwarded-For: ";
    AppendClient(peer, attributes.xff_client_port, out);
    begun = true;
  }
  if (begun) out += "\r\n";
}

std::string NewTraceRoot(WallTime now, Random& random) {
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(now.time_since_epoch()).count();
  char prefix[24];
  std::snprintf(prefix, sizeof(prefix), "1-%08llx-", static_cast<unsigned long long>(seconds) & 0xffffffffULL);
  std::string out = prefix;
  random.AppendHex(out, 24);
  return out;
}

}  // namespace

std::size_t CountForwardedFor(const std::vector<http::Field>& fields) {
  std::size_t count = 0;
  for (const http::Field& field : fields) {
    if (KindOf(field.name) != FieldKind::kForwardedFor || field.value.empty()) continue;
    count += 1 + static_cast<std::size_t>(std::ranges::count(field.value, ','));
  }
  return count;
}

std::string TraceId(std::string_view received, std::size_t head_bytes, WallTime now, Random& random) {
  std::string root;
  std::string others;
  while (!received.empty()) {
    const auto semicolon = received.find(';');
    std::string_view part = received.substr(0, semicolon);
    received = semicolon == std::string_view::npos ? std::string_view() : received.substr(semicolon + 1);
    while (!part.empty() && part.front() == ' ') part.remove_prefix(1);
    if (part.starts_with("Root=")) {
      root = part;
    } else if (!part.empty() && !part.starts_with("Self=")) {
      others += ';';
      others += part;
    }
  }
  if (root.empty()) return "Root=" + NewTraceRoot(now, random) + others;
  if (head_bytes > kTraceHeadBytesMax) return root;
  return "Self=" + NewTraceRoot(now, random) + ";" + root + others;
}

void BuildRequestMessage(const http::RequestHead& head, const config::LoadBalancerAttributes& attributes,
                         const RequestOrigin& origin, WallTime now, Random& random, RequestMessage& out,
                         std::string& trace_id) {
  out.method = head.method;
  out.target.clear();
  out.host_lines.clear();
  out.fields.clear();
  out.framing = head.framing;

  std::string_view authority = head.host;
  const auto target = http::ParseTarget(head.method, head.target);
  if (target && target->form == http::TargetForm::kAbsolute) {
    authority = target->authority;
    out.target = target->path;
    if (target->has_query) (out.target += '?') += target->query;
  } else {
    // A fragment is not part of a request target (RFC 9112 section 3.2); what follows `#` is not passed on.
    out.target = head.target.substr(0, head.target.find('#'));
  }

  const http::HopByHopFields hop_by_hop(head.fields);
  std::string_view received_trace;
  std::size_t head_bytes = 0;
  for (const http::Field& field : head.fields) {
    head_bytes += field.name.size() + field.value.size() + 4;
    switch (KindOf(field.name)) {
      case FieldKind::kHost:
        if (attributes.preserve_host_header) http::AppendField(out.host_lines, field.name, field.value);
        break;
      case FieldKind::kTraceId:
        received_trace = field.value;
        break;
      case FieldKind::kDropped:
      case FieldKind::kForwardedFor:
      case FieldKind::kForwardedReplaced:
        break;
      case FieldKind::kOther:
        if (attributes.drop_invalid_header_fields && !IsValidName(field.name)) break;
        if (!hop_by_hop.Contains(field.name)) http::AppendField(out.fields, field.name, field.value);
        break;
    }
  }
  if (out.host_lines.empty()) {
    out.host_lines = "Host: ";
    AppendHost(authority, origin, out.host_lines);
    out.host_lines += "\r\n";
  }
  AppendForwardedFor(head.fields, attributes, origin.peer, out.fields);
  out.fields += "X-Forwarded-Proto: ";
  out.fields += origin.scheme;
  out.fields += "\r\nX-Forwarded-Port: ";
  AppendPort(out.fields, origin.port);
  out.fields += "\r\n";
  trace_id = TraceId(received_trace, head_bytes, now, random);
  http::AppendField(out.fields, "X-Amzn-Trace-Id", trace_id);
}

void AppendResponseFields(const http::ResponseHead& head, const config::ListenerAttributes& attributes,
                          FieldBlock& out) {
  const http::HopByHopFields hop_by_hop(head.fields);
  const auto& set = attributes.response_fields;
  for (const http::Field& field : head.fields) {
    if (KindOf(field.name) == FieldKind::kDropped || hop_by_hop.Contains(field.name)) continue;
    const bool replaced =
        std::ranges::any_of(set, [&](const auto& pair) { return EqualsIgnoreCase(pair.first, field.name); });
    if (!replaced) http::AppendField(out, field.name, field.value);
  }
  for (const auto& [name, value] : set) http::AppendField(out, name, value);
}

}  // namespace weir::proxy
