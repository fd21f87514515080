// A document that is edited is checked like a file.

#include "config/document/document.h"
#include "tests/config/load_text.h"

#include <gtest/gtest.h>

#include <map>
#include <string>

namespace weir::config {
namespace {

constexpr std::string_view kOrigin = "api: PATCH /v1/document";
constexpr std::string_view kShop =
    "load-balancers:\n"
    "  - name: shop\n"
    "    listeners:\n"
    "      - port: \"${PORT:-8080}\"\n"
    "        default-actions: [{forward: {target-group: blue}}]\n"
    "target-groups:\n"
    "  - {name: blue, targets: [{address: 127.0.0.1, port: 1}]}\n";

LoadOptions With(const std::map<std::string, std::string>& environment) {
  LoadOptions options;
  options.hide_environment = true;
  options.environment = [environment](const std::string& name) -> std::optional<std::string> {
    const auto found = environment.find(name);
    return found == environment.end() ? std::nullopt : std::optional(found->second);
  };
  return options;
}

LoadResult Patched(std::string_view patch, const std::map<std::string, std::string>& environment = {}) {
  const auto loaded = LoadText(kShop, "conf/t.yaml", With(environment));
  EXPECT_TRUE(loaded.document) << loaded.diagnostics.FormatAll();
  return LoadPatched(*loaded.document, loaded.model.get(), patch, std::string(kOrigin), With(environment));
}

TEST(PatchTest, AnEditBecomesAModelAndADocument) {
  const auto result = Patched(
      R"([{"op": "replace", "path": "/load-balancers/0/listeners/0/port", "value": 8081},
          {"op": "add", "path": "/target-groups/0/targets/-", "value": {"address": "127.0.0.2", "port": 2}}])");
  ASSERT_TRUE(result.model) << result.diagnostics.FormatAll();
  EXPECT_EQ(result.model->load_balancers[0].listeners[0].port, 8081);
  EXPECT_EQ(result.model->target_groups[0].targets.size(), 2U);
  EXPECT_EQ(result.model->load_balancers[0].position.line, 2U) << "what stays has its place in the file";
  EXPECT_EQ(
      DocumentJson(*result.document),
      R"({"load-balancers":[{"name":"shop","listeners":[{"port":8081,"default-actions":[{"forward":{"target-group":)"
      R"("blue"}}]}]}],"target-groups":[{"name":"blue","targets":[{"address":"127.0.0.1","port":1},)"
      R"({"address":"127.0.0.2","port":2}]}]})");
  EXPECT_EQ(result.edited,
            (std::vector<std::string>{"/load-balancers/0/listeners/0/port", "/target-groups/0/targets/-"}));
}

TEST(PatchTest, WhatIsWrongIsSaidAsOfAFileWithItsStructuralPath) {
  const auto result =
      Patched(R"([{"op": "replace", "path": "/load-balancers/0/listeners/0/default-actions/0/forward/target-group",
                   "value": "bleu"},
                  {"op": "add", "path": "/target-groups/0/protocoll", "value": "HTTP"}])");
  EXPECT_FALSE(result.model);
  EXPECT_FALSE(result.document);
  std::map<std::string, std::string> found;
  for (const Diagnostic& item : result.diagnostics.items) found[item.path] = result.diagnostics.Format(item);
  EXPECT_EQ(found["load-balancers[0].listeners[0].default-actions[0].forward.target-group"],
            "api: PATCH /v1/document: error: no target group is named `bleu`; did you mean `blue`?");
  EXPECT_EQ(found["target-groups[0].protocoll"].substr(0, 78),
            "api: PATCH /v1/document: error: unknown key `protocoll` in target-group; did y");
}

