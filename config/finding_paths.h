#pragma once

#include "config/diagnostic.h"
#include "config/document/node.h"

#include <cstdint>
#include <span>
#include <string>

namespace weir::config {

// How much of a document is searched for the places of findings.
enum class PathSearch : std::uint8_t {
  kWhole,
  kAboveRecords,  // zones and rules without what stands deeper than their own keys
};

// Gives the findings that have no path theirs (`load-balancers[0].listeners[1].port`): the first place below `node`
// that is where they were found, with `start` in front.
void NamePaths(const Node& node, const std::string& start, std::span<Diagnostic> findings,
               PathSearch search = PathSearch::kWhole);

}  // namespace weir::config
