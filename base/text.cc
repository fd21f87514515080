#include "base/text.h"

#include "base/text_writer.h"
#include "base/words.h"

#include <algorithm>
#include <charconv>
#include <vector>

namespace weir {

bool EqualsIgnoreCase(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (ToLowerAscii(a[i]) != ToLowerAscii(b[i])) return false;
  }
  return true;
}

std::string ToLowerAscii(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = ToLowerAscii(c);
  return out;
}

bool EqualsLower(std::string_view text, std::string_view lower) {
  const std::size_t size = text.size();
  if (size != lower.size()) return false;
  constexpr std::size_t kWord = sizeof(std::uint64_t);
  if (size < kWord) {
    for (std::size_t i = 0; i < size; ++i) {
      if (ToLowerAscii(text[i]) != lower[i]) return false;
    }
    return true;
  }
  const auto same = [&](std::size_t at) {
    return ToLowerWord(LoadWord(text.data() + at)) == LoadWord(lower.data() + at);
  };
  for (std::size_t at = 0; at + kWord <= size; at += kWord) {
    if (!same(at)) return false;
  }
  return same(size - kWord);  // the last bytes, some of them again
}

void AppendHex(std::string& out, std::uint64_t value, unsigned digits) {
  AppendWith(out, digits, [&](TextWriter& text) { text.PutHex(value, digits); });
}

void AppendDecimal(std::string& out, std::uint64_t value) {
  AppendWith(out, TextWriter::kDecimalBytesMax, [&](TextWriter& text) { text.PutDecimal(value); });
}

std::string_view TrimBlanks(std::string_view text) {
  constexpr std::string_view kBlanks = " \t\r\n";
  const std::size_t begin = text.find_first_not_of(kBlanks);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kBlanks) + 1 - begin);
}

std::optional<std::uint64_t> ParseDecimal(std::string_view text) {
  constexpr std::size_t kDigitsWithoutOverflow = 19;
  std::uint64_t value = 0;
  const char* const end = text.data() + text.size();
  if (text.size() > kDigitsWithoutOverflow) {
    // from_chars takes no sign for unsigned types and no leading white space.
    const auto [rest, error] = std::from_chars(text.data(), end, value);
    if (error != std::errc{} || rest != end) return std::nullopt;
    return value;
  }
  if (text.empty()) return std::nullopt;
  for (const char* at = text.data(); at != end; ++at) {
    const auto digit = static_cast<unsigned char>(*at - '0');
    if (digit > 9) return std::nullopt;
    value = value * 10 + digit;
  }
  return value;
}

namespace {

bool SameLetter(char a, char b) { return ToLowerAscii(a) == ToLowerAscii(b); }

// Insertions, deletions, replacements and swaps of neighbours that lead from `a` to `b` (optimal string alignment).
std::size_t EditDistance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> above(b.size() + 1);
  std::vector<std::size_t> row(b.size() + 1);
  std::vector<std::size_t> next(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    next[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = row[j - 1] + (SameLetter(a[i - 1], b[j - 1]) ? 0 : 1);
      next[j] = std::min({row[j] + 1, next[j - 1] + 1, replaced});
      const bool swapped = i > 1 && j > 1 && SameLetter(a[i - 1], b[j - 2]) && SameLetter(a[i - 2], b[j - 1]);
      if (swapped) next[j] = std::min(next[j], above[j - 2] + 1);
    }
    above.swap(row);
    row.swap(next);
  }
  return row[b.size()];
}

}  // namespace

std::string_view NearestWord(std::string_view word, std::span<const std::string_view> candidates) {
  std::size_t best = std::max<std::size_t>(1, word.size() / 3) + 1;
  std::string_view nearest;
  for (const std::string_view candidate : candidates) {
    const std::size_t distance = EditDistance(word, candidate);
    if (distance < best) {
      best = distance;
      nearest = candidate;
    }
  }
  return nearest;
}

}  // namespace weir
