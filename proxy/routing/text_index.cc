#include "proxy/routing/text_index.h"

#include "base/check.h"
#include "base/text.h"
#include "proxy/routing/regex_literals.h"

#include <re2/re2.h>
#include <re2/set.h>

#include <algorithm>
#include <bit>
#include <cstddef>
#include <set>
#include <utility>

namespace weir::proxy {

namespace {

// For the joined automaton of one index: its program and the states it remembers.
constexpr std::int64_t kRegexSetBytesMax = 16 << 20;

re2::RE2::Options SetOptions(CaseRule case_rule) {
  re2::RE2::Options options;
  options.set_log_errors(false);
  options.set_case_sensitive(case_rule == CaseRule::kSensitive);
  options.set_max_mem(kRegexSetBytesMax);
  options.set_never_capture(true);
  return options;
}

}  // namespace

// ---- LiteralTable

void LiteralTable::Seal(const std::map<std::string, Lists>& lists) {
  std::set<std::uint32_t> part_lengths;
  entries_.reserve(lists.size());
  for (const auto& [literal, values] : lists) {
    Entry entry;
    entry.hash = kSeed;
    for (const char c : literal) entry.hash = Step(entry.hash, static_cast<unsigned char>(c));
    entry.text_begin = static_cast<std::uint32_t>(texts_.size());
    entry.text_size = static_cast<std::uint32_t>(literal.size());
    entry.whole_begin = static_cast<std::uint32_t>(values_.size());
    entry.whole_size = static_cast<std::uint32_t>(values.whole.size());
    entry.part_size = static_cast<std::uint32_t>(values.part.size());
    texts_ += literal;
    values_.insert(values_.end(), values.whole.begin(), values.whole.end());
    values_.insert(values_.end(), values.part.begin(), values.part.end());
    if (entry.part_size > 0) part_lengths.insert(entry.text_size);
    if (entry.whole_size > 0) {
      whole_length_min_ = std::min(whole_length_min_, literal.size());
      whole_length_max_ = std::max(whole_length_max_, literal.size());
    }
    entries_.push_back(entry);
  }
  part_lengths_.assign(part_lengths.begin(), part_lengths.end());
  texts_.shrink_to_fit();
  values_.shrink_to_fit();
  slots_.assign(std::bit_ceil(entries_.size() * 2 + 1), 0);
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    std::size_t slot = SlotOf(entries_[i].hash);
    while (slots_[slot] != 0) slot = (slot + 1) & (slots_.size() - 1);
    slots_[slot] = static_cast<std::uint32_t>(i + 1);
  }
}

const LiteralTable::Entry* LiteralTable::Lookup(std::uint64_t hash, std::string_view text, std::size_t length) const {
  for (std::size_t slot = SlotOf(hash); slots_[slot] != 0; slot = (slot + 1) & (slots_.size() - 1)) {
    const Entry& entry = entries_[slots_[slot] - 1];
    if (entry.hash != hash || entry.text_size != length) continue;
    const std::string_view literal = std::string_view(texts_).substr(entry.text_begin, entry.text_size);
    if (HasLiteral(text, literal)) return &entry;
  }
  return nullptr;
}

bool LiteralTable::HasLiteral(std::string_view text, std::string_view literal) const {
  if (direction_ == Direction::kForward) {
    const std::string_view begin = text.substr(0, literal.size());
    return case_rule_ == CaseRule::kSensitive ? begin == literal : EqualsLower(begin, literal);
  }
  for (std::size_t i = 0; i < literal.size(); ++i) {
    if (At(text, i) != static_cast<unsigned char>(literal[i])) return false;
  }
  return true;
}

// ---- TextIndex

struct RegexSet {
  RegexSet(const re2::RE2::Options& options) : set(options, re2::RE2::UNANCHORED) {}
  re2::RE2::Set set;
};

struct TextIndex::Building {
  std::map<std::string, LiteralTable::Lists> forward;
  std::map<std::string, LiteralTable::Lists> backward;
  std::map<std::string_view, Regex> regexes;  // by source; the patterns outlive the index
};

