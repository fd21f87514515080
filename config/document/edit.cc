#include "config/document/edit.h"

#include "base/text.h"
#include "config/document/json_reader.h"
#include "config/document/packed.h"
#include "config/findings.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <utility>

namespace weir::config {
namespace {

constexpr std::array<std::string_view, 6> kWords{"add", "remove", "replace", "move", "copy", "test"};

// A node on its way into a document, or why it does not come there.
using Changed = Result<Node>;

// A whole number without sign and leading zeros, below `below`.
std::optional<std::size_t> IndexOf(std::string_view text, std::size_t below) {
  if (text.empty() || text.size() > 9 || (text.size() > 1 && text[0] == '0')) return std::nullopt;
  std::size_t out = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    out = out * 10 + static_cast<std::size_t>(c - '0');
  }
  return out < below ? std::optional(out) : std::nullopt;
}

// The place of the value under `key` among the children of a container; absent when there is none.
std::optional<std::size_t> ChildOf(const Node& node, std::string_view key) {
  if (node.is_list()) return IndexOf(key, node.children.size());
  for (std::size_t i = 0; node.is_map() && i < node.entries(); ++i) {
    if (node.key(i).text == key) return 2 * i + 1;
  }
  return std::nullopt;
}

std::unexpected<Error> Missing(const Node& node, std::string_view key) {
  if (node.is_list()) {
    return Failure(fmt::format("the list has no item {}", Quoted(key)), fmt::format("it has {}", node.children.size()));
  }
  if (!node.is_map())
    return Failure(fmt::format("nothing can stand at {}: above it is neither a list nor a map", Quoted(key)));
  std::vector<std::string_view> keys;
  for (std::size_t i = 0; i < node.entries(); ++i) keys.push_back(node.key(i).text);
  const std::string_view near = NearestWord(key, keys);
  return Failure(fmt::format("the map has no key {}", Quoted(key)),
                 near.empty() ? std::string() : fmt::format("did you mean {}?", Quoted(near)));
}

std::optional<Node> FindNode(const Node& root, std::span<const std::string> path, Tree& tree) {
  Node node = root;
  for (const std::string& key : path) {
    node = Unpacked(node, tree);
    const auto at = ChildOf(node, key);
    if (!at) return std::nullopt;
    node = node.children[*at];
  }
  return node;
}

// Makes one change in a document, from the root to its place.
class Editor {
 public:
  explicit Editor(Tree& tree) : tree_(tree) {}

  Changed Apply(const Node& root, const EditStep& step);

 private:
  // `change` gets the container and the last key of the path, and gives the container that stands there afterwards.
  template <class Change>
  Changed At(const Node& node, std::span<const std::string> path, const Change& change);
  Changed Add(const Node& root, std::span<const std::string> path, const Node& value);
  Changed Remove(const Node& root, std::span<const std::string> path);
  Changed Replace(const Node& root, std::span<const std::string> path, const Node& value);
  Node With(const Node& container, std::span<const Node> children) {
    return tree_.Container(container.kind, container.position, children);
  }

