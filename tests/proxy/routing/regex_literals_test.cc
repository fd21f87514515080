#include "proxy/routing/regex_literals.h"

#include "base/random.h"
#include "base/text.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <iterator>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace weir::proxy {
namespace {

using enum CaseRule;

struct LiteralRow {
  const char* name;
  const char* regex;
  const char* literal;
  CaseRule case_rule = kSensitive;
};

TEST(RequiredLiteralTest, IsTheLongestRunThatEveryMatchContains) {
  const std::vector<LiteralRow> rows = {
      {"the run behind a class", "^/v[0-9]+/app999/[a-z]+$", "/app999/"},
      {"the first of equal runs", "abc.def", "abc"},
      {"the whole of a literal", "cart", "cart"},
      {"nothing", "", ""},
      {"lower case when case is ignored", "^API\\.[a-z]", "api.", kInsensitive},
      {"case is kept when it counts", "[a]ApI", "ApI"},
      {"dot", "ab.cde", "cde"},
      {"anchors inside", "ab$cde", "cde"},
      {"escaped punctuation", "a\\.b\\|c", "a.b|c"},
      {"escaped backslash", "[x]a\\\\b", "a\\b"},
      {"digit class", "ab\\dcde", "cde"},
      {"word boundary", "ab\\bcde", "cde"},
      {"hexadecimal escape stops", "ab\\x41cdef", "ab"},
      {"unicode class stops", "ab\\pNcdef", "ab"},
      {"any byte stops", "ab\\Ccdef", "ab"},
      {"escaped letter stops", "ab\\ncdef", "ab"},
      {"star takes the last", "abc*de", "ab"},
      {"question mark takes the last", "abc?de", "ab"},
      {"plus keeps the last and ends the run", "abc+d", "abc"},
      {"lazy star", "ab*?cde", "cde"},
      {"lazy plus", "ab+?cde", "cde"},
      {"lazy question mark", "ab??cde", "cde"},
      {"lazy count", "ab{2}?cde", "cde"},
      {"count", "ab{3}cde", "cde"},
      {"open count", "ab{0,}cde", "cde"},
      {"count between", "ab{0,12}cde", "cde"},
      {"brace that counts nothing stops", "abc{xdefgh", "ab"},
      {"brace without a lower bound stops", "abc{,3}defgh", "ab"},
      {"brace without an end stops", "abc{2", "ab"},
      {"brace behind a group that counts nothing stops", "ab(c){xdefgh", "ab"},
      {"closing brackets are literals", "a]b}c", "a]b}c"},
      {"star of an anchor", "ab^*cde", "cde"},
      {"group", "ab(cdefg)hij", "hij"},
      {"optional group", "ab(cdefg)?hij", "hij"},
      {"counted group", "ab(cdefg){0,2}hij", "hij"},
      {"group without capture", "ab(?:cdefg)hij", "hij"},
      {"named group", "ab(?P<name>cdefg)hij", "hij"},
      {"nested groups", "ab(c(d|e)[)]f\\)g)hij", "hij"},
      {"alternative in a group", "ab(cdef|ghij)", "ab"},
      {"alternative at the top", "abcd|abcde", ""},
      {"alternative at the end", "abcd|", ""},
      {"escaped bar", "ab\\|cd", "ab|cd"},
      {"bar in a class", "ab[|]cde", "cde"},
      {"flags at the beginning", "(?i)abcd", ""},
      {"flags inside", "abcd(?i)e", ""},
      {"flags of a group", "abcd(?i:e)", ""},
      {"flags in a group", "abcd(e(?i)f)", ""},
      {"quoting", "abcd\\Qe|f\\E", ""},
      {"bracket first in a class", "ab[](]cde", "cde"},
      {"bracket first in a negated class", "ab[^](]cde", "cde"},
      {"named class", "ab[[:alpha:](]cde", "cde"},
      {"escape in a class", "ab[\\](]cde", "cde"},
      {"bytes beyond visible ASCII end it", "ab\xc3\xa9*cde", "cde"},
      {"range to a bracket stops", "ab[+-[:]|cdef:]ghijk", ""},
      {"range to a bracket stops without a bar", "ab[+-[:]cdef:]ghijk", "ab"},
  };
  for (const auto& row : rows) {
    ASSERT_TRUE(TextPattern::Regex(row.regex, row.case_rule).has_value()) << row.name;
    EXPECT_EQ(RequiredLiteralOf(row.regex, row.case_rule), row.literal) << row.name << ": " << row.regex;
  }
}

// `[+-[:]` is a class of its own: what follows is an alternative, although it looks like a named class.
TEST(LiteralPrefixTest, ARangeToABracketHidesNoAlternative) {
  const auto pattern = TextPattern::Regex("^/a[+-[:]|b:]", kSensitive);
  ASSERT_TRUE(pattern.has_value());
  EXPECT_TRUE(pattern->Matches("b:]"));
  EXPECT_EQ(pattern->literal_prefix(), "");
}

// Flags and an empty quotation are no elements: what repeats behind them is the byte before.
TEST(LiteralPrefixTest, AQuantifierLooksThroughFlagsAndQuoting) {
  for (const char* regex : {"^/ab(?i)?/c", "^/ab(?i)*/c", "^/ab\\Q\\E?/c", "^/ab\\Q\\E*/c"}) {
    const auto pattern = TextPattern::Regex(regex, kSensitive);
    ASSERT_TRUE(pattern.has_value()) << regex;
    EXPECT_TRUE(pattern->Matches("/a/c")) << regex;
    EXPECT_EQ(pattern->literal_prefix(), "/a") << regex;
  }
}

// Writes an expression and, at the same time, a text that it was made to match.
class RandomExpression {
 public:
  struct Sample {
    std::string regex;
    std::string text;
  };

