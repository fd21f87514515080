#include "proxy/routing/text_pattern.h"

#include "base/random.h"

#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

namespace weir::proxy {
namespace {

using enum CaseRule;

struct GlobRow {
  const char* name;
  const char* pattern;
  const char* text;
  bool matches;
  CaseRule case_rule = kSensitive;
  EscapeRule escape_rule = EscapeRule::kNone;
};

TEST(TextPatternTest, WildcardsCoverTheWholeText) {
  const std::vector<GlobRow> rows = {
      {"alb.md 4.2 star covers a label", "*.example.com", "test.example.com", true, kInsensitive},
      {"alb.md 4.2 star needs the dot", "*.example.com", "example.com", false, kInsensitive},
      {"alb.md 4.2 host in any case", "*.Example.COM", "TEST.eXample.com", true, kInsensitive},
      {"alb.md 4.4 star crosses dots", "*.example.com", "a.b.example.com", true, kInsensitive},
      {"alb.md 4.4 star crosses slashes", "/img/*/pics", "/img/a/b/c/pics", true},
      {"alb.md 4.4 whole value", "/img/*/pics", "/img/a/pics/more", false},
      {"star matches nothing too", "/img/*", "/img/", true},
      {"question mark is exactly one", "/a?c", "/abc", true},
      {"question mark is not none", "/a?c", "/ac", false},
      {"question mark is not two", "/a?c", "/abbc", false},
      {"question mark covers a slash", "/a?c", "/a/c", true},
      {"path case counts", "/Cart", "/cart", false},
      {"exact", "/cart", "/cart", true},
      {"exact is not a prefix", "/cart", "/cart/", false},
      {"suffix", "*.jpg", "/a/b.jpg", true},
      {"suffix does not continue", "*.jpg", "/a/b.jpg2", false},
      {"two stars", "/a/*/b/*", "/a/1/b/2", true},
      {"middle needs order", "*ab*cd*", "xcdxab", false},
      {"overlap of head and tail", "aba*aba", "aba", false},
      {"overlap of head and tail holds when long enough", "aba*aba", "abaaba", true},
      {"floating question mark", "*a?c*", "xxabcxx", true},
      {"floating question mark fails", "*a?c*", "xxacxx", false},
      {"floating question mark in any case", "*A?c*", "xxaBCxx", true, kInsensitive},
      {"only stars", "***", "anything", true},
      {"star and empty text", "*", "", true},
      {"question mark and empty text", "?", "", false},
      {"dots are literal", "/a.b", "/axb", false},
      {"regex marks are literal", "/a+(b)*", "/a+(b)c", true},
      {"backslash without escapes is literal", "a\\*", "a\\bc", true},
      {"escaped star", "a\\*b", "a*b", true, kInsensitive, EscapeRule::kBackslash},
      {"escaped star is no wildcard", "a\\*b", "axb", false, kInsensitive, EscapeRule::kBackslash},
      {"escaped question mark", "a\\?", "a?", true, kInsensitive, EscapeRule::kBackslash},
      {"other backslashes stay", "a\\b", "a\\b", true, kInsensitive, EscapeRule::kBackslash},
      {"final backslash stays", "a\\", "a\\", true, kInsensitive, EscapeRule::kBackslash},
      {"alb.md 4.1 control characters do not match", "*", "a\tb", false},
      {"alb.md 4.1 DEL does not match", "/a*", "/a\x7f", false},
      {"alb.md 4.1 non-ASCII does not match", "/a*", "/a\xc3\xa9", false},
      {"a pattern that no text can match", "/\xc3\xa9", "/\xc3\xa9", false},
  };
  for (const auto& row : rows) {
    const auto pattern = TextPattern::Glob(row.pattern, row.case_rule, row.escape_rule);
    EXPECT_EQ(pattern.Matches(row.text), row.matches) << row.name;
  }
}

struct RegexRow {
  const char* name;
  const char* pattern;
  const char* text;
  bool matches;
  CaseRule case_rule = kSensitive;
};

TEST(TextPatternTest, RegularExpressionsSearch) {
  const std::vector<RegexRow> rows = {
      {"anchored as AWS writes them", "^/api/v[0-9]+/.*$", "/api/v12/x", true},
      {"anchored at the end", "^/api/v[0-9]+$", "/api/v12/x", false},
      {"alb.md 4.1 the header example", ".+", "x", true},
      {"the header example needs a character", ".+", "", false},
      {"unanchored finds inside", "cart", "/shop/cart/1", true},
      {"path case counts", "^/Api", "/api", false},
      {"host case is ignored", "^API\\.", "api.example.test", true, kInsensitive},
      {"only visible ASCII", "^/a", "/a\xc3\xa9", false},
  };
  for (const auto& row : rows) {
    const auto pattern = TextPattern::Regex(row.pattern, row.case_rule);
    ASSERT_TRUE(pattern.has_value()) << row.name;
    EXPECT_EQ(pattern->Matches(row.text), row.matches) << row.name;
  }
}

TEST(TextPatternTest, RefusesWhatRe2Refuses) {
  for (const char* text : {"(", "a(?=b)", "(?<!a)b", "(a)\\1", "a++", "[z-a]", "a{5000}"}) {
    const auto pattern = TextPattern::Regex(text, kSensitive);
    ASSERT_FALSE(pattern.has_value()) << text;
    EXPECT_TRUE(pattern.error().message.contains(text));
    EXPECT_TRUE(pattern.error().hint.contains("RE2"));
  }
}

struct PrefixRow {
  const char* name;
  const char* pattern;
  const char* prefix;
};

TEST(TextPatternTest, KnowsTheLiteralBeginningOfAnExpression) {
  const std::vector<PrefixRow> rows = {
      {"up to a class", "^/api/v[0-9]", "/api/v"},
      {"unanchored", "/api/", ""},
      {"escaped dot", "^/a\\.b/.*", "/a.b/"},
      {"escape class ends it", "^/a\\d", "/a"},
      {"star takes the last back", "^/ab*", "/a"},
      {"question mark takes the last back", "^/ab?", "/a"},
      {"count takes the last back", "^/ab{0,2}", "/a"},
      {"plus keeps it", "^/ab+", "/ab"},
      {"alternative at the top", "^/a|/b", ""},
      {"alternative in a group", "^/a(b|c)", "/a"},
      {"alternative in a class", "^/a[|]", "/a"},
      {"bracket inside a class", "^/a[](]|b", ""},
      {"named class", "^/a[[:alpha:](]|b", ""},
      {"escaped bar", "^/a\\|b", "/a|b"},
      {"quoting", "^/a\\Q|\\E", ""},
      {"end of text", "^/a$", "/a"},
      {"group of flags", "(?i)^/a", ""},
  };
  for (const auto& row : rows) {
    const auto pattern = TextPattern::Regex(row.pattern, kSensitive);
    ASSERT_TRUE(pattern.has_value()) << row.name;
    EXPECT_EQ(pattern->literal_prefix(), row.prefix) << row.name;
  }
}

// The textbook recursion, to compare with.
bool MatchesSlowly(std::string_view pattern, std::string_view text) {
  if (pattern.empty()) return text.empty();
  if (pattern.front() == '*') {
    return MatchesSlowly(pattern.substr(1), text) || (!text.empty() && MatchesSlowly(pattern, text.substr(1)));
  }
  if (text.empty()) return false;
  return (pattern.front() == '?' || pattern.front() == text.front()) &&
         MatchesSlowly(pattern.substr(1), text.substr(1));
}

TEST(TextPatternTest, AgreesWithTheTextbookOnRandomPatterns) {
  Random random(7);
  const std::string_view letters = "ab*?*ab";
  for (int i = 0; i < 20'000; ++i) {
    std::string pattern;
    std::string text;
    for (auto n = random.Below(8); n > 0; --n) pattern += letters[random.Below(letters.size())];
    for (auto n = random.Below(10); n > 0; --n) text += letters[random.Below(2)];
    const auto compiled = TextPattern::Glob(pattern, kSensitive);
    ASSERT_EQ(compiled.Matches(text), MatchesSlowly(pattern, text)) << pattern << " against " << text;
    ASSERT_EQ(TextPattern::Glob(pattern, kInsensitive).Matches(text), MatchesSlowly(pattern, text)) << pattern;
    if (compiled.Matches(text)) {
      ASSERT_TRUE(text.starts_with(compiled.literal_prefix())) << pattern;
      ASSERT_TRUE(text.ends_with(compiled.literal_suffix())) << pattern;
    }
  }
}

TEST(TextPatternTest, StaysLinearOnPatternsMadeToBacktrack) {
  const std::string text(16'000, 'a');
  std::string many;
  for (int i = 0; i < 100; ++i) many += "*a*a?a";
  for (const std::string& pattern : {std::string("*") + std::string(400, 'a') + "b*", many + "b",
                                     "*" + std::string(200, 'a') + "?" + std::string(200, 'a') + "b*"}) {
    for (const CaseRule rule : {kSensitive, kInsensitive}) {
      const auto compiled = TextPattern::Glob(pattern, rule);
      const auto begin = std::chrono::steady_clock::now();
      EXPECT_FALSE(compiled.Matches(text));
      EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(2));
    }
  }
}

}  // namespace
}  // namespace weir::proxy