  Tree& tree_;
};

template <class Change>
Changed Editor::At(const Node& node, std::span<const std::string> path, const Change& change) {
  if (node.packed) return At(Unpacked(node, tree_), path, change);
  if (path.size() == 1) return change(node, path.front());
  const auto at = ChildOf(node, path.front());
  if (!at) return Missing(node, path.front());
  auto child = At(node.children[*at], path.subspan(1), change);
  if (!child) return child;
  std::vector<Node> children(node.children.begin(), node.children.end());
  children[*at] = *child;
  return With(node, children);
}

Changed Editor::Add(const Node& root, std::span<const std::string> path, const Node& value) {
  if (path.empty()) return value;
  return At(root, path, [&](const Node& node, const std::string& key) -> Changed {
    std::vector<Node> children(node.children.begin(), node.children.end());
    if (node.is_list()) {
      const auto at = key == "-" ? children.size() : IndexOf(key, children.size() + 1);
      if (!at) return Missing(node, key);
      children.insert(children.begin() + static_cast<std::ptrdiff_t>(*at), value);
    } else if (!node.is_map()) {
      return Missing(node, key);
    } else if (const auto at = ChildOf(node, key)) {
      children[*at] = value;
    } else {
      children.push_back(tree_.Scalar(value.position, key, true));
      children.push_back(value);
    }
    return With(node, children);
  });
}

Changed Editor::Remove(const Node& root, std::span<const std::string> path) {
  if (path.empty()) return Failure("the whole document cannot be removed");
  return At(root, path, [&](const Node& node, const std::string& key) -> Changed {
    const auto at = ChildOf(node, key);
    if (!at) return Missing(node, key);
    std::vector<Node> children(node.children.begin(), node.children.end());
    const auto first = children.begin() + static_cast<std::ptrdiff_t>(node.is_map() ? *at - 1 : *at);
    children.erase(first, first + (node.is_map() ? 2 : 1));
    return With(node, children);
  });
}

Changed Editor::Replace(const Node& root, std::span<const std::string> path, const Node& value) {
  if (path.empty()) return value;
  return At(root, path, [&](const Node& node, const std::string& key) -> Changed {
    const auto at = ChildOf(node, key);
    if (!at) return Missing(node, key);
    std::vector<Node> children(node.children.begin(), node.children.end());
    children[*at] = value;
    return With(node, children);
  });
}

Changed Editor::Apply(const Node& root, const EditStep& step) {
  const auto from = FindNode(root, step.from, tree_);
  switch (step.kind) {
    case EditKind::kAdd:
      return Add(root, step.path, step.value);
    case EditKind::kRemove:
      return Remove(root, step.path);
    case EditKind::kReplace:
      return Replace(root, step.path, step.value);
    case EditKind::kMove: {
      if (!from) return Failure(fmt::format("nothing stands at {}", Quoted(PointerText(step.from))));
      const bool into_itself = step.path.size() > step.from.size() &&
                               std::ranges::equal(step.from, std::span(step.path).first(step.from.size()));
      if (into_itself) return Failure("a part cannot be moved into itself");
      const Node moved = *from;
      if (step.path == step.from) return root;
      auto without = Remove(root, step.from);
      return without ? Add(*without, step.path, moved) : without;
    }
    case EditKind::kCopy:
      if (!from) return Failure(fmt::format("nothing stands at {}", Quoted(PointerText(step.from))));
      return Add(root, step.path, *from);
    case EditKind::kTest: {
      const auto there = FindNode(root, step.path, tree_);
      if (!there) return Failure("nothing stands there");
      if (!SaysTheSame(*there, step.value)) return Failure("something else stands there");
      return root;
    }
  }
  std::unreachable();
}

std::optional<StructuralPath> PathUnder(const Node& step, std::string_view key, Findings& findings) {
  const Node* const text = step.Find(key);
  if (text == nullptr || !text->is_scalar() || !text->quoted) {
    findings.AddError(step.position, fmt::format("a step without the text `{}`", key), "a JSON Pointer: /zones/0/name");
    return std::nullopt;
  }
  auto path = ParsePointer(text->text);
  if (path) return std::move(*path);
  findings.AddError(text->position, path.error().message, path.error().hint);
  return std::nullopt;
}

std::optional<EditStep> ReadStep(const Node& node, Findings& findings) {
  const Node* const word = node.Find("op");
  const auto known = word == nullptr ? kWords.end() : std::ranges::find(kWords, word->text);
  if (known == kWords.end()) {
    findings.AddError(word == nullptr ? node.position : word->position, "a step without an `op` that there is",
                      "add, remove, replace, move, copy or test");
    return std::nullopt;
  }
  EditStep out;
  out.kind = static_cast<EditKind>(known - kWords.begin());
  auto path = PathUnder(node, "path", findings);
  if (!path) return std::nullopt;
  out.path = std::move(*path);
  if (out.kind == EditKind::kMove || out.kind == EditKind::kCopy) {
    auto from = PathUnder(node, "from", findings);
    if (!from) return std::nullopt;
    out.from = std::move(*from);
  } else if (out.kind != EditKind::kRemove) {
    const Node* const value = node.Find("value");
    if (value == nullptr) {
      findings.AddError(node.position, fmt::format("`{}` without a `value`", *known));
      return std::nullopt;
    }
    out.value = *value;
  }
  return out;
}

}  // namespace

