#include "proxy/routing/matcher.h"

#include "base/random.h"
#include "proxy/routing/conditions.h"
#include "proxy/routing/explain.h"
#include "tests/proxy/routing/routing_models.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

namespace weir::proxy {
namespace {

using namespace weir::proxy::testing;

std::uint32_t MatchedPriority(const Listener& listener, const Request& request) {
  return listener.Match(*Facts(request)).priority;
}

TEST(RuleMatcherTest, FirstMatchingPriorityWins) {
  const auto table = BuildTable(MakeModel({MakeRule(5, {Host({"*.example.test"})}), MakeRule(10, {Path({"/*"})}),
                                           MakeRule(20, {Host({"shop.example.test"})})}));
  const Listener& listener = *table->listeners().front();
  EXPECT_EQ(MatchedPriority(listener, {.host = "shop.example.test", .path = "/x"}), 5U);
  EXPECT_EQ(MatchedPriority(listener, {.host = "shop.example.org", .path = "/x"}), 10U);
  EXPECT_EQ(MatchedPriority(listener, {.host = "shop.example.org", .path = "*"}), 0U);
}

TEST(RuleMatcherTest, RulesAreSortedWhateverTheirOrderInTheModel) {
  const auto table = BuildTable(MakeModel({MakeRule(30, {Path({"/a*"})}), MakeRule(10, {Path({"/ab"})})}));
  EXPECT_EQ(MatchedPriority(*table->listeners().front(), {.path = "/ab"}), 10U);
}

TEST(RuleMatcherTest, AListenerWithoutRulesTakesTheDefault) {
  const auto table = BuildTable(MakeModel({}));
  EXPECT_TRUE(table->listeners().front()->Match(*Facts({})).is_default());
}

// With this many rules they are found by an index: a short path beside longer prefixes.
TEST(RuleMatcherTest, AShortExactPathIsFoundBesideLongerPrefixes) {
  std::vector<config::Rule> rules;
  for (std::uint32_t i = 1; i <= 10; ++i) rules.push_back(MakeRule(i, {Path({fmt::format("/long/prefix/{}*", i)})}));
  rules.push_back(MakeRule(50, {Path({"/ping"})}));
  const auto table = BuildTable(MakeModel(std::move(rules)));
  EXPECT_EQ(MatchedPriority(*table->listeners().front(), {.path = "/ping"}), 50U);
}

// Few letters, so that patterns overlap and shadow each other.
class RandomListener {
 public:
  explicit RandomListener(std::uint64_t seed) : random_(seed) {}

  std::vector<config::Rule> Rules(std::size_t count) {
    std::vector<config::Rule> rules;
    for (std::size_t i = 0; i < count; ++i) {
      std::vector<config::Condition> conditions;
      if (random_.Below(3) != 0) conditions.push_back(HostCondition());
      if (random_.Below(4) != 0) conditions.push_back(PathCondition());
      if (random_.Below(4) == 0) conditions.push_back(Method({random_.Below(2) == 0 ? "GET" : "POST"}));
      if (random_.Below(5) == 0) conditions.push_back(Header("X-Letter", {Word(2), Word(1) + "*"}));
      if (random_.Below(5) == 0) conditions.push_back(Query({{Word(1), Word(1)}}));
      if (random_.Below(6) == 0) conditions.push_back(Source({"10.0.0.0/8"}));
      if (conditions.empty()) conditions.push_back(PathCondition());
      rules.push_back(MakeRule(static_cast<std::uint32_t>(i + 1), std::move(conditions)));
    }
    return rules;
  }

  Request AnyRequest() {
    return {.method = random_.Below(2) == 0 ? "GET" : "PUT",
            .host = fmt::format("{}.{}.test", Word(2), Word(1)),
            .path = fmt::format("/{}/{}", Word(2), Word(3)),
            .query = fmt::format("{}={}", Word(1), Word(1)),
            .headers = {{"x-letter", Word(2)}},
            .client = random_.Below(2) == 0 ? "10.1.2.3" : "2001:db8::1"};
  }

