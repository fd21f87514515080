#include "config/load.h"

#include "config/check/checks.h"
#include "config/decode/decode.h"
#include "config/document/sources.h"
#include "config/findings.h"
#include "config/schema/shape.h"

#include <fmt/format.h>

#include <cstdlib>
#include <unordered_map>

namespace weir::config {
namespace {

using Places = std::unordered_map<std::uint64_t, std::vector<Diagnostic*>>;

constexpr std::uint64_t PlaceKey(const Position& position) {
  // 4,095 files, 2^28 lines and 2^24 columns apart; a collision would only give a finding another path.
  return (std::uint64_t{position.file} << 52U) ^ (std::uint64_t{position.line} << 24U) ^ position.column;
}

void NamePlace(const Position& position, const std::string& path, Places& places) {
  const auto found = places.find(PlaceKey(position));
  if (found == places.end()) return;
  for (Diagnostic* const diagnostic : found->second) diagnostic->path = path;
  places.erase(found);
}

// Gives findings their path (`load-balancers[0].listeners[1].port`) by looking their places up in the tree.
void NamePaths(const Node& node, std::string& path, Places& places) {
  if (places.empty()) return;
  const std::size_t size = path.size();
  for (std::size_t i = 0; node.is_list() && i < node.children.size(); ++i) {
    path.append(fmt::format("[{}]", i));
    NamePaths(node.children[i], path, places);
    path.resize(size);
  }
  for (std::size_t i = 0; node.is_map() && i < node.entries(); ++i) {
    if (size > 0) path.push_back('.');
    path.append(node.key(i).text);
    NamePlace(node.key(i).position, path, places);
    NamePaths(node.value(i), path, places);
    path.resize(size);
  }
  NamePlace(node.position, path, places);
  // What is wrong with a reference is reported where it is written, which may be another place than that of its alias.
  if (node.is_scalar() && !node.children.empty()) NamePlace(node.children[0].position, path, places);
}

LoadResult Load(const std::string& name, const std::string_view* text, const LoadOptions& options) {
  const Environment environment = options.environment ? options.environment : [](const std::string& variable) {
    const char* const value = std::getenv(variable.c_str());
    return value == nullptr ? std::nullopt : std::optional<std::string>(value);
  };
  Findings findings;
  const auto sources = ReadSources(name, text, environment, findings);
  auto model = std::make_shared<Model>();
  model->files = sources->files;
  model->complete = sources->complete;
  // What a file that is not YAML leaves out would be reported as dangling references.
  const bool readable = findings.errors() == 0 || !sources->root.children.empty();
  if (readable) {
    const Node root = ExpandReferences(sources->root, environment, sources->tree, findings);
    CheckShape(root, RootObject(), findings);
    DecodeModel(root, findings, *model);
    if (options.aws_limits) CheckAwsLimits(*model, root, findings);
    if (findings.errors() > 0 && options.check_values) findings.Add(options.check_values(*model));
  }
  LoadResult out;
  if (findings.errors() == 0) out.model = std::move(model);
  out.diagnostics.files = sources->files;
  out.include_patterns = sources->patterns;
  out.diagnostics.items = findings.Take();
  Places places;
  for (Diagnostic& item : out.diagnostics.items) places[PlaceKey(item.position)].push_back(&item);
  std::string path;
  NamePaths(sources->root, path, places);
  return out;
}

}  // namespace

LoadResult LoadFile(const std::string& path, const LoadOptions& options) { return Load(path, nullptr, options); }

LoadResult LoadText(std::string_view text, const std::string& name, const LoadOptions& options) {
  return Load(name, &text, options);
}

}  // namespace weir::config
