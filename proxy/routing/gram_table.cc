#include "proxy/routing/gram_table.h"

#include "base/check.h"

#include <bit>
#include <map>
#include <unordered_map>
#include <utility>

namespace weir::proxy {

std::vector<std::uint32_t> GramTable::GramsOf(std::string_view literal) const {
  std::vector<std::uint32_t> grams;
  std::uint32_t gram = 0;
  for (std::size_t i = 0; i < literal.size(); ++i) {
    gram = Extend(gram, literal[i]);
    if (i + 1 >= kGramBytes) grams.push_back(gram);
  }
  std::ranges::sort(grams);
  const auto rest = std::ranges::unique(grams);
  grams.erase(rest.begin(), rest.end());
  return grams;
}

void GramTable::AddList(std::uint32_t gram, std::vector<std::uint32_t> values) {
  std::ranges::sort(values);
  const auto rest = std::ranges::unique(values);
  values_.insert(values_.end(), values.begin(), rest.begin());
  std::size_t slot = SlotOf(gram);
  while (slots_[slot].gram != 0) slot = (slot + 1) & (slots_.size() - 1);
  slots_[slot] = {.gram = gram, .list = static_cast<std::uint32_t>(list_count())};
  list_begins_.push_back(static_cast<std::uint32_t>(values_.size()));
}

std::vector<std::size_t> GramTable::Seal(std::span<const Keyed> literals, std::size_t shared_max) {
  WEIR_CHECK(empty());
  std::unordered_map<std::uint32_t, std::size_t> holders;
  for (const Keyed& keyed : literals) {
    for (const std::uint32_t gram : GramsOf(keyed.literal)) ++holders[gram];
  }

  std::vector<std::size_t> refused;
  std::map<std::uint32_t, std::vector<std::size_t>> chosen;  // gram to indexes of literals
  for (std::size_t i = 0; i < literals.size(); ++i) {
    const auto grams = GramsOf(literals[i].literal);
    if (grams.empty()) {
      refused.push_back(i);
    } else {
      chosen[*std::ranges::min_element(grams, {}, [&](std::uint32_t gram) { return holders.at(gram); })].push_back(i);
    }
  }
  std::size_t lists = 0;
  for (auto& [gram, indexes] : chosen) {
    if (indexes.size() <= shared_max && lists < kListsMax) {
      ++lists;
    } else {
      refused.insert(refused.end(), indexes.begin(), indexes.end());
      indexes.clear();
    }
  }
  std::ranges::sort(refused);
  if (lists == 0) return refused;

  slots_.resize(std::bit_ceil(lists * 2));
  list_begins_.reserve(lists + 1);
  list_begins_.push_back(0);
  for (const auto& [gram, indexes] : chosen) {
    if (indexes.empty()) continue;
    std::vector<std::uint32_t> values;
    for (const std::size_t index : indexes)
      values.insert(values.end(), literals[index].values.begin(), literals[index].values.end());
    AddList(gram, std::move(values));
  }
  values_.shrink_to_fit();
  return refused;
}

}  // namespace weir::proxy
