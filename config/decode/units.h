#pragma once

// Parts of a document that are read on their own: zones, and the rules of listeners. What a unit was read into, and
// what was found in it, is taken over into the next revision while it stays as it is, so that an edit costs what it
// touches. Thread: the one that loads.

#include "base/enumerators.h"
#include "base/rare.h"
#include "config/diagnostic.h"
#include "config/document/document.h"
#include "config/document/environment.h"
#include "config/document/node.h"
#include "config/model.h"

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

namespace weir::config {

class Findings;
struct Decoding;

// What names of units may stand for: the sections of the document that are referred to by name.
enum class NameKind : std::uint8_t { kRegion, kLoadBalancer, kTargetGroup, kTrustStore, kHealthCheck, kCidrCollection };
inline constexpr std::size_t kNameKinds = CountEnumerators<NameKind>();

// The unit refers to a thing by its name, which has this index.
struct NameUse {
  NameKind kind = NameKind::kRegion;
  std::uint32_t index = 0;
  friend auto operator<=>(const NameUse&, const NameUse&) = default;
};

// What is kept of a unit besides what it was read into, which the model holds.
struct Unit {
  const void* identity = nullptr;  // of its node; with `position` what tells it from others; null: never taken over
  Position position;
  std::shared_ptr<const std::vector<NameUse>> uses;  // each once; null: none
  Rare<std::vector<Diagnostic>> findings;            // warnings; a path that begins with `@` is one inside of the unit
  Rare<std::vector<Replacement>> replaced;           // references to the environment
};

struct ZoneUnit : Unit {
  std::vector<std::string> delegations;  // owners of NS records below its apex
};

struct RuleUnit : Unit {
  std::uint32_t load_balancer = 0;  // where the model has it
  std::uint32_t listener = 0;
  std::uint32_t priority = 0;
  std::uint16_t listener_port = 0;  // what a redirect is compared with
  bool listener_speaks_http = false;
};

// Everything that was read from one document as units, and what names stood for then.
struct DecodedUnits {
  std::vector<ZoneUnit> zones;                         // as in the model
  std::vector<std::shared_ptr<const RuleUnit>> rules;  // in the order of the document; none is null
  // By listener, in the order of the model: what was found when its rules were compared.
  std::vector<std::vector<Diagnostic>> unreachable;
  // By kind, in the order of the model: the name, and what else of the thing units depend on. Empty: no name leads
  // there.
  std::array<std::vector<std::string>, kNameKinds> names;
};

// The units after their nodes were copied.
[[nodiscard]] std::shared_ptr<const DecodedUnits> Moved(std::shared_ptr<const DecodedUnits> units,
                                                        const NodeMoves& moves);

// What a document before had, to be taken over.
class KnownUnits {
 public:
  // Nothing.
  KnownUnits() = default;
  // `model` is what `units` were read into, with or without its plain records. Both outlive the object.
  KnownUnits(const DecodedUnits& units, const Model& model);

  // The names of a kind are read: those that stand for the same as before may be used by what is taken over.
  void Compare(NameKind kind, const std::vector<std::string>& names);

  // The unit, when `node` is the same as before and all that it refers to is; null otherwise.
  [[nodiscard]] const ZoneUnit* FindZone(const Node& node) const;
  [[nodiscard]] const std::shared_ptr<const Zone>& ZoneOf(const ZoneUnit& unit) const;
  [[nodiscard]] const std::shared_ptr<const RuleUnit>* FindRule(const Node& node, std::uint16_t listener_port,
                                                                bool speaks_http) const;
  [[nodiscard]] const std::shared_ptr<const Rule>& RuleOf(const RuleUnit& unit) const;
  // What was found when the rules of the listener at `index`, counted through all load balancers, were compared; null
  // when that may not hold for `rules`.
  [[nodiscard]] const std::vector<Diagnostic>* FindUnreachable(
      std::size_t index, std::span<const std::shared_ptr<const Rule>> rules) const;

 private:
  [[nodiscard]] bool MeansTheSame(const Unit& unit) const;

  const DecodedUnits* units_ = nullptr;
  const Model* model_ = nullptr;
  std::unordered_map<const void*, std::uint32_t> zones_;
  std::unordered_map<const void*, std::uint32_t> rules_;
  std::vector<const Listener*> listeners_;          // of the model, through all load balancers
  std::array<std::vector<bool>, kNameKinds> same_;  // by index before
};

// The document with its references to the environment replaced, but for those inside of units, which are replaced when
// they are read.
[[nodiscard]] Node ExpandOutsideUnits(const Node& root, const Environment& environment, Tree& tree, Findings& findings,
                                      std::vector<Replacement>& replaced);

// Reads the zone at `index` of its section, or takes it over. Regions, load balancers, health checks and CIDR
// collections of the document are in `model` and in the tables of `decoding`.
[[nodiscard]] std::shared_ptr<const Zone> TakeZone(const Node& node, std::size_t index, const Model& model,
                                                   Decoding& decoding);

// Where a rule stands.
struct RulePlace {
  std::uint32_t load_balancer = 0;
  std::uint32_t listener = 0;
  std::size_t rule = 0;
  std::uint16_t listener_port = 0;
  bool listener_speaks_http = false;
};
[[nodiscard]] std::shared_ptr<const Rule> TakeRule(const Node& node, const RulePlace& place, Decoding& decoding);

}  // namespace weir::config
