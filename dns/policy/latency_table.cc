#include "dns/policy/latency_table.h"

#include "base/text.h"

#include <algorithm>
#include <bit>
#include <charconv>
#include <cmath>
#include <limits>
#include <map>
#include <utility>

namespace weir::dns {
namespace {

constexpr std::uint32_t kNoPrefix = std::numeric_limits<std::uint32_t>::max();
constexpr double kMillisecondsMax = 1'000'000;

std::string_view Trim(std::string_view text) {
  constexpr std::string_view kBlank = " \t\r";
  const auto begin = text.find_first_not_of(kBlank);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kBlank) - begin + 1);
}

// Cuts `text` at commas; absent unless there are exactly three fields.
std::optional<std::array<std::string_view, 3>> SplitFields(std::string_view text) {
  std::array<std::string_view, 3> fields;
  for (std::size_t i = 0; i < fields.size(); ++i) {
    const auto comma = text.find(',');
    if ((comma == std::string_view::npos) != (i + 1 == fields.size())) return std::nullopt;
    fields[i] = Trim(text.substr(0, comma));
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

// Half of a key as a number that compares like its bytes.
std::uint64_t HalfOf(const std::array<std::uint8_t, 16>& key, std::size_t half) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < 8; ++i) value = value << 8 | key[8 * half + i];
  return value;
}

// Without the call of memcmp that comparing arrays is: a search makes a dozen of them.
bool IsBefore(const std::array<std::uint8_t, 16>& a, const std::array<std::uint8_t, 16>& b) {
  const std::uint64_t first_a = HalfOf(a, 0);
  const std::uint64_t first_b = HalfOf(b, 0);
  return first_a != first_b ? first_a < first_b : HalfOf(a, 1) < HalfOf(b, 1);
}

unsigned CommonBits(const std::array<std::uint8_t, 16>& a, const std::array<std::uint8_t, 16>& b) {
  const auto first = static_cast<unsigned>(std::countl_zero(HalfOf(a, 0) ^ HalfOf(b, 0)));
  return first < 64 ? first : 64 + static_cast<unsigned>(std::countl_zero(HalfOf(a, 1) ^ HalfOf(b, 1)));
}

}  // namespace

// Collects rows by prefix, then lays the prefixes out as intervals.
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
  using Key = LatencyTable::Key;
  struct ParsedRow {
    CidrBlock block;
    std::uint32_t region;
    double milliseconds;
    std::size_t line;
  };

  void Fail(std::size_t line, std::string_view what, std::string hint) {
    errors_.push_back({"line " + std::to_string(line) + ": " + std::string(what), std::move(hint)});
  }
  static void LayOut(LatencyTable& table, std::span<const CidrBlock> blocks, std::uint32_t first_prefix,
                     std::vector<LatencyTable::Interval>& intervals);

  std::span<const std::string> regions_;
  std::vector<std::string_view> region_names_;
  std::map<std::string_view, std::uint32_t> region_indexes_;
  std::map<std::pair<CidrBlock, std::uint32_t>, std::size_t> seen_;  // line of each block and region
  std::vector<ParsedRow> rows_;
  std::vector<Error> errors_;
  bool any_row_ = false;
};

void LatencyTableBuilder::AddLine(std::string_view raw, std::size_t number) {
  const std::string_view line = Trim(raw.substr(0, raw.find('#')));
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
      table.prefixes_.push_back(
          {kNoPrefix, static_cast<std::uint32_t>(table.rows_.size()), 0, row.block.prefix_bits()});
    }
    table.rows_.push_back({row.region, row.milliseconds});
    ++table.prefixes_.back().row_count;
  }
  const auto first_v6 = static_cast<std::size_t>(
      std::ranges::find_if(blocks, [](const CidrBlock& block) { return !block.address().is_v4(); }) - blocks.begin());
  LayOut(table, std::span(blocks).first(first_v6), 0, table.v4_);
  LayOut(table, std::span(blocks).subspan(first_v6), static_cast<std::uint32_t>(first_v6), table.v6_);
  return table;
}

