#include "proxy/forwarding.h"

#include "base/hex.h"
#include "base/text.h"
#include "base/text_writer.h"
#include "http/scan.h"
#include "http/target.h"
#include "http/writer.h"
#include "net/tls_client_certificate.h"
#include "proxy/trace_root.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>

namespace weir::proxy {
namespace {

// Headers larger than this get a trace id of the root alone.
constexpr std::size_t kTraceHeadBytesMax = 7 * 1024;

bool IsValidName(std::string_view name) {
  return std::ranges::all_of(name, [](char c) { return http::IsByte(http::kPlainByte, c); });
}

// The same name for a target that takes `_` for `-`, as programs behind CGI do: whoever asks for a field that only we
// may send must not get one of the client's.
bool MayBeTakenFor(std::string_view name, std::string_view ours) {
  return std::ranges::equal(name, ours, [](char left, char right) {
    const auto folded = [](char c) { return c == '_' ? '-' : ToLowerAscii(c); };
    return folded(left) == folded(right);
  });
}

// One of the fields that tell of a certificate, by the names that are configured or by AWS's.
bool TellsOfCertificate(std::string_view name, const config::MtlsFieldNames& names) {
  static const config::MtlsFieldNames kAwsNames;
  for (const auto member :
       {&config::MtlsFieldNames::serial_number, &config::MtlsFieldNames::issuer, &config::MtlsFieldNames::subject,
        &config::MtlsFieldNames::validity, &config::MtlsFieldNames::leaf, &config::MtlsFieldNames::chain}) {
    if (MayBeTakenFor(name, names.*member) || MayBeTakenFor(name, kAwsNames.*member)) return true;
  }
  return false;
}

// Fields that are not passed on because of what is configured.
bool IsDropped(std::string_view name, const config::LoadBalancerAttributes& attributes, const RequestOrigin& origin) {
  return (attributes.drop_invalid_header_fields && !IsValidName(name)) || IsReserved(name, origin.tls, origin.mtls) ||
         (origin.tells_claims && TellsOfUser(name));
}

// spec: alb.md 18.3.
void AppendCertificate(const MtlsFields& mtls, FieldBlock& out) {
  if (mtls.certificate == nullptr) return;
  const net::TlsClientCertificate& certificate = *mtls.certificate;
  if (certificate.leaf.empty()) return http::AppendField(out, mtls.names->chain, certificate.chain);
  http::AppendField(out, mtls.names->serial_number, certificate.serial_number);
  http::AppendField(out, mtls.names->issuer, certificate.issuer);
  http::AppendField(out, mtls.names->subject, certificate.subject);
  http::AppendField(out, mtls.names->validity, certificate.validity);
  http::AppendField(out, mtls.names->leaf, certificate.leaf);
}

// Copies field lines. Lines that stand in memory as they are to be written, one behind the other, are copied in one go:
// at the next gap, or by Flush.
class LineCopier {
 public:
  explicit LineCopier(FieldBlock& out) : out_(out) {}
  void Copy(const http::Field& field) {
    if (!field.verbatim) {
      Flush();
      http::AppendField(out_, field.name, field.value);
      return;
    }
    const char* const begin = field.name.data();
    const std::size_t size = field.name.size() + field.value.size() + 4;
    if (run_.data() + run_.size() == begin) {
      run_ = {run_.data(), run_.size() + size};
    } else {
      Flush();
      run_ = {begin, size};
    }
  }
  void Flush() {
    out_ += run_;
    run_ = {};
  }

