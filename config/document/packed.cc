#include "config/document/packed.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace weir::config {
namespace {

// Texts that stand in every record and every rule.
constexpr auto kPackedWords = std::to_array<std::string_view>({
    "name",
    "type",
    "ttl",
    "values",
    "A",
    "AAAA",
    "CNAME",
    "TXT",
    "MX",
    "set",
    "weight",
    "region",
    "failover",
    "PRIMARY",
    "SECONDARY",
    "alias",
    "record",
    "cidr",
    "collection",
    "location",
    "health-check",
    "priority",
    "conditions",
    "actions",
    "host-header",
    "forward",
    "path-pattern",
    "target-group",
    "redirect",
    "path",
    "target-groups",
    "status-code",
    "http-header",
    "regex-values",
    "fixed-response",
    "5m",
    "60s",
    "query-string",
    "source-ip",
    "message-body",
    "content-type",
    "load-balancer",
    "multivalue-answer",
    "evaluate-target-health",
    "http-request-method",
});

// The place of a text in kPackedWords; null for other texts.
const std::uint64_t* FindWord(std::string_view text) {
  static const auto kPlaces = [] {
    std::unordered_map<std::string_view, std::uint64_t> out;
    for (std::uint64_t i = 0; i < kPackedWords.size(); ++i) out.emplace(kPackedWords[i], i);
    return out;
  }();
  const auto found = kPlaces.find(text);
  return found == kPlaces.end() ? nullptr : &found->second;
}

// Each node is a byte of kind and flags, its place as seen from the node before, and its text or its children.
constexpr std::uint8_t kQuoted = 4;
constexpr std::uint8_t kOtherFile = 8;

class Writer {
 public:
  explicit Writer(const Position& start) : last_(start) {}

  void PutChildren(const Node& node) {
    PutNumber(node.children.size());
    for (const Node& child : node.children) Put(child);
  }
  [[nodiscard]] std::string_view bytes() const { return out_; }

 private:
  void Put(const Node& node) {
    const bool other_file = node.position.file != last_.file;
    PutByte(static_cast<std::uint8_t>(static_cast<std::uint8_t>(node.kind) | (node.quoted ? kQuoted : 0U) |
                                      (other_file ? kOtherFile : 0U)));
    if (other_file) PutNumber(node.position.file);
    PutDifference(node.position.line, last_.line);
    PutDifference(node.position.column, last_.column);
    last_ = node.position;
    if (node.is_scalar()) return PutText(node.text);
    if (!node.is_null()) PutChildren(node);
  }
  void PutText(std::string_view text) {
    if (const std::uint64_t* const word = FindWord(text)) return PutNumber(2 * *word + 1);
    PutNumber(2 * std::uint64_t{text.size()});
    out_.append(text);
  }
  void PutByte(std::uint8_t byte) { out_.push_back(static_cast<char>(byte)); }
  // Seven bits a byte, the lowest first.
  void PutNumber(std::uint64_t number) {
    for (; number >= 0x80; number >>= 7U) PutByte(static_cast<std::uint8_t>(number | 0x80U));
    PutByte(static_cast<std::uint8_t>(number));
  }
  void PutDifference(std::uint32_t now, std::uint32_t before) {
    const std::int64_t difference = std::int64_t{now} - before;
    PutNumber(difference < 0 ? static_cast<std::uint64_t>(-difference) * 2 - 1
                             : static_cast<std::uint64_t>(difference) * 2);
  }

  std::string out_;
  Position last_;
};

// Reads what Writer wrote.
class PackedReader {
 public:
  PackedReader(const Position& start, std::string_view bytes, Tree& tree) : last_(start), rest_(bytes), tree_(tree) {}

  Node TakeContainer(NodeKind kind, const Position& position) {
    std::vector<Node> children;
    const std::uint64_t count = TakeNumber();
    children.reserve(count);
    for (std::uint64_t i = 0; i < count; ++i) children.push_back(Take());
    return tree_.Container(kind, position, children);
  }

 private:
  Node Take() {
    const std::uint8_t head = TakeByte();
    Node out;
    out.kind = static_cast<NodeKind>(head & 3U);
    out.quoted = (head & kQuoted) != 0;
    if ((head & kOtherFile) != 0) last_.file = static_cast<std::uint32_t>(TakeNumber());
    last_.line = TakeDifference(last_.line);
    last_.column = TakeDifference(last_.column);
    out.position = last_;
    if (out.is_scalar()) {
      out.text = TakeText();
    } else if (!out.is_null()) {
      return TakeContainer(out.kind, out.position);
    }
    return out;
  }
  std::string_view TakeText() {
    const std::uint64_t number = TakeNumber();
    if (number % 2 != 0) return kPackedWords[number / 2];
    const std::string_view text = rest_.substr(0, number / 2);
    rest_.remove_prefix(number / 2);
    return text;
  }
  std::uint8_t TakeByte() {
    const auto byte = static_cast<std::uint8_t>(rest_.front());
    rest_.remove_prefix(1);
    return byte;
  }
  std::uint64_t TakeNumber() {
    std::uint64_t number = 0;
    for (unsigned shift = 0;; shift += 7) {
      const std::uint8_t byte = TakeByte();
      number |= std::uint64_t{byte & 0x7FU} << shift;
      if (byte < 0x80) return number;
    }
  }
  std::uint32_t TakeDifference(std::uint32_t before) {
    const std::uint64_t number = TakeNumber();
    const auto half = static_cast<std::int64_t>((number + 1) / 2);
    return static_cast<std::uint32_t>(before + (number % 2 != 0 ? -half : half));
  }

  Position last_;
  std::string_view rest_;
  Tree& tree_;
};

}  // namespace

Node Packed(const Node& node, Tree& tree) {
  Writer writer(node.position);
  writer.PutChildren(node);
  Node out = node;
  out.packed = true;
  out.children = {};
  out.text = tree.Keep(writer.bytes());
  return out;
}

Node Unpacked(const Node& node, Tree& tree) {
  if (!node.packed) return node;
  return PackedReader(node.position, node.text, tree).TakeContainer(node.kind, node.position);
}

Node WithUnpackedValues(const Node& map, Tree& tree) {
  if (std::ranges::none_of(map.children, &Node::packed)) return map;
  std::vector<Node> children;
  children.reserve(map.children.size());
  for (const Node& child : map.children) children.push_back(Unpacked(child, tree));
  Node out = map;
  out.children = tree.Keep(children);
  return out;
}

}  // namespace weir::config