void LatencyTableBuilder::LayOut(LatencyTable& table, std::span<const CidrBlock> blocks, std::uint32_t first_prefix,
                                 std::vector<LatencyTable::Interval>& intervals) {
  if (blocks.empty()) return;
  const auto put = [&](const Key& start, std::uint32_t prefix) {
    // A later start at the same place is a longer prefix, or what follows the one that ended there.
    if (!intervals.empty() && intervals.back().start == start) intervals.pop_back();
    if (intervals.empty() || intervals.back().prefix != prefix) intervals.push_back({start, prefix});
  };
  // The first address behind a block; absent when it ends with the address space.
  const auto behind = [](const CidrBlock& block) -> std::optional<Key> {
    Key key = LatencyTable::KeyOf(block.address());
    unsigned bit = block.prefix_bits();
    while (bit > 0) {
      --bit;
      const auto mask = static_cast<std::uint8_t>(0x80U >> (bit % 8));
      key[bit / 8] ^= mask;
      if ((key[bit / 8] & mask) != 0) return key;
    }
    return std::nullopt;
  };
  std::vector<std::uint32_t> open;  // the blocks that hold the current place, outermost first
  const auto close_last = [&] {
    const auto end = behind(blocks[open.back()]);
    open.pop_back();
    if (end) put(*end, open.empty() ? kNoPrefix : first_prefix + open.back());
  };
  put({}, kNoPrefix);
  for (std::uint32_t i = 0; i < blocks.size(); ++i) {
    while (!open.empty() && !blocks[open.back()].Contains(blocks[i].address())) close_last();
    if (!open.empty()) table.prefixes_[first_prefix + i].parent = first_prefix + open.back();
    put(LatencyTable::KeyOf(blocks[i].address()), first_prefix + i);
    open.push_back(i);
  }
  while (!open.empty()) close_last();
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

LatencyTable::Key LatencyTable::KeyOf(const IpAddress& address) {
  Key key{};
  std::ranges::copy(address.bytes(), key.begin());
  return key;
}

std::optional<LatencyTable::Place> LatencyTable::Locate(const IpAddress& address) const {
  const auto& all = intervals(address);
  if (all.empty()) return std::nullopt;
  const auto next = std::ranges::upper_bound(all, KeyOf(address), IsBefore, &Interval::start);
  return Place{static_cast<std::size_t>(next - all.begin()) - 1};
}

std::optional<LatencyTable::Match> LatencyTable::Find(const IpAddress& address, unsigned prefix_bits,
                                                      std::uint32_t region) const {
  const auto place = Locate(address);
  if (!place) return std::nullopt;
  return Find(*place, address, prefix_bits, region);
}

std::optional<LatencyTable::Match> LatencyTable::Find(const Place& place, const IpAddress& address,
                                                      unsigned prefix_bits, std::uint32_t region) const {
  for (auto at = intervals(address)[place.interval].prefix; at != kNoPrefix; at = prefixes_[at].parent) {
    const Prefix& prefix = prefixes_[at];
    if (prefix.bits > prefix_bits) continue;
    for (const Row& row : std::span(rows_).subspan(prefix.first_row, prefix.row_count)) {
      if (row.region == region) return Match{row.milliseconds, prefix.bits};
    }
  }
  return std::nullopt;
}

unsigned LatencyTable::ScopeBits(const IpAddress& address) const {
  const auto place = Locate(address);
  return place ? ScopeBits(*place, address) : 0;
}

unsigned LatencyTable::ScopeBits(const Place& place, const IpAddress& address) const {
  const auto& all = intervals(address);
  const Key key = KeyOf(address);
  unsigned bits = 0;
  if (place.interval > 0) {
    // The last address before the interval.
    Key before = all[place.interval].start;
    const std::size_t bytes = address.bytes().size();
    for (std::size_t i = bytes; i-- > 0;) {
      if (before[i]-- != 0) break;
    }
    bits = CommonBits(key, before) + 1;
  }
  if (place.interval + 1 < all.size()) {
    bits = std::max(bits, CommonBits(key, all[place.interval + 1].start) + 1);
  }
  return bits;
}

}  // namespace weir::dns
