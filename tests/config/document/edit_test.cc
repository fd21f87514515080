// Edits of a document by JSON Patch (RFC 6902).

#include "config/document/edit.h"

#include "config/document/json_reader.h"
#include "config/document/json_writer.h"
#include "config/document/yaml_reader.h"
#include "config/findings.h"

#include <gtest/gtest.h>

#include <string>

namespace weir::config {
namespace {

// The document as JSON after the patch, or what is wrong.
std::string Edited(std::string_view document, std::string_view patch) {
  Tree tree;
  Findings findings;
  const auto root = ReadJson(document, 0, tree, findings);
  const auto steps = ReadPatch(patch, 1, tree, findings);
  if (!root || !steps) {
    const auto items = findings.Take();
    return items.empty() ? "nothing" : items.front().message;
  }
  const std::string before = WriteJson(*root);
  const auto edited = ApplyEdit(*root, *steps, tree);
  EXPECT_EQ(WriteJson(*root), before) << "the document itself stays";
  return edited ? WriteJson(*edited) : edited.error().message + "; " + edited.error().hint;
}

struct EditCase {
  const char* name;
  const char* document;
  const char* patch;
  const char* wanted;
};
void PrintTo(const EditCase& c, std::ostream* out) { *out << c.name; }
class EditTest : public ::testing::TestWithParam<EditCase> {};

TEST_P(EditTest, GivesTheDocumentOrTheReason) {
  EXPECT_EQ(Edited(GetParam().document, GetParam().patch), GetParam().wanted);
}

INSTANTIATE_TEST_SUITE_P(
    Rfc6902AppendixA, EditTest,
    ::testing::Values(
        EditCase{"A1AddMember", R"({"foo":"bar"})", R"([{"op":"add","path":"/baz","value":"qux"}])",
                 R"({"foo":"bar","baz":"qux"})"},
        EditCase{"A2AddItem", R"({"foo":["bar","baz"]})", R"([{"op":"add","path":"/foo/1","value":"qux"}])",
                 R"({"foo":["bar","qux","baz"]})"},
        EditCase{"A3RemoveMember", R"({"baz":"qux","foo":"bar"})", R"([{"op":"remove","path":"/baz"}])",
                 R"({"foo":"bar"})"},
        EditCase{"A4RemoveItem", R"({"foo":["bar","qux","baz"]})", R"([{"op":"remove","path":"/foo/1"}])",
                 R"({"foo":["bar","baz"]})"},
        EditCase{"A5Replace", R"({"baz":"qux","foo":"bar"})", R"([{"op":"replace","path":"/baz","value":"boo"}])",
                 R"({"baz":"boo","foo":"bar"})"},
        EditCase{"A6Move", R"({"foo":{"bar":"baz","waldo":"fred"},"qux":{"corge":"grault"}})",
                 R"([{"op":"move","from":"/foo/waldo","path":"/qux/thud"}])",
                 R"({"foo":{"bar":"baz"},"qux":{"corge":"grault","thud":"fred"}})"},
        EditCase{"A7MoveItem", R"({"foo":["all","grass","cows","eat"]})",
                 R"([{"op":"move","from":"/foo/1","path":"/foo/3"}])", R"({"foo":["all","cows","eat","grass"]})"},
        EditCase{"A8Test", R"({"baz":"qux","foo":["a",2,"c"]})",
                 R"([{"op":"test","path":"/baz","value":"qux"},{"op":"test","path":"/foo/1","value":2}])",
                 R"({"baz":"qux","foo":["a",2,"c"]})"},
        EditCase{"A9TestFails", R"({"baz":"qux"})", R"([{"op":"test","path":"/baz","value":"bar"}])",
                 "step 1, test `/baz`: something else stands there; "},
        EditCase{"A10AddNested", R"({"foo":"bar"})", R"([{"op":"add","path":"/child","value":{"grandchild":{}}}])",
                 R"({"foo":"bar","child":{"grandchild":{}}})"},
        EditCase{"A11UnknownMembersAreIgnored", R"({"foo":"bar"})",
                 R"([{"op":"add","path":"/baz","value":"qux","xyz":123}])", R"({"foo":"bar","baz":"qux"})"},
        EditCase{"A12AddBelowNothing", R"({"foo":"bar"})", R"([{"op":"add","path":"/baz/bat","value":"qux"}])",
                 "step 1, add `/baz/bat`: the map has no key `baz`; "},
        EditCase{"A14EscapeOrder", R"({"/":9,"~1":10})", R"([{"op":"test","path":"/~01","value":10}])",
                 R"({"/":9,"~1":10})"},
        EditCase{"A16AddToTheEnd", R"({"foo":["bar"]})", R"([{"op":"add","path":"/foo/-","value":["abc","def"]}])",
                 R"({"foo":["bar",["abc","def"]]})"}),
    [](const auto& row) { return row.param.name; });

INSTANTIATE_TEST_SUITE_P(
    More, EditTest,
    ::testing::Values(
        EditCase{"Copy", R"({"a":{"b":1}})", R"([{"op":"copy","from":"/a","path":"/c"}])",
                 R"({"a":{"b":1},"c":{"b":1}})"},
        EditCase{"AddReplacesAMember", R"({"a":1})", R"([{"op":"add","path":"/a","value":2}])", R"({"a":2})"},
        EditCase{"TheWholeDocument", R"({"a":1})", R"([{"op":"replace","path":"","value":{"b":2}}])", R"({"b":2})"},
        EditCase{
            "StepsFollowEachOther", R"({"a":[]})",
            R"([{"op":"add","path":"/a/0","value":1},{"op":"add","path":"/a/0","value":2},{"op":"remove","path":"/a/1"}])",
            R"({"a":[2]})"},
        EditCase{"OneThatFailsUndoesAll", R"({"a":1})", R"([{"op":"remove","path":"/a"},{"op":"remove","path":"/a"}])",
                 "step 2, remove `/a`: the map has no key `a`; "},
        EditCase{"BehindTheEnd", R"({"a":[1]})", R"([{"op":"add","path":"/a/2","value":1}])",
                 "step 1, add `/a/2`: the list has no item `2`; it has 1"},
        EditCase{"LeadingZero", R"({"a":[1,2]})", R"([{"op":"remove","path":"/a/01"}])",
                 "step 1, remove `/a/01`: the list has no item `01`; it has 2"},
        EditCase{"NearMiss", R"({"zones":[]})", R"([{"op":"remove","path":"/zone"}])",
                 "step 1, remove `/zone`: the map has no key `zone`; did you mean `zones`?"},
        EditCase{"BelowText", R"({"a":"x"})", R"([{"op":"add","path":"/a/b","value":1}])",
                 "step 1, add `/a/b`: nothing can stand at `b`: above it is neither a list nor a map; "},
        EditCase{"IntoItself", R"({"a":{"b":{}}})", R"([{"op":"move","from":"/a","path":"/a/b/c"}])",
                 "step 1, move `/a/b/c`: a part cannot be moved into itself; "},
        EditCase{"NoList", "{}", R"({"op":"remove","path":"/a"})", "a patch is a list of steps"},
        EditCase{"NoWord", "{}", R"([{"op":"drop","path":"/a"}])", "a step without an `op` that there is"},
        EditCase{"NoPath", "{}", R"([{"op":"remove"}])", "a step without the text `path`"},
        EditCase{"NoPointer", "{}", R"([{"op":"remove","path":"a"}])", "`a` is no JSON Pointer"},
        EditCase{"NoValue", "{}", R"([{"op":"add","path":"/a"}])", "`add` without a `value`"}),
    [](const auto& row) { return row.param.name; });

TEST(EditTest, WhatIsNotTouchedIsShared) {
  Tree tree;
  Findings findings;
  const auto root = ReadYaml("a: [1, 2]\nb: {c: [3]}\n", 0, tree, findings);
  const auto steps = ReadPatch(R"([{"op": "replace", "path": "/b/c/0", "value": 4}])", 1, tree, findings);
  ASSERT_TRUE(root && steps);
  const auto edited = ApplyEdit(*root, *steps, tree);
  ASSERT_TRUE(edited);
  EXPECT_EQ(edited->Find("a")->children.data(), root->Find("a")->children.data());
  EXPECT_EQ(edited->Find("a")->position.line, 1U);
  EXPECT_EQ(edited->Find("b")->position.line, 2U) << "what holds a change stays where it is";
  EXPECT_EQ(edited->Find("b")->Find("c")->children[0].position.file, 1U) << "what is new has its origin";
}

TEST(EditTest, PointersAreWrittenAsTheyAreRead) {
  for (const char* text : {"", "/", "/a/0/b~1c/~0d", "/a//b"}) EXPECT_EQ(PointerText(ParsePointer(text).value()), text);
  EXPECT_FALSE(ParsePointer("/a~2"));
  EXPECT_FALSE(ParsePointer("/a~"));
}

}  // namespace
}  // namespace weir::config