TEST(PatchTest, APatchThatCannotBeAppliedIsAFinding) {
  EXPECT_EQ(Patched(R"([{"op": "remove", "path": "/zone"}])").diagnostics.FormatAll(),
            "api: PATCH /v1/document: error: step 1, remove `/zone`: the map has no key `zone`\n");
  EXPECT_EQ(Patched("[").diagnostics.items.size(), 1U);
  EXPECT_EQ(Patched(R"([{"op": "add", "path": "/include", "value": ["a.yaml"]}])").diagnostics.FormatAll(),
            "api: PATCH /v1/document: error: an edit cannot include files; only a file can\n");
  EXPECT_EQ(Patched(R"([{"op": "replace", "path": "", "value": []}])").diagnostics.FormatAll(),
            "api: PATCH /v1/document: error: a configuration is a map of sections\n");
}

TEST(PatchTest, ReferencesStayInTheDocumentAndCountInTheModel) {
  const auto result = Patched(R"([{"op": "replace", "path": "/target-groups/0/targets/0/port", "value": "${TARGET}"}])",
                              {{"PORT", "8099"}, {"TARGET", "9099"}});
  ASSERT_TRUE(result.model) << result.diagnostics.FormatAll();
  EXPECT_EQ(result.model->load_balancers[0].listeners[0].port, 8099);
  EXPECT_EQ(result.model->target_groups[0].targets[0].port, 9099);
  const std::string json = DocumentJson(*result.document);
  EXPECT_NE(json.find("${TARGET}"), std::string::npos);
  EXPECT_NE(json.find("${PORT:-8080}"), std::string::npos);
  EXPECT_EQ(json.find("9099"), std::string::npos);
}

TEST(PatchTest, WhatAVariableHoldsIsNotRepeated) {
  const auto result = Patched(R"([{"op": "replace", "path": "/target-groups/0/targets/0/port", "value": "${SECRET}"},
                  {"op": "replace", "path": "/target-groups/0/name", "value": "${SECRET}"}])",
                              {{"SECRET", "s3cret-word"}});
  EXPECT_FALSE(result.model);
  const std::string found = result.diagnostics.FormatAll();
  EXPECT_EQ(found.find("s3cret"), std::string::npos) << found;
  EXPECT_NE(found.find("`port` wants a whole number, found what `${SECRET}` holds"), std::string::npos) << found;
}

TEST(PatchTest, ManyEditsFollowEachOther) {
  auto loaded = LoadText(kShop, "t.yaml", With({}));
  for (int i = 0; i < 200; ++i) {
    ASSERT_TRUE(loaded.document) << loaded.diagnostics.FormatAll();
    const std::string value = std::to_string(1'000 + i);
    loaded = LoadPatched(*loaded.document, loaded.model.get(),
                         R"([{"op": "replace", "path": "/target-groups/0/targets/0/port", "value": )" + value + "}]",
                         std::string(kOrigin), With({}));
  }
  ASSERT_TRUE(loaded.model);
  EXPECT_EQ(loaded.model->target_groups[0].targets[0].port, 1'199);
  EXPECT_LE(loaded.document->owners.size(), 65U) << "what edits leave behind is bounded";
  EXPECT_EQ(loaded.document->files.size(), 2U);
}

TEST(PatchTest, FindingOfALaterEditHasItsOwnPath) {
  const auto first = Patched(R"([{"op": "replace", "path": "/load-balancers/0/listeners/0/port", "value": 2}])");
  ASSERT_TRUE(first.document);
  const auto second =
      LoadPatched(*first.document, first.model.get(),
                  R"([{"op": "add", "path": "/target-groups/0/nosuch", "value": 2}])", std::string(kOrigin), With({}));
  ASSERT_EQ(second.diagnostics.items.size(), 1U);
  EXPECT_EQ(second.diagnostics.items[0].path, "target-groups[0].nosuch");
}

TEST(PatchTest, RelativePathsAreThoseOfTheFile) {
  const auto result =
      Patched(R"([{"op": "add", "path": "/load-balancers/0/access-log", "value": {"path": "log/access.log"}}])");
  ASSERT_TRUE(result.model) << result.diagnostics.FormatAll();
  EXPECT_EQ(result.model->load_balancers[0].access_log->path, "conf/log/access.log");
}

}  // namespace
}  // namespace weir::config
