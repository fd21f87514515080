#pragma once

#include "proxy/routing/gram_table.h"
#include "proxy/routing/text_pattern.h"

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace weir::proxy {

// Literals with a list of values for texts that equal them and one for texts that begin with them (or end with them,
// when built backwards). A lookup is one pass over the text: a rolling hash, probed at the lengths that occur.
class LiteralTable {
 public:
  enum class Direction : std::uint8_t { kForward, kBackward };
  struct Lists {
    std::vector<std::uint32_t> whole;
    std::vector<std::uint32_t> part;
  };

  LiteralTable(CaseRule case_rule, Direction direction) : case_rule_(case_rule), direction_(direction) {}
  // Keys are folded when case is ignored and reversed when the table is built backwards.
  void Seal(const std::map<std::string, Lists>& lists);
  [[nodiscard]] bool empty() const { return entries_.empty(); }

  template <class Visit>
  void Find(std::string_view text, Visit&& visit) const {
    std::uint64_t hash = kSeed;
    std::size_t position = 0;
    for (const std::uint32_t length : part_lengths_) {
      if (length > text.size()) break;  // what equals the whole text may still be known
      for (; position < length; ++position) hash = Step(hash, At(text, position));
      const Entry* entry = Lookup(hash, text, length);
      if (entry != nullptr && entry->part_size > 0)
        visit(Values(entry->whole_begin + entry->whole_size, entry->part_size));
    }
    if (text.size() < whole_length_min_ || text.size() > whole_length_max_) return;
    for (; position < text.size(); ++position) hash = Step(hash, At(text, position));
    const Entry* entry = Lookup(hash, text, text.size());
    if (entry != nullptr && entry->whole_size > 0) visit(Values(entry->whole_begin, entry->whole_size));
  }

 private:
  struct Entry {
    std::uint64_t hash = 0;
    std::uint32_t text_begin = 0;
    std::uint32_t text_size = 0;
    std::uint32_t whole_begin = 0;
    std::uint32_t whole_size = 0;
    std::uint32_t part_size = 0;  // its values follow the whole ones
  };
  static constexpr std::uint64_t kSeed = 0x2545F4914F6CDD1DULL;
  [[nodiscard]] static std::uint64_t Step(std::uint64_t hash, unsigned char byte) {
    return (hash ^ byte) * 0x9E3779B97F4A7C15ULL;
  }
  [[nodiscard]] unsigned char At(std::string_view text, std::size_t position) const {
    const char c = text[direction_ == Direction::kForward ? position : text.size() - 1 - position];
    const bool upper = case_rule_ == CaseRule::kInsensitive && c >= 'A' && c <= 'Z';
    return static_cast<unsigned char>(upper ? c + ('a' - 'A') : c);
  }
  [[nodiscard]] std::span<const std::uint32_t> Values(std::uint32_t begin, std::uint32_t size) const {
    return std::span<const std::uint32_t>(values_).subspan(begin, size);
  }
  [[nodiscard]] const Entry* Lookup(std::uint64_t hash, std::string_view text, std::size_t length) const;
  // True when `text`, read in the table's direction, begins with `literal`, which is not longer.
  [[nodiscard]] bool HasLiteral(std::string_view text, std::string_view literal) const;
  [[nodiscard]] std::size_t SlotOf(std::uint64_t hash) const { return (hash ^ (hash >> 32)) & (slots_.size() - 1); }

  CaseRule case_rule_;
  Direction direction_;
  std::string texts_;
  std::vector<Entry> entries_;
  std::vector<std::uint32_t> slots_;  // index into entries_ plus one; open addressing, a power of two
  std::vector<std::uint32_t> values_;
  std::vector<std::uint32_t> part_lengths_;  // ascending
  std::size_t whole_length_min_ = SIZE_MAX;
  std::size_t whole_length_max_ = 0;
};

struct RegexSet;  // hides RE2::Set

// Patterns with values, asked by text: which values may belong to a pattern that matches? Literal beginnings and ends
// are hashed; expressions that do not differ in their beginning are found by four bytes that their texts must contain,
// those without such bytes are joined into one automaton. So the cost hardly depends on how many patterns there are.
// Answers may hold values whose pattern does not match: the caller verifies. Filled once, sealed, then immutable.
// Thread: any (const) once sealed.
class TextIndex {
 public:
  explicit TextIndex(CaseRule case_rule);
  ~TextIndex();
  TextIndex(TextIndex&&) noexcept;
  TextIndex& operator=(TextIndex&&) noexcept;

  // Values of one pattern are added in ascending order. `pattern` outlives the index.
  void Add(const TextPattern& pattern, std::uint32_t value);
  // A value that is an answer to every text.
  void AddAny(std::uint32_t value);
  void Seal();

  // Calls `visit` with lists of values, each ascending. A value may come in several lists. Allocates only when more
  // than kRegexSetMin expressions are joined: no literal beginning that at most kRegexSetMin expressions share, and no
  // gram of a required literal that at most kRegexSetMin would be found by.
  template <class Visit>
  void Find(std::string_view text, Visit&& visit) const {
    if (!any_.empty()) visit(std::span<const std::uint32_t>(any_));
    if (!forward_.empty()) forward_.Find(text, visit);
    if (!backward_.empty()) backward_.Find(text, visit);
    if (!grams_.empty()) grams_.Find(text, visit);
    if (regexes_.empty()) return;
    std::vector<int> matching;
    if (regex_set_ != nullptr && FindRegexes(text, matching)) {
      for (const int id : matching)
        visit(std::span<const std::uint32_t>(regexes_[static_cast<std::size_t>(id)].values));
    } else {
      for (const auto& regex : regexes_) visit(std::span<const std::uint32_t>(regex.values));
    }
  }

  static constexpr std::size_t kRegexSetMin = 8;

 private:
  struct Regex {
    const TextPattern* pattern = nullptr;
    std::vector<std::uint32_t> values;
  };
  struct Building;
  // Gives each expression to the table of beginnings, to that of grams, or to regexes_.
  void PlaceExpressions();
  // Joins regexes_ when there are many.
  void JoinExpressions();
  // False when the automaton ran out of memory: every expression has to be tried then.
  [[nodiscard]] bool FindRegexes(std::string_view text, std::vector<int>& matching) const;

  CaseRule case_rule_;
  std::vector<std::uint32_t> any_;
  LiteralTable forward_;
  LiteralTable backward_;
  GramTable grams_;
  std::vector<Regex> regexes_;  // those that no table finds
  std::unique_ptr<RegexSet> regex_set_;
  std::unique_ptr<Building> building_;
};

}  // namespace weir::proxy
