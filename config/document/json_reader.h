#pragma once

#include "config/document/node.h"

#include <cstdint>
#include <optional>
#include <string_view>

namespace weir::config {

class Findings;

// Reads one JSON text (RFC 8259) into the same nodes as YAML. Texts are quoted scalars, numbers keep their digits as
// they are written. Nodes have no line: `origin` is what stands for the file, their columns are their order,
// counted from behind `columns_before`. What is wrong is reported as ReadYaml reports it; the answer is absent then.
// Thread: any.
[[nodiscard]] std::optional<Node> ReadJson(std::string_view text, std::uint32_t origin, Tree& tree, Findings& findings,
                                           std::uint32_t columns_before = 0);

}  // namespace weir::config
