#include "config/finding_paths.h"

#include "config/document/packed.h"

#include <fmt/format.h>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace weir::config {
namespace {

constexpr std::size_t kEveryLevel = std::numeric_limits<std::size_t>::max();

constexpr std::uint64_t PlaceKey(const Position& position) {
  // 4,095 files, 2^28 lines and 2^24 columns apart; a collision would only give a finding another path.
  return (std::uint64_t{position.file} << 52U) ^ (std::uint64_t{position.line} << 24U) ^ position.column;
}

class PathWalk {
 public:
  PathWalk(std::span<Diagnostic> findings, PathSearch search) : search_(search) {
    for (Diagnostic& item : findings) {
      if (item.path.empty()) places_[PlaceKey(item.position)].push_back(&item);
    }
  }

  // Looks `levels` below `node`, which stands at `path`.
  void Walk(const Node& node, std::string& path, std::size_t levels) {
    if (places_.empty()) return;
    if (node.packed && levels > 0 && search_ == PathSearch::kWhole) {
      Tree tree;
      return Walk(Unpacked(node, tree), path, levels);
    }
    const std::size_t size = path.size();
    if (levels > 0) {
      for (std::size_t i = 0; node.is_list() && i < node.children.size(); ++i) {
        path.append(fmt::format("[{}]", i));
        Walk(node.children[i], path, levels - 1);
        path.resize(size);
      }
      for (std::size_t i = 0; node.is_map() && i < node.entries(); ++i) {
        const std::string_view key = node.key(i).text;
        const bool is_section = path.empty();
        if (size > 0) path.push_back('.');
        path.append(key);
        Name(node.key(i).position, path);
        Walk(node.value(i), path, HoldsUnits(key, is_section) ? 2 : levels - 1);
        path.resize(size);
      }
    }
    Name(node.position, path);
    // What is wrong with a reference is reported where it is written, which may be another place than that of its
    // alias.
    if (node.is_scalar() && !node.children.empty()) Name(node.children[0].position, path);
  }

 private:
  [[nodiscard]] bool HoldsUnits(std::string_view key, bool is_section) const {
    return search_ == PathSearch::kAboveRecords && (key == "rules" || (is_section && key == "zones"));
  }
  void Name(const Position& position, const std::string& path) {
    const auto found = places_.find(PlaceKey(position));
    if (found == places_.end()) return;
    for (Diagnostic* const diagnostic : found->second) diagnostic->path = path;
    places_.erase(found);
  }

  PathSearch search_;
  std::unordered_map<std::uint64_t, std::vector<Diagnostic*>> places_;
};

}  // namespace

void NamePaths(const Node& node, const std::string& start, std::span<Diagnostic> findings, PathSearch search) {
  std::string path = start;
  PathWalk(findings, search).Walk(node, path, kEveryLevel);
}

}  // namespace weir::config
