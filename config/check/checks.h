#pragma once

// What can be said about a model only when all of it is decoded. Errors and warnings go to the findings. Thread: the
// one that loads.

#include "config/model.h"

#include <span>

namespace weir::config {

class Findings;
class KnownUnits;
class NameTable;
struct DecodedUnits;
struct Node;
struct ZoneUnit;

// No address and port is bound twice.
void CheckBindings(const Model& model, Position admin, Findings& findings);
// Marks the groups that rules forward to, checks that their stickiness fits, and warns of groups that no rule uses or
// that are used and empty. `names` knows which of them a reference that could not be resolved may mean; so below.
void CheckTargetGroups(const NameTable& names, Model& model, Findings& findings);
// Warns of rules that can never match because an earlier rule of the listener takes all of their requests. Sound, not
// complete: a rule it names is covered; regular expressions are only compared as texts, and a listener with a great
// many rules that cannot be told apart by host or path is not searched to the end.
// Notes in `units` what it finds; takes it over from `known` where the rules of a listener are as they were.
void CheckReachability(const Model& model, const KnownUnits& known, DecodedUnits& units, Findings& findings);
// The invariants of record sets of a zone that share a name (spec: dns.md 2.1), alias targets, alias cycles. `model`
// has the load balancers and CIDR collections already.
void CheckRecordSets(const Model& model, const Zone& zone, Findings& findings);
// Warns of zones that those above them do not delegate.
void CheckDelegations(const Model& model, std::span<const ZoneUnit> zones, Findings& findings);
// Works out availability_zones, node_zones and shift_zones, after CheckTargetGroups. With cross-zone off for a group,
// whoever forwards to it stands in zones, and so do its targets; spec: alb.md 7.2, 10.1.
void CheckAvailabilityZones(Model& model, Findings& findings);
// Warns of trust stores that no listener uses.
void CheckTrustStoreUse(const NameTable& names, const Model& model, Findings& findings);
// Warns of health checks that nothing uses.
void CheckHealthCheckUse(const NameTable& names, const Model& model, std::span<const ZoneUnit> zones,
                         Findings& findings);
// Warns of CIDR collections that no record uses.
void CheckCidrCollectionUse(const NameTable& names, const Model& model, std::span<const ZoneUnit> zones,
                            Findings& findings);
// Warns of what AWS would refuse or read differently, each with the limit it breaks. `root`: the file that the model
// was decoded from, for the places of single values.
void CheckAwsLimits(const Model& model, const Node& root, Findings& findings);
// Warns of logs that lead to S3 as AWS would not have it, in the same way.
void CheckAwsLogs(const Node& root, Findings& findings);
// Warns of keys and values that are weir's own, in the same way.
void CheckAwsAdditions(const Node& root, Findings& findings);

}  // namespace weir::config
