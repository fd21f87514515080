#pragma once

#include "config/document/node.h"

namespace weir::config {

// Lists and maps as they are kept while nobody looks into them: their nodes one after the other as bytes, a tenth of
// what nodes take. Thread: any.

// `node`, a list or a map without environment references in it, as one node without children. Its text, which says
// everything that stands below, is kept in `tree`.
[[nodiscard]] Node Packed(const Node& node, Tree& tree);

// What was packed, with its children in `tree`, whose texts live as long as `node` and `tree`; any other node as it is.
[[nodiscard]] Node Unpacked(const Node& node, Tree& tree);

// The same for the values of a map.
[[nodiscard]] Node WithUnpackedValues(const Node& map, Tree& tree);

}  // namespace weir::config
