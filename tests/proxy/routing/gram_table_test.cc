#include "proxy/routing/gram_table.h"

#include "base/random.h"
#include "base/text.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace weir::proxy {
namespace {

using enum CaseRule;
using Lists = std::vector<std::vector<std::uint32_t>>;
using Indexes = std::vector<std::size_t>;

constexpr std::size_t kSharedMax = 8;

Lists Found(const GramTable& table, std::string_view text) {
  Lists lists;
  table.Find(text, [&](std::span<const std::uint32_t> values) { lists.emplace_back(values.begin(), values.end()); });
  return lists;
}

TEST(GramTableTest, FindsALiteralByTheGramThatOthersDoNotHold) {
  std::vector<GramTable::Keyed> literals;
  for (std::uint32_t i = 100; i < 200; ++i) literals.push_back({.literal = fmt::format("/app{}/", i), .values = {i}});
  GramTable table(kSensitive);
  EXPECT_TRUE(table.Seal(literals, kSharedMax).empty());
  EXPECT_EQ(Found(table, "/v1/app142/shop"), (Lists{{142}}));
  EXPECT_EQ(Found(table, "/app142/"), (Lists{{142}})) << "at both ends of the text";
  EXPECT_EQ(Found(table, "/app1/app2/"), Lists{});
}

TEST(GramTableTest, AShortTextHasNoCandidates) {
  GramTable table(kSensitive);
  EXPECT_EQ(Found(table, "/cart"), Lists{}) << "not sealed, nothing in it";
  EXPECT_TRUE(table.Seal(std::vector<GramTable::Keyed>{{.literal = "cart", .values = {1}}}, kSharedMax).empty());
  for (const char* text : {"", "c", "car", "art"}) EXPECT_EQ(Found(table, text), Lists{}) << text;
  EXPECT_EQ(Found(table, "cart"), (Lists{{1}}));
}

TEST(GramTableTest, AnyByteMayStandInAText) {
  GramTable table(kSensitive);
  EXPECT_TRUE(table.Seal(std::vector<GramTable::Keyed>{{.literal = "cart", .values = {1}}}, kSharedMax).empty());
  EXPECT_EQ(Found(table, std::string(8, '\0') + "cart\xff\xff\xff\xff"), (Lists{{1}}));
}

TEST(GramTableTest, FoldsWhenCaseIsIgnored) {
  for (const CaseRule rule : {kSensitive, kInsensitive}) {
    GramTable table(rule);
    EXPECT_TRUE(table.Seal(std::vector<GramTable::Keyed>{{.literal = "shop", .values = {1}}}, kSharedMax).empty());
    EXPECT_EQ(Found(table, "www.SHoP.test"), rule == kInsensitive ? Lists{{1}} : Lists{});
  }
}

TEST(GramTableTest, LiteralsOfOneGramShareAnAscendingList) {
  GramTable table(kSensitive);
  const std::vector<GramTable::Keyed> literals = {{.literal = "cart", .values = {2, 7}},
                                                  {.literal = "cart", .values = {1, 7, 9}}};
  EXPECT_TRUE(table.Seal(literals, kSharedMax).empty());
  EXPECT_EQ(Found(table, "/cart"), (Lists{{1, 2, 7, 9}}));
}

TEST(GramTableTest, VisitsAListOnceHoweverOftenTheTextHoldsItsGram) {
  GramTable table(kSensitive);
  const std::vector<GramTable::Keyed> literals = {{.literal = "aaaa", .values = {1}},
                                                  {.literal = "bbbb", .values = {2}}};
  EXPECT_TRUE(table.Seal(literals, kSharedMax).empty());
  EXPECT_EQ(Found(table, std::string(1'000, 'a') + std::string(1'000, 'b') + std::string(1'000, 'a')),
            (Lists{{1}, {2}}));
}

TEST(GramTableTest, ReturnsWhatItsGramsDoNotTellApart) {
  std::vector<GramTable::Keyed> literals = {{.literal = "abc", .values = {0}}, {.literal = "cart", .values = {1}}};
  for (std::uint32_t i = 2; i <= 2 + kSharedMax; ++i) literals.push_back({.literal = "/item/", .values = {i}});
  GramTable table(kSensitive);
  EXPECT_EQ(table.Seal(literals, kSharedMax), (Indexes{0, 2, 3, 4, 5, 6, 7, 8, 9, 10}));
  EXPECT_EQ(Found(table, "/item/cart/abc"), (Lists{{1}}));

  literals.pop_back();
  GramTable fewer(kSensitive);
  EXPECT_EQ(fewer.Seal(literals, kSharedMax), Indexes{0});
  EXPECT_EQ(Found(fewer, "/item/cart/abc"), (Lists{{2, 3, 4, 5, 6, 7, 8, 9}, {1}}));
}

TEST(GramTableTest, HasABoundedNumberOfLists) {
  std::vector<GramTable::Keyed> literals;
  for (std::uint32_t i = 0; i < GramTable::kListsMax + 2; ++i) {
    std::string literal = "aaaa";
    for (std::uint32_t rest = i, k = 4; rest > 0; rest /= 26) literal[--k] = static_cast<char>('a' + rest % 26);
    literals.push_back({.literal = std::move(literal), .values = {i}});
  }
  GramTable table(kSensitive);
  EXPECT_EQ(table.Seal(literals, kSharedMax), (Indexes{GramTable::kListsMax, GramTable::kListsMax + 1}));
  EXPECT_EQ(Found(table, literals[GramTable::kListsMax].literal), Lists{});
  EXPECT_EQ(Found(table, literals[GramTable::kListsMax - 1].literal), (Lists{{GramTable::kListsMax - 1}}));
  EXPECT_EQ(Found(table, "aaaa"), (Lists{{0}}));
}

// Few letters, so that literals overlap.
TEST(GramTableTest, AgreesWithSearchingForEachLiteral) {
  for (std::uint64_t seed = 0; seed < 12; ++seed) {
    Random random(seed);
    const CaseRule rule = seed % 2 == 0 ? kSensitive : kInsensitive;
    const auto word = [&](std::size_t bytes_min, std::size_t bytes_max) {
      std::string text;
      for (auto n = bytes_min + random.Below(bytes_max - bytes_min + 1); n > 0; --n) text += "abAB/"[random.Below(5)];
      return text;
    };
    std::vector<GramTable::Keyed> literals;
    for (std::uint32_t i = 0; i < 40; ++i) {
      const auto text = word(2, 7);
      literals.push_back({.literal = rule == kInsensitive ? ToLowerAscii(text) : text, .values = {i}});
    }
    GramTable table(rule);
    const auto refused = table.Seal(literals, kSharedMax);
    for (int i = 0; i < 20; ++i) {
      const std::string text = word(0, 30);
      std::vector<std::uint32_t> found;
      for (const auto& list : Found(table, text)) {
        EXPECT_TRUE(std::ranges::is_sorted(list));
        found.insert(found.end(), list.begin(), list.end());
      }
      std::ranges::sort(found);
      EXPECT_TRUE(std::ranges::adjacent_find(found) == found.end());
      const std::string folded = rule == kInsensitive ? ToLowerAscii(text) : text;
      for (std::uint32_t k = 0; k < literals.size(); ++k) {
        const bool is_refused = std::ranges::binary_search(refused, k);
        const bool is_found = std::ranges::binary_search(found, k);
        EXPECT_FALSE(is_refused && is_found);
        EXPECT_TRUE(is_refused || is_found || !folded.contains(literals[k].literal)) << text << literals[k].literal;
      }
    }
  }
}

}  // namespace
}  // namespace weir::proxy
