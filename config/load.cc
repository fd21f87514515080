#include "config/load.h"

#include "config/check/checks.h"
#include "config/decode/decode.h"
#include "config/decode/units.h"
#include "config/document/document.h"
#include "config/document/environment.h"
#include "config/document/json_writer.h"
#include "config/document/sources.h"
#include "config/finding_paths.h"
#include "config/findings.h"

#include <algorithm>
#include <cstdlib>
#include <utility>

namespace weir::config {
namespace {

constexpr std::string_view kIncludeKey = "include";

Environment EnvironmentOf(const LoadOptions& options) {
  if (options.environment) return options.environment;
  return [](const std::string& variable) {
    const char* const value = std::getenv(variable.c_str());
    return value == nullptr ? std::nullopt : std::optional<std::string>(value);
  };
}

// Everything that follows once there is a document. `complete` is false when a part of it could not be read. The units
// that were read are set where there is no error.
LoadResult Decoded(const Node& root, const std::vector<std::string>& files, bool complete, KnownUnits known,
                   const LoadOptions& options, Findings& findings, std::shared_ptr<const DecodedUnits>& units) {
  auto model = std::make_shared<Model>();
  model->files = files;
  model->complete = complete;
  Decoder decoder(std::move(known), EnvironmentOf(options), findings);
  auto read = decoder.Decode(root, *model);
  if (options.aws_limits) {
    const auto& whole = decoder.ExpandWhole(root);
    CheckAwsLimits(*model, whole, findings);
    CheckAwsLogs(whole, findings);
    CheckAwsAdditions(whole, findings);
  }
  if (findings.errors() > 0 && options.check_values) findings.Add(options.check_values(*model));
  LoadResult out;
  const bool right = findings.errors() == 0;
  out.diagnostics.files = model->files;  // with those that were named by values
  out.diagnostics.items = findings.Take();
  if (options.hide_environment) HideReplacements(decoder.replaced(), out.diagnostics.items);
  // What was found in many records has its path; what comes of comparing them is mostly said of their zones.
  NamePaths(root, {}, out.diagnostics.items, PathSearch::kAboveRecords);
  NamePaths(root, {}, out.diagnostics.items);
  if (!right) return out;
  out.model = std::move(model);
  units = std::move(read);
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
    std::shared_ptr<const DecodedUnits> units;
    out = Decoded(sources->root, sources->files, sources->complete, {}, options, findings, units);
    if (out.model) {
      NodeMoves moves;
      auto document = Kept(WithoutInclude(sources->root, sources->tree), {}, moves);
      document->files = out.diagnostics.files;
      document->units = Moved(std::move(units), moves);
      out.document = std::move(document);
    }
  }
  out.include_patterns = sources->patterns;
  return out;
}

}  // namespace

LoadResult LoadFile(const std::string& path, const LoadOptions& options) { return Load(path, nullptr, options); }

LoadResult LoadText(std::string_view text, const std::string& name, const LoadOptions& options) {
  return Load(name, &text, options);
}

LoadResult LoadPatched(const Document& document, const Model* serving, std::string_view patch,
                       const std::string& origin, const LoadOptions& options) {
  Findings findings;
  std::vector<std::string> files = document.files;
  const auto place = std::ranges::find(files, origin);
  const Position whole{static_cast<std::uint32_t>(place - files.begin()), 0, 0};
  if (place == files.end()) files.push_back(origin);
  Tree tree;
  const auto steps = ReadPatch(patch, whole.file, tree, findings, document.edit_columns);
  if (!steps) return Failed(std::move(files), findings);
  auto edit = Edited(document, *steps, tree);
  if (!edit) {
    findings.AddError(whole, edit.error().message, edit.error().hint);
  } else if (!edit->document->root.is_map()) {
    findings.AddError(whole, "a configuration is a map of sections");
  } else if (edit->document->root.Find(kIncludeKey) != nullptr) {
    findings.AddError(whole, "an edit cannot include files", "only a file can");
  }
  if (findings.errors() > 0) return Failed(std::move(files), findings);
  const auto known_units = serving == nullptr ? nullptr : Moved(document.units, edit->moves);
  KnownUnits known = known_units == nullptr ? KnownUnits() : KnownUnits(*known_units, *serving);
  std::shared_ptr<const DecodedUnits> units;
  LoadResult out = Decoded(edit->document->root, files, true, std::move(known), options, findings, units);
  if (out.model) {
    edit->document->files = out.diagnostics.files;
    // A node takes a byte at least.
    edit->document->edit_columns += static_cast<std::uint32_t>(patch.size());
    edit->document->units = std::move(units);
    out.document = std::move(edit->document);
  }
  for (const EditStep& step : *steps) {
    if (step.kind != EditKind::kTest) out.edited.push_back(PointerText(step.path));
  }
  return out;
}

std::string DocumentJson(const Document& document) { return WriteJson(document.root); }

}  // namespace weir::config
