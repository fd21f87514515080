#pragma once

#include "config/document/node.h"

#include <cstdint>
#include <optional>
#include <string_view>

namespace weir::config {

class Findings;

// Reads one YAML document (yaml-cpp's events, which are YAML 1.2). Lines and columns of its nodes count characters
// from 1. Syntax errors, text that is no UTF-8, control characters, a second document, duplicate keys, keys that are
// not plain text, unknown anchors, aliases that hold themselves, tabs that indent and the limits of node.h are reported
// to `findings`; the answer is absent only when there is no tree to go on with. An empty text gives a null node.
// Environment references are left as they stand. Thread: any.
[[nodiscard]] std::optional<Node> ReadYaml(std::string_view text, std::uint32_t file, Tree& tree, Findings& findings);

}  // namespace weir::config