 private:
  FieldBlock& out_;
  std::string_view run_;
};

// As ToLowerAscii does it to each character, eight at a time.
void PutLower(std::string_view text, TextWriter& out) {
  constexpr std::uint64_t kEach = 0x0101010101010101U;
  for (; text.size() >= sizeof(std::uint64_t); text.remove_prefix(sizeof(std::uint64_t))) {
    std::uint64_t word = 0;
    std::memcpy(&word, text.data(), sizeof word);
    // The upper bit of a byte says in turn: it is at least `A`, above `Z`, ASCII.
    const std::uint64_t low = word & 0x7f * kEach;
    const std::uint64_t from_a = low + (0x80 - 'A') * kEach;
    const std::uint64_t above_z = low + (0x7f - 'Z') * kEach;
    word |= ((from_a & ~above_z & ~word) & 0x80 * kEach) >> 2U;
    std::array<char, sizeof word> bytes{};
    std::memcpy(bytes.data(), &word, sizeof word);
    out.Put(std::string_view(bytes.data(), bytes.size()));
  }
  for (const char c : text) out.Put(ToLowerAscii(c));
}

// spec: alb.md 12.3.
void AppendHost(const http::HostPort& authority, const RequestOrigin& origin, std::string& out) {
  if (authority.host.empty()) {
    // HTTP/1.0 without Host: there is no name but the address the client used.
    origin.local.AppendTo(out);
    return;
  }
  const std::string_view name = authority.host;
  AppendWith(out, name.size() + 1 + TextWriter::kDecimalBytesMax, [&](TextWriter& host) {
    PutLower(name, host);
    if (origin.port == 80 || origin.port == 443) return;
    host.Put(':');
    host.PutDecimal(authority.port.value_or(origin.port));
  });
}

// A port that the replacement names is sent; without one it is that of 12.3.
void AppendTransformedHost(const http::HostPort& authority, const RequestOrigin& origin, std::string& out) {
  const auto host = http::ParseHostPort(origin.transformed_host);
  if (!host || host->port) {
    out += origin.transformed_host;
  } else {
    AppendHost({.host = host->host, .port = authority.port}, origin, out);
  }
}

void AppendClient(const Endpoint& peer, bool with_port, std::string& out) {
  const IpAddress address = peer.address.Unmapped();
  if (with_port) {
    Endpoint{address, peer.port}.AppendTo(out);
  } else {
    address.AppendTo(out);
  }
}

// A list field from its first element on; empty when it has none (RFC 9110 section 5.6.1.2).
std::string_view SkipEmptyElements(std::string_view value) {
  return value.substr(std::min(value.find_first_not_of(", \t"), value.size()));
}

void AppendForwardedFor(const std::vector<http::Field>& fields, const config::LoadBalancerAttributes& attributes,
                        const Endpoint& peer, FieldBlock& out) {
  using enum config::XffProcessing;
  if (attributes.xff_processing == kRemove) return;
  const bool append = attributes.xff_processing == kAppend;
  // A sender generates no empty list elements (RFC 9110 section 5.6.1.1): the first one would be taken for the client.
  bool begun = false;
  const auto add_element = [&] {
    out += begun ? ", " : "X-Forwarded-For: ";
    begun = true;
  };
  for (const http::Field& field : fields) {
    if (IdOf(field) != http::FieldId::kXForwardedFor) continue;
    const std::string_view elements = SkipEmptyElements(field.value);
    if (elements.empty()) continue;
    add_element();
    out += elements;
  }
  if (append) {
    add_element();
    AppendClient(peer, attributes.xff_client_port, out);
  }
  if (begun) out += "\r\n";
}

// 1-8 digits of time-24 random digits.
void AppendTraceRoot(WallTime now, Random& random, std::string& out) {
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(now.time_since_epoch()).count();
  constexpr std::size_t kBytes = 35;
  AppendWith(out, kBytes, [&](TextWriter& root) {
    root.Put("1-");
    root.PutHex(static_cast<std::uint64_t>(seconds), 8);
    root.Put('-');
    root.PutHex(random.Next(), 16);
    root.PutHex(random.Next(), 8);
  });
}

// The root as the trace-id of W3C: 32 hexadecimal digits, not all 0. Empty for one that has not AWS's form.
std::string W3cTraceOf(std::string_view root) {
  constexpr std::string_view kVersion = "1-";
  constexpr std::size_t kTimeDigits = 8;
  constexpr std::size_t kRandomDigits = 24;
  if (!root.starts_with(kVersion)) return {};
  root.remove_prefix(kVersion.size());
  if (root.size() != kTimeDigits + 1 + kRandomDigits || root[kTimeDigits] != '-') return {};
  std::string out = ToLowerAscii(root.substr(0, kTimeDigits));
  out += ToLowerAscii(root.substr(kTimeDigits + 1));
  const auto is_hex = [](char c) { return HexValue(c) >= 0; };
  if (!std::ranges::all_of(out, is_hex) || out.find_first_not_of('0') == std::string::npos) return {};
  return out;
}

// https://www.w3.org/TR/trace-context/#traceparent-header, version 00.
void AppendTraceparent(std::string_view trace_id, Random& random, FieldBlock& out) {
  out += "traceparent: 00-";
  if (const std::string trace = W3cTraceOf(RootOfTrace(trace_id)); !trace.empty()) {
    out += trace;
  } else {
    random.AppendHex(out, 32);
  }
  out += '-';
  random.AppendHex(out, 16);
  out += trace_id.find("Sampled=1") != std::string_view::npos ? "-01\r\n" : "-00\r\n";
}

}  // namespace

bool TellsOfUser(std::string_view name) {
  constexpr std::string_view kPrefix = "x-amzn-oidc-";
  return name.size() >= kPrefix.size() && MayBeTakenFor(name.substr(0, kPrefix.size()), kPrefix);
}

bool IsReserved(std::string_view name, const TlsFields* tls, const MtlsFields* mtls) {
  if (mtls != nullptr && TellsOfCertificate(name, *mtls->names)) return true;
  return tls != nullptr && (MayBeTakenFor(name, tls->version_name) || MayBeTakenFor(name, tls->cipher_suite_name));
}

std::size_t CountForwardedFor(const std::vector<http::Field>& fields) {
  std::size_t count = 0;
  for (const http::Field& field : fields) {
    if (IdOf(field) != http::FieldId::kXForwardedFor || field.value.empty()) continue;
    count += 1 + static_cast<std::size_t>(std::ranges::count(field.value, ','));
  }
  return count;
}

void BuildTraceId(std::string_view received, std::size_t head_bytes, WallTime now, Random& random, std::string& out) {
  std::string_view root;
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
  out.clear();
  if (root.empty()) {
    out += "Root=";
    AppendTraceRoot(now, random, out);
    out += others;
  } else if (head_bytes > kTraceHeadBytesMax) {
    out += root;
  } else {
    out += "Self=";
    AppendTraceRoot(now, random, out);
    (out += ';') += root;
    out += others;
  }
}

std::string TraceId(std::string_view received, std::size_t head_bytes, WallTime now, Random& random) {
  std::string out;
  BuildTraceId(received, head_bytes, now, random, out);
  return out;
}

void BuildRequestMessage(const http::RequestHead& head, const config::LoadBalancerAttributes& attributes,
                         const RequestOrigin& origin, WallTime now, Random& random, RequestMessage& out,
                         std::string& trace_id) {
  out.method.clear();
  out.method += head.method;
  out.target.clear();
  out.host_lines.clear();
  out.fields.clear();
  out.framing = head.framing;
  out.takes_trailers = false;

  // In origin-form, or `*`. A fragment is not part of a request target (RFC 9112 section 3.2) and not of these.
  if (origin.transformed_target.empty()) {
    out.target += head.parts.path;
    if (head.parts.has_query) (out.target += '?') += head.parts.query;
  } else {
    out.target += origin.transformed_target;
  }

  const http::HopByHopFields hop_by_hop(head.fields);
  const bool drops_some =
      attributes.drop_invalid_header_fields || origin.tls != nullptr || origin.mtls != nullptr || origin.tells_claims;
  std::string_view received_trace;
  std::size_t head_bytes = 0;
  LineCopier copied(out.fields);
  for (const http::Field& field : head.fields) {
    head_bytes += field.name.size() + field.value.size() + 4;
    switch (IdOf(field)) {
      case http::FieldId::kHost:
        if (attributes.preserve_host_header && origin.transformed_host.empty()) {
          http::AppendField(out.host_lines, field.name, field.value);
        }
        break;
      case http::FieldId::kXAmznTraceId:
        received_trace = field.value;
        break;
      case http::FieldId::kTe:
        out.takes_trailers = http::HasListToken(head.fields, "te", "trailers");
        break;
      case http::FieldId::kContentLength:
      case http::FieldId::kExpect:
      case http::FieldId::kXForwardedFor:
      case http::FieldId::kXForwardedPort:
      case http::FieldId::kXForwardedProto:
        break;  // written anew
      default:
        if (drops_some && IsDropped(field.name, attributes, origin)) break;
        if (!hop_by_hop.Contains(field)) copied.Copy(field);
        break;
    }
  }
  copied.Flush();
  if (out.host_lines.empty()) {
    out.host_lines += "Host: ";
    if (origin.transformed_host.empty()) {
      AppendHost(head.authority, origin, out.host_lines);
    } else {
      AppendTransformedHost(head.authority, origin, out.host_lines);
    }
    out.host_lines += "\r\n";
  }
  AppendForwardedFor(head.fields, attributes, origin.peer, out.fields);
  BuildTraceId(received_trace, head_bytes, now, random, trace_id);
  constexpr std::size_t kFixedBytesMax = 80;
  AppendWith(out.fields, kFixedBytesMax + origin.scheme.size() + trace_id.size(), [&](TextWriter& lines) {
    lines.Put("X-Forwarded-Proto: ");
    lines.Put(origin.scheme);
    lines.Put("\r\nX-Forwarded-Port: ");
    lines.PutDecimal(origin.forwarded_port);
    lines.Put("\r\nX-Amzn-Trace-Id: ");
    lines.Put(trace_id);
    lines.Put("\r\n");
  });
  if (attributes.makes_traceparent && http::FindField(head.fields, "traceparent") == nullptr) {
    AppendTraceparent(trace_id, random, out.fields);
  }
  if (origin.tls != nullptr) {
    http::AppendField(out.fields, origin.tls->version_name, origin.tls->version);
    http::AppendField(out.fields, origin.tls->cipher_suite_name, origin.tls->cipher_suite);
  }
  if (origin.mtls != nullptr) AppendCertificate(*origin.mtls, out.fields);
  out.fields += origin.added_fields;
}

void AppendResponseFields(const http::ResponseHead& head, const config::ListenerAttributes& attributes,
                          FieldBlock& out) {
  const http::HopByHopFields hop_by_hop(head.fields);
  const auto& set = attributes.response_fields;
  LineCopier lines(out);
  for (const http::Field& field : head.fields) {
    const http::FieldId id = IdOf(field);
    if (id == http::FieldId::kContentLength || id == http::FieldId::kExpect || hop_by_hop.Contains(field)) continue;
    const bool replaced =
        std::ranges::any_of(set, [&](const auto& pair) { return EqualsIgnoreCase(pair.first, field.name); });
    if (!replaced) lines.Copy(field);
  }
  lines.Flush();
  for (const auto& [name, value] : set) http::AppendField(out, name, value);
}

}  // namespace weir::proxy
