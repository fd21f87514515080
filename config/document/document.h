#pragma once

#include "base/result.h"
#include "config/document/edit.h"
#include "config/document/node.h"

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

namespace weir::config {

struct DecodedUnits;  // config/decode/units.h

// Everything that a configuration is made of, as it is written: what its files say joined, without `include` and
// ignored sections, and what was edited since. Environment references stand in it by their names. Immutable; documents
// share what they have in common.
struct Document {
  std::vector<std::string> files;                   // Position::file: files, and origins of edits
  std::vector<std::shared_ptr<const Tree>> owners;  // of what `root` looks at, the oldest first
  Node root;                                        // a map
  std::uint32_t edit_columns = 0;  // what edits brought has columns up to here: no two nodes have one place
  std::shared_ptr<const DecodedUnits> units = nullptr;  // what was read from it; null: nothing was
};

// What containers that were copied are identified by now: by Node::identity(), as it was before.
using NodeMoves = std::unordered_map<const void*, const void*>;

struct DocumentEdit {
  std::shared_ptr<Document> document;  // without units
  NodeMoves moves;
};

// A document as it is kept: zones have their records, and listeners their rules, packed. What no tree of `kept` owns is
// copied into a tree of its own, which is the last owner then; `moves` gets what changed its identity.
[[nodiscard]] std::shared_ptr<Document> Kept(const Node& root, std::vector<std::shared_ptr<const Tree>> kept,
                                             NodeMoves& moves);

// The document after an edit. `tree` holds the values that it brings and may go afterwards. Fails as ApplyEdit does.
[[nodiscard]] Result<DocumentEdit> Edited(const Document& document, std::span<const EditStep> steps, Tree& tree);

}  // namespace weir::config
