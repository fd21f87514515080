// The text of a zone file: its entries are the same ones once they are written again, findings have their places in it,
// and the zone that it makes reads as the same zone once we have written it anew.

#include "base/check.h"
#include "base/record_type.h"
#include "base/text.h"
#include "config/decode/zone_file_lines.h"
#include "config/load.h"
#include "tests/fuzz/fuzz_target.h"
#include "tests/fuzz/memory_file.h"

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace {

using weir::config::Generated;
using weir::config::LoadResult;
using weir::config::LoadText;
using weir::config::LocatedText;
using weir::config::OctalEscapes;
using weir::config::ParseGenerateRange;
using weir::config::Position;
using weir::config::RecordSet;
using weir::config::Zone;
using weir::config::ZoneFileLine;
using weir::config::ZoneFileLines;
using weir::config::ZoneFileToken;

constexpr std::uint64_t kGeneratedMax = 500;  // an input takes milliseconds

bool IsOctal(std::string_view digits) {
  return digits.size() == 3 && digits[0] <= '3' &&
         std::ranges::all_of(digits, [](char c) { return c >= '0' && c <= '7'; });
}

// As a zone file writes it: `\DDD` is decimal there.
std::string DecimalEscapes(std::string_view text) {
  std::string out;
  for (std::size_t at = 0; at < text.size(); ++at) {
    out.push_back(text[at]);
    if (text[at] != '\\' || at + 1 == text.size()) continue;
    const std::string_view digits = text.substr(at + 1, 3);
    if (IsOctal(digits)) {
      const int octet = (digits[0] - '0') * 64 + (digits[1] - '0') * 8 + (digits[2] - '0');
      const std::string decimal = std::to_string(octet);
      out.append(3 - decimal.size(), '0').append(decimal);
      at += 3;
    } else {
      out.push_back(text[++at]);
    }
  }
  return out;
}

void CheckToken(const ZoneFileToken& token, std::uint32_t lines) {
  WEIR_CHECK(token.position.line >= 1 && token.position.line <= lines && token.position.column >= 1);
  WEIR_CHECK(token.quoted || !token.text.empty());
  WEIR_CHECK(!token.text.contains('\n'));
  const std::string escaped = OctalEscapes(token.text);
  WEIR_CHECK(OctalEscapes(DecimalEscapes(escaped)) == escaped);
  for (const std::uint64_t number : {0ULL, 7ULL, 0xFFFF'FFFFULL}) {
    const auto generated = Generated(token.text, number);
    WEIR_CHECK(!generated || generated->size() <= 256 * token.text.size());
  }
}

std::vector<ZoneFileLine> LinesOf(std::string_view text) {
  const auto lines = static_cast<std::uint32_t>(std::ranges::count(text, '\n')) + 1;
  std::vector<ZoneFileLine> out;
  ZoneFileLines reader(text, 1);
  for (ZoneFileLine line; reader.Next(line);) {
    WEIR_CHECK(line.position.file == 1 && line.position.line >= 1 && line.position.line <= lines);
    WEIR_CHECK(!line.tokens.empty() || !line.error.empty());
    for (const ZoneFileToken& token : line.tokens) CheckToken(token, lines);
    out.push_back(line);
  }
  return out;
}

void CheckWrittenAgain(const std::vector<ZoneFileLine>& lines) {
  std::string text;
  for (const ZoneFileLine& line : lines) {
    if (line.owner_omitted) text.push_back(' ');
    for (const ZoneFileToken& token : line.tokens) {
      const std::string_view mark = token.quoted ? "\"" : "";
      text.append(mark).append(token.text).append(mark).push_back(&token == &line.tokens.back() ? '\n' : '\t');
    }
  }
  const auto same = [](const ZoneFileLine& a, const ZoneFileLine& b) {
    return a.owner_omitted == b.owner_omitted && b.error.empty() &&
           std::ranges::equal(a.tokens, b.tokens, [](const ZoneFileToken& x, const ZoneFileToken& y) {
             return x.text == y.text && x.quoted == y.quoted;
           });
  };
  WEIR_CHECK(std::ranges::equal(lines, LinesOf(text), same));
}

// Whether the zone can be read by itself and soon.
bool IsSmall(const std::vector<ZoneFileLine>& lines) {
  std::uint64_t generated = 0;
  for (const ZoneFileLine& line : lines) {
    for (const ZoneFileToken& token : line.tokens) {
      if (weir::EqualsIgnoreCase(token.text, "$INCLUDE")) return false;
      if (const auto range = ParseGenerateRange(token.text))
        generated += (range->stop - range->start) / range->step + 1;
    }
  }
  return generated <= kGeneratedMax;
}

LoadResult Load(std::string_view text) {
  const weir::MemoryFile file(text);
  return LoadText("dns: {}\nzones: [{name: a.test, file: " + file.path() + "}]\n", "t.yaml");
}

void AppendRecord(std::string& out, std::string_view name, std::uint32_t ttl, std::string_view type,
                  std::string_view data) {
  out.append(DecimalEscapes(name)).append(" ").append(std::to_string(ttl)).append(" IN ").append(type);
  out.append(" ").append(DecimalEscapes(data)).append("\n");
}

std::string ZoneText(const Zone& zone) {
  std::string out;
  const auto& soa = zone.soa;
  std::string times;
  for (const std::uint32_t number :
       {soa.serial, soa.refresh_seconds, soa.retry_seconds, soa.expire_seconds, soa.minimum_seconds}) {
    times.append(" ").append(std::to_string(number));
  }
  AppendRecord(out, zone.name, soa.ttl_seconds, "SOA", soa.mname + " " + soa.rname + times);
  for (const std::string& server : zone.name_servers) {
    AppendRecord(out, zone.name, zone.ns_ttl_seconds, "NS", server);
  }
  for (const RecordSet& set : zone.records) {
    for (const LocatedText& value : set.values) {
      AppendRecord(out, set.name, *set.ttl_seconds, weir::RecordTypeName(set.type), value.text);
    }
  }
  return out;
}

void CheckReadAgain(const Zone& zone) {
  const LoadResult again = Load(ZoneText(zone));
  WEIR_CHECK(again.model != nullptr);
  const Zone& read = *again.model->zones[0];
  WEIR_CHECK(ZoneText(read) == ZoneText(zone));
  const auto same = [](const RecordSet& a, const RecordSet& b) {
    return a.name == b.name && a.type == b.type && a.ttl_seconds == b.ttl_seconds &&
           std::ranges::equal(a.values, b.values, {}, &LocatedText::text, &LocatedText::text);
  };
  WEIR_CHECK(std::ranges::equal(read.records, zone.records, same));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto lines = LinesOf(text);
  if (std::ranges::all_of(lines, [](const ZoneFileLine& line) { return line.error.empty(); })) CheckWrittenAgain(lines);
  if (!IsSmall(lines)) return 0;
  const LoadResult loaded = Load(text);
  for (const auto& item : loaded.diagnostics.items) {
    WEIR_CHECK(!item.message.empty() && item.position.line >= 1);
    WEIR_CHECK(item.position.file < loaded.diagnostics.files.size());
  }
  WEIR_CHECK((loaded.model == nullptr) == loaded.diagnostics.has_errors());
  if (loaded.model != nullptr) CheckReadAgain(*loaded.model->zones[0]);
  return 0;
}
