#include "config/document/document.h"

#include "config/document/packed.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <iterator>
#include <string_view>
#include <utility>
#include <vector>

namespace weir::config {
namespace {

// Our choice: so many edits leave their trees behind before at least half of them are copied into one.
constexpr std::size_t kOwnersMax = 64;
constexpr std::size_t kLargeTreeBytes = std::size_t{1024} * 1024;

// How many of the trees, the oldest first, are left alone. A large one is when it has more than all that came after it:
// so each byte is copied a logarithmic number of times, and what nobody looks at any more is at most as much as what
// came later.
std::size_t KeptTrees(std::span<const std::shared_ptr<const Tree>> owners) {
  std::size_t newer_bytes = 0;
  std::size_t kept = owners.size();
  for (; kept > 0; --kept) {
    const std::size_t bytes = owners[kept - 1]->bytes();
    const bool many = owners.size() - kept >= kOwnersMax / 2;
    if (many && bytes > std::max(newer_bytes, kLargeTreeBytes)) break;
    newer_bytes += bytes;
  }
  return kept;
}

// Copies what is in none of some trees, and packs what is to be packed. Nothing in those trees looks at what came
// later.
class Copying {
 public:
  Copying(std::span<const std::shared_ptr<const Tree>> kept, Tree& tree, NodeMoves& moves)
      : tree_(tree), moves_(moves) {
    for (const auto& owner : kept) owner->AppendMemory(kept_);
    std::ranges::sort(kept_, std::less(), [](const auto& memory) { return memory.data(); });
  }

  // Where in a document a node stands.
  enum class Place : std::uint8_t {
    kRoot,
    kZones,
    kZone,
    kRecords,
    kLoadBalancers,
    kLoadBalancer,
    kListeners,
    kListener,
    kRules,
    kRule,
    kElsewhere,
  };

  Node CopyOf(const Node& node, Place place) {
    const bool packs = place == Place::kRecords || place == Place::kRule;
    if (node.packed && !packs) {
      // It was moved to where nothing is packed.
      Tree whole;
      return CopyOf(Unpacked(node, whole), place);
    }
    if (node.packed || node.is_scalar() || node.is_null()) return CopyOfText(node);
    if (IsKept(node.children.data())) return node;
    Node out = node;
    if (const auto same = copied_.find(node.children.data()); same != copied_.end() && place == Place::kElsewhere) {
      // Aliases share what they name.
      out.children = {same->second, node.children.size()};
      return out;
    }
    if (packs && !node.has_references && !node.children.empty()) {
      out = Packed(node, tree_);
    } else {
      std::vector<Node> children;
      children.reserve(node.children.size());
      for (std::size_t i = 0; i < node.children.size(); ++i) {
        const bool is_value = node.is_list() || i % 2 == 1;
        const std::string_view key = node.is_map() && is_value ? node.children[i - 1].text : std::string_view();
        children.push_back(CopyOf(node.children[i], is_value ? Below(place, key) : Place::kElsewhere));
      }
      out.children = tree_.Keep(children);
      if (place == Place::kElsewhere) copied_.emplace(node.children.data(), out.children.data());
    }
    moves_.emplace(node.identity(), out.identity());
    return out;
  }

 private:
  static Place Below(Place place, std::string_view key) {
    switch (place) {
      case Place::kRoot:
        if (key == "zones") return Place::kZones;
        return key == "load-balancers" ? Place::kLoadBalancers : Place::kElsewhere;
      case Place::kZone:
        return key == "records" ? Place::kRecords : Place::kElsewhere;
      case Place::kLoadBalancer:
        return key == "listeners" ? Place::kListeners : Place::kElsewhere;
      case Place::kListener:
        return key == "rules" ? Place::kRules : Place::kElsewhere;
      case Place::kZones:
        return Place::kZone;
      case Place::kLoadBalancers:
        return Place::kLoadBalancer;
      case Place::kListeners:
        return Place::kListener;
      case Place::kRules:
        return Place::kRule;
      default:
        return Place::kElsewhere;
    }
  }

  Node CopyOfText(const Node& node) {
    Node out = node;
    if (!IsKept(node.text.data())) {
      out.text = tree_.Keep(node.text);
      if (node.packed) moves_.emplace(node.identity(), out.identity());
    }
    if (IsKept(node.children.data())) return out;
    Node written = node.children.front();
    written.text = out.text;
    // What is written of a scalar with references is its own text.
    out.children = tree_.Keep({&written, 1});
    return out;
  }

  [[nodiscard]] bool IsKept(const void* place) const {
    if (place == nullptr) return true;
    const auto* const at = static_cast<const std::byte*>(place);
    const auto behind =
        std::ranges::upper_bound(kept_, at, std::less(), [](const auto& memory) { return memory.data(); });
    return behind != kept_.begin() && std::less()(at, std::prev(behind)->data() + std::prev(behind)->size());
  }

  std::vector<std::span<const std::byte>> kept_;  // by address
  Tree& tree_;
  NodeMoves& moves_;
  std::unordered_map<const Node*, const Node*> copied_;  // of what is neither above nor in what is packed
};

}  // namespace

std::shared_ptr<Document> Kept(const Node& root, std::vector<std::shared_ptr<const Tree>> kept, NodeMoves& moves) {
  auto out = std::make_shared<Document>();
  auto tree = std::make_shared<Tree>();
  out->root = Copying(kept, *tree, moves).CopyOf(root, Copying::Place::kRoot);
  out->owners = std::move(kept);
  out->owners.push_back(std::move(tree));
  return out;
}

Result<DocumentEdit> Edited(const Document& document, std::span<const EditStep> steps, Tree& tree) {
  auto root = ApplyEdit(document.root, steps, tree);
  if (!root) return std::unexpected(std::move(root.error()));
  DocumentEdit out;
  auto kept = document.owners;
  const bool compacts = kept.size() >= kOwnersMax;
  if (compacts) kept.resize(KeptTrees(kept));
  out.document = Kept(*root, std::move(kept), out.moves);
  // Nothing was read yet of what the edit brings.
  if (!compacts) out.moves.clear();
  out.document->edit_columns = document.edit_columns;
  return out;
}

}  // namespace weir::config
