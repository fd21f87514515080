#include "config/decode/units.h"

#include "base/record_type.h"
#include "config/check/checks.h"
#include "config/decode/decode.h"
#include "config/document/packed.h"
#include "config/finding_paths.h"
#include "config/findings.h"
#include "config/same_conditions.h"
#include "config/schema/schema.h"
#include "config/schema/shape.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <span>
#include <string_view>
#include <unordered_set>
#include <utility>

namespace weir::config {
namespace {

using UnitNodes = std::unordered_set<const Node*>;

void AddItems(const Node* list, UnitNodes& out) {
  if (list == nullptr || !list->is_list()) return;
  for (const Node& item : list->children) out.insert(&item);
}

std::span<const Node> ItemsOf(const Node* list) {
  return list == nullptr || !list->is_list() ? std::span<const Node>() : list->children;
}

UnitNodes FindUnitNodes(const Node& root) {
  UnitNodes out;
  AddItems(root.Find("zones"), out);
  for (const Node& balancer : ItemsOf(root.Find("load-balancers"))) {
    for (const Node& listener : ItemsOf(balancer.Find("listeners"))) AddItems(listener.Find("rules"), out);
  }
  return out;
}

// Notes what is found and used while a unit is read.
class UnitReading {
 public:
  UnitReading(Decoding& decoding, const Node& node) : decoding_(decoding), found_(decoding.findings.items().size()) {
    decoding_.RecordUses(&uses_);
    node_ = ExpandReferences(WithUnpackedValues(Unpacked(node, tree_), tree_), decoding.environment, tree_,
                             decoding.findings, &replaced_);
  }
  ~UnitReading() { decoding_.RecordUses(nullptr); }
  UnitReading(const UnitReading&) = delete;
  UnitReading& operator=(const UnitReading&) = delete;

  // The unit, as it is read.
  [[nodiscard]] const Node& node() const { return node_; }
  void CheckShape(const Object& object, std::string_view key) {
    // An empty item was reported with its list.
    if (!node_.is_null()) config::CheckShape(node_, object, decoding_.findings, key);
  }
  // `node` as the document has it, which stands at `path`.
  template <class Path>
  void Finish(const Node& node, Path path, Unit& unit) {
    unit.identity = decoding_.scratch.Owns(node.identity()) ? nullptr : node.identity();
    unit.position = node.position;
    std::ranges::sort(uses_);
    const auto rest = std::ranges::unique(uses_);
    uses_.erase(rest.begin(), rest.end());
    unit.uses = decoding_.Kept(std::move(uses_));
    const auto found = decoding_.findings.ItemsSince(found_);
    if (!found.empty()) {
      NamePaths(node, "@", found);
      unit.findings = std::vector<Diagnostic>(found.begin(), found.end());
      PutPaths(path(), found);
    }
    unit.replaced = std::move(replaced_);
    decoding_.replaced.insert(decoding_.replaced.end(), unit.replaced.begin(), unit.replaced.end());
  }

  static void PutPaths(const std::string& path, std::span<Diagnostic> found) {
    for (Diagnostic& item : found) {
      if (item.path.starts_with('@')) item.path.replace(0, 1, path);
    }
  }

