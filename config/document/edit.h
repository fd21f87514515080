#pragma once

#include "base/result.h"
#include "config/document/node.h"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace weir::config {

class Findings;

// The words of JSON Patch (RFC 6902, 4).
enum class EditKind : std::uint8_t { kAdd, kRemove, kReplace, kMove, kCopy, kTest };

// Where a node stands in a document: keys of maps and indexes of lists, outermost first. `-` is behind the last item.
using StructuralPath = std::vector<std::string>;

// One step of an edit. Texts and nodes are views into the Tree that it was read into.
struct EditStep {
  EditKind kind = EditKind::kTest;
  StructuralPath path;
  StructuralPath from;  // of kMove and kCopy
  Node value;           // of kAdd, kReplace and kTest
};

// `/zones/0/name` (RFC 6901): `~1` is a slash in a key, `~0` a tilde. The empty text is the whole document. Fails on a
// text that is no pointer.
[[nodiscard]] Result<StructuralPath> ParsePointer(std::string_view text);
[[nodiscard]] std::string PointerText(const StructuralPath& path);

// Reads a JSON Patch. What is wrong is in `findings` and the answer is absent; `origin` is what stands for the file of
// the values that it brings, and their columns begin behind `columns_before`.
[[nodiscard]] std::optional<std::vector<EditStep>> ReadPatch(std::string_view text, std::uint32_t origin, Tree& tree,
                                                             Findings& findings, std::uint32_t columns_before = 0);

// The document after all steps, or why one of them cannot be made: the document is as it was then. What does not change
// is shared with `root`; lists and maps on the way to a change are made anew in `tree`, which has to live as long as
// the answer, as must those of `root` and of the values.
[[nodiscard]] Result<Node> ApplyEdit(const Node& root, std::span<const EditStep> steps, Tree& tree);

// Whether two nodes say the same (RFC 6902, 4.6): keys in any order, scalars as they are written.
[[nodiscard]] bool SaysTheSame(const Node& a, const Node& b);

}  // namespace weir::config
