// What an HTTPS target group has beyond an HTTP one. spec: alb.md 18.4.

#include "config/decode/decode.h"
#include "config/decode/dns_name.h"
#include "config/findings.h"
#include "config/schema/schema.h"

#include <fmt/format.h>

#include <optional>
#include <string_view>
#include <utility>

namespace weir::config {
namespace {

void CheckServerName(const Fields& tls, Findings& findings) {
  const Node* const name = tls.Scalar("server-name");
  if (name == nullptr || IsHostName(name->text)) return;
  findings.AddError(name->position, fmt::format("{} is no host name", Quoted(name->text)), "the name of a certificate");
}

// Absent where there is none, or not all of it.
std::optional<CertificateFiles> DecodeCertificate(const Fields& tls, Decoding& decoding) {
  for (const auto& [key, other] : {std::pair("certificate", "key"), {"key", "certificate"}, {"passphrase", "key"}}) {
    if (!tls.Has(key) || tls.Has(other)) continue;
    decoding.findings.AddError(tls.PositionOf(key), fmt::format("`{}` without `{}`", key, other),
                               fmt::format("add `{}: PATH`", other));
    return std::nullopt;
  }
  if (!tls.Has("certificate")) return std::nullopt;
  return CertificateFiles{.certificate = DecodePath(tls, "certificate", decoding.files),
                          .key = DecodePath(tls, "key", decoding.files),
                          .passphrase = DecodeSecret(tls, "passphrase", decoding.files)};
}

}  // namespace

void DecodeTargetTls(const Fields& fields, Decoding& decoding, TargetGroup& out) {
  Findings& findings = decoding.findings;
  out.tls.position = fields.PositionOf("tls");
  const Node* const node = fields.Map("tls");
  if (node == nullptr) return;
  if (out.protocol == TargetProtocol::kHttp) {
    // A protocol that cannot be read may be any.
    if (fields.Has("protocol") && !fields.Word("protocol", kTargetProtocolWords)) return;
    findings.AddError(out.tls.position, "`tls` has no meaning for an HTTP target group",
                      "leave it out, or write `protocol: HTTPS`");
    return;
  }
  const Fields tls(*node);
  out.tls.verify = tls.Boolean("verify", false);
  out.tls.ca_bundle = DecodePath(tls, "ca-bundle", decoding.files);
  if (tls.Has("ca-bundle") && !out.tls.verify) {
    findings.AddError(tls.PositionOf("ca-bundle"), "`ca-bundle` has no meaning without `verify: true`",
                      "leave it out, or write `verify: true`");
  }
  out.tls.server_name = tls.Text("server-name");
  CheckServerName(tls, findings);
  out.tls.certificate = DecodeCertificate(tls, decoding);
}

}  // namespace weir::config
