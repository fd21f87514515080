#include "proxy/routing/text_index.h"

#include "tests/support/allocation_count.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace weir::proxy {
namespace {

using enum CaseRule;
using Values = std::vector<std::uint32_t>;

// An index with the patterns that it points to; the value of each expression is its position.
class ExpressionIndex {
 public:
  ExpressionIndex(const std::vector<std::string>& regexes, CaseRule case_rule) : index_(case_rule) {
    for (const auto& regex : regexes) {
      patterns_.push_back(TextPattern::Regex(regex, case_rule).value());
      index_.Add(patterns_.back(), static_cast<std::uint32_t>(patterns_.size() - 1));
    }
    index_.Seal();
  }

  [[nodiscard]] const TextIndex& operator*() const { return index_; }
  // Ascending.
  [[nodiscard]] Values Candidates(std::string_view text) const {
    Values all;
    index_.Find(text, [&](std::span<const std::uint32_t> values) {
      EXPECT_TRUE(std::ranges::is_sorted(values));
      all.insert(all.end(), values.begin(), values.end());
    });
    std::ranges::sort(all);
    return all;
  }

 private:
  std::deque<TextPattern> patterns_;
  TextIndex index_;
};

template <class Write>
std::vector<std::string> Regexes(std::uint32_t count, Write&& write) {
  std::vector<std::string> regexes;
  for (std::uint32_t i = 0; i < count; ++i) regexes.push_back(write(i));
  return regexes;
}

TEST(TextIndexTest, ALiteralBehindASharedBeginningLeavesOneCandidate) {
  const ExpressionIndex index(Regexes(1'000, [](auto i) { return fmt::format("^/v[0-9]+/app{:03}/[a-z]+$", i); }),
                              kSensitive);
  for (std::uint32_t i = 0; i < 1'000; i += 7)
    EXPECT_EQ(index.Candidates(fmt::format("/v12/app{:03}/cart", i)), Values{i});
  EXPECT_EQ(index.Candidates("/v12/shop/cart"), Values{});
}

TEST(TextIndexTest, AFewExpressionsAreFoundByTheBeginningThatTheyShare) {
  const auto write = [](auto i) { return fmt::format("^/shop/[a-z]+/item-{}$", i); };
  const ExpressionIndex few(Regexes(TextIndex::kRegexSetMin, write), kSensitive);
  EXPECT_EQ(few.Candidates("/shop/cart/item-3"), (Values{0, 1, 2, 3, 4, 5, 6, 7}));
  const ExpressionIndex many(Regexes(TextIndex::kRegexSetMin + 1, write), kSensitive);
  EXPECT_EQ(many.Candidates("/shop/cart/item-3"), Values{3});
}

TEST(TextIndexTest, LiteralsOfHostsAreFoundInAnyCase) {
  const ExpressionIndex index(Regexes(100, [](auto i) { return fmt::format("[a-z]+\\.Tenant{:02}\\.test", i); }),
                              kInsensitive);
  EXPECT_EQ(index.Candidates("www.tENANT42.TEST"), Values{42});
}

TEST(TextIndexTest, ExpressionsThatNoGramTellsApartAreJoined) {
  const ExpressionIndex shared(Regexes(100, [](auto i) { return fmt::format("/item/[a-z]+/k{}$", i); }), kSensitive);
  EXPECT_EQ(shared.Candidates("/item/shop/k42"), Values{42});
  const ExpressionIndex without(Regexes(100, [](auto i) { return fmt::format("^/v[0-9]+/{}$", i); }), kSensitive);
  EXPECT_EQ(without.Candidates("/v1/42"), Values{42});
}

TEST(TextIndexTest, FindAllocatesNothingWhenTablesFindEveryExpression) {
  std::vector<std::string> regexes = Regexes(500, [](auto i) { return fmt::format("^/v[0-9]+/app{:03}/[a-z]+$", i); });
  for (const auto& regex : Regexes(500, [](auto i) { return fmt::format("^/svc{}/[a-z]+$", i); }))
    regexes.push_back(regex);
  const ExpressionIndex index(regexes, kSensitive);
  const std::string text = "/v12/app123/" + std::string(2'000, 'a');
  std::size_t found = 0;
  const auto before = weir::testing::AllocationCount();
  (*index).Find(text, [&](std::span<const std::uint32_t> values) { found += values.size(); });
  (*index).Find("/svc42/cart", [&](std::span<const std::uint32_t> values) { found += values.size(); });
  EXPECT_EQ(weir::testing::AllocationCount(), before);
  EXPECT_EQ(found, 2U);
  EXPECT_EQ(index.Candidates(text), Values{123});
  EXPECT_GT(weir::testing::AllocationCount(), before) << "allocations are counted";
}

}  // namespace
}  // namespace weir::proxy