 private:
  Decoding& decoding_;
  std::size_t found_;
  std::vector<NameUse> uses_;
  std::vector<Replacement> replaced_;
  Tree tree_;
  Node node_;
};

// What is known of `unit` counts as found and replaced now.
template <class Path>
void TakeOver(const Unit& unit, Path path, Decoding& decoding) {
  decoding.replaced.insert(decoding.replaced.end(), unit.replaced.begin(), unit.replaced.end());
  if (unit.findings.empty()) return;
  auto found = *unit.findings;
  UnitReading::PutPaths(path(), found);
  decoding.findings.Add(std::move(found));
}

void MoveUnit(const NodeMoves& moves, Unit& unit) {
  const auto found = moves.find(unit.identity);
  if (found != moves.end()) unit.identity = found->second;
}

// The others stay shared.
void MoveUnit(const NodeMoves& moves, std::shared_ptr<const RuleUnit>& unit) {
  if (!moves.contains(unit->identity)) return;
  auto moved = std::make_shared<RuleUnit>(*unit);
  MoveUnit(moves, *moved);
  unit = std::move(moved);
}

const Unit& Of(const Unit& unit) { return unit; }
const Unit& Of(const std::shared_ptr<const RuleUnit>& unit) { return *unit; }

bool SamePosition(const Position& a, const Position& b) {
  return a.file == b.file && a.line == b.line && a.column == b.column;
}

template <class Units>
void Index(const Units& units, std::unordered_map<const void*, std::uint32_t>& out) {
  out.reserve(units.size());
  for (std::uint32_t i = 0; i < units.size(); ++i) {
    if (Of(units[i]).identity != nullptr) out.emplace(Of(units[i]).identity, i);
  }
}

}  // namespace

std::shared_ptr<const DecodedUnits> Moved(std::shared_ptr<const DecodedUnits> units, const NodeMoves& moves) {
  if (units == nullptr || moves.empty()) return units;
  auto out = std::make_shared<DecodedUnits>(*units);
  for (Unit& unit : out->zones) MoveUnit(moves, unit);
  for (auto& unit : out->rules) MoveUnit(moves, unit);
  return out;
}

KnownUnits::KnownUnits(const DecodedUnits& units, const Model& model) : units_(&units), model_(&model) {
  Index(units.zones, zones_);
  Index(units.rules, rules_);
  for (const LoadBalancer& balancer : model.load_balancers) {
    for (const Listener& listener : balancer.listeners) listeners_.push_back(&listener);
  }
}

void KnownUnits::Compare(NameKind kind, const std::vector<std::string>& names) {
  if (units_ == nullptr) return;
  const auto place = static_cast<std::size_t>(kind);
  const auto& before = units_->names[place];
  auto& same = same_[place];
  same.assign(before.size(), false);
  for (std::size_t i = 0; i < std::min(before.size(), names.size()); ++i) {
    same[i] = before[i] == names[i] && !names[i].empty();
  }
}

bool KnownUnits::MeansTheSame(const Unit& unit) const {
  return unit.uses == nullptr || std::ranges::all_of(*unit.uses, [this](const NameUse& use) {
           const auto& same = same_[static_cast<std::size_t>(use.kind)];
           return use.index < same.size() && same[use.index];
         });
}

const ZoneUnit* KnownUnits::FindZone(const Node& node) const {
  const auto found = zones_.find(node.identity());
  if (found == zones_.end()) return nullptr;
  const ZoneUnit& unit = units_->zones[found->second];
  return SamePosition(unit.position, node.position) && MeansTheSame(unit) ? &unit : nullptr;
}

const std::shared_ptr<const Zone>& KnownUnits::ZoneOf(const ZoneUnit& unit) const {
  return model_->zones[static_cast<std::size_t>(&unit - units_->zones.data())];
}

const std::shared_ptr<const RuleUnit>* KnownUnits::FindRule(const Node& node, std::uint16_t listener_port,
                                                            bool speaks_http) const {
  const auto found = rules_.find(node.identity());
  if (found == rules_.end()) return nullptr;
  const auto& unit = units_->rules[found->second];
  const bool same = SamePosition(unit->position, node.position) && unit->listener_port == listener_port &&
                    unit->listener_speaks_http == speaks_http && MeansTheSame(*unit);
  return same ? &unit : nullptr;
}

const std::shared_ptr<const Rule>& KnownUnits::RuleOf(const RuleUnit& unit) const {
  const auto& rules = model_->load_balancers[unit.load_balancer].listeners[unit.listener].rules;
  return *std::ranges::lower_bound(rules, unit.priority, {}, &Rule::priority);
}

const std::vector<Diagnostic>* KnownUnits::FindUnreachable(std::size_t index,
                                                           std::span<const std::shared_ptr<const Rule>> rules) const {
  if (index >= listeners_.size() || index >= units_->unreachable.size()) return nullptr;
  // Rules are compared by their conditions; what is found says where they stand, and their names.
  const auto same = [](const std::shared_ptr<const Rule>& a, const std::shared_ptr<const Rule>& b) {
    return a == b || (a->priority == b->priority && a->name == b->name && SamePosition(a->position, b->position) &&
                      SameConditions(a->conditions, b->conditions));
  };
  return std::ranges::equal(listeners_[index]->rules, rules, same) ? &units_->unreachable[index] : nullptr;
}

Node ExpandOutsideUnits(const Node& root, const Environment& environment, Tree& tree, Findings& findings,
                        std::vector<Replacement>& replaced) {
  if (!root.has_references) return root;
  const UnitNodes units = FindUnitNodes(root);
  return ExpandReferences(root, environment, tree, findings, &replaced,
                          [&units](const Node& node) { return units.contains(&node); });
}

std::shared_ptr<const std::vector<NameUse>> Decoding::Kept(std::vector<NameUse> uses) {
  if (uses.empty()) return nullptr;
  if (kept_uses == nullptr || *kept_uses != uses) {
    uses.shrink_to_fit();
    kept_uses = std::make_shared<const std::vector<NameUse>>(std::move(uses));
  }
  return kept_uses;
}

std::shared_ptr<const Zone> TakeZone(const Node& node, std::size_t index, const Model& model, Decoding& decoding) {
  const auto path = [index] { return fmt::format("zones[{}]", index); };
  if (const ZoneUnit* const known = decoding.known.FindZone(node)) {
    TakeOver(*known, path, decoding);
    decoding.units.zones.push_back(*known);
    return decoding.known.ZoneOf(*known);
  }
  UnitReading reading(decoding, node);
  reading.CheckShape(kZoneObject, "zones");
  const auto zone = std::make_shared<const Zone>(DecodeZone(reading.node(), decoding));
  CheckRecordSets(model, *zone, decoding.findings);
  ZoneUnit& unit = decoding.units.zones.emplace_back();
  reading.Finish(node, path, unit);
  for (const RecordSet& record : zone->records) {
    if (record.type == rr::kNs) unit.delegations.push_back(record.name);
  }
  return zone;
}

std::shared_ptr<const Rule> TakeRule(const Node& node, const RulePlace& place, Decoding& decoding) {
  const auto path = [&place] {
    return fmt::format("load-balancers[{}].listeners[{}].rules[{}]", place.load_balancer, place.listener, place.rule);
  };
  if (const auto* const known = decoding.known.FindRule(node, place.listener_port, place.listener_speaks_http)) {
    const RuleUnit& unit = **known;
    TakeOver(unit, path, decoding);
    if (unit.load_balancer == place.load_balancer && unit.listener == place.listener) {
      decoding.units.rules.push_back(*known);
    } else {
      const auto moved = std::make_shared<RuleUnit>(unit);
      moved->load_balancer = place.load_balancer;
      moved->listener = place.listener;
      decoding.units.rules.push_back(moved);
    }
    return decoding.known.RuleOf(unit);
  }
  UnitReading reading(decoding, node);
  reading.CheckShape(kRuleObject, "rules");
  auto rule = std::make_shared<const Rule>(DecodeRule(reading.node(), decoding));
  if (place.listener_speaks_http) {
    CheckSecureRedirect(Fields(reading.node()), "actions", place.listener_port, decoding.findings);
  }
  CheckLeadingActions(Fields(reading.node()), "actions", place.listener_speaks_http, decoding.findings);
  const auto unit = std::make_shared<RuleUnit>();
  unit->load_balancer = place.load_balancer;
  unit->listener = place.listener;
  unit->priority = rule->priority;
  unit->listener_port = place.listener_port;
  unit->listener_speaks_http = place.listener_speaks_http;
  reading.Finish(node, path, *unit);
  decoding.units.rules.push_back(unit);
  return rule;
}

}  // namespace weir::config
