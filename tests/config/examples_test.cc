#include "config/load.h"
#include "config/schema/schema.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

namespace weir::config {
namespace {

const std::string kSource = WEIR_SOURCE_DIR;

// A warning that an example is there to show: where the logs of production.yaml go, which leads them to S3.
bool IsShown(const Diagnostic& finding) {
  return finding.severity == Severity::kWarning && finding.message.find("there is no S3 here") != std::string::npos;
}

TEST(ExamplesTest, EveryExampleLoadsWithoutAFinding) {
  int examples = 0;
  for (const auto& entry : std::filesystem::directory_iterator(kSource + "/examples")) {
    if (entry.path().extension() != ".yaml") continue;
    LoadOptions options;
    options.environment = [](const std::string&) { return std::nullopt; };
    const LoadResult result = LoadFile(entry.path().string(), options);
    EXPECT_TRUE(result.model) << result.diagnostics.FormatAll();
    std::vector<Diagnostic> found = result.diagnostics.items;
    std::erase_if(found, IsShown);
    EXPECT_TRUE(found.empty()) << result.diagnostics.FormatAll();
    ++examples;
  }
  EXPECT_GE(examples, 4);
}

TEST(ExamplesTest, TheReferenceOfTheDocumentationIsTheSchema) {
  constexpr std::string_view kMark = "<!-- reference: generated from the schema tables -->\n";
  const std::string path = kSource + "/docs/configuration.md";
  std::ifstream file(path);
  std::string text{std::istreambuf_iterator<char>(file), {}};
  const std::size_t at = text.find(kMark);
  ASSERT_NE(at, std::string::npos);
  const std::string wanted = text.substr(0, at + kMark.size()) + "\n" + MarkdownReference();
  if (std::getenv("WEIR_UPDATE_REFERENCE") != nullptr) std::ofstream(path) << wanted;
  EXPECT_TRUE(text == wanted) << "set WEIR_UPDATE_REFERENCE=1 and run this test again to write it";
}

}  // namespace
}  // namespace weir::config
