// Findings say what is wrong where it is, once, and in the words of the file.

#include "tests/config/load_text.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

namespace weir::config {
namespace {

std::size_t LinesOf(const std::string& findings) {
  return static_cast<std::size_t>(std::ranges::count(findings, '\n'));
}

std::string Forwarding(std::string_view group, std::string_view groups) {
  return std::string("load-balancers: [{name: lb, listeners: [{port: 80, default-actions: [{forward: {target-group: ")
      .append(group)
      .append("}}]}]}]\ntarget-groups: ")
      .append(groups)
      .append("\n");
}

TEST(CheckSmallTest, SwappedLettersAreOneSlip) {
  const std::string found = FindingsOf(Forwarding("bleu", "[{name: blue, targets: [{address: 127.0.0.1, port: 1}]}]"));
  EXPECT_NE(found.find("no target group is named `bleu`; did you mean `blue`?"), std::string::npos) << found;
}

TEST(CheckSmallTest, AGroupThatAMisspeltReferenceMayMeanIsNotCalledUnused) {
  const std::string groups =
      "[{name: blue, targets: [{address: 127.0.0.1, port: 1}]}, {name: other, targets: [{address: 127.0.0.1, port: "
      "2}]}]";
  const std::string found = FindingsOf(Forwarding("bleu", groups));
  EXPECT_EQ(found.find("no rule forwards to target group `blue`"), std::string::npos) << found;
  EXPECT_NE(found.find("no rule forwards to target group `other`"), std::string::npos) << found;
}

TEST(CheckSmallTest, AGroupThatAnUnreadableActionMayMeanIsNotCalledUnused) {
  const std::string found = FindingsOf(
      "load-balancers: [{name: lb, listeners: [{port: 80, default-actions: [{forwrd: {target-group: a}}]}]}]\n"
      "target-groups: [{name: a, targets: [{address: 127.0.0.1, port: 1}]}]\n");
  EXPECT_NE(found.find("did you mean `forward`?"), std::string::npos) << found;
  EXPECT_EQ(LinesOf(found), 1U) << found;
}

TEST(CheckSmallTest, ANameThatCannotBeReadMakesNoDanglingReference) {
  const std::string found = FindingsOf(Forwarding("blue", "[{nmae: blue, targets: [{address: 127.0.0.1, port: 1}]}]"));
  EXPECT_EQ(found.find("no target group is named"), std::string::npos) << found;
}

TEST(CheckSmallTest, AConditionThatCannotBeReadMakesNoRuleThatTakesEverything) {
  const std::string found =
      FindingsOf(WithRules("          - {priority: 1, conditions: [{path-patern: [/a]}], actions: [{forward: "
                           "{target-group: blue}}]}\n"
                           "          - {priority: 2, conditions: [{path-pattern: [/b]}], actions: [{forward: "
                           "{target-group: blue}}]}\n"));
  EXPECT_NE(found.find("did you mean `path-pattern`?"), std::string::npos) << found;
  EXPECT_EQ(found.find("can never match"), std::string::npos) << found;
}

TEST(CheckSmallTest, AMissingListOfActionsIsReportedOnce) {
  const std::string found = FindingsOf("load-balancers: [{name: lb, listeners: [{port: 80}]}]\n");
  EXPECT_NE(found.find("listener without `default-actions`"), std::string::npos) << found;
  EXPECT_EQ(LinesOf(found), 1U) << found;
}

TEST(CheckSmallTest, AnAddressThatCannotBeReadCollidesWithNothing) {
  const std::string found = FindingsOf(
      "load-balancers:\n"
      "  - {name: a, addresses: [localhost], listeners: [{port: 80, default-actions: [{fixed-response: {status-code: "
      "404}}]}]}\n"
      "  - {name: b, addresses: [localhost], listeners: [{port: 80, default-actions: [{fixed-response: {status-code: "
      "404}}]}]}\n"
      "  - {name: c, listeners: [{port: 65616, default-actions: [{fixed-response: {status-code: 404}}]}]}\n"
      "  - {name: d, listeners: [{port: 80, default-actions: [{fixed-response: {status-code: 404}}]}]}\n");
  EXPECT_EQ(found.find("binds"), std::string::npos) << found;
  EXPECT_EQ(LinesOf(found), 3U) << found;
}

TEST(CheckSmallTest, AFileThatIsNotThereHasNoLine) {
  const auto loaded = LoadFile("no-such-file.yaml");
  EXPECT_EQ(loaded.diagnostics.FormatAll(), "no-such-file.yaml: error: cannot be read: No such file or directory\n");
}

TEST(CheckSmallTest, AnAddressSaysWhereANameAPortAndBracketsBelong) {
  const auto target = [](const char* address) {
    return FindingsOf(Forwarding("a", std::string("[{name: a, targets: [{address: ") + address + ", port: 1}]}]"));
  };
  EXPECT_NE(target("localhost").find("found `localhost`; a name is written `host: localhost`"), std::string::npos)
      << target("localhost");
  EXPECT_NE(target("\"127.0.0.1:80\"").find("the port goes into `port`"), std::string::npos);
  EXPECT_NE(target("\"[::1]\"").find("without the brackets"), std::string::npos);
  const std::string bound = FindingsOf("admin: {address: localhost}\n");
  EXPECT_EQ(bound.find("host: localhost"), std::string::npos) << bound;
  EXPECT_NE(bound.find("a name cannot stand here"), std::string::npos) << bound;
}

TEST(CheckSmallTest, AReferenceInsideBracesNeedsQuotes) {
  const std::string found = FindingsOf("admin: {port: ${P}}\n");
  EXPECT_NE(found.find("quotes are needed around an environment reference: \"${NAME}\""), std::string::npos) << found;
}

TEST(CheckSmallTest, AnEmptyVariableIsNamed) {
  const std::string found = LoadFor("admin:\n  port: ${P}\n", {{"P", ""}}).diagnostics.FormatAll();
  EXPECT_NE(found.find("t.yaml:2:9: error: `port` has no value: `${P}` is empty"), std::string::npos) << found;
  const std::string reference =
      LoadFor(Forwarding("\"${G}\"", "[{name: a, targets: [{address: 127.0.0.1, port: 1}]}]"), {{"G", ""}})
          .diagnostics.FormatAll();
  EXPECT_NE(reference.find("`${G}` is empty; the name of a target group"), std::string::npos) << reference;
  EXPECT_EQ(LinesOf(reference), 1U) << reference;
}

TEST(CheckSmallTest, AnUnsetVariableIsReportedOnce) {
  const std::string found = LoadFor("admin:\n  port: ${P}\n").diagnostics.FormatAll();
  EXPECT_NE(found.find("environment variable P is not set"), std::string::npos) << found;
  EXPECT_EQ(LinesOf(found), 1U + 1U) << "and that nothing is served: " << found;
}

TEST(CheckSmallTest, AnIncludeByAnUnsetVariableIsReportedOnce) {
  const std::string found = FindingsOf("include: [\"${DIRECTORY}/more.yaml\"]\n" + Forwarding("there", "[]"));
  EXPECT_NE(found.find("environment variable DIRECTORY is not set"), std::string::npos) << found;
  EXPECT_EQ(LinesOf(found), 1U) << found;
}

TEST(CheckSmallTest, NumbersHaveTheUnitOfTheFile) {
  const auto check = [](const char* keys, bool aws = false) {
    return FindingsOf(
        Forwarding("a",
                   std::string("[{name: a, targets: [{address: 127.0.0.1, port: 1}], health-check: {") + keys + "}}]"),
        aws);
  };
  EXPECT_NE(check("interval: 1m, timeout: 90s").find("`timeout` is longer than the interval of 1m"), std::string::npos);
  EXPECT_NE(check("timeout: 40s").find("`timeout` is longer than the interval of 30s"), std::string::npos);
  EXPECT_NE(check("interval: 10ms").find("`interval: 10ms` is out of range; 100ms to "), std::string::npos);
  EXPECT_NE(check("interval: 1500ms", true).find("AWS: an `interval` of 1500ms; 5s to 300s"), std::string::npos)
      << check("interval: 1500ms", true);
}

TEST(CheckSmallTest, AnItemThatIsNoMapIsReportedOnce) {
  const std::string serving =
      "load-balancers: [{name: lb, listeners: [{port: 80, default-actions: [{fixed-response: {status-code: "
      "404}}]}]}]\n";
  const auto zone = [](const std::string& keys) { return "dns: {port: 5353}\nzones: [" + keys + "]\n"; };
  const auto listener = [](const std::string& keys) {
    return "load-balancers: [{name: lb, listeners: [" + keys + "]}]\n";
  };
  const std::string rows[] = {
      "load-balancers: [5]\n",
      serving + "target-groups: [x]\n",
      serving + "health-checks: [1]\n",
      serving + "cidr-collections: [1]\n",
      serving + "regions: [1]\n",
      serving + "tests: [1]\n",
      serving + "zones: [1]\n",
      zone("{name: a.test, name-servers: [n], records: [1]}"),
      listener("5"),
      listener("{port: 80, rules: [5], default-actions: [{fixed-response: {status-code: 404}}]}"),
      Forwarding("a", "[{name: a, targets: [5]}]"),
  };
  for (const std::string& text : rows) {
    for (const bool aws : {false, true}) {
      const std::string found = FindingsOf(text, aws);
      EXPECT_NE(found.find("wants a map, found"), std::string::npos) << text << found;
      EXPECT_EQ(LinesOf(found), 1U) << text << found;
    }
  }
}

TEST(CheckSmallTest, ARuleThatCannotBeReadCoversNoOther) {
  const std::string rule =
      "{priority: 2, conditions: [{path-pattern: [/a]}], actions: [{forward: {target-group: blue}}]}";
  for (const std::string wrong : {"5", "{priority: 1, conditions: 5, actions: [{forward: {target-group: blue}}]}"}) {
    const std::string found = FindingsOf(WithRules("          - " + wrong + "\n          - " + rule + "\n"));
    EXPECT_NE(found.find("found `5`"), std::string::npos) << found;
    EXPECT_EQ(LinesOf(found), 1U) << found;
  }
}

TEST(CheckSmallTest, AwsSaysNothingOfAValueThatIsWrong) {
  const auto check = [](const std::string& keys) {
    return FindingsOf(
        Forwarding("a", "[{name: a, targets: [{address: 127.0.0.1, port: 1}], health-check: {" + keys + "}}]"), true);
  };
  const std::string wrong = check("interval: 10ms");
  EXPECT_NE(wrong.find("error: `interval: 10ms` is out of range; 100ms to 1d"), std::string::npos) << wrong;
  EXPECT_EQ(LinesOf(wrong), 1U) << wrong;
  EXPECT_EQ(LinesOf(check("interval: 10ms, timeout: 5s")), 1U) << check("interval: 10ms, timeout: 5s");
  // The timeout follows a short interval, so it is the interval that AWS minds.
  const std::string short_interval = check("interval: 1s");
  EXPECT_NE(short_interval.find("an `interval` of 1s"), std::string::npos) << short_interval;
  EXPECT_EQ(LinesOf(short_interval), 1U) << short_interval;
  // AWS has the same default, and wants it to be shorter.
  EXPECT_NE(check("interval: 5s").find("a health check timeout as long as the interval"), std::string::npos);
}

TEST(CheckSmallTest, AwsWarningsStandAtTheValue) {
  const std::string found = FindingsOf(
      "load-balancers: [{name: lb, listeners: [{port: 80, default-actions: [{forward: {target-group: a}}]}]}]\n"
      "target-groups:\n"
      "  - name: a\n"
      "    targets: [{address: 127.0.0.1, port: 1}]\n"
      "    health-check:\n"
      "      interval: 2s\n"
      "      timeout: 1s\n"
      "      healthy-threshold: 1\n"
      "health-checks:\n"
      "  - name: b\n"
      "    type: TCP\n"
      "    address: 127.0.0.1\n"
      "    port: 1\n"
      "    request-interval: 1s\n"
      "    timeout: 2s\n",
      true);
  EXPECT_NE(found.find("t.yaml:6:17: warning: AWS: an `interval` of 2s; 5s to 300s"), std::string::npos) << found;
  EXPECT_NE(found.find("t.yaml:7:16: warning: AWS: a `timeout` of 1s; 2s to 120s"), std::string::npos) << found;
  EXPECT_NE(found.find("t.yaml:8:26: warning: AWS: a healthy-threshold of 1; 2 to 10"), std::string::npos) << found;
  EXPECT_NE(found.find("t.yaml:14:23: warning: AWS: a request-interval of 1s; 10s or 30s"), std::string::npos) << found;
  EXPECT_NE(found.find("t.yaml:15:14: warning: AWS: a timeout of its own; always 10s"), std::string::npos) << found;
}

TEST(CheckSmallTest, SectionsThatBeginWithXAreIgnored) {
  const auto loaded = LoadFor(
      "x-check: &fast {interval: 7s, timeout: 1s}\n"
      "x-anything: [1, {two: 3}]\n"
      "load-balancers: [{name: lb, listeners: [{port: 80, default-actions: [{forward: {target-group: a}}]}]}]\n"
      "target-groups: [{name: a, targets: [{address: 127.0.0.1, port: 1}], health-check: *fast}]\n");
  ASSERT_TRUE(loaded.model) << loaded.diagnostics.FormatAll();
  EXPECT_TRUE(loaded.diagnostics.items.empty()) << loaded.diagnostics.FormatAll();
  EXPECT_EQ(loaded.model->target_groups[0].health_check.interval.count(), 7'000);
  EXPECT_NE(FindingsOf("y-check: {}\n").find("unknown key `y-check`"), std::string::npos);
  EXPECT_NE(FindingsOf("admin: {x-port: 1}\n").find("unknown key `x-port`"), std::string::npos) << "at the top only";
  EXPECT_NE(JsonSchema().find("\"^x-\""), std::string::npos);
}

TEST(CheckEmptyAddressDupTest, AddressesThatCannotBeReadAreNotTheSame) {
  const std::string found = FindingsOf(
      Forwarding("a",
                 "[{name: a, targets: [{address: wrong, port: 1}, {address: localhost, port: 1}, {address: \"[::1]\", "
                 "port: 1}, {host: \"a b\", port: 1}, {host: \"a b\", port: 1}]}]"));
  EXPECT_EQ(found.find("stands twice"), std::string::npos) << found;
  EXPECT_EQ(LinesOf(found), 5U) << found;
}

TEST(StatusControlCharsTest, NamesHoldNoControlCharacters) {
  const auto named = [](const char* name) {
    return FindingsOf(WithRules(std::string("          - {priority: 1, name: ") + name +
                                ", actions: [{forward: {target-group: blue}}]}\n"));
  };
  EXPECT_NE(named("\"a\\nb\"").find("t.yaml:6:33: error: `name` holds a control character: `a\\x0ab`"),
            std::string::npos)
      << named("\"a\\nb\"");
  EXPECT_NE(named("\"a\\eb\"").find("`a\\x1bb`"), std::string::npos);
  EXPECT_NE(named("\"a\\x9bb\"").find("`a\\x9bb`"), std::string::npos) << "C1, which terminals obey too";
  EXPECT_EQ(named("\"Grüße 世界\""), "");
  for (const char* text : {"target-groups: [{name: \"a\\tb\"}]\n", "load-balancers: [{name: \"a\\tb\"}]\n",
                           "node: {zone: \"a\\tb\"}\n", "regions: [{name: \"a\\tb\", latitude: 1, longitude: 1}]\n",
                           "health-checks: [{name: \"a\\tb\", type: TCP, address: 127.0.0.1, port: 1}]\n"}) {
    EXPECT_NE(FindingsOf(text).find("holds a control character"), std::string::npos) << FindingsOf(text);
  }
}

TEST(StatusControlCharsTest, FindingsAreOneLineEach) {
  const std::string found = FindingsOf("target-groups: [{name: a, targets: \"x\\e[31m\\ny\"}]\n");
  EXPECT_EQ(found.find('\x1b'), std::string::npos) << found;
  EXPECT_NE(found.find("\\x1b[31m"), std::string::npos) << found;
}

}  // namespace
}  // namespace weir::config