  explicit RandomExpression(std::uint64_t seed) : random_(seed) {}

  Sample Next() {
    Sample sample = Alternatives(2);
    if (random_.Below(4) == 0) {
      sample.regex.insert(0, "^");
    } else {
      sample.text.insert(0, Word());
    }
    if (random_.Below(4) == 0) {
      sample.regex += '$';
    } else {
      sample.text += Word();
    }
    return sample;
  }

  // The text with one byte taken out, repeated or put in another case: near the edge of what matches.
  std::string Changed(std::string text) {
    if (text.empty()) return text;
    const auto at = random_.Below(text.size());
    switch (random_.Below(3)) {
      case 0:
        text.erase(at, 1);
        break;
      case 1:
        text.insert(at, 1, text[at]);
        break;
      default:
        text[at] = static_cast<char>(text[at] >= 'a' && text[at] <= 'z' ? text[at] - 'a' + 'A' : text[at]);
    }
    return text;
  }

 private:
  std::string Word() {
    std::string word;
    for (auto n = random_.Below(4); n > 0; --n) word += static_cast<char>('a' + random_.Below(3));
    return word;
  }

  Sample Alternatives(int depth) {
    Sample sample = Sequence(depth);
    if (random_.Below(6) != 0) return sample;
    const Sample other = Sequence(depth);
    sample.regex += '|' + other.regex;
    return random_.Below(2) == 0 ? sample : Sample{.regex = sample.regex, .text = other.text};
  }

  Sample Sequence(int depth) {
    Sample sample;
    for (auto n = random_.Below(7); n > 0; --n) {
      const Sample part = Repeated(depth);
      sample.regex += part.regex;
      sample.text += part.text;
    }
    return sample;
  }

  Sample Repeated(int depth) {
    struct Quantifier {
      const char* text;
      std::uint64_t at_least;
      std::uint64_t at_most;
    };
    static constexpr Quantifier kQuantifiers[] = {{"*", 0, 3},    {"+", 1, 3},     {"?", 0, 1},  {"{2}", 2, 2},
                                                  {"{0,}", 0, 3}, {"{0,2}", 0, 2}, {"*?", 0, 3}, {"+?", 1, 3},
                                                  {"??", 0, 1},   {"{1,2}?", 1, 2}};
    Sample sample = Element(depth);
    if (random_.Below(3) != 0) return sample;
    const Quantifier& quantifier = kQuantifiers[random_.Below(std::size(kQuantifiers))];
    const std::string once = std::exchange(sample.text, {});
    sample.regex += quantifier.text;
    for (auto n = quantifier.at_least + random_.Below(quantifier.at_most - quantifier.at_least + 1); n > 0; --n) {
      sample.text += once;
    }
    return sample;
  }

