#pragma once

#include "config/document/node.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace weir::config {

class Findings;

// Takes the entries of a map whose key is no text or stands twice out, and says so.
void CheckKeys(std::vector<Node>& entries, Findings& findings);

// Builds the nodes of one document bottom up from the events of its reader, and checks what no syntax shows: keys that
// stand twice, tags, anchors, merges, the limits of node.h. Every function that returns false has reported why, and
// ends the reading. Thread: the one that loads.
class TreeBuilder {
 public:
  struct Scalar {
    Position position;
    std::string_view text;
    bool plain = true;          // no quotes, no block
    std::string_view tag = {};  // the whole one, `tag:yaml.org,2002:str`; empty: none
    std::string_view anchor = {};
  };

  TreeBuilder(Tree& tree, Findings& findings) : tree_(tree), findings_(findings) {}

  // A document begins; a second one is refused.
  [[nodiscard]] bool OnDocument(Position position);
  void OnScalar(const Scalar& scalar);
  // `name` without its star.
  [[nodiscard]] bool OnAlias(Position position, std::string_view name);
  // A list or a map begins.
  [[nodiscard]] bool OnStart(NodeKind kind, Position position, std::string_view tag, std::string_view anchor);
  // What began last ends.
  void OnEnd();

  // Of the containers that are open, outermost first.
  struct Frame {
    NodeKind kind = NodeKind::kNull;
    Position position;
    std::string anchor;
    std::size_t first = 0;  // of its children in pending_
  };
  [[nodiscard]] const std::vector<Frame>& frames() const { return frames_; }
  // Once all is read: the document; absent when it is empty.
  [[nodiscard]] std::optional<Node> root() const;

 private:
  void Append(const Node& node, std::string_view anchor);
  std::vector<Node> Merged(std::vector<Node> entries);
  void MergeFrom(const Node& source, std::vector<Node>& entries);
  void CheckTag(std::string_view tag, std::string_view allowed, Position position);

  Tree& tree_;
  Findings& findings_;
  std::vector<Node> pending_;  // finished nodes whose container is open
  std::vector<Frame> frames_;
  std::unordered_map<std::string, Node> anchors_;
  std::uint64_t aliased_nodes_ = 0;
  int documents_ = 0;
};

}  // namespace weir::config