 private:
  std::string Word(std::size_t letters_max) {
    std::string word;
    for (auto n = 1 + random_.Below(letters_max); n > 0; --n) word += static_cast<char>('a' + random_.Below(3));
    return word;
  }
  config::Condition HostCondition() {
    switch (random_.Below(6)) {
      case 0:
        return Host({}, {fmt::format("^{}\\..*$", Word(2)), Word(2)});
      case 1:
        return Host({"*." + Word(1) + ".TEST"});
      case 2:
        return Host({Word(9) + ".*", "?" + Word(1) + ".*.test"});
      case 3:
        return Host({"*"});
      default:
        return Host({fmt::format("{}.{}.Test", Word(2), Word(1)), fmt::format("{}.{}.test", Word(1), Word(1))});
    }
  }
  config::Condition PathCondition() {
    switch (random_.Below(8)) {
      case 0:
        return Path({}, {fmt::format("^/{}+/[ab]", Word(2)), fmt::format("{}$", Word(3))});
      case 1:
        return Path({}, {fmt::format("{}/{}?", Word(2), Word(1)), fmt::format("[{}]c", Word(2))});
      case 2:
        return Path({"*" + Word(2)});
      case 3:
        // The longest are longer than any request's path.
        return Path({fmt::format("/{}/*", Word(2)), fmt::format("/{}/{}*", Word(1), Word(9))});
      case 4:
        return Path({fmt::format("/?{}*{}", Word(1), Word(1)), fmt::format("*{}?{}*", Word(1), Word(1))});
      case 5:
        return Path({"*"});
      default:
        return Path({fmt::format("/{}/{}", Word(2), Word(2)), fmt::format("/{}/{}", Word(2), Word(3))});
    }
  }

  Random random_;
};

std::uint32_t FirstByHand(const Listener& listener, const RequestFacts& facts) {
  for (const Rule& rule : listener.rules) {
    if (AllMatch(rule, facts)) return rule.priority;
  }
  return 0;
}

TEST(RuleMatcherTest, AgreesWithExplainAndWithAskingEveryRule) {
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    RandomListener random(seed);
    const std::size_t count = seed % 3 == 0 ? 6 : seed % 3 == 1 ? 40 : 300;
    const auto table = BuildTable(MakeModel(random.Rules(count)));
    const Listener& listener = *table->listeners().front();
    for (int i = 0; i < 150; ++i) {
      const Request request = random.AnyRequest();
      const Facts facts(request);
      const auto expected = FirstByHand(listener, *facts);
      ASSERT_EQ(listener.Match(*facts).priority, expected)
          << "seed " << seed << ": " << request.host << request.path << "?" << request.query;
      if (i % 10 == 0) {
        ASSERT_EQ(ExplainRequest(*table, listener, *facts, {}, nullptr).matched().priority, expected)
            << "seed " << seed;
      }
    }
  }
}

// Expressions of every kind that the index treats differently: with a beginning of their own or a shared one, with a
// literal inside or none, with literals that others hold, too.
class RandomExpressions {
 public:
  explicit RandomExpressions(std::uint64_t seed) : random_(seed) {}

  std::vector<config::Rule> Rules(std::size_t count) {
    std::vector<config::Rule> rules;
    for (std::size_t i = 0; i < count; ++i) {
      std::vector<config::Condition> conditions;
      if (random_.Below(4) == 0) conditions.push_back(Host({}, {HostExpression()}));
      if (random_.Below(5) == 0) {
        conditions.push_back(Path({fmt::format("/v1/app{}/*", Number())}, {PathExpression()}));
      } else {
        conditions.push_back(Path({}, {PathExpression(), PathExpression()}));
      }
      if (random_.Below(3) == 0) conditions.push_back(Method({random_.Below(2) == 0 ? "GET" : "POST"}));
      rules.push_back(MakeRule(static_cast<std::uint32_t>(i + 1), std::move(conditions)));
    }
    return rules;
  }

  Request AnyRequest() {
    std::string path;
    if (random_.Below(2) == 0) path = fmt::format("/v{}/app{}", Number(), Number());
    for (auto n = 1 + random_.Below(4); n > 0; --n) path += Segment();
    return {.method = random_.Below(2) == 0 ? "GET" : "PUT",
            .host = fmt::format("{}.{}{}.test", random_.Below(2) == 0 ? "www" : "API",
                                random_.Below(2) == 0 ? "tenant" : "Tenant", Number()),
            .path = std::move(path)};
  }

