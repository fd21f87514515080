#pragma once

#include "config/diagnostic.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace weir::config {

enum class NodeKind : std::uint8_t { kNull, kScalar, kList, kMap };

// One node of a document, whatever syntax it was written in; a view into the Tree that owns it, cheap to copy. Aliases
// are already followed and merges (`<<`) are already made, so nodes of one file may share children. Its position is a
// place in a file; of a document that came otherwise `file` is its origin (`api: PATCH /v1/document`), `line` is 0, and
// `column` only tells its nodes apart.
struct Node {
  NodeKind kind = NodeKind::kNull;
  bool quoted = false;          // a scalar in quotes, or a block scalar, or tagged !!str: never a number or a boolean
  bool has_references = false;  // an environment reference stands in it or below it, not replaced yet
  bool expanded = false;        // one was replaced: the text decides the type, quotes do not
  bool unknown = false;         // one was reported: nothing more can be said of the value
  bool packed = false;          // a list or a map of a document whose children are in `text`: Unpacked gives them back
  Position position;
  std::uint32_t height = 0;          // levels below: 0 for a scalar
  std::uint64_t expanded_nodes = 1;  // nodes of this part, each use of an alias counted
  std::string_view text = {};        // of a scalar; bytes of what is packed
  // Of a list: the items; of a map: key, value, key, value ...; of a scalar with references: what is written, where it
  // is written (`position` may be that of an alias).
  std::span<const Node> children = {};

  [[nodiscard]] bool is_null() const { return kind == NodeKind::kNull; }
  [[nodiscard]] bool is_scalar() const { return kind == NodeKind::kScalar; }
  [[nodiscard]] bool is_list() const { return kind == NodeKind::kList; }
  [[nodiscard]] bool is_map() const { return kind == NodeKind::kMap; }
  // An environment reference that stood for nothing.
  [[nodiscard]] bool is_empty_reference() const { return expanded && !unknown && text.empty(); }
  // What stays the same while the children of a container do.
  [[nodiscard]] const void* identity() const {
    return packed ? static_cast<const void*>(text.data()) : static_cast<const void*>(children.data());
  }
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
  Tree() = default;
  Tree(const Tree&) = delete;
  Tree& operator=(const Tree&) = delete;

  [[nodiscard]] std::string_view Keep(std::string_view text);
  [[nodiscard]] std::span<const Node> Keep(std::span<const Node> nodes);
  // A list or a map over `children`, which are kept, with the sums that a container has.
  [[nodiscard]] Node Container(NodeKind kind, Position position, std::span<const Node> children);
  // A scalar, whose text is kept; environment references are noted.
  [[nodiscard]] Node Scalar(Position position, std::string_view text, bool quoted);

  // What it takes from the system.
  [[nodiscard]] std::size_t bytes() const { return bytes_; }
  // Whether what is at `place` was kept here.
  [[nodiscard]] bool Owns(const void* place) const;
  // Where it keeps things, appended to `out`.
  void AppendMemory(std::vector<std::span<const std::byte>>& out) const;

 private:
  struct Chunk {
    std::unique_ptr<std::byte[]> memory;
    std::size_t size = 0;
  };
  [[nodiscard]] std::byte* Allocate(std::size_t size, std::size_t alignment);

  std::vector<Chunk> chunks_;  // by address
  std::byte* at_ = nullptr;    // in the chunk that is being filled
  std::size_t left_ = 0;
  std::size_t bytes_ = 0;
};

// What plain text means null: nothing, `~` and three spellings of the word.
[[nodiscard]] bool IsNullText(std::string_view text);

}  // namespace weir::config
