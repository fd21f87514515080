#pragma once

// From checked nodes to the plain structs of model.h. Types, ranges and words were checked by CheckShape, which
// reported what is wrong; decoding reads what is right, reports what only two keys together can show, and takes the
// default for everything else. Thread: the one that loads.

#include "config/decode/units.h"
#include "config/document/environment.h"
#include "config/document/node.h"
#include "config/model.h"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
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
  // `kind` is the noun of messages: `target group`. Uses of names that units refer to are noted.
  explicit NameTable(std::string_view kind) : kind_(kind) {}
  NameTable(std::string_view kind, NameKind use) : kind_(kind), use_(use) {}

  // Takes the `name` of every item; reports a name that stands twice. The index of a name is that of its item.
  void Add(std::span<const Node> items, Findings& findings);
  // There may be more things of the kind than can be read: a name that is not known is not reported.
  void SetIncomplete() { incomplete_ = true; }
  // The index of the thing that `reference` names; reports a name that nothing has, unless it may be that of a thing
  // whose name could not be read.
  [[nodiscard]] std::optional<std::uint32_t> Resolve(const Node& reference, Findings& findings);
  // Where each name that is resolved from now on is noted; null: nowhere.
  void RecordUses(std::vector<NameUse>* uses) { uses_ = uses; }
  // By item: the name that leads to it; empty where none does.
  [[nodiscard]] std::vector<std::string> ByItem() const;
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
  NameKind use_ = NameKind::kRegion;
  std::vector<NameUse>* uses_ = nullptr;
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
  std::vector<std::string>& files;  // of the model; zone files are added
  const Environment& environment;
  const Tree& scratch;  // nodes that do not outlive the load
  KnownUnits known;
  DecodedUnits& units;
  std::vector<Replacement>& replaced;
  NameTable regions{"region", NameKind::kRegion};
  NameTable load_balancers{"load balancer", NameKind::kLoadBalancer};
  NameTable target_groups{"target group", NameKind::kTargetGroup};
  NameTable trust_stores{"trust store", NameKind::kTrustStore};
  NameTable health_checks{"health check", NameKind::kHealthCheck};
  NameTable cidr_collections{"CIDR collection", NameKind::kCidrCollection};
  std::vector<NameTable> cidr_locations = {};  // by collection

  // Of what names stand for in units.
  void RecordUses(std::vector<NameUse>* uses) {
    for (NameTable* const table : {&regions, &load_balancers, &target_groups, &health_checks, &cidr_collections}) {
      table->RecordUses(uses);
    }
  }
  // `uses` as a unit keeps them: units that follow each other use the same names, most of the time. Null: none.
  [[nodiscard]] std::shared_ptr<const std::vector<NameUse>> Kept(std::vector<NameUse> uses);

  std::shared_ptr<const std::vector<NameUse>> kept_uses = nullptr;  // of the unit before
};

// What relative paths in a value are relative to: the file that it stands in, for an edit the first file.
[[nodiscard]] const std::string& FileOf(Position position, const std::vector<std::string>& files);

// The resolved path under `key`, written plainly or as `{file: PATH}`; empty when there is none.
[[nodiscard]] LocatedText DecodePath(const Fields& fields, std::string_view key, const std::vector<std::string>& files);
// Those of a list; one that cannot be read is empty.
[[nodiscard]] std::vector<LocatedText> DecodePaths(const Fields& fields, std::string_view key,
                                                   const std::vector<std::string>& files);
// The secret under `key`; absent when there is none.
[[nodiscard]] std::optional<Secret> DecodeSecret(const Fields& fields, std::string_view key,
                                                 const std::vector<std::string>& files);

// Reads a whole document, once.
class Decoder {
 public:
  // `known` units are taken over where they stay as they are. `findings` outlives the object.
  Decoder(KnownUnits known, Environment environment, Findings& findings)
      : known_(std::move(known)), environment_(std::move(environment)), findings_(findings) {}

  // Fills `model`, which knows its files and whether it is complete, from the document that is `root`.
  [[nodiscard]] std::shared_ptr<const DecodedUnits> Decode(const Node& root, Model& model);
  // The whole document with what variables of the environment hold. Lives as long as the object.
  [[nodiscard]] Node ExpandWhole(const Node& root);
  // What variables held, where they were read.
  [[nodiscard]] const std::vector<Replacement>& replaced() const { return replaced_; }

 private:
  KnownUnits known_;
  Environment environment_;
  Findings& findings_;
  Tree scratch_;
  std::vector<Replacement> replaced_;
};

