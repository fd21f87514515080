#pragma once

#include "config/document/node.h"

#include <string>

namespace weir::config {

// The document as YAML, for people to edit: maps and lists in block form, small ones of scalars on one line. As with
// WriteJson, environment references stand in it by their names, aliases and merges are written out, comments of the
// file are gone; reading the answer gives the same configuration. Thread: any.
[[nodiscard]] std::string WriteYaml(const Node& node);

}  // namespace weir::config
