#include "config/document/node.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <functional>
#include <iterator>

namespace weir::config {
namespace {

// Most edits fit into the first; a large file takes many of the largest, of which the last stays half empty.
constexpr std::size_t kChunkMin = std::size_t{4} * 1024;
constexpr std::size_t kChunkMax = std::size_t{4} * 1024 * 1024;

}  // namespace

const Node* Node::Find(std::string_view name) const {
  if (!is_map()) return nullptr;
  for (std::size_t i = 0; i < children.size(); i += 2) {
    if (children[i].text == name) return &children[i + 1];
  }
  return nullptr;
}

std::string_view Tree::Keep(std::string_view text) {
  if (text.empty()) return {};
  std::byte* const copy = Allocate(text.size(), 1);
  std::memcpy(copy, text.data(), text.size());
  return {reinterpret_cast<const char*>(copy), text.size()};
}

std::span<const Node> Tree::Keep(std::span<const Node> nodes) {
  if (nodes.empty()) return {};
  Node* const copy = reinterpret_cast<Node*>(Allocate(nodes.size_bytes(), alignof(Node)));
  std::uninitialized_copy(nodes.begin(), nodes.end(), copy);
  return {copy, nodes.size()};
}

std::byte* Tree::Allocate(std::size_t size, std::size_t alignment) {
  const std::size_t skipped = -std::bit_cast<std::size_t>(at_) & (alignment - 1);
  if (at_ == nullptr || skipped + size > left_) {
    Chunk chunk;
    // Twice what there is: as many chunks as the logarithm of it, until they are large.
    chunk.size = std::max(size, std::clamp(bytes_, kChunkMin, kChunkMax));
    chunk.memory = std::make_unique_for_overwrite<std::byte[]>(chunk.size);
    at_ = chunk.memory.get();
    left_ = chunk.size;
    bytes_ += chunk.size;
    const auto place =
        std::ranges::upper_bound(chunks_, at_, std::less(), [](const Chunk& other) { return other.memory.get(); });
    chunks_.insert(place, std::move(chunk));
    return Allocate(size, alignment);
  }
  std::byte* const out = at_ + skipped;
  at_ += skipped + size;
  left_ -= skipped + size;
  return out;
}

bool Tree::Owns(const void* place) const {
  const auto* const at = static_cast<const std::byte*>(place);
  const auto behind =
      std::ranges::upper_bound(chunks_, at, std::less(), [](const Chunk& chunk) { return chunk.memory.get(); });
  if (behind == chunks_.begin()) return false;
  const Chunk& chunk = *std::prev(behind);
  return std::less()(at, static_cast<const std::byte*>(chunk.memory.get() + chunk.size));
}

void Tree::AppendMemory(std::vector<std::span<const std::byte>>& out) const {
  for (const Chunk& chunk : chunks_) out.emplace_back(chunk.memory.get(), chunk.size);
}

Node Tree::Container(NodeKind kind, Position position, std::span<const Node> children) {
  Node out{.kind = kind, .position = position};
  for (const Node& child : children) {
    out.height = std::max(out.height, child.height + 1);
    out.expanded_nodes += child.expanded_nodes;
    out.has_references = out.has_references || child.has_references;
  }
  out.children = Keep(children);
  return out;
}

Node Tree::Scalar(Position position, std::string_view text, bool quoted) {
  Node out{.kind = NodeKind::kScalar, .quoted = quoted, .position = position, .text = Keep(text)};
  if (text.find("${") == std::string_view::npos) return out;
  out.has_references = true;
  out.children = Keep({&out, 1});
  return out;
}

bool IsNullText(std::string_view text) {
  return text.empty() || text == "~" || text == "null" || text == "Null" || text == "NULL";
}

}  // namespace weir::config
