#pragma once

#include "config/diagnostic.h"
#include "config/model.h"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace weir::config {

struct Document;  // config/document/document.h

struct LoadOptions {
  // What environment variables hold is not repeated in findings: they are logged or served.
  bool hide_environment = false;
  // Also report, as warnings, what AWS itself would refuse or read differently (`weir check --aws`).
  bool aws_limits = false;
  // Reads an environment variable for ${NAME}; absent when it is not set. Default: getenv.
  std::function<std::optional<std::string>(const std::string&)> environment = {};
  // Values that only later stages understand: regular expressions, record data, the files that `latency` names. Called
  // with what could be decoded of a file that has errors, so that theirs are reported in the same pass; a file without
  // errors is compiled anyway, which checks the same. Default: none.
  std::function<std::vector<Diagnostic>(const Model& decoded)> check_values = {};
};

struct LoadResult {
  std::shared_ptr<const Model> model;  // null when there is any error
  Diagnostics diagnostics;             // errors and warnings; files are filled in either way
  // The wildcards of every `include` that was read, as paths: a file that comes to match one belongs to the
  // configuration.
  std::vector<std::string> include_patterns;
  // What the model was decoded from, for edits; null when there is any error.
  std::shared_ptr<const Document> document;
  // Of LoadPatched: where the document was changed, as JSON Pointers in the order of the steps.
  std::vector<std::string> edited;
};

// Reads `path` and what it includes, and checks everything in one pass: every finding is reported, not the first.
// A file that cannot be read is a diagnostic at its own name, without a line. Thread: any; blocks on the file system.
[[nodiscard]] LoadResult LoadFile(const std::string& path, const LoadOptions& options = {});

// The same for a text in memory; `name` stands for the file in diagnostics and relative paths are resolved against its
// directory.
[[nodiscard]] LoadResult LoadText(std::string_view text, const std::string& name, const LoadOptions& options = {});

// The document after a JSON Patch (RFC 6902), loaded like a file: the same checks, the same messages. Zones and rules
// that stay as they are come from `serving`, the model that `document` was decoded into, with or without its plain
// records, in the same environment; null: everything is read anew. What the patch brings has `origin` for its place
// (`api: PATCH /v1/document`), relative paths in it are resolved against the directory of the file. A patch that is
// wrong, cannot be applied or brings an `include` is a finding. Thread: any.
[[nodiscard]] LoadResult LoadPatched(const Document& document, const Model* serving, std::string_view patch,
                                     const std::string& origin, const LoadOptions& options = {});

// The document as JSON, as it is written: a reference to the environment stays one. Thread: any.
[[nodiscard]] std::string DocumentJson(const Document& document);

// The JSON Schema (draft 2020-12) of the file, pretty-printed. `weir schema` prints it.
[[nodiscard]] std::string JsonSchema();

}  // namespace weir::config
