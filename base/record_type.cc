#include "base/record_type.h"

#include "base/text.h"

#include <algorithm>
#include <array>

namespace weir {
namespace {

struct RecordType {
  std::string_view name;
  std::uint16_t number;
  bool in_zones = false;  // records in the configuration have it by this name
};

constexpr bool kInZones = true;

// The types of the IANA registry that people type at a prompt; others are TYPEnnn.
constexpr auto kRecordTypes = std::to_array<RecordType>({
    {"A", rr::kA, kInZones},
    {"NS", rr::kNs, kInZones},
    {"CNAME", rr::kCname, kInZones},
    {"SOA", rr::kSoa, kInZones},
    {"PTR", rr::kPtr, kInZones},
    {"HINFO", rr::kHinfo},
    {"MX", rr::kMx, kInZones},
    {"TXT", rr::kTxt, kInZones},
    {"RP", 17},
    {"AFSDB", 18},
    {"AAAA", rr::kAaaa, kInZones},
    {"LOC", 29},
    {"SRV", rr::kSrv, kInZones},
    {"NAPTR", rr::kNaptr, kInZones},
    {"KX", 36},
    {"CERT", 37},
    {"DNAME", 39},
    {"OPT", rr::kOpt},
    {"DS", rr::kDs, kInZones},
    {"SSHFP", rr::kSshfp, kInZones},
    {"RRSIG", 46},
    {"NSEC", 47},
    {"DNSKEY", 48},
    {"NSEC3", 50},
    {"NSEC3PARAM", 51},
    {"TLSA", rr::kTlsa, kInZones},
    {"SMIMEA", 53},
    {"CDS", 59},
    {"CDNSKEY", 60},
    {"OPENPGPKEY", 61},
    {"ZONEMD", 63},
    {"SVCB", rr::kSvcb, kInZones},
    {"HTTPS", rr::kHttps, kInZones},
    {"SPF", rr::kSpf, kInZones},
    {"TKEY", 249},
    {"TSIG", rr::kTsig},
    {"IXFR", rr::kIxfr},
    {"AXFR", rr::kAxfr},
    {"ANY", rr::kAny},
    {"URI", 256},
    {"CAA", rr::kCaa, kInZones},
});

const RecordType* FindName(std::string_view text) {
  const auto* const found =
      std::ranges::find_if(kRecordTypes, [text](const RecordType& type) { return EqualsIgnoreCase(type.name, text); });
  return found == kRecordTypes.end() ? nullptr : found;
}

// TYPEnnn (RFC 3597 section 5).
std::optional<std::uint16_t> ParseNumberedType(std::string_view text) {
  constexpr std::string_view kPrefix = "TYPE";
  if (text.size() <= kPrefix.size() || !EqualsIgnoreCase(text.substr(0, kPrefix.size()), kPrefix)) return std::nullopt;
  const auto number = ParseDecimal(text.substr(kPrefix.size()));
  if (!number || *number > 65'535) return std::nullopt;
  return static_cast<std::uint16_t>(*number);
}

// OPT and the query types of RFC 6895 3.1 never stand in a zone.
bool StandsInZones(std::uint16_t type) { return type != 0 && type != rr::kOpt && (type < 128 || type > 255); }

}  // namespace

std::string RecordTypeName(std::uint16_t type) {
  const auto* const found = std::ranges::find(kRecordTypes, type, &RecordType::number);
  return found == kRecordTypes.end() ? "TYPE" + std::to_string(type) : std::string(found->name);
}

std::optional<std::uint16_t> ParseRecordType(std::string_view text) {
  if (const RecordType* const known = FindName(text)) return known->number;
  return ParseNumberedType(text);
}

std::optional<std::uint16_t> ParseZoneRecordType(std::string_view text) {
  if (const RecordType* const known = FindName(text))
    return known->in_zones ? std::optional(known->number) : std::nullopt;
  const auto number = ParseNumberedType(text);
  return number && StandsInZones(*number) ? number : std::nullopt;
}

std::vector<std::string_view> ZoneRecordTypeNames() {
  std::vector<std::string_view> names;
  for (const RecordType& type : kRecordTypes) {
    if (type.in_zones) names.push_back(type.name);
  }
  return names;
}

}  // namespace weir
