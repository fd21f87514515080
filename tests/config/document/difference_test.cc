// What an editor changed in a document, as steps; and the document as YAML, as an editor shows it.

#include "config/document/difference.h"

#include "base/random.h"
#include "config/document/json_reader.h"
#include "config/document/json_writer.h"
#include "config/document/yaml_reader.h"
#include "config/document/yaml_writer.h"
#include "config/findings.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace weir::config {
namespace {

Node Json(std::string_view text, Tree& tree) {
  Findings findings;
  const auto root = ReadJson(text, 0, tree, findings);
  EXPECT_TRUE(root) << text;
  return root.value_or(Node{});
}

std::string PatchOf(std::string_view before, std::string_view after) {
  Tree tree;
  return PatchText(Difference(Json(before, tree), Json(after, tree)));
}

TEST(DifferenceTest, NothingChangedGivesNoSteps) {
  EXPECT_EQ(PatchOf(R"({"a":[1,{"b":2}]})", R"({"a":[1,{"b":2}]})"), "[]\n");
}

TEST(DifferenceTest, StepsStandAsDeepAsTheyCan) {
  EXPECT_EQ(PatchOf(R"({"a":[1,{"b":2,"c":3}]})", R"({"a":[1,{"b":"x","c":3}]})"),
            "[{\"op\": \"replace\", \"path\": \"/a/1/b\", \"value\": \"x\"}]\n");
}

TEST(DifferenceTest, KeysThatCameAndWentAndHaveSlashes) {
  EXPECT_EQ(PatchOf(R"({"a/b":1,"c":2})", R"({"c":2,"d~":3})"),
            "[{\"op\": \"remove\", \"path\": \"/a~1b\"},\n {\"op\": \"add\", \"path\": \"/d~0\", \"value\": 3}]\n");
}

TEST(DifferenceTest, AnItemThatCameLeavesTheOthersAlone) {
  EXPECT_EQ(PatchOf(R"([{"p":1},{"p":2},{"p":3}])", R"([{"p":1},{"p":9},{"p":2},{"p":3}])"),
            "[{\"op\": \"add\", \"path\": \"/1\", \"value\": {\"p\":9}}]\n");
}

TEST(DifferenceTest, ItemsThatWentAndOneThatChangedBetweenThoseThatStayed) {
  EXPECT_EQ(PatchOf(R"([0,1,2,3,4,{"a":1},5])", R"([0,2,4,{"a":2},5])"),
            "[{\"op\": \"remove\", \"path\": \"/1\"},\n {\"op\": \"remove\", \"path\": \"/2\"},\n "
            "{\"op\": \"replace\", \"path\": \"/3/a\", \"value\": 2}]\n");
}

TEST(DifferenceTest, AnotherKindOfValueIsReplacedAsAWhole) {
  EXPECT_EQ(PatchOf(R"({"a":[1]})", R"({"a":{"b":1}})"),
            "[{\"op\": \"replace\", \"path\": \"/a\", \"value\": {\"b\":1}}]\n");
}

// Values as a configuration has them, and some that an editor would write.
std::string RandomJson(Random& random, int depth) {
  static const std::vector<std::string> scalars = {"1",           "80",        "-3.5",      "true",      "false",
                                                   "null",        R"("blue")", R"("8080")", R"("true")", R"("")",
                                                   R"("a: b")",   R"("# no")", R"("a\nb")", R"("${X}")", R"("ü, {x}")",
                                                   R"("- dash")", R"("~")",    R"("'q'")"};
  const auto kind = depth <= 0 ? 0 : random.Below(4);
  if (kind < 2) return scalars[random.Below(scalars.size())];
  std::string out = kind == 2 ? "[" : "{";
  const auto count = random.Below(5);
  for (std::uint64_t i = 0; i < count; ++i) {
    if (i > 0) out += ",";
    if (kind == 3) out += "\"k" + std::to_string(i * 3 + random.Below(3)) + "\":";
    out += RandomJson(random, depth - 1);
  }
  return out + (kind == 2 ? "]" : "}");
}

TEST(DifferenceTest, TheStepsMakeOneDocumentOfAnotherWhateverTheyAre) {
  Random random(20'261);
  for (int round = 0; round < 3'000; ++round) {
    Tree tree;
    const auto before = Json("{\"x\":" + RandomJson(random, 4) + ",\"y\":" + RandomJson(random, 3) + "}", tree);
    const auto after = Json("{\"x\":" + RandomJson(random, 4) + ",\"y\":" + RandomJson(random, 3) + "}", tree);
    const auto steps = Difference(before, after);
    const auto made = ApplyEdit(before, steps, tree);
    ASSERT_TRUE(made) << made.error().message << "\n" << WriteJson(before) << "\n" << PatchText(steps);
    EXPECT_TRUE(SaysTheSame(*made, after)) << WriteJson(before) << "\n" << WriteJson(after) << "\n" << PatchText(steps);
    Findings findings;
    const auto read = ReadPatch(PatchText(steps), 1, tree, findings);
    ASSERT_TRUE(read) << PatchText(steps);
    const auto again = ApplyEdit(before, *read, tree);
    ASSERT_TRUE(again);
    EXPECT_TRUE(SaysTheSame(*again, after)) << PatchText(steps);
  }
}

// ---- as YAML

TEST(YamlWriterTest, SmallMapsAndListsStandOnALine) {
  Tree tree;
  const auto root =
      Json(R"({"target-groups":[{"name":"blue","targets":[{"address":"127.0.0.1","port":9001}]}],"admin":{"port":1}})",
           tree);
  EXPECT_EQ(WriteYaml(root),
            "target-groups:\n"
            "  - name: blue\n"
            "    targets:\n"
            "      - {address: 127.0.0.1, port: 9001}\n"
            "admin: {port: 1}\n");
}

TEST(YamlWriterTest, TextsThatLookLikeOtherThingsAreQuoted) {
  Tree tree;
  EXPECT_EQ(WriteYaml(Json(R"({"a":"8080","b":"true","c":"~","d":8080,"e":null,"f":"blue"})", tree)),
            "{a: \"8080\", b: \"true\", c: \"~\", d: 8080, e: ~, f: blue}\n");
}

TEST(YamlWriterTest, ReadAgainItIsTheSameDocument) {
  Random random(7);
  for (int round = 0; round < 3'000; ++round) {
    Tree tree;
    const auto root = Json("{\"x\":" + RandomJson(random, 5) + "}", tree);
    const auto text = WriteYaml(root);
    Findings findings;
    const auto read = ReadYaml(text, 0, tree, findings);
    ASSERT_TRUE(read && findings.errors() == 0) << text;
    // Numbers and words stay what they are: as JSON both are equal to the letter.
    EXPECT_EQ(WriteJson(*read), WriteJson(root)) << text;
  }
}

}  // namespace
}  // namespace weir::config