 private:
  std::uint64_t Number() { return random_.Below(24); }
  std::string Segment() {
    static constexpr const char* kWords[] = {"/app", "/item", "/k", "/APP", "/v", "/shop", ""};
    const char* word = kWords[random_.Below(std::size(kWords))];
    return random_.Below(4) == 0 ? fmt::format("{}/cart", word) : fmt::format("{}{}", word, Number());
  }
  std::string HostExpression() {
    switch (random_.Below(3)) {
      case 0:
        return fmt::format("[a-z]+\\.Tenant{}\\.test$", Number());
      case 1:
        return fmt::format("^(www|api)\\.tenant{}", Number());
      default:
        return "^www";
    }
  }
  std::string PathExpression() {
    switch (random_.Below(13)) {
      case 0:
      case 1:
      case 2:
        return fmt::format("^/v[0-9]+/app{}(/|$)", Number());
      case 3:
        return fmt::format("/item{}/[a-z]*", Number());
      case 4:
        return fmt::format("^/app{}/k[0-9]", Number());
      case 5:
        return fmt::format("^/(app|item)[0-9]+/shop{}$", Number());
      case 6:
        return fmt::format("/app{}/|/item{}$", Number(), Number());
      case 7:
        return fmt::format("(?i)/app{}/k", Number());
      case 8:
        return fmt::format("/item[0-9]/cart/k{}+$", Number());
      case 9:
        return fmt::format("/item[0-9]+.*/k{}$", Number());
      case 10:
        return fmt::format("/app{}{{1,2}}/cart", Number());
      case 11:
        return fmt::format("\\/k{}?\\d*/app", Number());
      default:
        return fmt::format("^/shop(/cart)?/item{}", Number());
    }
  }

  Random random_;
};

TEST(RuleMatcherTest, AgreesWithAskingEveryRuleOfExpressions) {
  int matches = 0;
  int requests = 0;
  for (std::uint64_t seed = 0; seed < 6; ++seed) {
    RandomExpressions random(seed);
    const auto table = BuildTable(MakeModel(random.Rules(seed % 3 == 0 ? 8 : seed % 3 == 1 ? 30 : 120)));
    const Listener& listener = *table->listeners().front();
    for (int i = 0; i < 40; ++i) {
      const Request request = random.AnyRequest();
      const Facts facts(request);
      const auto expected = FirstByHand(listener, *facts);
      ASSERT_EQ(listener.Match(*facts).priority, expected) << "seed " << seed << ": " << request.host << request.path;
      ++requests;
      if (expected != 0) ++matches;
    }
  }
  EXPECT_GT(matches, requests / 5) << "few requests match a rule";
  EXPECT_LT(matches, requests * 9 / 10) << "nearly every request matches a rule";
}

TEST(RuleMatcherTest, TenThousandRulesEachFindTheirOwn) {
  std::vector<config::Rule> rules;
  for (std::uint32_t i = 1; i <= 10'000; ++i) {
    rules.push_back(
        MakeRule(i, {Host({fmt::format("h{}.example.test", i % 100)}), Path({fmt::format("/svc{}/*", i)})}));
  }
  const auto model = MakeModel(std::move(rules));
  const auto table = BuildTable(model);
  const Listener& listener = *table->listeners().front();
  for (std::uint32_t i = 1; i <= 10'000; i += 37) {
    EXPECT_EQ(MatchedPriority(listener,
                              {.host = fmt::format("H{}.example.test", i % 100), .path = fmt::format("/svc{}/x", i)}),
              i);
  }
  EXPECT_EQ(MatchedPriority(listener, {.host = "h1.example.test", .path = "/svc2/x"}), 0U);
}

TEST(RuleMatcherTest, AThousandExpressionsEachFindTheirOwn) {
  std::vector<config::Rule> rules;
  for (std::uint32_t i = 1; i <= 1'000; ++i) {
    const auto regex = i % 2 == 0 ? fmt::format("^/svc{}/[0-9]+$", i) : fmt::format("/tail{}$", i);
    rules.push_back(MakeRule(i, {Path({}, {regex})}));
  }
  const auto table = BuildTable(MakeModel(std::move(rules)));
  const Listener& listener = *table->listeners().front();
  for (std::uint32_t i = 1; i <= 1'000; ++i) {
    const auto path = i % 2 == 0 ? fmt::format("/svc{}/42", i) : fmt::format("/a/b/tail{}", i);
    EXPECT_EQ(MatchedPriority(listener, {.path = path}), i);
  }
}

}  // namespace
}  // namespace weir::proxy
