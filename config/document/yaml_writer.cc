#include "config/document/yaml_writer.h"

#include "config/document/scalar.h"

#include <yaml-cpp/emitter.h>
#include <yaml-cpp/emittermanip.h>

#include <algorithm>
#include <cstddef>
#include <string_view>

namespace weir::config {
namespace {

// What still fits on a line behind its indentation.
constexpr std::size_t kFlowBytesMax = 100;

// A text that plain would be a number, a boolean or nothing.
bool NeedsQuotes(const Node& scalar) {
  const std::string_view text = scalar.written();
  return scalar.quoted && (ParseNumber(text) || ParseBoolean(text) || IsNullText(text));
}

// Behind a key or a dash on the same line: nothing but scalars, and few of them.
bool FitsOneLine(const Node& node) {
  std::size_t bytes = 0;
  for (const Node& child : node.children) {
    if (child.is_list() || child.is_map()) return false;
    bytes += child.written().size() + 2;
  }
  return bytes <= kFlowBytesMax;
}

void Emit(const Node& node, YAML::Emitter& out) {
  switch (node.kind) {
    case NodeKind::kNull:
      out << YAML::Null;
      return;
    case NodeKind::kScalar:
      if (NeedsQuotes(node)) out << YAML::DoubleQuoted;
      out << std::string(node.written());
      return;
    case NodeKind::kList:
      out << (FitsOneLine(node) ? YAML::Flow : YAML::Block) << YAML::BeginSeq;
      for (const Node& item : node.children) Emit(item, out);
      out << YAML::EndSeq;
      return;
    case NodeKind::kMap:
      out << (FitsOneLine(node) ? YAML::Flow : YAML::Block) << YAML::BeginMap;
      for (std::size_t i = 0; i < node.entries(); ++i) {
        out << YAML::Key;
        Emit(node.key(i), out);
        out << YAML::Value;
        Emit(node.value(i), out);
      }
      out << YAML::EndMap;
      return;
  }
}

}  // namespace

std::string WriteYaml(const Node& node) {
  YAML::Emitter out;
  out.SetIndent(2);
  Emit(node, out);
  return std::string(out.c_str(), out.size()) + "\n";
}

}  // namespace weir::config
