#include "config/decode/decode.h"
#include "config/document/utf8.h"
#include "config/findings.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

namespace weir::config {
namespace {

constexpr std::size_t kRewriteCharactersMax = 1024;  // spec: alb.md 6

// In the order of TransformKind.
constexpr std::array<std::string_view, kTransformKinds> kKeys = {"host-header-rewrite", "url-rewrite"};

LocatedText DecodeBounded(const Fields& fields, std::string_view key, Findings& findings) {
  LocatedText out = fields.Located(key);
  if (CountCharacters(out.text) > kRewriteCharactersMax) {
    findings.AddError(out.position, fmt::format("`{}` is longer than {} characters", key, kRewriteCharactersMax));
  }
  return out;
}

}  // namespace

std::vector<Transform> DecodeTransforms(const Fields& rule, Findings& findings) {
  std::vector<Transform> out;
  for (const Node& item : rule.List("transforms")) {
    const Fields fields(item);
    for (std::size_t i = 0; i < kKeys.size(); ++i) {
      const Node* const map = fields.Map(kKeys[i]);
      if (map == nullptr) continue;
      const auto kind = static_cast<TransformKind>(i);
      if (std::ranges::find(out, kind, &Transform::kind) != out.end()) {
        findings.AddError(item.position, fmt::format("a second `{}`", kKeys[i]), "at most one of each kind in a rule");
        continue;
      }
      const Fields rewrite(*map);
      out.push_back({.kind = kind,
                     .regex = DecodeBounded(rewrite, "regex", findings),
                     .replace = DecodeBounded(rewrite, "replace", findings)});
      if (out.back().regex.text.empty() && rewrite.Has("regex")) {
        findings.AddError(rewrite.PositionOf("regex"), "`regex` is empty", "`^` stands for the beginning");
      }
    }
  }
  return out;
}

}  // namespace weir::config
