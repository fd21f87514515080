// yaml-cpp reads the file in the program, libyaml in this test: both must read the same nodes at the same places.

#include "config/document/yaml_reader.h"

#include "config/findings.h"
#include "tests/config/document/libyaml_reader.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

namespace weir::config {
namespace {

std::string Place(const Position& position) {
  return std::to_string(position.line) + ":" + std::to_string(position.column);
}

// Every node on a line of its own, with its place.
void Print(const Node& node, int depth, std::string& out) {
  out.append(static_cast<std::size_t>(depth) * 2, ' ').append(Place(node.position)).append(" ");
  switch (node.kind) {
    case NodeKind::kNull:
      out.append("null\n");
      return;
    case NodeKind::kScalar:
      out.append(node.quoted ? "quoted " : "plain ").append(node.text).append("\n");
      return;
    case NodeKind::kList:
      out.append("list\n");
      break;
    case NodeKind::kMap:
      out.append("map\n");
      break;
  }
  for (const Node& child : node.children) Print(child, depth + 1, out);
}

using Reader = std::optional<Node> (*)(std::string_view text, std::uint32_t file, Tree& tree, Findings& findings);

// The tree and the findings; of a text that is no YAML only where it ends to be some.
std::string ReadBy(Reader reader, const std::string& text) {
  Tree tree;
  Findings findings;
  const auto node = reader(text, 0, tree, findings);
  std::string out;
  if (node) Print(*node, 0, out);
  for (const Diagnostic& item : findings.Take()) {
    out.append(Place(item.position)).append(" ").append(node ? item.message : std::string("is wrong"));
  }
  return out;
}

void ExpectSameTree(const std::string& text) { EXPECT_EQ(ReadBy(ReadYaml, text), ReadBy(ReadByLibyaml, text)); }

std::string TextOf(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

// The blocks of a document whose language is yaml.
std::vector<std::string> BlocksOf(const std::filesystem::path& path) {
  std::vector<std::string> out;
  std::ifstream file(path);
  bool open = false;
  for (std::string line; std::getline(file, line);) {
    const std::size_t indent = line.find_first_not_of(' ');
    const bool fence = indent != std::string::npos && line.substr(indent).starts_with("```");
    if (open && fence) {
      open = false;
    } else if (open) {
      out.back().append(line).append("\n");
    } else if (fence && line.substr(indent).starts_with("```yaml")) {
      open = true;
      out.emplace_back();
    }
  }
  return out;
}

TEST(YamlReaderTest, EveryFileOfTheRepositoryIsReadAlikeByLibyaml) {
  int files = 0;
  int blocks = 0;
  for (const char* folder : {"bench", "docs", "examples", "tests", "."}) {
    const std::filesystem::path root = std::filesystem::path(WEIR_SOURCE_DIR) / folder;
    const bool top = std::string(folder) == ".";
    for (auto at = std::filesystem::recursive_directory_iterator(root); at != end(at); ++at) {
      if (top && at->is_directory()) at.disable_recursion_pending();
      const std::filesystem::path& path = at->path();
      SCOPED_TRACE(path.string());
      if (path.extension() == ".yaml" || path.extension() == ".yml") {
        ++files;
        ExpectSameTree(TextOf(path));
      }
      if (path.extension() != ".md") continue;
      for (const std::string& block : BlocksOf(path)) {
        ++blocks;
        ExpectSameTree(block);
      }
    }
  }
  EXPECT_GE(files, 6);
  EXPECT_GE(blocks, 2);
}

struct TextRow {
  const char* name;
  const char* text;
};
void PrintTo(const TextRow& row, std::ostream* out) { *out << row.name; }
std::string RowName(const ::testing::TestParamInfo<TextRow>& info) { return info.param.name; }

class YamlFormTest : public ::testing::TestWithParam<TextRow> {};

TEST_P(YamlFormTest, IsReadAlikeByLibyaml) { ExpectSameTree(GetParam().text); }

INSTANTIATE_TEST_SUITE_P(
    Forms, YamlFormTest,
    ::testing::Values(
        TextRow{"BlockMap", "a: 1\nb:\n  c: x y\n  d: ~\n"}, TextRow{"FlowMap", "{a: [1, 2], b: {c: \"d\"}}"},
        TextRow{"Quotes", "a: 'it''s'\nb: \"tab\\t\\u00e9\"\nc: \"^/v1/(.*)$\"\n"},
        TextRow{"Blocks", "a: |\n  one\n  two\nb: >\n  folded\n  line\nc: |-\n  x\n\n\nd: |+\n  y\n\ne: |2\n    z\n"},
        TextRow{"Anchors", "a: &x {k: v}\nb: *x\nc: [*x, *x]\nd: &y\n  k: v\ne: *y\n"},
        TextRow{"AnchoredAgain", "a: &x 1\nb: &x 2\nc: *x\n"},
        TextRow{"Merges", "a: &x {k: v, l: w}\nb: {<<: *x, k: z}\nc:\n  <<: [*x]\n"},
        TextRow{"Comments", "# first\na: 1 # behind\n# last\n"}, TextRow{"Empty", ""},
        TextRow{"OnlyComments", "# nothing\n\n"}, TextRow{"NestedLists", "- - 1\n  - 2\n- [3, [4]]\n"},
        TextRow{"Plain", "a: http://x.test:80/y?z=1\nb: a - b\nc: -1\nd: x#y\ne: ?x\n"},
        TextRow{"MultiLinePlain", "a: one\n  two\n  three\nb: x\n"},
        TextRow{"MultiLineQuoted", "a: \"one\n  two\\\n  three\"\nb: x\n"},
        TextRow{"NothingInMaps", "a:\nb:   # why\nc:\n\n# more\nd:\n  e:\n"},
        TextRow{"NothingInLists", "a:\n  -\n  - # none\n  - b:\n  -\nc: 1\n"},
        TextRow{"NothingInFlow", "{a: , b: {c: }, d}"},
        TextRow{"NullWords", "a: null\nb: ~\nc: [Null, NULL]\nd: \"~\"\n"},
        TextRow{"NothingBehindQuotes", "\"a # b\": # c: # d\ne: 1\n"}, TextRow{"NothingAtTheEnd", "a:\n  b:"},
        TextRow{"AnchoredNothing", "a: &x\nb: *x\n"}, TextRow{"TextTags", "a: !!str 1\nb: ! 2\nc: !!str ~\n"},
        TextRow{"TypedContainers", "a: !!seq [1]\nb: !!map {c: d}\n"},
        TextRow{"Markers", "%YAML 1.1\n---\na: 1\n...\n"}, TextRow{"MarkedEmpty", "---\n"},
        TextRow{"CompactPairs", "[a: 1, {b: 2}]"}, TextRow{"ExplicitKeys", "? a\n: 1\n? b\n: 2\n"},
        TextRow{"TrailingCommas", "{a: [1, 2,], b: 3,}"},
        TextRow{"WideCharacters", "ä: ö\nb: {\"ü\": [é, \"日本\", x]}\nc: d # ß\n"},
        TextRow{"CarriageReturns", "a: 1\r\nb:\r\n  - c\r\n  - \"d\r\n    e\"\r\n"},
        TextRow{"OldLineEnds", "a: 1\rb:\r  - c\r"},
        TextRow{"ByteOrderMark",
                "\xEF\xBB\xBF"
                "a: 1\nb: 2\n"},
        TextRow{"TabsBetween", "a:\t1\nb: [1,\t2]\t# c\n"}, TextRow{"TabsInFlow", "a: [\n\t1,\n\t2\n  ]\n"},
        TextRow{"TabsInText", "a: \"x\ty\"\nb: |\n  x\ty\n"}, TextRow{"BlankLinesWithTabs", "a: 1\n\t\nb: 2\n"},
        TextRow{"LongKey", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa: 1\n"}),
    RowName);

// What is wrong: both see it, and in the same line.
class BrokenYamlTest : public ::testing::TestWithParam<TextRow> {};

TEST_P(BrokenYamlTest, IsRefusedInTheSameLine) {
  const auto line_of = [](const std::string& found) { return found.substr(0, found.find(':')); };
  Tree tree;
  Findings ours;
  Findings theirs;
  EXPECT_FALSE(ReadYaml(GetParam().text, 0, tree, ours));
  EXPECT_FALSE(ReadByLibyaml(GetParam().text, 0, tree, theirs));
  EXPECT_EQ(ours.errors(), 1U);
  EXPECT_EQ(line_of(ReadBy(ReadYaml, GetParam().text)), line_of(ReadBy(ReadByLibyaml, GetParam().text)))
      << ReadBy(ReadYaml, GetParam().text) << "\n"
      << ReadBy(ReadByLibyaml, GetParam().text);
}

INSTANTIATE_TEST_SUITE_P(
    Slips, BrokenYamlTest,
    ::testing::Values(TextRow{"OpenList", "a: [1\n"}, TextRow{"OpenMap", "a: {b: 1\n"},
                      TextRow{"OpenQuote", "a: \"b\n"}, TextRow{"TabIndent", "a:\n\tb: 1\n"},
                      TextRow{"TabBeforeText", "a:\n\tb\n"}, TextRow{"TabBeforeItem", "a:\n\t- b\n"},
                      TextRow{"TwoColons", "a: b: c\n"}, TextRow{"Indented", "a: 1\n  b: 2\n"},
                      TextRow{"Outdented", "a:\n    b: 1\n  c: 2\n"}, TextRow{"ItemBehindKey", "a: - b\n"},
                      TextRow{"TextBehindQuote", "a: 'x' y\n"}, TextRow{"At", "a: @b\n"}, TextRow{"Percent", "a: %b\n"},
                      TextRow{"Backtick", "a: `b\n"}, TextRow{"StrayBracket", "a: 1\n]\n"},
                      TextRow{"StrayText", "[1]\nx\n"}, TextRow{"UnknownEscape", "a: \"\\q\"\n"},
                      TextRow{"DoubleComma", "a: [1, , 2]\n"}, TextRow{"FirstComma", "a: [, 1]\n"},
                      TextRow{"UnknownAlias", "a: *x\n"}, TextRow{"AliasInItself", "a: &x [*x]\n"},
                      TextRow{"SecondDocument", "a: 1\n---\nb: 2\n"}, TextRow{"AfterTheEnd", "a: 1\n...\nb: 2\n"},
                      TextRow{"ColonInFlow", "a: [::1]\n"}, TextRow{"OddAnchor", "a: &b'c d\n"},
                      TextRow{"MixedLevels", "- a\nb: 1\n"}),
    RowName);

std::string YamlFindingOf(const std::string& text) {
  Tree tree;
  Findings findings;
  (void)ReadYaml(text, 0, tree, findings);
  const auto items = findings.Take();
  return items.empty() ? "" : items.front().message;
}

TEST(YamlReaderTest, ALastKeyNeedsItsColon) {
  EXPECT_EQ(YamlFindingOf("a: 1\nb\n"), "not YAML: could not find expected ':'");
}

TEST(YamlReaderTest, AliasesThatMultiplyAreBounded) {
  std::string text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 9; ++i) {
    const std::string alias = "*a" + std::to_string(i - 1);
    text += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [" + alias;
    for (int j = 1; j < 10; ++j) text.append(", ").append(alias);
    text += "]\n";
  }
  EXPECT_NE(YamlFindingOf(text).find("aliases expand to more than 2000000 nodes"), std::string::npos);
}

TEST(YamlReaderTest, DepthIsBoundedInEveryStyle) {
  std::string block;
  std::string items;
  for (int i = 0; i < 2'000; ++i) block.append(static_cast<std::size_t>(i), ' ').append("a:\n");
  for (int i = 0; i < 2'000; ++i) items.append("- ");
  for (const std::string& text : {block, items, std::string(200'000, '['), std::string(200'000, '{')}) {
    EXPECT_NE(YamlFindingOf(text).find("nested deeper than 64 levels"), std::string::npos);
  }
}

// A slip somewhere in an example never ends the program, and what it is read as stays within the text.
TEST(YamlReaderTest, MutatedTextsAreReadOrRefused) {
  const std::string whole = TextOf(std::filesystem::path(WEIR_SOURCE_DIR) / "examples/blue-green.yaml");
  std::uint64_t seed = 7;
  const auto next = [&seed](std::size_t below) {
    seed = seed * 6364136223846793005U + 1442695040888963407U;
    return static_cast<std::size_t>(seed >> 33U) % below;
  };
  constexpr std::string_view kBytes = "[]{}:,-#&*!|>'\"%@`\n\t \r~?x<\xC3\x01";
  for (int round = 0; round < 2'000; ++round) {
    std::string text = whole.substr(next(whole.size() / 2), next(400));
    for (std::size_t changes = next(4) + 1; changes > 0 && !text.empty(); --changes) {
      text[next(text.size())] = kBytes[next(kBytes.size())];
    }
    Tree tree;
    Findings findings;
    const auto node = ReadYaml(text, 0, tree, findings);
    EXPECT_TRUE(node || findings.errors() > 0) << text;
  }
}

}  // namespace
}  // namespace weir::config
