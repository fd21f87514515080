#pragma once

#include "config/diagnostic.h"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <memory_resource>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace weir::config {

class Findings;

enum class NodeKind : std::uint8_t { kNull, kScalar, kList, kMap };

// One node of a parsed file; a view into the Tree that owns it, cheap to copy. Aliases are already followed and merges
// (`<<`) are already made, so nodes of one file may share children.
struct Node {
  NodeKind kind = NodeKind::kNull;
  bool quoted = false;    // a scalar in quotes, or a block scalar, or tagged !!str: never a number or a boolean
  bool expanded = false;  // an environment reference was replaced: the text decides the type, quotes do not
  bool unknown = false;   // a reference in it was reported: nothing more can be said of the value
  Position position;
  std::uint32_t height = 0;          // levels below: 0 for a scalar
  std::uint64_t expanded_nodes = 1;  // nodes of this part, each use of an alias counted
  std::string_view text = {};        // of a scalar
  // Of a list: the items; of a map: key, value, key, value ...; of an expanded scalar: what is written there.
  std::span<const Node> children = {};

  [[nodiscard]] bool is_null() const { return kind == NodeKind::kNull; }
  [[nodiscard]] bool is_scalar() const { return kind == NodeKind::kScalar; }
  [[nodiscard]] bool is_list() const { return kind == NodeKind::kList; }
  [[nodiscard]] bool is_map() const { return kind == NodeKind::kMap; }
  // An environment reference that stood for nothing.
  [[nodiscard]] bool is_empty_reference() const { return expanded && !unknown && text.empty(); }
  // Of a scalar: its text before environment references were replaced.
  [[nodiscard]] std::string_view written() const { return expanded ? children[0].text : text; }
  [[nodiscard]] std::size_t entries() const { return children.size() / 2; }
  [[nodiscard]] const Node& key(std::size_t entry) const { return children[2 * entry]; }
  [[nodiscard]] const Node& value(std::size_t entry) const { return children[2 * entry + 1]; }
  // The value of a map's key; null when there is none, or when this is no map.
  [[nodiscard]] const Node* Find(std::string_view name) const;
};

// Our choice, because the language itself nests nine levels deep and no hand writes more than these.
inline constexpr std::uint32_t kNestingLevelsMax = 64;
// Our choice: aliases may multiply a file (`a: [*b, *b]`, `b: [*c, *c]` ...), but not without end.
inline constexpr std::uint64_t kAliasedNodesMax = 2'000'000;

// Owns the texts and children that Nodes look at. Bump-allocated: a file of a hundred thousand records is a million and
// a half nodes.
class Tree {
 public:
  [[nodiscard]] std::string_view Keep(std::string_view text);
  [[nodiscard]] std::span<const Node> Keep(std::span<const Node> nodes);

 private:
  std::pmr::monotonic_buffer_resource memory_{std::size_t{64} * 1024};
};

// Replaces environment references in a scalar; absent: there was none and the text stands. Reports its own findings.
using ScalarExpander = std::function<std::optional<std::string>(std::string_view text, Position position)>;

// Parses one YAML document. Syntax errors, a second document, duplicate keys, keys that are not plain text, unknown
// anchors, aliases that hold themselves and the limits above are reported to `findings`; the answer is absent only when
// there is no tree to go on with. An empty text gives a null node.
[[nodiscard]] std::optional<Node> ParseYaml(std::string_view text, std::uint32_t file, const ScalarExpander& expand,
                                            Tree& tree, Findings& findings);

}  // namespace weir::config
