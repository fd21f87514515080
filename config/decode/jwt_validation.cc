// Spec: alb.md 5.5.

#include "base/text.h"
#include "config/decode/decode.h"
#include "config/document/utf8.h"
#include "config/findings.h"
#include "config/schema/schema.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

namespace weir::config {
namespace {

constexpr std::size_t kCharactersMax = 256;
constexpr std::size_t kClaimsMax = 10;
constexpr std::size_t kValuesMax = 10;
// They are checked anyway.
constexpr auto kReservedClaims = std::to_array<std::string_view>({"exp", "iss", "nbf", "iat"});

void CheckLength(const LocatedText& text, std::string_view what, Findings& findings) {
  if (CountCharacters(text.text) > kCharactersMax) {
    findings.AddError(text.position, fmt::format("{} is longer than {} characters", what, kCharactersMax));
  }
}

// That the whole is a URL is found where it is taken apart.
void CheckEndpoint(const LocatedText& endpoint, Findings& findings) {
  constexpr std::string_view kScheme = "https://";
  CheckLength(endpoint, "`jwks-endpoint`", findings);
  if (endpoint.text.empty() || EqualsIgnoreCase(endpoint.text.substr(0, kScheme.size()), kScheme)) return;
  findings.AddError(endpoint.position, fmt::format("`jwks-endpoint` {} is no https URL", Quoted(endpoint.text)),
                    "such as https://id.example.test/.well-known/jwks.json");
}

void CheckValues(const Fields& fields, const JwtClaim& claim, Findings& findings) {
  const auto values = fields.LocatedList("values");
  if (values.size() > kValuesMax) {
    findings.AddError(fields.PositionOf("values"),
                      fmt::format("more than {} values of the claim {}", kValuesMax, Quoted(claim.name)));
  }
  if (claim.format == JwtClaimFormat::kSingleString && values.size() > 1) {
    findings.AddError(
        fields.PositionOf("values"),
        fmt::format("{} values of the claim {}, which is a single string", values.size(), Quoted(claim.name)),
        "one value, or `format: string-array`");
  }
  for (const LocatedText& value : values) {
    CheckLength(value, "a value of a claim", findings);
    if (claim.format == JwtClaimFormat::kSpaceSeparatedValues && value.text.find(' ') != std::string::npos) {
      findings.AddError(value.position, fmt::format("{} has a space, which separates the values", Quoted(value.text)),
                        "write it as two values");
    }
  }
}

JwtClaim DecodeClaim(const Fields& fields, Findings& findings) {
  JwtClaim out;
  out.name = fields.Text("name");
  out.format = fields.Choice("format", kJwtClaimFormatWords, JwtClaimFormat::kSingleString);
  CheckLength(fields.Located("name"), "the name of a claim", findings);
  if (std::ranges::find(kReservedClaims, out.name) != kReservedClaims.end()) {
    findings.AddError(fields.PositionOf("name"), fmt::format("{} is checked of every token", Quoted(out.name)),
                      "an additional claim has another name");
  }
  CheckNotEmpty(fields, "values", findings);
  CheckValues(fields, out, findings);
  for (LocatedText& value : fields.LocatedList("values")) out.values.push_back(std::move(value.text));
  return out;
}

}  // namespace

JwtValidationAction DecodeJwtValidation(const Fields& fields, Decoding& decoding) {
  Findings& findings = decoding.findings;
  JwtValidationAction out;
  out.position = fields.position();
  out.jwks_endpoint = fields.Located("jwks-endpoint");
  CheckEndpoint(out.jwks_endpoint, findings);
  out.issuer = fields.Text("issuer");
  CheckLength(fields.Located("issuer"), "`issuer`", findings);
  const auto claims = fields.List("additional-claims");
  for (const Node& claim : claims) out.additional_claims.push_back(DecodeClaim(Fields(claim), findings));
  if (claims.size() > kClaimsMax) {
    findings.AddError(fields.PositionOf("additional-claims"),
                      fmt::format("more than {} additional claims", kClaimsMax));
  }
  CheckNotEmpty(fields, "weir.jwt.algorithms", findings);
  for (const LocatedText& algorithm : fields.LocatedList("weir.jwt.algorithms")) {
    const auto word = std::ranges::find_if(
        kJwtAlgorithmWords, [&](std::string_view each) { return EqualsIgnoreCase(each, algorithm.text); });
    if (word != kJwtAlgorithmWords.end()) out.algorithms.emplace_back(*word);
  }
  out.ca_bundle = DecodePath(fields, "weir.ca-bundle", decoding.files);
  return out;
}

}  // namespace weir::config
