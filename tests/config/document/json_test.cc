// JSON becomes the same nodes as YAML, and a document is written as the JSON that it can be read from again.

#include "config/document/environment.h"
#include "config/document/json_reader.h"
#include "config/document/json_writer.h"
#include "config/document/yaml_reader.h"
#include "config/findings.h"
#include "tests/config/load_text.h"

#include <gtest/gtest.h>

#include <fstream>
#include <optional>
#include <sstream>
#include <string>

namespace weir::config {
namespace {

std::string FindingOf(std::string_view text) {
  Tree tree;
  Findings findings;
  EXPECT_FALSE(ReadJson(text, 0, tree, findings)) << text;
  const auto items = findings.Take();
  return items.size() == 1 ? items.front().message : std::to_string(items.size()) + " findings";
}

std::string Written(const std::string& yaml) {
  Tree tree;
  Findings findings;
  const auto node = ReadYaml(yaml, 0, tree, findings);
  return node && findings.errors() == 0 ? WriteJson(*node) : "no document";
}

TEST(JsonTest, TypesAreThoseOfTheText) {
  Tree tree;
  Findings findings;
  const auto root =
      ReadJson(R"({"a": 1, "b": "1", "c": true, "d": null, "e": [1.50, -2], "f": {}, "g": "x\nA"})", 3, tree, findings);
  ASSERT_TRUE(root);
  EXPECT_EQ(findings.errors(), 0U);
  EXPECT_FALSE(root->Find("a")->quoted);
  EXPECT_TRUE(root->Find("b")->quoted);
  EXPECT_EQ(root->Find("c")->text, "true");
  EXPECT_TRUE(root->Find("d")->is_null());
  EXPECT_EQ(root->Find("e")->children[0].text, "1.50") << "the digits stay as they are written";
  EXPECT_EQ(root->Find("e")->children[1].text, "-2");
  EXPECT_TRUE(root->Find("f")->is_map());
  EXPECT_EQ(root->Find("g")->text, "x\nA");
}

TEST(JsonTest, NodesHaveAnOriginAndNoLine) {
  Tree tree;
  Findings findings;
  const auto root = ReadJson(R"({"a": [1, 2]})", 3, tree, findings);
  ASSERT_TRUE(root);
  const Node& list = *root->Find("a");
  EXPECT_EQ(list.position.file, 3U);
  EXPECT_EQ(list.position.line, 0U);
  EXPECT_NE(list.children[0].position.column, list.children[1].position.column) << "places are told apart";
}

TEST(JsonTest, AFindingIsPrintedWithItsOriginAlone) {
  const Diagnostics diagnostics{.files = {"weir.yaml", "api: PATCH /v1/document"}, .items = {}};
  EXPECT_EQ(diagnostics.Format({.position = {1, 0, 17}, .path = {}, .message = "unknown key", .hint = "port"}),
            "api: PATCH /v1/document: error: unknown key; port");
}

TEST(JsonTest, WhatIsWrongIsReported) {
  EXPECT_EQ(FindingOf("{\"a\": 1").substr(0, 9), "not JSON:");
  EXPECT_EQ(FindingOf("[1] x").substr(0, 9), "not JSON:");
  EXPECT_EQ(FindingOf("").substr(0, 9), "not JSON:");
  EXPECT_EQ(FindingOf("\"\xC3(\"").substr(0, 14), "not JSON text:");
  EXPECT_EQ(FindingOf(std::string(1'000, '[')), "nested deeper than 64 levels");
  Tree tree;
  Findings findings;
  EXPECT_TRUE(ReadJson(R"({"a": 1, "a": 2})", 0, tree, findings));
  EXPECT_EQ(findings.Take().at(0).message, "key `a` stands twice in one map");
}

TEST(JsonTest, ADocumentIsWrittenAsItStands) {
  EXPECT_EQ(Written("a: 1\nb: 5s\nc: \"1\"\nd: true\ne: [x, ~]\nf: 007\ng: yes\n"),
            R"({"a":1,"b":"5s","c":"1","d":true,"e":["x",null],"f":"007","g":"yes"})");
  EXPECT_EQ(Written("a: \"q\\\"\\\\\\t\\e\\u00e9\"\n"), "{\"a\":\"q\\\"\\\\\\t\\u001b\xC3\xA9\"}");
  EXPECT_EQ(Written("x: &x {k: v}\na: {<<: *x, l: w}\n"), R"({"x":{"k":"v"},"a":{"l":"w","k":"v"}})");
}

TEST(JsonTest, WhatAVariableHoldsIsNeverWritten) {
  Tree tree;
  Findings findings;
  const auto document = ReadYaml("node: {name: \"${NAME}\"}\nadmin: {port: \"${PORT:-1}\"}\n", 0, tree, findings);
  ASSERT_TRUE(document);
  const Environment environment = [](const std::string&) { return std::optional<std::string>("7777"); };
  const Node expanded = ExpandReferences(*document, environment, tree, findings);
  EXPECT_EQ(expanded.Find("node")->Find("name")->text, "7777");
  for (const Node& node : {*document, expanded}) {
    EXPECT_EQ(WriteJson(node), R"({"node":{"name":"${NAME}"},"admin":{"port":"${PORT:-1}"}})");
  }
}

TEST(JsonTest, EveryExampleIsTheSameConfigurationAsJson) {
  for (const char* name : {"blue-green", "dual-stack", "hybrid-failover"}) {
    SCOPED_TRACE(name);
    std::ifstream file(std::string(WEIR_SOURCE_DIR "/examples/") + name + ".yaml");
    std::stringstream text;
    text << file.rdbuf();
    const std::string json = Written(text.str());
    Tree tree;
    Findings findings;
    const auto read = ReadJson(json, 0, tree, findings);
    ASSERT_TRUE(read);
    EXPECT_EQ(WriteJson(*read), json);
    const auto from_yaml = LoadFor(text.str());
    const auto from_json = LoadFor(json);
    ASSERT_TRUE(from_yaml.model);
    ASSERT_TRUE(from_json.model) << from_json.diagnostics.FormatAll();
    EXPECT_EQ(from_json.model->target_groups.size(), from_yaml.model->target_groups.size());
    EXPECT_EQ(from_json.model->load_balancers.size(), from_yaml.model->load_balancers.size());
    EXPECT_EQ(from_json.model->zones.size(), from_yaml.model->zones.size());
  }
}

}  // namespace
}  // namespace weir::config
