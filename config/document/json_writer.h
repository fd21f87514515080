#pragma once

#include "config/document/node.h"

#include <string>

namespace weir::config {

// The document as JSON (RFC 8259), as it is written: environment references stand in it by their names, never by what
// they hold. Plain numbers and `true` and `false` are what they are in JSON, every other scalar is a text. Aliases and
// merges are written out. Reading the answer gives the same configuration. Thread: any.
[[nodiscard]] std::string WriteJson(const Node& node);

}  // namespace weir::config
