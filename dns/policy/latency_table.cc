#include "dns/policy/latency_table.h"

#include "base/text.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <map>
#include <utility>

namespace weir::dns {
namespace {

constexpr double kMillisecondsMax = 1'000'000;

// Cuts `text` at commas; absent unless there are exactly three fields.
std::optional<std::array<std::string_view, 3>> SplitFields(std::string_view text) {
  std::array<std::string_view, 3> fields;
  for (std::size_t i = 0; i < fields.size(); ++i) {
    const auto comma = text.find(',');
    if ((comma == std::string_view::npos) != (i + 1 == fields.size())) return std::nullopt;
    fields[i] = TrimBlanks(text.substr(0, comma));
    if (comma != std::string_view::npos) text.remove_prefix(comma + 1);
  }
  return fields;
}

std::optional<double> ParseMilliseconds(std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  if (!std::isfinite(value) || value < 0 || value > kMillisecondsMax) return std::nullopt;
  return value;
}

}  // namespace

// Collects rows, then sorts them by prefix.
class LatencyTableBuilder {
 public:
  explicit LatencyTableBuilder(std::span<const std::string> regions)
      : regions_(regions), region_names_(regions.begin(), regions.end()) {
    for (std::uint32_t i = 0; i < regions.size(); ++i) region_indexes_.emplace(regions[i], i);
  }

  void AddLine(std::string_view raw, std::size_t number);
  [[nodiscard]] std::vector<Error>& errors() { return errors_; }
  [[nodiscard]] LatencyTable Build();

 private:
  struct ParsedRow {
    CidrBlock block;
    std::uint32_t region;
    double milliseconds;
    std::size_t line;
  };

  void Fail(std::size_t line, std::string_view what, std::string hint) {
    errors_.push_back({"line " + std::to_string(line) + ": " + std::string(what), std::move(hint)});
  }

  std::span<const std::string> regions_;
  std::vector<std::string_view> region_names_;
  std::map<std::string_view, std::uint32_t> region_indexes_;
  std::map<std::pair<CidrBlock, std::uint32_t>, std::size_t> seen_;  // line of each block and region
  std::vector<ParsedRow> rows_;
  std::vector<Error> errors_;
  bool any_row_ = false;
};

void LatencyTableBuilder::AddLine(std::string_view raw, std::size_t number) {
  const std::string_view line = TrimBlanks(raw.substr(0, raw.find('#')));
  if (line.empty()) return;
  const bool first = !std::exchange(any_row_, true);
  const auto fields = SplitFields(line);
  if (!fields) {
    Fail(number, "'" + std::string(line) + "' does not have three fields", "write client-cidr,region,milliseconds");
    return;
  }
  const auto& [block_text, region_text, milliseconds_text] = *fields;
  const auto block = CidrBlock::Parse(block_text);
  const auto milliseconds = ParseMilliseconds(milliseconds_text);
  // A header is a first row without any number in it.
  if (first && !block && !milliseconds && block_text.find_first_of("0123456789:/") == std::string_view::npos) return;
  if (!block) Fail(number, block.error().message, block.error().hint);
  if (!milliseconds) {
    Fail(number, "'" + std::string(milliseconds_text) + "' is not a number of milliseconds",
         "write a number from 0 to 1000000, such as 12.5");
  }
  const auto region = region_indexes_.find(region_text);
  if (region == region_indexes_.end()) {
    const auto nearest = NearestWord(region_text, region_names_);
    Fail(number, "there is no region '" + std::string(region_text) + "'",
         nearest.empty() ? "list it under regions" : "did you mean '" + std::string(nearest) + "'");
  }
  if (!block || !milliseconds || region == region_indexes_.end()) return;
  const auto [same, added] = seen_.try_emplace({*block, region->second}, number);
  if (!added) {
    Fail(number, block->ToString() + " has a row for " + std::string(region->first) + " already",
         "take one out; the other is line " + std::to_string(same->second));
    return;
  }
  rows_.push_back({*block, region->second, *milliseconds, number});
}

LatencyTable LatencyTableBuilder::Build() {
  // IPv4 sorts before IPv6, and a shorter prefix before the longer ones that begin like it.
  std::ranges::sort(rows_, {}, [](const ParsedRow& row) { return std::pair(row.block, row.line); });
  LatencyTable table;
  std::vector<CidrBlock> blocks;
  for (const auto& row : rows_) {
    if (blocks.empty() || blocks.back() != row.block) {
      blocks.push_back(row.block);
      table.first_rows_.push_back(static_cast<std::uint32_t>(table.rows_.size()));
    }
    table.rows_.push_back({row.region, row.milliseconds});
  }
  table.first_rows_.push_back(static_cast<std::uint32_t>(table.rows_.size()));
  table.prefixes_ = PrefixTable(blocks);
  return table;
}

std::expected<LatencyTable, std::vector<Error>> LatencyTable::Parse(std::string_view text,
                                                                    std::span<const std::string> regions) {
  LatencyTableBuilder builder(regions);
  std::size_t number = 0;
  while (!text.empty()) {
    const auto end = text.find('\n');
    builder.AddLine(text.substr(0, end), ++number);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  if (!builder.errors().empty()) return std::unexpected(std::move(builder.errors()));
  return builder.Build();
}

std::optional<LatencyTable::Match> LatencyTable::Find(const IpAddress& address, const PrefixTable::Place& place,
                                                      unsigned prefix_bits, std::uint32_t region) const {
  auto at = prefixes_.Longest(address, place, prefix_bits);
  for (; at != PrefixTable::kNoBlock; at = prefixes_.Shorter(at)) {
    for (const Row& row : std::span(rows_).subspan(first_rows_[at], first_rows_[at + 1] - first_rows_[at])) {
      if (row.region == region) return Match{row.milliseconds, prefixes_.prefix_bits(at)};
    }
  }
  return std::nullopt;
}

}  // namespace weir::dns
