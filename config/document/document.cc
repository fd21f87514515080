#include "config/document/document.h"

#include <cstddef>
#include <utility>

namespace weir::config {
namespace {

// Our choice: so many edits leave their trees behind before the document is copied into one.
constexpr std::size_t kOwnersMax = 64;

Node CopyOf(const Node& node, Tree& tree) {
  Node out = node;
  out.text = tree.Keep(node.text);
  std::vector<Node> children;
  children.reserve(node.children.size());
  for (const Node& child : node.children) children.push_back(CopyOf(child, tree));
  out.children = tree.Keep(children);
  return out;
}

}  // namespace

Result<std::shared_ptr<Document>> Edited(const Document& document, std::span<const EditStep> steps,
                                         std::vector<std::string> files, std::shared_ptr<Tree> tree) {
  auto root = ApplyEdit(document.root, steps, *tree);
  if (!root) return std::unexpected(std::move(root.error()));
  auto out = std::make_shared<Document>();
  out->files = std::move(files);
  out->edit_columns = document.edit_columns;
  if (document.owners.size() >= kOwnersMax) {
    auto whole = std::make_shared<Tree>();
    out->root = CopyOf(*root, *whole);
    out->owners.push_back(std::move(whole));
  } else {
    out->root = *root;
    out->owners = document.owners;
    out->owners.push_back(std::move(tree));
  }
  return out;
}

}  // namespace weir::config
