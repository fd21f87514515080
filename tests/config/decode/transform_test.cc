// spec: alb.md 6: transforms of a rule, as they are written.

#include "tests/config/load_text.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace weir::config {
namespace {

std::string TransformedRule(std::string_view transforms, std::string_view action = "forward: {target-group: blue}") {
  return std::string("load-balancers: [{name: a, listeners: [{port: 80, rules: [{priority: 1, transforms: ")
      .append(transforms)
      .append(", actions: [{")
      .append(action)
      .append(
          "}]}], default-actions: [{forward: {target-group: blue}}]}]}]\n"
          "target-groups: [{name: blue, targets: [{address: 192.0.2.1, port: 80}]}]\n");
}

TEST(TransformTest, IsRead) {
  const auto loaded = LoadFor(TransformedRule(
      R"([{url-rewrite: {regex: "^/v1/(.*)$", replace: "/$1"}}, {host-header-rewrite: {regex: a, replace: ""}}])"));
  ASSERT_TRUE(loaded.model) << loaded.diagnostics.FormatAll();
  const auto& transforms = loaded.model->load_balancers[0].listeners[0].rules[0]->transforms;
  ASSERT_EQ(transforms.size(), 2U);
  EXPECT_EQ(transforms[0].kind, TransformKind::kUrlRewrite);
  EXPECT_EQ(transforms[0].regex.text, "^/v1/(.*)$");
  EXPECT_EQ(transforms[0].replace.text, "/$1");
  EXPECT_EQ(transforms[1].kind, TransformKind::kHostHeaderRewrite);
  EXPECT_EQ(transforms[1].replace.text, "");
}

TEST(TransformTest, StandsOnceForEachKind) {
  EXPECT_NE(
      FindingsOf(TransformedRule("[{url-rewrite: {regex: a, replace: b}}, {url-rewrite: {regex: c, replace: d}}]"))
          .find("error: a second `url-rewrite`; at most one of each kind in a rule"),
      std::string::npos);
}

TEST(TransformTest, HasAnExpressionAndAReplacement) {
  EXPECT_NE(FindingsOf(TransformedRule("[{url-rewrite: {regex: a}}]")).find("rewrite without `replace`"),
            std::string::npos)
      << FindingsOf(TransformedRule("[{url-rewrite: {regex: a}}]"));
  EXPECT_NE(FindingsOf(TransformedRule("[{url-rewrite: {regex: \"\", replace: a}}]")).find("`regex` is empty"),
            std::string::npos);
}

TEST(TransformTest, IsAtMostSoLong) {
  const std::string longest(1024, 'x');
  EXPECT_EQ(FindingsOf(TransformedRule("[{url-rewrite: {regex: " + longest + ", replace: " + longest + "}}]")), "");
  EXPECT_NE(FindingsOf(TransformedRule("[{url-rewrite: {regex: a, replace: " + longest + "x}}]"))
                .find("`replace` is longer than 1024 characters"),
            std::string::npos);
}

TEST(TransformTest, ChangesOnlyWhatIsForwarded) {
  EXPECT_NE(FindingsOf(TransformedRule("[{url-rewrite: {regex: a, replace: b}}]", "fixed-response: {status-code: 200}"))
                .find("warning: nothing is transformed where nothing is forwarded"),
            std::string::npos);
}

}  // namespace
}  // namespace weir::config