// `index` is its place in its section.
[[nodiscard]] LoadBalancer DecodeLoadBalancer(const Node& node, std::size_t index, Decoding& decoding);
[[nodiscard]] Rule DecodeRule(const Node& node, Decoding& decoding);
// The log under `key`; absent when there is none.
[[nodiscard]] std::optional<LogFile> DecodeLogFile(const Fields& fields, std::string_view key, Decoding& decoding);
// `access-log`, `connection-log` and `health-check-log` of a load balancer, or what stands for the logs that its
// attributes lead to S3.
void DecodeLogs(const Fields& fields, Decoding& decoding, LoadBalancer& out);
// Protocol, policy, certificates and mutual authentication of a listener; `out` has its port already.
void DecodeListenerTls(const Fields& fields, Decoding& decoding, Listener& out);
[[nodiscard]] TrustStore DecodeTrustStore(const Node& node, const std::vector<std::string>& files);
// The files of `tls-ticket-keys` or `stickiness-keys`.
[[nodiscard]] std::vector<LocatedText> DecodeKeyFiles(const Fields& root, std::string_view key,
                                                      const std::vector<std::string>& files);
[[nodiscard]] std::vector<Condition> DecodeConditions(std::span<const Node> items, Decoding& decoding);
[[nodiscard]] std::vector<Transform> DecodeTransforms(const Fields& rule, Findings& findings);
// The list under `key` into the actions of `out`: the last one is a forward action without target groups when it cannot
// be read.
void DecodeActions(const Fields& fields, std::string_view key, Decoding& decoding, Rule& out);
[[nodiscard]] AuthenticateOidcAction DecodeAuthenticateOidc(const Fields& fields, Decoding& decoding);
[[nodiscard]] AuthenticateOidcAction DecodeAuthenticateCognito(const Fields& fields, Decoding& decoding);
// Reports what is no https URL with a host, without user information and fragment, of visible ASCII; nothing of an
// empty text.
void CheckHttpsUrl(const LocatedText& url, std::string_view key, Findings& findings);
// Reports actions of the list under `key` that have no place before the one that answers: on a listener without TLS, or
// behind another one.
void CheckLeadingActions(const Fields& fields, std::string_view key, bool speaks_http, Findings& findings);
[[nodiscard]] JwtValidationAction DecodeJwtValidation(const Fields& fields, Decoding& decoding);
[[nodiscard]] RedirectAction DecodeRedirect(const Fields& fields, Findings& findings);
// Warns when the redirect under `key` leads to HTTPS at the port of its listener, which speaks HTTP.
void CheckSecureRedirect(const Fields& fields, std::string_view key, std::uint16_t listener_port, Findings& findings);
[[nodiscard]] TargetGroup DecodeTargetGroup(const Node& node, Decoding& decoding);
// The attributes of algorithms.
void DecodeBalancing(const Fields& attributes, TargetGroup& out, Findings& findings);
// The attributes `stickiness.*`; `out` has its algorithm already.
void DecodeStickiness(const Fields& attributes, TargetGroup& out, Findings& findings);
// The `stickiness` of a forward action: its duration; absent when it is off.
[[nodiscard]] std::optional<std::chrono::seconds> DecodeForwardStickiness(const Fields& forward, Findings& findings);
// The `tls` of a target group; `out` has its protocol already.
void DecodeTargetTls(const Fields& fields, Decoding& decoding, TargetGroup& out);
// `target-type` and `function` of a target group, and what cannot stand beside a function; `out` has its name already.
// Called first: what depends on the type has its default afterwards.
void DecodeFunction(const Fields& fields, Decoding& decoding, TargetGroup& out);
[[nodiscard]] HealthCheck DecodeHealthCheck(const Node& node, Decoding& decoding);
// CALCULATED checks name others, so this comes when all are decoded.
void CheckCalculated(std::span<const HealthCheck> checks, Findings& findings);
// Called in the order of the file, before any zone: the locations become known to records.
[[nodiscard]] CidrCollection DecodeCidrCollection(const Node& node, Decoding& decoding);
// The `cidr` of a record; absent when it is wrong, which is reported.
[[nodiscard]] std::optional<CidrRoute> DecodeCidrRoute(const Node& node, Decoding& decoding);
// The `geolocation` and the `geoproximity` of a record; absent when they are wrong, which is reported.
[[nodiscard]] std::optional<GeoLocation> DecodeGeoLocation(const Node& node, Decoding& decoding);
[[nodiscard]] std::optional<GeoProximity> DecodeGeoProximity(const Node& node, Decoding& decoding);
[[nodiscard]] Zone DecodeZone(const Node& node, Decoding& decoding);
[[nodiscard]] RecordSet DecodeRecordSet(const Node& node, const Zone& zone, Decoding& decoding);
[[nodiscard]] RoutingTest DecodeTest(const Node& node, Decoding& decoding);

// Reports an empty list where at least one item is needed; false then.
bool CheckNotEmpty(const Fields& fields, std::string_view key, Findings& findings);

}  // namespace weir::config
