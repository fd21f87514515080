// How a target of a group is chosen. spec: alb.md 8.

#include "config/decode/decode.h"
#include "config/findings.h"
#include "config/schema/schema.h"
#include "config/schema/value_checks.h"

#include <fmt/format.h>

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>

namespace weir::config {
namespace {

// spec: alb.md 8.1.
void DecodeSlowStart(const Fields& fields, TargetGroup& out, Findings& findings) {
  constexpr std::string_view kSlowStart = "slow_start.duration_seconds";
  out.slow_start = std::chrono::seconds(fields.Integer(kSlowStart).value_or(0));
  if (out.slow_start.count() > 0 && out.algorithm != BalancingAlgorithm::kRoundRobin) {
    findings.AddError(fields.PositionOf(kSlowStart), fmt::format("`{}` needs `round_robin`", kSlowStart),
                      "the other algorithms have no slow start");
  }
}

// spec: alb.md 8.3.
void DecodeMitigation(const Fields& fields, TargetGroup& out, Findings& findings) {
  constexpr std::string_view kMitigation = "load_balancing.algorithm.anomaly_mitigation";
  out.anomaly_mitigation = fields.Word(kMitigation, kOnOffWords) == std::size_t{1};
  if (out.anomaly_mitigation && out.algorithm != BalancingAlgorithm::kWeightedRandom) {
    findings.AddError(fields.PositionOf(kMitigation), fmt::format("`{}` needs `weighted_random`", kMitigation),
                      "load_balancing.algorithm.type: weighted_random");
  }
}

void DecodeHashKey(const Fields& fields, TargetGroup& out, Findings& findings) {
  constexpr std::string_view kKey = "weir.consistent_hash.key";
  constexpr std::string_view kName = "weir.consistent_hash.name";
  out.hash_key.source = fields.Choice(kKey, kHashSourceWords, HashSource::kClientAddress);
  out.hash_key.name = fields.Text(kName);
  for (const std::string_view key : {kKey, kName}) {
    if (out.algorithm == BalancingAlgorithm::kConsistentHash || !fields.Has(key)) continue;
    findings.AddError(fields.PositionOf(key), fmt::format("`{}` needs `weir.consistent_hash`", key),
                      "load_balancing.algorithm.type: weir.consistent_hash");
    return;
  }
  const bool is_named = out.hash_key.source == HashSource::kHeader || out.hash_key.source == HashSource::kCookie;
  const std::string source = fields.Text(kKey, "client_address");
  if (!is_named && fields.Has(kName)) {
    findings.AddError(fields.PositionOf(kName), fmt::format("`{}` has no meaning for `{}`", kName, source),
                      "leave it out");
  } else if (is_named && !fields.Has(kName)) {
    findings.AddError(fields.PositionOf(kKey), fmt::format("`{}` without `{}`", source, kName), "the name of it");
  } else if (is_named && fields.Scalar(kName) != nullptr && !IsToken(out.hash_key.name)) {
    findings.AddError(fields.PositionOf(kName), fmt::format("{} is no name of a {}", Quoted(out.hash_key.name), source),
                      "letters, digits and marks such as - . _");
  }
}

}  // namespace

void DecodeBalancing(const Fields& fields, TargetGroup& out, Findings& findings) {
  out.algorithm = fields.Choice("load_balancing.algorithm.type", kAlgorithmWords, out.algorithm);
  DecodeSlowStart(fields, out, findings);
  DecodeMitigation(fields, out, findings);
  DecodeHashKey(fields, out, findings);
}

}  // namespace weir::config
