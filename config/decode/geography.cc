// The places of geolocation and geoproximity records; spec: dns.md section 2.

#include "config/decode/decode.h"
#include "config/findings.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>

namespace weir::config {
namespace {

constexpr auto kContinents = std::to_array<std::string_view>({"AF", "AN", "AS", "EU", "NA", "OC", "SA"});

bool IsUpperCode(std::string_view text, std::size_t min, std::size_t max, bool digits) {
  return text.size() >= min && text.size() <= max && std::ranges::all_of(text, [digits](char c) {
           return (c >= 'A' && c <= 'Z') || (digits && c >= '0' && c <= '9');
         });
}

void DecodeCountry(const Fields& fields, GeoLocation& out, Findings& findings) {
  const Node* const country = fields.Scalar("country");
  const Node* const subdivision = fields.Scalar("subdivision");
  if (subdivision != nullptr) {
    if (country == nullptr || country->text == "*") {
      findings.AddError(subdivision->position, "a subdivision without its country", "add `country: US`");
    } else if (!IsUpperCode(subdivision->text, 1, 3, true)) {
      findings.AddError(subdivision->position, fmt::format("{} is no code of a subdivision", Quoted(subdivision->text)),
                        "one to three upper-case letters and digits of ISO 3166-2, without the country: `WA`");
    } else {
      out.subdivision = subdivision->text;
    }
  }
  if (country == nullptr || country->text == "*") return;
  if (IsUpperCode(country->text, 2, 2, false)) {
    out.country = country->text;
    return;
  }
  findings.AddError(country->position, fmt::format("{} is no code of a country", Quoted(country->text)),
                    "two upper-case letters of ISO 3166-1, such as `DE`, or `*`");
}

}  // namespace

std::optional<GeoLocation> DecodeGeoLocation(const Node& node, Decoding& decoding) {
  const Fields fields(node);
  GeoLocation out;
  if (fields.Has("continent") == fields.Has("country")) {
    decoding.findings.AddError(node.position,
                               fields.Has("country") ? "`continent` beside `country`" : "a geolocation without a place",
                               "either `continent: EU` or `country: DE`; `country: \"*\"` answers everybody else");
    return std::nullopt;
  }
  if (const Node* const continent = fields.Scalar("continent")) {
    if (std::ranges::find(kContinents, continent->text) == kContinents.end()) {
      decoding.findings.AddError(continent->position, fmt::format("{} is no continent", Quoted(continent->text)),
                                 fmt::format("one of {}", JoinWords(kContinents)));
      return std::nullopt;
    }
    out.continent = continent->text;
  }
  DecodeCountry(fields, out, decoding.findings);
  return out;
}

std::optional<GeoProximity> DecodeGeoProximity(const Node& node, Decoding& decoding) {
  const Fields fields(node);
  GeoProximity out;
  if (fields.Has("region") == fields.Has("coordinates")) {
    decoding.findings.AddError(
        node.position, fields.Has("region") ? "`region` beside `coordinates`" : "a geoproximity without a place",
        "either `region: NAME` or `coordinates: {latitude: 53.3, longitude: -6.2}`");
    return std::nullopt;
  }
  out.bias = static_cast<int>(fields.Integer("bias").value_or(0));
  if (const Node* const region = fields.Scalar("region")) {
    out.region = decoding.regions.Resolve(*region, decoding.findings);
    if (!out.region) return std::nullopt;
  }
  if (const Node* const coordinates = fields.Map("coordinates")) {
    const Fields place(*coordinates);
    out.latitude = place.Number("latitude").value_or(0);
    out.longitude = place.Number("longitude").value_or(0);
  }
  return out;
}

}  // namespace weir::config
