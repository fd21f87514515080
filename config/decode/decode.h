#pragma once

// From checked nodes to the plain structs of model.h. Types, ranges and words were checked by CheckShape, which
// reported what is wrong; decoding reads what is right, reports what only two keys together can show, and takes the
// default for everything else. Every function is called once per load. Thread: the one that loads.

#include "config/document/node.h"
#include "config/model.h"

#include <chrono>
#include <cstdint>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace weir::config {

class Findings;

// Reads a map by key. Every accessor is absent, or the default, when the key is missing or was reported as wrong.
class Fields {
 public:
  explicit Fields(const Node& node) : node_(node) {}

  [[nodiscard]] const Node& node() const { return node_; }
  [[nodiscard]] Position position() const { return node_.position; }
  [[nodiscard]] bool Has(std::string_view key) const { return node_.Find(key) != nullptr; }
  // Of the value; of the map when there is none.
  [[nodiscard]] Position PositionOf(std::string_view key) const;
  [[nodiscard]] const Node* Scalar(std::string_view key) const;
  [[nodiscard]] const Node* Map(std::string_view key) const;
  // The items of a list; empty when it is none.
  [[nodiscard]] std::span<const Node> List(std::string_view key) const;

  [[nodiscard]] std::string Text(std::string_view key, std::string_view fallback = {}) const;
  [[nodiscard]] LocatedText Located(std::string_view key) const;
  [[nodiscard]] std::vector<LocatedText> LocatedList(std::string_view key) const;
  [[nodiscard]] std::optional<std::int64_t> Integer(std::string_view key) const;
  [[nodiscard]] std::optional<double> Number(std::string_view key) const;
  [[nodiscard]] bool Boolean(std::string_view key, bool fallback) const;
  [[nodiscard]] std::optional<std::chrono::milliseconds> Duration(std::string_view key) const;
  [[nodiscard]] std::optional<std::uint32_t> Seconds(std::string_view key) const;
  [[nodiscard]] std::optional<IpAddress> Address(std::string_view key) const;
  // Absent too when it is out of range, so that it is not taken for another port.
  [[nodiscard]] std::optional<std::uint16_t> Port(std::string_view key) const;
  // The index of the word, in any case.
  [[nodiscard]] std::optional<std::size_t> Word(std::string_view key, std::span<const std::string_view> words) const;
  // A word into the enumeration whose values stand in the order of `words`.
  template <class Enum>
  [[nodiscard]] Enum Choice(std::string_view key, std::span<const std::string_view> words, Enum fallback) const {
    const auto index = Word(key, words);
    return index ? static_cast<Enum>(*index) : fallback;
  }

 private:
  const Node& node_;
};

// The named things of one kind, for references to them. Views into the tree.
class NameTable {
 public:
  // `kind` is the noun of messages: `target group`.
  explicit NameTable(std::string_view kind) : kind_(kind) {}

  // Takes the `name` of every item; reports a name that stands twice. The index of a name is that of its item.
  void Add(std::span<const Node> items, Findings& findings);
  // There may be more things of the kind than can be read: a name that is not known is not reported.
  void SetIncomplete() { incomplete_ = true; }
  // The index of the thing that `reference` names; reports a name that nothing has, unless it may be that of a thing
  // whose name could not be read.
  [[nodiscard]] std::optional<std::uint32_t> Resolve(const Node& reference, Findings& findings);
  // Something that may name any of them could not be read.
  void NoteLostReference() { lost_reference_ = true; }
  // True when a reference that could not be resolved, or read, may mean this name, or when the name itself could not
  // be read and is empty: nothing can be said about its use.
  [[nodiscard]] bool MayBeMeant(std::string_view name) const {
    return name.empty() || incomplete_ || lost_reference_ || suspects_.contains(name);
  }
  [[nodiscard]] bool Contains(std::string_view name) const { return indexes_.contains(name); }
  [[nodiscard]] bool empty() const { return names_.empty(); }
  [[nodiscard]] const std::vector<std::string_view>& names() const { return names_; }

 private:
  std::string_view kind_;
  std::unordered_map<std::string_view, std::uint32_t> indexes_;
  std::vector<std::string_view> names_;
  std::set<std::string_view> suspects_;  // nearest to the references that named nothing
  bool incomplete_ = false;
  bool nameless_ = false;  // an item has no name that can be read
  bool lost_reference_ = false;
};

// What every decoder needs: where findings go, what the files are called, which names exist.
struct Decoding {
  Findings& findings;
  const std::vector<std::string>& files;
  NameTable regions{"region"};
  NameTable load_balancers{"load balancer"};
  NameTable target_groups{"target group"};
  NameTable health_checks{"health check"};
  NameTable cidr_collections{"CIDR collection"};
  std::vector<NameTable> cidr_locations = {};  // by collection
};

// What relative paths in a value are relative to: the file that it stands in, for an edit the first file.
[[nodiscard]] const std::string& FileOf(Position position, const std::vector<std::string>& files);

// The whole file.
void DecodeModel(const Node& root, Findings& findings, Model& model);

[[nodiscard]] LoadBalancer DecodeLoadBalancer(const Node& node, Decoding& decoding);
// Protocol, policy and certificates of a listener; `out` has its port already.
void DecodeListenerTls(const Fields& fields, Decoding& decoding, Listener& out);
[[nodiscard]] std::vector<LocatedText> DecodeTicketKeys(const Fields& root, const std::vector<std::string>& files);
[[nodiscard]] std::vector<Condition> DecodeConditions(std::span<const Node> items, Decoding& decoding);
// The one action of the list under `key`; a forward action without target groups when it cannot be read.
[[nodiscard]] Action DecodeAction(const Fields& fields, std::string_view key, Decoding& decoding);
[[nodiscard]] RedirectAction DecodeRedirect(const Fields& fields, Findings& findings);
// Warns when the redirect under `key` leads to HTTPS at the port of its listener, which speaks HTTP.
void CheckSecureRedirect(const Fields& fields, std::string_view key, std::uint16_t listener_port, Findings& findings);
[[nodiscard]] TargetGroup DecodeTargetGroup(const Node& node, Decoding& decoding);
[[nodiscard]] HealthCheck DecodeHealthCheck(const Node& node, Decoding& decoding);
// CALCULATED checks name others, so this comes when all are decoded.
void CheckCalculated(std::span<const HealthCheck> checks, Findings& findings);
// Called in the order of the file, before any zone: the locations become known to records.
[[nodiscard]] CidrCollection DecodeCidrCollection(const Node& node, Decoding& decoding);
// The `cidr` of a record; absent when it is wrong, which is reported.
[[nodiscard]] std::optional<CidrRoute> DecodeCidrRoute(const Node& node, Decoding& decoding);
[[nodiscard]] Zone DecodeZone(const Node& node, Decoding& decoding);
[[nodiscard]] RecordSet DecodeRecordSet(const Node& node, const Zone& zone, Decoding& decoding);
[[nodiscard]] RoutingTest DecodeTest(const Node& node, Decoding& decoding);

// Reports an empty list where at least one item is needed; false then.
bool CheckNotEmpty(const Fields& fields, std::string_view key, Findings& findings);

}  // namespace weir::config
