#pragma once

#include "base/result.h"
#include "config/document/edit.h"
#include "config/document/node.h"

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace weir::config {

// Everything that a configuration is made of, as it is written: what its files say joined, without `include` and
// ignored sections, and what was edited since. Environment references stand in it by their names. Immutable; documents
// share what they have in common.
struct Document {
  std::vector<std::string> files;                   // Position::file: files, and origins of edits
  std::vector<std::shared_ptr<const void>> owners;  // of what `root` looks at
  Node root;                                        // a map
  std::uint32_t edit_columns = 0;  // what edits brought has columns up to here: no two nodes have one place
};

// The document after an edit. `tree` holds the values that it brings. Fails as ApplyEdit does.
[[nodiscard]] Result<std::shared_ptr<Document>> Edited(const Document& document, std::span<const EditStep> steps,
                                                       std::vector<std::string> files, std::shared_ptr<Tree> tree);

}  // namespace weir::config