  Sample Element(int depth) {
    static constexpr std::pair<const char*, const char*> kElements[] = {
        {".", "c"},
        {"[ab]", "a"},
        {"[^a]", "b"},
        {"[](|]", "("},
        {"[^]b]", "c"},
        {"[[:alpha:](]", "("},
        {"[\\]|)]", "|"},
        {"[+-[:]", ":"},
        {"[\\d-]", "7"},
        {"\\d", "7"},
        {"\\w", "b"},
        {"\\S", "c"},
        {"\\.", "."},
        {"\\|", "|"},
        {"\\(", "("},
        {"\\\\", "\\"},
        {"\\*", "*"},
        {"\\x61", "a"},
        {"\\pL", "a"},
        {"\\x{62}", "b"},
        {"\\Qa|b\\E", "a|b"},
        {"\\Q\\E", ""},
        {"(?i)", ""},
        {"(?i:a)", "A"},
        {"]", "]"},
        {"}", "}"},
        {"{x", "{x"},
        {"\\b", ""},
        {"[[:^digit:]a]", "a"},
        {"[a-c[:]", "["},
        {"^", ""},
    };
    const auto choice = random_.Below(10);
    if (choice == 0 && depth > 0) {
      static constexpr const char* kOpenings[] = {"(", "(?:", "(?P<n>"};
      // The same name twice is not valid.
      const char* opening = kOpenings[random_.Below(named_++ == 0 ? 3 : 2)];
      const Sample inner = Alternatives(depth - 1);
      return {.regex = opening + inner.regex + ')', .text = inner.text};
    }
    if (choice < 3) {
      const auto& [regex, text] = kElements[random_.Below(std::size(kElements))];
      return {.regex = regex, .text = text};
    }
    const std::string letter(1, static_cast<char>((random_.Below(4) == 0 ? 'A' : 'a') + random_.Below(3)));
    return {.regex = letter, .text = letter};
  }

  Random random_;
  int named_ = 0;
};

struct Tally {
  int matches = 0;
  int with_literal = 0;  // of the matches, those whose expression has a literal
};

void ExpectLiteralsIn(const std::string& regex, const std::string& text, CaseRule case_rule, Tally& tally) {
  const auto pattern = TextPattern::Regex(regex, case_rule);
  if (!pattern || !pattern->Matches(text)) return;
  const std::string folded = case_rule == kInsensitive ? ToLowerAscii(text) : text;
  const std::string required = RequiredLiteralOf(regex, case_rule);
  ASSERT_TRUE(folded.contains(required)) << regex << " matches " << text << " without " << required;
  ASSERT_TRUE(folded.starts_with(LiteralPrefixOf(regex, case_rule))) << regex << " matches " << text;
  ++tally.matches;
  if (!required.empty()) ++tally.with_literal;
}

TEST(RequiredLiteralTest, IsInEveryTextThatRandomExpressionsMatch) {
  constexpr int kExpressions = 200;
  Tally tally;
  for (std::uint64_t seed = 0; seed < kExpressions; ++seed) {
    RandomExpression random(seed);
    const auto sample = random.Next();
    const CaseRule case_rule = seed % 2 == 0 ? kSensitive : kInsensitive;
    ASSERT_NO_FATAL_FAILURE(ExpectLiteralsIn(sample.regex, sample.text, case_rule, tally)) << "seed " << seed;
    ASSERT_NO_FATAL_FAILURE(ExpectLiteralsIn(sample.regex, random.Changed(sample.text), case_rule, tally))
        << "seed " << seed;
  }
  EXPECT_GT(tally.matches, kExpressions * 3 / 4);
  EXPECT_GT(tally.with_literal, kExpressions / 4);
}

}  // namespace
}  // namespace weir::proxy
