#include "config/document/node.h"

#include <algorithm>
#include <cstring>

namespace weir::config {

const Node* Node::Find(std::string_view name) const {
  if (!is_map()) return nullptr;
  for (std::size_t i = 0; i < children.size(); i += 2) {
    if (children[i].text == name) return &children[i + 1];
  }
  return nullptr;
}

std::string_view Tree::Keep(std::string_view text) {
  if (text.empty()) return {};
  char* const copy = static_cast<char*>(memory_.allocate(text.size(), 1));
  std::memcpy(copy, text.data(), text.size());
  return {copy, text.size()};
}

std::span<const Node> Tree::Keep(std::span<const Node> nodes) {
  if (nodes.empty()) return {};
  Node* const copy = static_cast<Node*>(memory_.allocate(nodes.size_bytes(), alignof(Node)));
  std::uninitialized_copy(nodes.begin(), nodes.end(), copy);
  return {copy, nodes.size()};
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
