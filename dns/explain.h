#pragma once

#include "base/ip_address.h"
#include "config/model.h"
#include "dns/wire/types.h"
#include "dns/zone/zone_set.h"
#include "health/status.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace weir::dns {

// Why something counts as healthy or not; `children` are the records behind an alias that evaluates target health.
struct HealthExplanation {
  std::string subject;  // `record eu.example.test. A primary`
  bool healthy = true;
  std::string reason;  // `check eu-front is unhealthy: connection refused`, `no health check`
  std::vector<HealthExplanation> children;
};

// One record set that could have been chosen.
struct CandidateExplanation {
  std::string set;  // set identifier; empty for a simple record
  HealthExplanation health;
  bool eligible = true;  // healthy, or everything is because of fail-open
  bool chosen = false;
  std::string figure;  // `weight 90`, `PRIMARY`, `eu-west 12 ms by a /24 row`, `hq by 192.0.2.0/24`; may be empty
  std::optional<double> share;         // weighted: 0..1 of the draws
  std::optional<double> milliseconds;  // latency by table
  std::optional<double> kilometres;    // latency by distance; geoproximity, with the bias
  std::optional<CidrBlock> block;      // CIDR: the longest one of its location that holds the client
  std::string reason;                  // why it was or was not chosen
  std::string alias;                   // `record eu.example.test. A`, `load balancer shop`; empty when it has values
  std::vector<std::string> values;     // presentation form; for a load balancer what it advertises
  std::optional<std::uint32_t> ttl_seconds;  // absent on an alias to a record: that has its target's
};

// One group of record sets and the choice among them. The chosen alias leads to the next decision of the list.
struct DecisionExplanation {
  std::string name;  // absolute, of the record sets: `*.example.test.` when a wildcard stands for the question
  std::uint16_t type = 0;
  config::RoutingPolicy policy = config::RoutingPolicy::kSimple;
  bool fail_open = false;  // no candidate is healthy, so all count as healthy
  std::vector<CandidateExplanation> candidates;
  std::string reason;  // one sentence
};

struct Explanation {
  std::string name;
  std::uint16_t type = 0;
  std::string client;  // `192.0.2.0/24`; empty when none was given
  std::string zone;    // empty when no zone holds the name
  // From the top of the tree down: each follows from the alias (or CNAME) chosen before it.
  std::vector<DecisionExplanation> decisions;
  Rcode rcode = Rcode::kNoError;
  std::string outcome;              // one sentence: `NODATA: the name exists without this type`
  std::vector<std::string> values;  // of the answer section's records of the asked type, presentation form
  std::vector<std::string> answer;  // the whole answer section: `www.example.test. 300 CNAME shop.example.test.`
  std::optional<std::uint32_t> ttl_seconds;   // of the answer, or of the negative answer
  std::optional<unsigned> client_scope_bits;  // prefix length of the client for which this answer holds
};

// Answers the question `name` (final dot optional) `type` as a worker would, by the same code, and says why. `client`
// is the EDNS Client Subnet or the resolver's block; absent: a client of unknown place. Weighted draws are explained by
// their shares; the heaviest eligible record stands for the draw. Fails when `name` is not a domain name. Thread: any.
[[nodiscard]] Result<Explanation> ExplainQuery(std::shared_ptr<const ZoneSet> zones,
                                               std::shared_ptr<const health::StatusTable> status, std::string_view name,
                                               std::uint16_t type, const std::optional<CidrBlock>& client);

// The explanation as indented text for a terminal, with a final line end.
[[nodiscard]] std::string RenderText(const Explanation& explanation);

// `simple`, `weighted`, `failover`, `latency`, `multivalue`, `cidr`, `geolocation`, `geoproximity`.
[[nodiscard]] std::string_view PolicyName(config::RoutingPolicy policy);
// `continent EU`, `DE`, `US-WA`, `*`.
[[nodiscard]] std::string GeoLocationText(const config::GeoLocation& location);
// `eu-west bias +10`, `53.3, -6.2`.
[[nodiscard]] std::string GeoProximityText(const config::GeoProximity& near, const config::Model& model);

}  // namespace weir::dns
