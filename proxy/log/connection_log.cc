#include "proxy/log/connection_log.h"

#include "base/random.h"
#include "base/text_writer.h"
#include "net/tls_facts.h"
#include "proxy/log/log_text.h"

namespace weir::proxy {
namespace {

// Everything in a line but the texts of a record.
constexpr std::size_t kAlbConnectionBytesMax = 512;

constexpr std::string_view kOtherFailure = "UnmappedConnectionError";

std::string_view FailureCode(const ConnectionLogRecord& record) {
  return record.fault == net::ClientCertificateFault::kNone ? kOtherFailure : net::ToString(record.fault);
}

// Null: none was agreed on.
const net::TlsFacts* Agreed(const ConnectionLogRecord& record) {
  return record.tls == nullptr || record.tls->suite.empty() ? nullptr : record.tls;
}

const net::TlsClientCertificate* CertificateOf(const ConnectionLogRecord& record) {
  return record.tls == nullptr ? nullptr : record.tls->client_certificate.get();
}

void PutOrDash(TextWriter& out, std::string_view text) { out.Put(text.empty() ? std::string_view("-") : text); }

std::size_t AlbLineBytesMax(const ConnectionLogRecord& record) {
  std::size_t bytes = kAlbConnectionBytesMax + record.connection_id.size() + record.load_balancer.size();
  if (const auto* const certificate = CertificateOf(record)) {
    bytes += QuotedBytesMax(certificate->subject) + certificate->validity.size() + certificate->serial_number.size();
  }
  return bytes;
}

void PutAlbLine(TextWriter& out, const ConnectionLogRecord& record, Iso8601Writer& times) {
  const net::TlsFacts* const agreed = Agreed(record);
  const net::TlsClientCertificate* const certificate = CertificateOf(record);
  times.Put(out, record.time);
  out.Put(' ');
  record.client.address.Put(out);
  out.Put(' ');
  out.PutDecimal(record.client.port);
  out.Put(' ');
  out.PutDecimal(record.listener_port);
  out.Put(' ');
  PutOrDash(out, agreed == nullptr ? std::string_view() : net::ToString(agreed->version));
  out.Put(' ');
  PutOrDash(out, agreed == nullptr ? std::string_view() : agreed->suite);
  out.Put(' ');
  if (record.handshake_seconds < 0) {
    out.Put('-');
  } else {
    PutSeconds(out, record.handshake_seconds);
  }
  out.Put(' ');
  PutQuoted(out, certificate == nullptr ? std::string_view() : std::string_view(certificate->subject));
  out.Put(' ');
  PutOrDash(out, certificate == nullptr ? std::string_view() : std::string_view(certificate->validity));
  out.Put(' ');
  PutOrDash(out, certificate == nullptr ? std::string_view() : std::string_view(certificate->serial_number));
  out.Put(' ');
  if (record.failed) {
    out.Put("Failed:");
    out.Put(FailureCode(record));
  } else {
    out.Put(record.tls == nullptr ? std::string_view("-") : std::string_view("Success"));
  }
  out.Put(' ');
  out.Put(record.connection_id);
  out.Put(' ');
  PutOrDash(out, agreed == nullptr ? std::string_view() : agreed->group);
  out.Put(' ');
  PutLoadBalancerId(out, record.load_balancer);
  out.Put(' ');
  record.node.Put(out);
  out.Put('\n');
}

}  // namespace

void AppendAlbLine(std::string& out, const ConnectionLogRecord& record, Iso8601Writer& times) {
  AppendWith(out, AlbLineBytesMax(record), [&](TextWriter& line) { PutAlbLine(line, record, times); });
}

void AppendJsonLine(std::string& out, const ConnectionLogRecord& record) {
  out += "{\"timestamp\":\"";
  AppendIso8601(out, record.time);
  out += '"';
  AppendJsonText(out, "client_ip", record.client.address.ToString());
  AppendJsonNumber(out, "client_port", record.client.port);
  AppendJsonNumber(out, "listener_port", record.listener_port);
  const net::TlsFacts* const agreed = Agreed(record);
  if (agreed != nullptr) {
    AppendJsonText(out, "tls_protocol", net::ToString(agreed->version));
    AppendJsonText(out, "tls_cipher", agreed->suite);
  }
  AppendJsonSeconds(out, "tls_handshake_latency", record.handshake_seconds);
  if (const auto* const certificate = CertificateOf(record)) {
    AppendJsonText(out, "leaf_client_cert_subject", certificate->subject);
    AppendJsonText(out, "leaf_client_cert_validity", certificate->validity);
    AppendJsonText(out, "leaf_client_cert_serial_number", certificate->serial_number);
  }
  if (record.failed) {
    AppendJsonText(out, "tls_verify_status", "Failed:" + std::string(FailureCode(record)));
  } else if (record.tls != nullptr) {
    AppendJsonText(out, "tls_verify_status", "Success");
  }
  AppendJsonText(out, "conn_trace_id", record.connection_id);
  if (agreed != nullptr && !agreed->group.empty()) AppendJsonText(out, "tls_keyexchange", agreed->group);
  std::string text;
  AppendLoadBalancerId(text, record.load_balancer);
  AppendJsonText(out, "elb", text);
  AppendJsonText(out, "ip_address", record.node.ToString());
  out += "}\n";
}

std::string MakeConnectionId(Random& random) {
  std::string id = "TID_";
  random.AppendHex(id, 32);
  return id;
}

}  // namespace weir::proxy
