#pragma once

#include "config/document/node.h"

#include <cstdint>
#include <optional>
#include <string_view>

namespace weir::config {

class Findings;

// The second opinion on what ReadYaml reads: the same nodes out of libyaml's events, with libyaml's marks. Syntax
// errors are reported with their place and libyaml's own words.
[[nodiscard]] std::optional<Node> ReadByLibyaml(std::string_view text, std::uint32_t file, Tree& tree,
                                                Findings& findings);

}  // namespace weir::config