Result<StructuralPath> ParsePointer(std::string_view text) {
  StructuralPath out;
  if (text.empty()) return out;
  if (text[0] != '/') return Failure(fmt::format("{} is no JSON Pointer", Quoted(text)), "it starts with /");
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '/') {
      out.emplace_back();
    } else if (text[i] != '~') {
      out.back().push_back(text[i]);
    } else if (i + 1 < text.size() && (text[i + 1] == '0' || text[i + 1] == '1')) {
      out.back().push_back(text[++i] == '0' ? '~' : '/');
    } else {
      return Failure(fmt::format("{} is no JSON Pointer", Quoted(text)), "a tilde is written ~0, a slash in a key ~1");
    }
  }
  return out;
}

std::string PointerText(const StructuralPath& path) {
  std::string out;
  for (const std::string& key : path) {
    out.push_back('/');
    for (const char c : key) {
      if (c == '~') {
        out.append("~0");
      } else if (c == '/') {
        out.append("~1");
      } else {
        out.push_back(c);
      }
    }
  }
  return out;
}

std::optional<std::vector<EditStep>> ReadPatch(std::string_view text, std::uint32_t origin, Tree& tree,
                                               Findings& findings, std::uint32_t columns_before) {
  const auto root = ReadJson(text, origin, tree, findings, columns_before);
  if (!root) return std::nullopt;
  if (!root->is_list()) {
    findings.AddError(root->position, "a patch is a list of steps",
                      R"([{"op": "replace", "path": "/node/name", ...}])");
    return std::nullopt;
  }
  std::vector<EditStep> out;
  for (const Node& node : root->children) {
    auto step = ReadStep(node, findings);
    if (step) out.push_back(std::move(*step));
  }
  if (findings.errors() > 0) return std::nullopt;
  return out;
}

Result<Node> ApplyEdit(const Node& root, std::span<const EditStep> steps, Tree& tree) {
  Editor editor(tree);
  Node out = root;
  for (std::size_t i = 0; i < steps.size(); ++i) {
    auto changed = editor.Apply(out, steps[i]);
    if (!changed) {
      return Failure(fmt::format("step {}, {} {}: {}", i + 1, kWords[static_cast<std::size_t>(steps[i].kind)],
                                 Quoted(PointerText(steps[i].path)), changed.error().message),
                     changed.error().hint);
    }
    out = *changed;
    if (out.height > kNestingLevelsMax)
      return Failure(fmt::format("step {}: nested deeper than {} levels", i + 1, kNestingLevelsMax));
  }
  return out;
}

bool SaysTheSame(const Node& a, const Node& b) {
  if (a.packed || b.packed) {
    Tree tree;
    return SaysTheSame(Unpacked(a, tree), Unpacked(b, tree));
  }
  if (a.kind != b.kind || a.children.size() != b.children.size())
    return a.is_scalar() && b.is_scalar() && a.written() == b.written();
  if (a.is_scalar()) return a.written() == b.written();
  if (a.is_list()) return std::ranges::equal(a.children, b.children, SaysTheSame);
  for (std::size_t i = 0; i < a.entries(); ++i) {
    const Node* const other = b.Find(a.key(i).text);
    if (other == nullptr || !SaysTheSame(a.value(i), *other)) return false;
  }
  return true;
}

}  // namespace weir::config