TextIndex::TextIndex(CaseRule case_rule)
    : case_rule_(case_rule),
      forward_(case_rule, LiteralTable::Direction::kForward),
      backward_(case_rule, LiteralTable::Direction::kBackward),
      grams_(case_rule),
      building_(std::make_unique<Building>()) {}
TextIndex::~TextIndex() = default;
TextIndex::TextIndex(TextIndex&&) noexcept = default;
TextIndex& TextIndex::operator=(TextIndex&&) noexcept = default;

namespace {

void Append(std::vector<std::uint32_t>& values, std::uint32_t value) {
  // Two values of one condition may share a literal.
  if (values.empty() || values.back() != value) values.push_back(value);
}

void Merge(std::vector<std::uint32_t>& values, std::span<const std::uint32_t> more) {
  values.insert(values.end(), more.begin(), more.end());
  std::ranges::sort(values);
  const auto rest = std::ranges::unique(values);
  values.erase(rest.begin(), rest.end());
}

std::string Reversed(std::string_view text) { return {text.rbegin(), text.rend()}; }

}  // namespace

void TextIndex::AddAny(std::uint32_t value) { Append(any_, value); }

void TextIndex::Add(const TextPattern& pattern, std::uint32_t value) {
  using enum TextPattern::Shape;
  WEIR_CHECK(building_ != nullptr && pattern.case_rule() == case_rule_);
  if (pattern.shape() == kNever) return;
  if (pattern.is_regex()) {
    Regex& regex = building_->regexes[pattern.source()];
    regex.pattern = &pattern;
    return Append(regex.values, value);
  }
  const auto prefix = pattern.literal_prefix();
  const auto suffix = pattern.literal_suffix();
  if (pattern.shape() == kExact) return Append(building_->forward[std::string(prefix)].whole, value);
  if (prefix.empty() && suffix.empty()) return AddAny(value);
  if (prefix.size() >= suffix.size()) return Append(building_->forward[std::string(prefix)].part, value);
  Append(building_->backward[Reversed(suffix)].part, value);
}

void TextIndex::PlaceExpressions() {
  std::map<std::string_view, std::size_t> sharers;  // of each beginning
  for (const auto& [source, regex] : building_->regexes) ++sharers[regex.pattern->literal_prefix()];
  std::vector<GramTable::Keyed> keyed;
  std::vector<const TextPattern*> patterns;
  for (auto& [source, regex] : building_->regexes) {
    const auto prefix = regex.pattern->literal_prefix();
    if (!prefix.empty() && sharers[prefix] <= kRegexSetMin) {
      Merge(building_->forward[std::string(prefix)].part, regex.values);
    } else {
      patterns.push_back(regex.pattern);
      keyed.push_back({.literal = RequiredLiteralOf(source, case_rule_), .values = std::move(regex.values)});
    }
  }
  for (const std::size_t i : grams_.Seal(keyed, kRegexSetMin))
    regexes_.push_back({.pattern = patterns[i], .values = std::move(keyed[i].values)});
  regexes_.shrink_to_fit();
}

void TextIndex::JoinExpressions() {
  if (regexes_.size() <= kRegexSetMin) return;
  auto joined = std::make_unique<RegexSet>(SetOptions(case_rule_));
  for (const Regex& regex : regexes_) {
    const auto source = regex.pattern->source();
    if (joined->set.Add(re2::StringPiece(source.data(), source.size()), nullptr) < 0) return;
  }
  if (joined->set.Compile()) regex_set_ = std::move(joined);
}

void TextIndex::Seal() {
  WEIR_CHECK(building_ != nullptr);
  PlaceExpressions();
  forward_.Seal(building_->forward);
  backward_.Seal(building_->backward);
  building_.reset();
  any_.shrink_to_fit();
  JoinExpressions();
}

bool TextIndex::FindRegexes(std::string_view text, std::vector<int>& matching) const {
  // No expression matches a text with other bytes.
  if (!IsVisibleAscii(text)) return true;
  re2::RE2::Set::ErrorInfo error{};
  if (regex_set_->set.Match(re2::StringPiece(text.data(), text.size()), &matching, &error)) return true;
  matching.clear();
  return error.kind == re2::RE2::Set::kNoError;
}

}  // namespace weir::proxy
