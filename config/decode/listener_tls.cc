// What an HTTPS listener has beyond an HTTP one. spec: alb.md 18.

#include "config/decode/decode.h"
#include "config/document/sources.h"
#include "config/findings.h"
#include "config/schema/schema.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>

namespace weir::config {
namespace {

// What AWS's API takes where none is named.
constexpr std::string_view kDefaultPolicy = "ELBSecurityPolicy-2016-08";
constexpr std::string_view kRecommendedPolicy = "ELBSecurityPolicy-TLS13-1-2-Res-PQ-2025-09";

void CheckFieldName(const Fields& attributes, std::string_view key, Findings& findings) {
  const Node* const name = attributes.Scalar(key);
  // RFC 9110 section 5.6.2, without the characters that only trouble others.
  const auto is_plain = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '_'; };
  if (name == nullptr || std::ranges::all_of(name->text, is_plain)) return;
  findings.AddError(name->position, fmt::format("{} is no name of a header field", Quoted(name->text)),
                    "letters, digits, - and _");
}

// Fields for targets that an HTTPS listener can give other names.
constexpr auto kRequestFields = std::to_array<std::string_view>(
    {"x_amzn_tls_version", "x_amzn_tls_cipher_suite", "x_amzn_mtls_clientcert_serial_number",
     "x_amzn_mtls_clientcert_issuer", "x_amzn_mtls_clientcert_subject", "x_amzn_mtls_clientcert_validity",
     "x_amzn_mtls_clientcert_leaf", "x_amzn_mtls_clientcert"});
std::string NameAttribute(std::string_view field) { return fmt::format("routing.http.request.{}.header_name", field); }

// Keys that an HTTP listener does not obey.
void RefuseForHttp(const Fields& fields, Findings& findings) {
  for (const std::string_view key : {"ssl-policy", "certificates", "mutual-authentication"}) {
    if (!fields.Has(key)) continue;
    findings.AddError(fields.PositionOf(key), fmt::format("`{}` has no meaning for an HTTP listener", key),
                      "leave it out, or write `protocol: HTTPS`");
  }
  const Node* const attributes = fields.Map("attributes");
  for (const std::string_view field : kRequestFields) {
    const std::string key = NameAttribute(field);
    if (attributes == nullptr || Fields(*attributes).Text(key).empty()) continue;
    findings.AddError(Fields(*attributes).PositionOf(key), fmt::format("`{}` has no meaning for an HTTP listener", key),
                      "leave it out, or write `protocol: HTTPS`");
  }
}

// spec: alb.md 18.3.
MutualAuthentication DecodeMutualAuthentication(const Fields& fields, Decoding& decoding) {
  MutualAuthentication out;
  out.position = fields.PositionOf("mode");
  out.mode = fields.Choice("mode", kMutualAuthenticationWords, MutualAuthenticationMode::kOff);
  const Node* const store = fields.Scalar("trust-store");
  if (out.mode == MutualAuthenticationMode::kVerify) {
    if (store != nullptr) {
      out.trust_store = decoding.trust_stores.Resolve(*store, decoding.findings);
      out.position = store->position;
    } else if (!fields.Has("trust-store")) {
      decoding.findings.AddError(fields.PositionOf("mode"), "`mode: verify` without `trust-store`",
                                 "the name of one of `trust-stores`");
    }
    out.ignores_expiry = fields.Boolean("ignore-client-certificate-expiry", false);
    out.advertises_ca_names = fields.Word("advertise-trust-store-ca-names", kOnOffWords) == std::size_t{1};
    return out;
  }
  // A mode that cannot be read may be verify.
  const bool is_known = !fields.Has("mode") || fields.Word("mode", kMutualAuthenticationWords);
  if (!is_known) decoding.trust_stores.NoteLostReference();
  for (const std::string_view key :
       {"trust-store", "ignore-client-certificate-expiry", "advertise-trust-store-ca-names"}) {
    if (!is_known || !fields.Has(key)) continue;
    decoding.findings.AddError(fields.PositionOf(key),
                               fmt::format("`{}` has no meaning with `mode: {}`", key,
                                           kMutualAuthenticationWords[static_cast<std::size_t>(out.mode)]),
                               "leave it out, or write `mode: verify`");
  }
  return out;
}

}  // namespace

void DecodeListenerTls(const Fields& fields, Decoding& decoding, Listener& out) {
  Findings& findings = decoding.findings;
  out.protocol = fields.Choice("protocol", kListenerProtocolWords, ListenerProtocol::kHttp);
  if (out.protocol == ListenerProtocol::kHttp) {
    // A protocol that cannot be read may be any.
    if (!fields.Has("protocol") || fields.Word("protocol", kListenerProtocolWords)) RefuseForHttp(fields, findings);
    return;
  }
  if (const auto policy = fields.Word("ssl-policy", kSslPolicyWords)) {
    out.ssl_policy = {.text = std::string(kSslPolicyWords[*policy]), .position = fields.PositionOf("ssl-policy")};
  } else {
    out.ssl_policy = {.text = std::string(kDefaultPolicy), .position = fields.PositionOf("protocol")};
    if (!fields.Has("ssl-policy")) {
      out.ssl_policy_is_default = true;
      findings.AddWarning(out.ssl_policy.position,
                          fmt::format("no `ssl-policy`: {} is AWS's default, and takes TLS 1.0", kDefaultPolicy),
                          fmt::format("ssl-policy: {}", kRecommendedPolicy));
    }
  }
  for (const Node& item : fields.List("certificates")) {
    if (!item.is_map()) continue;
    const Fields certificate(item);
    out.certificates.push_back({.certificate = DecodePath(certificate, "certificate", decoding.files),
                                .key = DecodePath(certificate, "key", decoding.files),
                                .passphrase = DecodeSecret(certificate, "passphrase", decoding.files),
                                .ocsp_response = DecodePath(certificate, "ocsp-response", decoding.files)});
  }
  CheckNotEmpty(fields, "certificates", findings);
  if (!fields.Has("certificates")) {
    findings.AddError(
        fields.PositionOf("protocol"), "an HTTPS listener without `certificates`",
        "add `certificates: [{certificate: PATH, key: PATH}]`; `weir certificate self-signed NAME` makes both");
  }
  if (const Node* const authentication = fields.Map("mutual-authentication")) {
    out.mutual_authentication = DecodeMutualAuthentication(Fields(*authentication), decoding);
  } else if (fields.Has("mutual-authentication")) {
    decoding.trust_stores.NoteLostReference();
  }
  if (const Node* const attributes = fields.Map("attributes")) {
    for (const std::string_view field : kRequestFields) {
      CheckFieldName(Fields(*attributes), NameAttribute(field), findings);
    }
  }
}

TrustStore DecodeTrustStore(const Node& node, const std::vector<std::string>& files) {
  const Fields fields(node);
  return {.name = fields.Text("name"),
          .ca_bundle = DecodePath(fields, "ca-bundle", files),
          .revocations = DecodePaths(fields, "revocations", files),
          .position = fields.PositionOf("name")};
}

std::vector<LocatedText> DecodeKeyFiles(const Fields& root, std::string_view key,
                                        const std::vector<std::string>& files) {
  std::vector<LocatedText> out;
  for (const Node& item : root.List(key)) {
    LocatedText path = Fields(item).Located("file");
    if (!path.text.empty()) path.text = ResolvePath(path.text, FileOf(path.position, files));
    out.push_back(std::move(path));
  }
  return out;
}

}  // namespace weir::config
