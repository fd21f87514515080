#include "config/decode/zone_file.h"

#include "base/file.h"
#include "base/record_type.h"
#include "config/decode/dns_name.h"
#include "config/decode/zone_file_lines.h"
#include "config/document/sources.h"
#include "config/findings.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <span>
#include <unordered_map>
#include <utility>

namespace weir::config {
namespace {

// Our choices: a file of millions of records is some hundred megabytes; a longer chain of includes is a circle.
constexpr std::size_t kZoneFileBytesMax = std::size_t{1} << 30;
constexpr std::size_t kIncludeDepthMax = 16;
constexpr std::uint32_t kFileTtlMax = 2'147'483'647;  // RFC 2181 section 8
constexpr std::uint64_t kGeneratedMax = 1'000'000;
constexpr std::size_t kSoaFields = 7;

// Which fields of a type's data are names (RFC 1035 3.3 and the RFC of each type); from 0.
std::span<const std::size_t> NameFields(std::uint16_t type) {
  static constexpr std::array<std::size_t, 1> kFirst = {0};
  static constexpr std::array<std::size_t, 1> kSecond = {1};
  static constexpr std::array<std::size_t, 1> kFourth = {3};
  static constexpr std::array<std::size_t, 1> kSixth = {5};
  static constexpr std::uint16_t kDname = 39;
  switch (type) {
    case rr::kNs:
    case rr::kCname:
    case rr::kPtr:
    case kDname:
      return kFirst;
    case rr::kMx:
    case rr::kSvcb:
    case rr::kHttps:
      return kSecond;
    case rr::kSrv:
      return kFourth;
    case rr::kNaptr:
      return kSixth;
    default:
      return {};
  }
}

// `3600`, `1h`, `1h30m`, `2w`; absent for anything else and above the limit.
std::optional<std::uint32_t> ParseTtl(std::string_view text) {
  std::uint64_t total = 0;
  bool any = false;
  while (!text.empty()) {
    std::uint32_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc()) return std::nullopt;
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    std::uint64_t unit = 1;
    if (!text.empty()) {
      switch (text.front()) {
        case 's':
        case 'S':
          unit = 1;
          break;
        case 'm':
        case 'M':
          unit = 60;
          break;
        case 'h':
        case 'H':
          unit = 3'600;
          break;
        case 'd':
        case 'D':
          unit = 86'400;
          break;
        case 'w':
        case 'W':
          unit = 604'800;
          break;
        default:
          return std::nullopt;
      }
      text.remove_prefix(1);
    }
    total += number * unit;
    any = true;
    if (total > kFileTtlMax) return std::nullopt;
  }
  return any ? std::optional(static_cast<std::uint32_t>(total)) : std::nullopt;
}

bool IsWord(std::string_view text, std::string_view word) {
  return std::ranges::equal(text, word, [](char a, char b) { return (a >= 'a' && a <= 'z' ? a - 32 : a) == b; });
}

class Reader {
 public:
  Reader(const std::string& zone, Decoding& decoding) : zone_(zone), decoding_(decoding) {}

  void ReadFile(const std::string& path, Position named_at, const std::string& origin, std::size_t depth);
  [[nodiscard]] ZoneFile& out() { return out_; }

 private:
  // Of one file: what its lines leave to those before them.
  struct State {
    const std::string& path;
    std::size_t depth;
    std::string origin;
    std::string owner = {};
  };

  void ReadEntry(const ZoneFileLine& line, State& state);
  void ReadDirective(const ZoneFileLine& line, State& state);
  void Include(const ZoneFileLine& line, const State& state);
  void Generate(const ZoneFileLine& line, State& state);
  void AddRecord(std::uint16_t type, std::optional<std::uint32_t> ttl, Position type_at, const ZoneFileLine& line,
                 std::span<const ZoneFileToken> data, const State& state);
  void AddSoa(std::uint32_t ttl, Position at, std::span<const ZoneFileToken> data, const State& state);
  std::optional<std::string> Name(const ZoneFileToken& token, const std::string& origin);
  void Error(Position at, std::string message, std::string hint = {}) {
    decoding_.findings.AddError(at, std::move(message), std::move(hint));
  }

