#pragma once

#include "proxy/routing/text_pattern.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace weir::proxy {

// Literals with values, found anywhere in a text: each literal is known by one gram, four bytes of it that few others
// hold, so a text is read once, one lookup for each of its positions. A gram says less than its literal: the caller
// verifies. Owned by a TextIndex; filled once, then immutable. Thread: any (const) once sealed.
class GramTable {
 public:
  struct Keyed {
    std::string literal;  // visible ASCII; in lower case when case is ignored
    std::vector<std::uint32_t> values;
  };

  static constexpr std::size_t kGramBytes = 4;
  // Lists of values. Our choice: what a lookup remembers of them fits into 2 KiB of stack.
  static constexpr std::size_t kListsMax = 16'384;

  explicit GramTable(CaseRule case_rule) : case_rule_(case_rule) {}

  // Called once. Takes each literal by its gram that the fewest of `literals` hold. Returns the indexes, ascending, of
  // those that it did not take: shorter than a gram, with a gram that more than `shared_max` would be found by, or
  // beyond kListsMax.
  [[nodiscard]] std::vector<std::size_t> Seal(std::span<const Keyed> literals, std::size_t shared_max);
  [[nodiscard]] bool empty() const { return slots_.empty(); }

  // Calls `visit` once with the values, ascending, of each gram that `text` holds, however often it holds it. Linear in
  // the length of the text, allocates nothing.
  template <class Visit>
  void Find(std::string_view text, Visit&& visit) const {
    if (empty() || text.size() < kGramBytes) return;
    SeenLists seen(list_count());
    std::uint32_t gram = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
      gram = Extend(gram, text[i]);
      if (i + 1 < kGramBytes) continue;
      const std::uint32_t list = Lookup(gram);
      if (list != kNoList && seen.Add(list)) visit(Values(list));
    }
  }

 private:
  struct Slot {
    std::uint32_t gram = 0;  // 0 is none: literals hold no such bytes
    std::uint32_t list = 0;
  };
  static constexpr std::uint32_t kNoList = UINT32_MAX;

  // A text made of one gram over and over must not have its rules tried over and over.
  class SeenLists {
   public:
    explicit SeenLists(std::size_t lists) { std::fill_n(words_.begin(), (lists + 63) / 64, std::uint64_t{0}); }
    // False when it was added before.
    [[nodiscard]] bool Add(std::uint32_t list) {
      std::uint64_t& word = words_[list / 64];
      const std::uint64_t bit = std::uint64_t{1} << (list % 64);
      const bool is_new = (word & bit) == 0;
      word |= bit;
      return is_new;
    }

   private:
    std::array<std::uint64_t, kListsMax / 64> words_;  // only those that are needed are set
  };

  [[nodiscard]] std::uint32_t Extend(std::uint32_t gram, char c) const {
    const bool upper = case_rule_ == CaseRule::kInsensitive && c >= 'A' && c <= 'Z';
    return (gram << 8) | static_cast<unsigned char>(upper ? c + ('a' - 'A') : c);
  }
  [[nodiscard]] std::size_t SlotOf(std::uint32_t gram) const {
    return ((gram * 0x9E3779B97F4A7C15ULL) >> 32) & (slots_.size() - 1);
  }
  [[nodiscard]] std::uint32_t Lookup(std::uint32_t gram) const {
    for (std::size_t slot = SlotOf(gram); slots_[slot].gram != 0; slot = (slot + 1) & (slots_.size() - 1)) {
      if (slots_[slot].gram == gram) return slots_[slot].list;
    }
    return kNoList;
  }
  [[nodiscard]] std::size_t list_count() const { return list_begins_.size() - 1; }
  [[nodiscard]] std::span<const std::uint32_t> Values(std::uint32_t list) const {
    const std::size_t begin = list_begins_[list];
    return std::span<const std::uint32_t>(values_).subspan(begin, list_begins_[list + 1] - begin);
  }
  [[nodiscard]] std::vector<std::uint32_t> GramsOf(std::string_view literal) const;
  void AddList(std::uint32_t gram, std::vector<std::uint32_t> values);

  CaseRule case_rule_;
  std::vector<Slot> slots_;  // open addressing, a power of two, at most half full
  std::vector<std::uint32_t> values_;
  std::vector<std::uint32_t> list_begins_;  // into values_; one more than there are lists
};

}  // namespace weir::proxy
