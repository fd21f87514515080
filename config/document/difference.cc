#include "config/document/difference.h"

#include "config/document/json_writer.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

namespace weir::config {
namespace {

// More pairs of items than this are not compared each with each: what changed is then replaced item by item.
constexpr std::size_t kPairsMax = 1'000'000;

// Items of two lists that say the same, as pairs of indexes that both ascend: a longest common subsequence.
std::vector<std::pair<std::size_t, std::size_t>> CommonItems(std::span<const Node> before,
                                                             std::span<const Node> after) {
  std::vector<std::pair<std::size_t, std::size_t>> out;
  if (before.empty() || after.empty() || before.size() > kPairsMax / after.size()) return out;
  const std::size_t width = after.size() + 1;
  // lengths[i * width + j]: of the items from i and from j on.
  std::vector<std::uint32_t> lengths((before.size() + 1) * width, 0);
  std::vector<bool> same(before.size() * after.size());
  for (std::size_t i = before.size(); i-- > 0;) {
    for (std::size_t j = after.size(); j-- > 0;) {
      const bool is_same = SaysTheSame(before[i], after[j]);
      same[i * after.size() + j] = is_same;
      lengths[i * width + j] = is_same ? lengths[(i + 1) * width + j + 1] + 1
                                       : std::max(lengths[(i + 1) * width + j], lengths[i * width + j + 1]);
    }
  }
  for (std::size_t i = 0, j = 0; i < before.size() && j < after.size();) {
    if (same[i * after.size() + j]) {
      out.emplace_back(i++, j++);
    } else if (lengths[(i + 1) * width + j] >= lengths[i * width + j + 1]) {
      ++i;
    } else {
      ++j;
    }
  }
  return out;
}

class Walk {
 public:
  std::vector<EditStep> Take() { return std::move(steps_); }

  void Compare(const Node& before, const Node& after) {
    if (SaysTheSame(before, after)) return;
    if (before.is_map() && after.is_map()) return CompareMaps(before, after);
    if (before.is_list() && after.is_list()) return CompareLists(before.children, after.children);
    Add(EditKind::kReplace, after);
  }

 private:
  void Add(EditKind kind, const Node& value = {}) {
    steps_.push_back({.kind = kind, .path = path_, .from = {}, .value = value});
  }

  void CompareMaps(const Node& before, const Node& after) {
    for (std::size_t i = 0; i < before.entries(); ++i) {
      path_.emplace_back(before.key(i).text);
      if (const Node* const now = after.Find(path_.back())) {
        Compare(before.value(i), *now);
      } else {
        Add(EditKind::kRemove);
      }
      path_.pop_back();
    }
    for (std::size_t i = 0; i < after.entries(); ++i) {
      if (before.Find(after.key(i).text) != nullptr) continue;
      path_.emplace_back(after.key(i).text);
      Add(EditKind::kAdd, after.value(i));
      path_.pop_back();
    }
  }

  void CompareLists(std::span<const Node> before, std::span<const Node> after) {
    std::size_t at = 0;  // in the list as the steps have left it
    while (at < before.size() && at < after.size() && SaysTheSame(before[at], after[at])) ++at;
    before = before.subspan(at);
    after = after.subspan(at);
    while (!before.empty() && !after.empty() && SaysTheSame(before.back(), after.back())) {
      before = before.first(before.size() - 1);
      after = after.first(after.size() - 1);
    }
    auto common = CommonItems(before, after);
    common.emplace_back(before.size(), after.size());
    std::size_t from = 0;
    std::size_t to = 0;
    for (const auto& [i, j] : common) {
      ReplaceItems(before.subspan(from, i - from), after.subspan(to, j - to), at);
      at += j - to + 1;
      from = i + 1;
      to = j + 1;
    }
  }

  // Items between two that stayed: those in the same place are one item that changed, the rest came or went.
  void ReplaceItems(std::span<const Node> before, std::span<const Node> after, std::size_t at) {
    const std::size_t both = std::min(before.size(), after.size());
    for (std::size_t i = 0; i < both; ++i) {
      path_.push_back(std::to_string(at + i));
      Compare(before[i], after[i]);
      path_.pop_back();
    }
    for (std::size_t i = both; i < std::max(before.size(), after.size()); ++i) {
      const bool came = i < after.size();
      path_.push_back(std::to_string(came ? at + i : at + both));
      Add(came ? EditKind::kAdd : EditKind::kRemove, came ? after[i] : Node{});
      path_.pop_back();
    }
  }

  StructuralPath path_;
  std::vector<EditStep> steps_;
};

}  // namespace

std::vector<EditStep> Difference(const Node& before, const Node& after) {
  Walk comparison;
  comparison.Compare(before, after);
  return comparison.Take();
}

std::string PatchText(std::span<const EditStep> steps) {
  std::string out = "[";
  Tree texts;
  for (const EditStep& step : steps) {
    if (out.size() > 1) out += ",\n ";
    const bool removes = step.kind == EditKind::kRemove;
    out += removes ? R"({"op": "remove", "path": )"
                   : (step.kind == EditKind::kAdd ? R"({"op": "add", "path": )" : R"({"op": "replace", "path": )");
    out += WriteJson(texts.Scalar({}, PointerText(step.path), true));
    if (!removes) out += R"(, "value": )" + WriteJson(step.value);
    out += "}";
  }
  return out + "]\n";
}

}  // namespace weir::config