  const std::string& zone_;
  Decoding& decoding_;
  ZoneFile out_;
  std::optional<std::uint32_t> default_ttl_;  // of $TTL
  std::optional<std::uint32_t> last_ttl_;
  std::uint64_t generated_ = 0;
  std::size_t files_read_ = 0;
  std::vector<std::string> open_;                      // each includes the next
  std::unordered_map<std::string, std::size_t> sets_;  // by name and type: place in out_.records
};

void Reader::ReadFile(const std::string& path, Position named_at, const std::string& origin, std::size_t depth) {
  if (depth > kIncludeDepthMax || ++files_read_ > kFilesMax) {
    return Error(named_at,
                 fmt::format("more than {} files include each other, or {} in all", kIncludeDepthMax, kFilesMax));
  }
  if (std::ranges::find(open_, path) != open_.end()) return Error(named_at, "the file includes itself");
  open_.push_back(path);
  auto& files = decoding_.files;
  auto index = static_cast<std::size_t>(std::ranges::find(files, path) - files.begin());
  if (index == files.size()) files.push_back(path);
  const auto text = ReadFileUpTo(path, kZoneFileBytesMax, "a zone file");
  if (!text) {
    open_.pop_back();
    return Error(named_at, text.error().message, text.error().hint);
  }
  State state{.path = path, .depth = depth, .origin = origin};
  ZoneFileLines lines(*text, static_cast<std::uint32_t>(index));
  ZoneFileLine line;
  while (lines.Next(line)) {
    if (!line.error.empty()) {
      Error(line.position, line.error);
    } else if (!line.owner_omitted && !line.tokens.front().quoted && line.tokens.front().text.starts_with('$')) {
      ReadDirective(line, state);
    } else {
      ReadEntry(line, state);
    }
  }
  open_.pop_back();
}

std::optional<std::string> Reader::Name(const ZoneFileToken& token, const std::string& origin) {
  auto name = ParseDnsName(OctalEscapes(token.text), origin);
  if (name) return *std::move(name);
  Error(token.position, name.error().message, name.error().hint);
  return std::nullopt;
}

// [owner] [TTL] [class] type data, the TTL and the class in either order (RFC 1035 5.1).
void Reader::ReadEntry(const ZoneFileLine& line, State& state) {
  std::span<const ZoneFileToken> tokens = line.tokens;
  if (!line.owner_omitted) {
    auto owner = Name(tokens.front(), state.origin);
    tokens = tokens.subspan(1);
    state.owner = owner ? *std::move(owner) : std::string();
    if (state.owner.empty()) return;
  }
  std::optional<std::uint32_t> ttl;
  bool has_class = false;
  while (!tokens.empty() && !tokens.front().quoted) {
    const std::string_view word = tokens.front().text;
    if (!has_class && (IsWord(word, "IN") || IsWord(word, "CH") || IsWord(word, "HS"))) {
      if (!IsWord(word, "IN")) return Error(tokens.front().position, "a record of another class than IN");
      has_class = true;
    } else if (!ttl && word.front() >= '0' && word.front() <= '9') {
      ttl = ParseTtl(word);
      if (!ttl) {
        return Error(tokens.front().position, fmt::format("{} is no TTL", Quoted(word)),
                     "seconds up to 2147483647, or units: `1h30m`");
      }
    } else {
      break;
    }
    tokens = tokens.subspan(1);
  }
  if (tokens.empty()) return Error(line.position, "a record without a type", "OWNER TTL IN TYPE DATA");
  if (state.owner.empty()) return Error(line.position, "the first record has no owner", "write its name, or `@`");
  const auto type = ParseZoneRecordType(tokens.front().text);
  if (!type) {
    return Error(tokens.front().position, fmt::format("{} is no record type", Quoted(tokens.front().text)),
                 RecordTypeHint(tokens.front().text));
  }
  AddRecord(*type, ttl, tokens.front().position, line, tokens.subspan(1), state);
}

void Reader::AddRecord(std::uint16_t type, std::optional<std::uint32_t> ttl, Position type_at, const ZoneFileLine& line,
                       std::span<const ZoneFileToken> data, const State& state) {
  if (data.empty()) return Error(type_at, fmt::format("a {} record without data", RecordTypeName(type)));
  if (ttl) last_ttl_ = ttl;
  // RFC 2308 section 4: what $TTL says; without it, what the record before had (RFC 1035 5.1).
  const auto effective = ttl ? ttl : default_ttl_ ? default_ttl_ : last_ttl_;
  if (!effective) return Error(line.position, "a record without a TTL", "write one, or `$TTL 1h` before it");
  if (!IsInZone(state.owner, zone_)) {
    decoding_.findings.AddWarning(line.position, fmt::format("{} is not in zone {}: left out", state.owner, zone_));
    return;
  }
  const bool at_apex = state.owner == zone_;
  if (type == rr::kSoa) {
    if (at_apex) return AddSoa(*effective, type_at, data, state);
    return Error(type_at, "a SOA below the apex of its zone");
  }
  if (type == rr::kCname && at_apex) return Error(type_at, "a CNAME at the apex of its zone");
  if (type == rr::kNs && state.owner.starts_with("*.")) return Error(type_at, "a wildcard NS record");
  std::string value;
  const auto names = NameFields(type);
  const bool generic = data.front().text == "\\#";  // RFC 3597
  for (std::size_t i = 0; i < data.size(); ++i) {
    if (!value.empty()) value.push_back(' ');
    if (!generic && std::ranges::find(names, i) != names.end()) {
      const auto name = Name(data[i], state.origin);
      if (!name) return;
      value.append(*name);
    } else {
      // Every word of a TXT record is a string of its own here (RFC 1035 5.1).
      const bool is_string = data[i].quoted || ((type == rr::kTxt || type == rr::kSpf) && !generic);
      value.append(is_string ? "\"" + OctalEscapes(data[i].text) + "\"" : OctalEscapes(data[i].text));
    }
  }
  if (type == rr::kNs && at_apex) {
    out_.ns_ttl_seconds = out_.name_servers.empty() ? *effective : std::min(out_.ns_ttl_seconds, *effective);
    if (std::ranges::find(out_.name_servers, value) == out_.name_servers.end()) {
      out_.name_servers.push_back(std::move(value));
    }
    return;
  }
  const auto [found, fresh] = sets_.try_emplace(fmt::format("{} {}", state.owner, type), out_.records.size());
  if (fresh) {
    RecordSet& set = out_.records.emplace_back();
    set.name = state.owner;
    set.type = type;
    set.ttl_seconds = effective;
    set.position = line.position;
  }
  RecordSet& set = out_.records[found->second];
  if (set.ttl_seconds != effective) {
    // RFC 2181 5.2: one TTL for all of them; the least does no harm.
    decoding_.findings.AddWarning(line.position,
                                  fmt::format("the TTLs of {} {} differ", set.name, RecordTypeName(type)),
                                  "records of one name and type have one: the least counts");
    set.ttl_seconds = std::min(*set.ttl_seconds, *effective);
  }
  if (type == rr::kCname && !fresh) return Error(type_at, fmt::format("a second CNAME of {}", set.name));
  const bool twice =
      set.values.size() < 64 && std::ranges::find(set.values, value, &LocatedText::text) != set.values.end();
  if (twice) {
    decoding_.findings.AddWarning(data.front().position, fmt::format("value {} stands twice", Quoted(value)));
    return;
  }
  set.values.push_back({std::move(value), data.front().position});
}

void Reader::AddSoa(std::uint32_t ttl, Position at, std::span<const ZoneFileToken> data, const State& state) {
  if (out_.soa) return Error(at, "a second SOA");
  if (data.size() != kSoaFields) {
    return Error(at, fmt::format("a SOA of {} fields", data.size()), "MNAME RNAME SERIAL REFRESH RETRY EXPIRE MINIMUM");
  }
  Soa soa;
  const auto mname = Name(data[0], state.origin);
  const auto rname = Name(data[1], state.origin);
  if (!mname || !rname) return;
  soa.mname = *mname;
  soa.rname = *rname;
  const auto serial = std::from_chars(data[2].text.data(), data[2].text.data() + data[2].text.size(), soa.serial);
  if (serial.ec != std::errc() || serial.ptr != data[2].text.data() + data[2].text.size()) {
    return Error(data[2].position, fmt::format("{} is no serial number", Quoted(data[2].text)), "0 to 4294967295");
  }
  const std::array<std::uint32_t*, 4> times = {&soa.refresh_seconds, &soa.retry_seconds, &soa.expire_seconds,
                                               &soa.minimum_seconds};
  for (std::size_t i = 0; i < times.size(); ++i) {
    const auto time = ParseTtl(data[3 + i].text);
    if (!time) return Error(data[3 + i].position, fmt::format("{} is no time", Quoted(data[3 + i].text)), "`1h30m`");
    *times[i] = *time;
  }
  soa.ttl_seconds = ttl;
  out_.soa = std::move(soa);
}

void Reader::ReadDirective(const ZoneFileLine& line, State& state) {
  const std::string_view word = line.tokens.front().text;
  if (IsWord(word, "$INCLUDE")) return Include(line, state);
  if (IsWord(word, "$GENERATE")) return Generate(line, state);
  const bool is_origin = IsWord(word, "$ORIGIN");
  if (!is_origin && !IsWord(word, "$TTL")) {
    return Error(line.position, fmt::format("{} is no directive", Quoted(word)),
                 "$ORIGIN, $TTL, $INCLUDE or $GENERATE");
  }
  if (line.tokens.size() != 2) return Error(line.position, fmt::format("{} takes one value", word));
  if (is_origin) {
    if (auto origin = Name(line.tokens[1], state.origin)) state.origin = *std::move(origin);
    return;
  }
  default_ttl_ = ParseTtl(line.tokens[1].text);
  if (!default_ttl_)
    Error(line.tokens[1].position, fmt::format("{} is no TTL", Quoted(line.tokens[1].text)), "`1h30m`");
}

// The origin and the owner are as before behind it.
void Reader::Include(const ZoneFileLine& line, const State& state) {
  if (line.tokens.size() < 2 || line.tokens.size() > 3) {
    return Error(line.position, "$INCLUDE takes a file and, if wanted, an origin");
  }
  std::string origin = state.origin;
  if (line.tokens.size() == 3) {
    auto given = Name(line.tokens[2], state.origin);
    if (!given) return;
    origin = *std::move(given);
  }
  const std::string path = ResolvePath(line.tokens[1].text, state.path);
  ReadFile(path, line.tokens[1].position, origin, state.depth + 1);
}

// $GENERATE START-STOP[/STEP] OWNER [TTL] [CLASS] TYPE DATA, as BIND has it.
void Reader::Generate(const ZoneFileLine& line, State& state) {
  const auto range = line.tokens.size() < 2 ? std::nullopt : ParseGenerateRange(line.tokens[1].text);
  if (!range || line.tokens.size() < 5) {
    return Error(line.position, "$GENERATE cannot be read", "$GENERATE 1-100/2 host-$ A 192.0.2.$");
  }
  for (std::uint64_t i = range->start; i <= range->stop; i += range->step) {
    if (++generated_ > kGeneratedMax) {
      return Error(line.position, fmt::format("$GENERATE makes more than {} records", kGeneratedMax),
                   "split the zone, or write them");
    }
    ZoneFileLine made{.position = line.position, .tokens = {}, .owner_omitted = false, .error = {}};
    for (std::size_t token = 2; token < line.tokens.size(); ++token) {
      auto text = Generated(line.tokens[token].text, i);
      if (!text) {
        return Error(line.tokens[token].position, fmt::format("{} cannot be read", Quoted(line.tokens[token].text)),
                     "`$`, or `${OFFSET,WIDTH,BASE}` with the base d, o, x or X");
      }
      made.tokens.push_back({std::move(*text), line.tokens[token].position, line.tokens[token].quoted});
    }
    const std::size_t errors = decoding_.findings.errors();
    ReadEntry(made, state);
    if (decoding_.findings.errors() > errors) return;  // the rest would say the same
  }
}

}  // namespace

ZoneFile ReadZoneFile(const LocatedText& path, const std::string& name, Decoding& decoding) {
  Reader reader(name, decoding);
  reader.ReadFile(path.text, path.position, name, 0);
  return std::move(reader.out());
}

}  // namespace weir::config
