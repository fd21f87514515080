#include "config/load.h"

#include "config/check/checks.h"
#include "config/decode/decode.h"
#include "config/document/document.h"
#include "config/document/environment.h"
#include "config/document/json_writer.h"
#include "config/document/sources.h"
#include "config/findings.h"
#include "config/schema/shape.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <unordered_map>
#include <utility>

namespace weir::config {
namespace {

constexpr std::string_view kIncludeKey = "include";

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

Environment EnvironmentOf(const LoadOptions& options) {
  if (options.environment) return options.environment;
  return [](const std::string& variable) {
    const char* const value = std::getenv(variable.c_str());
    return value == nullptr ? std::nullopt : std::optional<std::string>(value);
  };
}

// Everything that follows once there is a document. `complete` is false when a part of it could not be read.
LoadResult Decoded(std::shared_ptr<Document> document, bool complete, const LoadOptions& options, Findings& findings) {
  auto model = std::make_shared<Model>();
  model->files = document->files;
  model->complete = complete;
  Tree tree;
  std::vector<Replacement> replaced;
  const Node root = ExpandReferences(document->root, EnvironmentOf(options), tree, findings, &replaced);
  CheckShape(root, RootObject(), findings);
  DecodeModel(root, findings, *model);
  if (options.aws_limits) CheckAwsLimits(*model, root, findings);
  if (findings.errors() > 0 && options.check_values) findings.Add(options.check_values(*model));
  LoadResult out;
  const bool right = findings.errors() == 0;
  out.diagnostics.files = document->files;
  out.diagnostics.items = findings.Take();
  if (options.hide_environment) HideReplacements(replaced, out.diagnostics.items);
  Places places;
  for (Diagnostic& item : out.diagnostics.items) places[PlaceKey(item.position)].push_back(&item);
  std::string path;
  NamePaths(document->root, path, places);
  if (!right) return out;
  out.model = std::move(model);
  out.document = std::move(document);
  return out;
}

LoadResult Failed(std::vector<std::string> files, Findings& findings) {
  LoadResult out;
  out.diagnostics.files = std::move(files);
  out.diagnostics.items = findings.Take();
  return out;
}

// What is included was read: the document holds it.
Node WithoutInclude(const Node& root, Tree& tree) {
  std::vector<Node> children;
  for (std::size_t i = 0; i < root.entries(); ++i) {
    if (root.key(i).text == kIncludeKey) continue;
    children.push_back(root.key(i));
    children.push_back(root.value(i));
  }
  return tree.Container(NodeKind::kMap, root.position, children);
}

LoadResult Load(const std::string& name, const std::string_view* text, const LoadOptions& options) {
  Findings findings;
  const std::shared_ptr<Sources> sources = ReadSources(name, text, EnvironmentOf(options), findings);
  LoadResult out;
  // What a file that is not YAML leaves out would be reported as dangling references.
  if (findings.errors() > 0 && sources->root.children.empty()) {
    out = Failed(sources->files, findings);
  } else {
    auto document = std::make_shared<Document>();
    document->files = sources->files;
    document->root = sources->root;
    document->owners.push_back(sources);
    out = Decoded(document, sources->complete, options, findings);
    document->root = WithoutInclude(sources->root, sources->tree);
  }
  out.include_patterns = sources->patterns;
  return out;
}

}  // namespace

LoadResult LoadFile(const std::string& path, const LoadOptions& options) { return Load(path, nullptr, options); }

LoadResult LoadText(std::string_view text, const std::string& name, const LoadOptions& options) {
  return Load(name, &text, options);
}

LoadResult LoadPatched(const Document& document, std::string_view patch, const std::string& origin,
                       const LoadOptions& options) {
  Findings findings;
  std::vector<std::string> files = document.files;
  const auto known = std::ranges::find(files, origin);
  const Position whole{static_cast<std::uint32_t>(known - files.begin()), 0, 0};
  if (known == files.end()) files.push_back(origin);
  auto tree = std::make_shared<Tree>();
  const auto steps = ReadPatch(patch, whole.file, *tree, findings, document.edit_columns);
  if (!steps) return Failed(std::move(files), findings);
  auto edited = Edited(document, *steps, files, std::move(tree));
  if (!edited) {
    findings.AddError(whole, edited.error().message, edited.error().hint);
  } else if (!(*edited)->root.is_map()) {
    findings.AddError(whole, "a configuration is a map of sections");
  } else if ((*edited)->root.Find(kIncludeKey) != nullptr) {
    findings.AddError(whole, "an edit cannot include files", "only a file can");
  }
  if (findings.errors() > 0) return Failed(std::move(files), findings);
  // A node takes a byte at least.
  (*edited)->edit_columns += static_cast<std::uint32_t>(patch.size());
  LoadResult out = Decoded(std::move(*edited), true, options, findings);
  for (const EditStep& step : *steps) {
    if (step.kind != EditKind::kTest) out.edited.push_back(PointerText(step.path));
  }
  return out;
}

std::string DocumentJson(const Document& document) { return WriteJson(document.root); }

}  // namespace weir::config
