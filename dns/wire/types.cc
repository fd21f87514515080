#include "dns/wire/types.h"

#include "base/text.h"

#include <array>
#include <utility>

namespace weir::dns {
namespace {

struct NamedType {
  std::string_view name;
  std::uint16_t type;
};

// The types of the IANA registry that people type at a prompt; others are TYPEnnn.
constexpr std::array kTypes = {
    NamedType{"A", 1},           NamedType{"NS", 2},          NamedType{"CNAME", 5},   NamedType{"SOA", 6},
    NamedType{"PTR", 12},        NamedType{"HINFO", 13},      NamedType{"MX", 15},     NamedType{"TXT", 16},
    NamedType{"RP", 17},         NamedType{"AFSDB", 18},      NamedType{"AAAA", 28},   NamedType{"LOC", 29},
    NamedType{"SRV", 33},        NamedType{"NAPTR", 35},      NamedType{"KX", 36},     NamedType{"CERT", 37},
    NamedType{"DNAME", 39},      NamedType{"OPT", 41},        NamedType{"DS", 43},     NamedType{"SSHFP", 44},
    NamedType{"RRSIG", 46},      NamedType{"NSEC", 47},       NamedType{"DNSKEY", 48}, NamedType{"NSEC3", 50},
    NamedType{"NSEC3PARAM", 51}, NamedType{"TLSA", 52},       NamedType{"SMIMEA", 53}, NamedType{"CDS", 59},
    NamedType{"CDNSKEY", 60},    NamedType{"OPENPGPKEY", 61}, NamedType{"ZONEMD", 63}, NamedType{"SVCB", 64},
    NamedType{"HTTPS", 65},      NamedType{"SPF", 99},        NamedType{"TKEY", 249},  NamedType{"TSIG", 250},
    NamedType{"IXFR", 251},      NamedType{"AXFR", 252},      NamedType{"ANY", 255},   NamedType{"URI", 256},
    NamedType{"CAA", 257},
};

}  // namespace

std::string TypeName(std::uint16_t type) {
  for (const auto& known : kTypes) {
    if (known.type == type) return std::string(known.name);
  }
  return "TYPE" + std::to_string(type);
}

std::optional<std::uint16_t> ParseType(std::string_view text) {
  for (const auto& known : kTypes) {
    if (EqualsIgnoreCase(known.name, text)) return known.type;
  }
  constexpr std::string_view kPrefix = "TYPE";
  if (text.size() <= kPrefix.size() || !EqualsIgnoreCase(text.substr(0, kPrefix.size()), kPrefix)) return std::nullopt;
  const auto number = ParseDecimal(text.substr(kPrefix.size()));
  if (!number || *number > 65'535) return std::nullopt;
  return static_cast<std::uint16_t>(*number);
}

std::string RcodeName(Rcode rcode) {
  switch (rcode) {
    case Rcode::kNoError:
      return "NOERROR";
    case Rcode::kFormErr:
      return "FORMERR";
    case Rcode::kServFail:
      return "SERVFAIL";
    case Rcode::kNxDomain:
      return "NXDOMAIN";
    case Rcode::kNotImp:
      return "NOTIMP";
    case Rcode::kRefused:
      return "REFUSED";
    case Rcode::kNotAuth:
      return "NOTAUTH";
    case Rcode::kBadVers:
      return "BADVERS";
  }
  return "RCODE" + std::to_string(std::to_underlying(rcode));
}

}  // namespace weir::dns
