#include "config/document/yaml_tree.h"

#include "config/findings.h"

#include <gtest/gtest.h>
#include <yaml-cpp/yaml.h>

#include <fstream>
#include <sstream>
#include <string>

namespace weir::config {
namespace {

// Both parsers must read the same tree out of a text: yaml-cpp is the second opinion on what libyaml's events became.
void ExpectSame(const Node& ours, const YAML::Node& theirs, const std::string& where) {
  switch (theirs.Type()) {
    case YAML::NodeType::Undefined:
    case YAML::NodeType::Null:
      EXPECT_TRUE(ours.is_null()) << where;
      return;
    case YAML::NodeType::Scalar:
      ASSERT_TRUE(ours.is_scalar()) << where;
      EXPECT_EQ(ours.text, theirs.Scalar()) << where;
      return;
    case YAML::NodeType::Sequence:
      ASSERT_TRUE(ours.is_list()) << where;
      ASSERT_EQ(ours.children.size(), theirs.size()) << where;
      for (std::size_t i = 0; i < theirs.size(); ++i) {
        ExpectSame(ours.children[i], theirs[i], where + "[" + std::to_string(i) + "]");
      }
      return;
    case YAML::NodeType::Map:
      ASSERT_TRUE(ours.is_map()) << where;
      ASSERT_EQ(ours.entries(), theirs.size()) << where;
      for (const auto& entry : theirs) {
        const Node* value = ours.Find(entry.first.Scalar());
        ASSERT_NE(value, nullptr) << where << "." << entry.first.Scalar();
        ExpectSame(*value, entry.second, where + "." + entry.first.Scalar());
      }
      return;
  }
}

void ExpectSameTree(const std::string& text, const std::string& name) {
  Tree tree;
  Findings findings;
  const auto node =
      ParseYaml(text, 0, [](std::string_view, Position) { return std::optional<std::string>(); }, tree, findings);
  ASSERT_TRUE(node.has_value()) << name;
  ExpectSame(*node, YAML::Load(text), name);
}

class ExampleTreeTest : public ::testing::TestWithParam<const char*> {};

TEST_P(ExampleTreeTest, IsTheSameForASecondParser) {
  std::ifstream file(std::string(WEIR_SOURCE_DIR "/examples/") + GetParam());
  ASSERT_TRUE(file.good());
  std::stringstream text;
  text << file.rdbuf();
  ExpectSameTree(text.str(), GetParam());
}

INSTANTIATE_TEST_SUITE_P(Examples, ExampleTreeTest,
                         ::testing::Values("blue-green.yaml", "complete.yaml", "dual-stack.yaml",
                                           "hybrid-failover.yaml"));

struct TextRow {
  const char* name;
  const char* text;
};

class TextTreeTest : public ::testing::TestWithParam<TextRow> {};

TEST_P(TextTreeTest, IsTheSameForASecondParser) { ExpectSameTree(GetParam().text, GetParam().name); }

INSTANTIATE_TEST_SUITE_P(Forms, TextTreeTest,
                         ::testing::Values(TextRow{"BlockMap", "a: 1\nb:\n  c: x y\n  d: ~\n"},
                                           TextRow{"FlowMap", "{a: [1, 2], b: {c: \"d\"}}"},
                                           TextRow{"Quotes", "a: 'it''s'\nb: \"tab\\t\\u00e9\"\nc: \"^/v1/(.*)$\"\n"},
                                           TextRow{"Blocks", "a: |\n  one\n  two\nb: >\n  folded\n  line\n"},
                                           TextRow{"Anchors", "a: &x {k: v}\nb: *x\nc: [*x, *x]\n"},
                                           TextRow{"Comments", "# first\na: 1 # behind\n# last\n"},
                                           TextRow{"Empty", ""}, TextRow{"NestedLists", "- - 1\n  - 2\n- [3, [4]]\n"},
                                           TextRow{"Plain", "a: http://x.test:80/y?z=1\n"}),
                         [](const auto& row) { return row.param.name; });

}  // namespace
}  // namespace weir::config
