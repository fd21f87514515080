#include "config/dns_name.h"

#include "base/text.h"
#include "config/findings.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <vector>

namespace weir::config {
namespace {

constexpr std::size_t kLabelOctetsMax = 63;  // RFC 1035 2.3.4
constexpr std::size_t kNameOctetsMax = 255;

struct RecordType {
  std::string_view name;
  std::uint16_t number;
};
constexpr auto kRecordTypes = std::to_array<RecordType>({
    {"A", 1},
    {"NS", 2},
    {"CNAME", 5},
    {"SOA", 6},
    {"PTR", 12},
    {"MX", 15},
    {"TXT", 16},
    {"AAAA", 28},
    {"SRV", 33},
    {"NAPTR", 35},
    {"DS", 43},
    {"SSHFP", 44},
    {"TLSA", 52},
    {"SVCB", 64},
    {"HTTPS", 65},
    {"SPF", 99},
    {"CAA", 257},
});

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

// How many characters of `text` make the first octet of a label: 1, 2 for `\x`, 4 for `\DDD`; 0 for a broken escape.
std::size_t OctetLength(std::string_view text) {
  if (text[0] != '\\') return 1;
  if (text.size() >= 4 && IsDigit(text[1]) && IsDigit(text[2]) && IsDigit(text[3])) {
    const int value = (text[1] - '0') * 100 + (text[2] - '0') * 10 + (text[3] - '0');
    return value <= 255 ? 4 : 0;
  }
  return text.size() >= 2 && !IsDigit(text[1]) ? 2 : 0;
}

// Checks every label of an absolute name.
Result<std::string> CheckLabels(std::string name, std::string_view written) {
  std::size_t octets = 1;
  std::size_t label = 0;
  bool star = false;
  bool leftmost = true;
  for (std::size_t at = 0; at < name.size();) {
    if (name[at] == '.') {
      if (label == 0) return Failure(fmt::format("name {} has an empty label", Quoted(written)));
      if (star && (!leftmost || label != 1)) {
        return Failure(fmt::format("the * of {} is not the whole first label", Quoted(written)), "*.NAME");
      }
      octets += label + 1;
      label = 0;
      star = false;
      leftmost = false;
      ++at;
      continue;
    }
    const unsigned char c = static_cast<unsigned char>(name[at]);
    const std::size_t length = OctetLength(std::string_view(name).substr(at));
    if (length == 0 || c <= 0x20 || c >= 0x7F) {
      return Failure(fmt::format("{} is no domain name", Quoted(written)), "other octets are written \\DDD");
    }
    if (c == '*') star = true;
    if (++label > kLabelOctetsMax) {
      return Failure(fmt::format("a label of {} is longer than {} octets", Quoted(written), kLabelOctetsMax));
    }
    at += length;
  }
  if (octets > kNameOctetsMax) {
    return Failure(fmt::format("name {} is longer than {} octets", Quoted(written), kNameOctetsMax));
  }
  return name;
}

bool EndsAbsolute(std::string_view text) {
  if (!text.ends_with('.')) return false;
  std::size_t escapes = 0;
  while (escapes + 1 < text.size() && text[text.size() - 2 - escapes] == '\\') ++escapes;
  return escapes % 2 == 0;
}

}  // namespace

Result<std::string> ParseDnsName(std::string_view text, std::string_view origin) {
  if (text == "@") return std::string(origin);
  if (text.empty()) return Failure("an empty name", "`@` is the zone itself");
  if (text == ".") return std::string(".");
  std::string name = ToLowerAscii(text);
  if (!EndsAbsolute(name)) {
    name.push_back('.');
    if (origin != ".") name.append(origin);
  }
  return CheckLabels(std::move(name), text);
}

bool IsInZone(std::string_view name, std::string_view zone) {
  if (zone == "." || name == zone) return true;
  if (name.size() <= zone.size() || !name.ends_with(zone)) return false;
  return EndsAbsolute(name.substr(0, name.size() - zone.size()));
}

std::optional<std::uint16_t> ParseRecordType(std::string_view text) {
  for (const RecordType& type : kRecordTypes) {
    if (EqualsIgnoreCase(type.name, text)) return type.number;
  }
  // RFC 3597 5. OPT and the query types of RFC 6895 3.1 never stand in a zone.
  if (text.size() <= 4 || !EqualsIgnoreCase(text.substr(0, 4), "TYPE")) return std::nullopt;
  const auto number = ParseDecimal(text.substr(4));
  if (!number || *number == 0 || *number > 65'535 || *number == 41 || (*number >= 128 && *number <= 255)) {
    return std::nullopt;
  }
  return static_cast<std::uint16_t>(*number);
}

std::string RecordTypeHint(std::string_view text) {
  std::vector<std::string_view> names;
  for (const RecordType& type : kRecordTypes) names.push_back(type.name);
  const std::string hint = NearestHint(text, names);
  return hint.empty() ? "A, AAAA, CNAME, MX, TXT ... or TYPEnnn" : hint;
}

std::string RecordTypeName(std::uint16_t type) {
  const auto found = std::ranges::find(kRecordTypes, type, &RecordType::number);
  return found == kRecordTypes.end() ? fmt::format("TYPE{}", type) : std::string(found->name);
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
    if (!fits || ++label > kLabelOctetsMax) return false;
  }
  return label > 0;
}

}  // namespace weir::config
