#include "config/decode/dns_name.h"

#include "base/domain_name.h"
#include "base/record_type.h"
#include "base/text.h"
#include "config/findings.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

namespace weir::config {
namespace {

bool IsSpace(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

}  // namespace

Result<std::string> ParseDnsName(std::string_view text, std::string_view origin) {
  if (text == "@") return std::string(origin);
  if (text.empty()) return Failure("an empty name", "`@` is the zone itself");
  const auto fail = [text](std::string_view what, std::string hint) {
    return Failure(fmt::format("{} is no domain name: {}", Quoted(text), what), std::move(hint));
  };
  const auto zone = ParseDomainName(origin);
  if (!zone) return fail(zone.error().message, zone.error().hint);
  const auto name = ParseDomainName(text, zone->wire());
  if (!name) return fail(name.error().message, name.error().hint);
  if (!name->is_plain_ascii) {
    const std::string punycode = ToPunycode(text);
    return fail("it is not ASCII", punycode.empty() ? R"(octets above \177 are written \ooo, three octal digits)"
                                                    : fmt::format("in DNS it is {}", punycode));
  }
  std::string out;
  AppendDomainName(name->wire(), out);
  return out;
}

bool RepeatsZone(std::string_view text, std::string_view zone) {
  zone.remove_suffix(1);
  if (zone.empty() || text.size() < zone.size()) return false;
  const std::string_view front = text.substr(0, text.size() - zone.size());
  return EqualsIgnoreCase(text.substr(front.size()), zone) && (front.empty() || front.ends_with('.'));
}

bool IsInZone(std::string_view name, std::string_view zone) {
  if (zone == "." || name == zone) return true;
  if (!name.ends_with(zone)) return false;
  name.remove_suffix(zone.size());
  return name.ends_with('.');
}

TextForm TextFormOf(std::string_view value) {
  std::size_t words = 0;
  bool any_unquoted = false;
  for (std::size_t at = 0; at < value.size();) {
    if (IsSpace(value[at])) {
      ++at;
      continue;
    }
    const bool quoted = value[at] == '"';
    if (words == 0 && value.substr(at).starts_with("\\#")) return TextForm::kQuoted;  // octets (RFC 3597)
    ++words;
    any_unquoted = any_unquoted || !quoted;
    if (quoted) ++at;
    while (at < value.size() && !(quoted ? value[at] == '"' : IsSpace(value[at]))) at += value[at] == '\\' ? 2U : 1U;
    if (quoted) ++at;
  }
  if (!any_unquoted) return TextForm::kQuoted;
  return words > 1 ? TextForm::kUnquotedWords : TextForm::kUnquoted;
}

std::string_view InternationalName(std::uint16_t type, std::string_view value) {
  constexpr auto kTypes = std::to_array<std::uint16_t>({rr::kNs, rr::kCname, rr::kPtr, rr::kMx, rr::kSrv, rr::kNaptr});
  if (std::ranges::find(kTypes, type) == kTypes.end()) return {};
  while (!value.empty() && IsSpace(value.back())) value.remove_suffix(1);
  std::size_t begin = value.size();
  while (begin > 0 && !IsSpace(value[begin - 1])) --begin;
  value.remove_prefix(begin);
  const bool ascii = std::ranges::all_of(value, [](char c) { return static_cast<unsigned char>(c) < 0x80; });
  return ascii ? std::string_view() : value;
}

std::string RecordTypeHint(std::string_view text) {
  const std::string hint = NearestHint(text, ZoneRecordTypeNames());
  return hint.empty() ? "A, AAAA, CNAME, MX, TXT ... or TYPEnnn" : hint;
}

bool IsHostName(std::string_view text) {
  if (text.ends_with('.')) text.remove_suffix(1);
  if (text.empty() || text.size() > 253) return false;
  std::size_t label = 0;
  for (const char c : text) {
    if (c == '.') {
      if (label == 0) return false;
      label = 0;
      continue;
    }
    const bool fits = IsDigit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '_';
    if (!fits || ++label > kDomainLabelBytesMax) return false;
  }
  return label > 0;
}

}  // namespace weir::config
