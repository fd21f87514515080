// Lists and maps as bytes, and back.

#include "config/document/packed.h"

#include "config/document/edit.h"
#include "config/document/json_writer.h"
#include "config/document/yaml_reader.h"
#include "config/findings.h"

#include <gtest/gtest.h>

#include <string>

namespace weir::config {
namespace {

Node Read(std::string_view text, Tree& tree) {
  Findings findings;
  const auto root = ReadYaml(text, 3, tree, findings);
  EXPECT_TRUE(root && findings.errors() == 0);
  return root.value_or(Node());
}

void ExpectSame(const Node& a, const Node& b) {
  EXPECT_EQ(a.kind, b.kind);
  EXPECT_EQ(a.quoted, b.quoted);
  EXPECT_EQ(a.has_references, b.has_references);
  EXPECT_EQ(a.position.file, b.position.file);
  EXPECT_EQ(a.position.line, b.position.line);
  EXPECT_EQ(a.position.column, b.position.column);
  EXPECT_EQ(a.height, b.height);
  EXPECT_EQ(a.expanded_nodes, b.expanded_nodes);
  EXPECT_EQ(a.text, b.text);
  ASSERT_EQ(a.children.size(), b.children.size());
  for (std::size_t i = 0; i < a.children.size(); ++i) ExpectSame(a.children[i], b.children[i]);
}

constexpr std::string_view kRecords = R"(
# Something above.
- {name: www, type: A, ttl: 5m, values: [192.0.2.1, "192.0.2.2"]}
- name: "quoted: text"
  type: TXT
  values:
    - |
      a block
      of lines
  later: &deep {a: {b: [c, {d: ~}]}}
-
- *deep
- []
- {}
- ""
)";

TEST(PackedTest, WhatIsUnpackedIsWhatWasPacked) {
  Tree tree;
  const Node list = Read(kRecords, tree);
  Tree kept;
  const Node packed = Packed(list, kept);
  EXPECT_TRUE(packed.packed);
  EXPECT_TRUE(packed.is_list());
  EXPECT_TRUE(packed.children.empty());
  EXPECT_TRUE(kept.Owns(packed.text.data()));
  Tree other;
  ExpectSame(Unpacked(packed, other), list);
  ExpectSame(Unpacked(list, other), list);
}

TEST(PackedTest, WhatIsPackedReadsTheSame) {
  Tree tree;
  const Node list = Read(kRecords, tree);
  const Node packed = Packed(list, tree);
  EXPECT_EQ(WriteJson(packed), WriteJson(list));
  EXPECT_TRUE(SaysTheSame(packed, list));
  EXPECT_TRUE(SaysTheSame(list, packed));
  EXPECT_FALSE(SaysTheSame(packed, list.children[0]));
}

TEST(PackedTest, APlainRecordTakesLittle) {
  std::string text;
  constexpr int kRecordCount = 1'000;
  for (int i = 0; i < kRecordCount; ++i) {
    text += "- {name: host-" + std::to_string(i) + ", type: A, ttl: 5m, values: [192.0.2." + std::to_string(i % 256) +
            "]}\n";
  }
  Tree tree;
  Tree kept;
  const Node packed = Packed(Read(text, tree), kept);
  EXPECT_LT(packed.text.size() / kRecordCount, 80U);
}

}  // namespace
}  // namespace weir::config
