#pragma once

#include "config/diagnostic.h"
#include "config/document/node.h"

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace weir::config {

class Findings;

using Environment = std::function<std::optional<std::string>(const std::string&)>;

// Replaces ${NAME} and ${NAME:-default} by the environment's values; the default stands for a variable that is not set
// or empty, as in a shell. $${ is a literal ${; every other $ is left alone, so that regular expressions need no
// escaping. What a variable holds is not expanded again. A variable that is not set and has no default, or a reference
// that is not closed, is reported at `position` and left as it is.
[[nodiscard]] std::string ExpandEnvironment(std::string_view text, const Environment& environment, Position position,
                                            Findings& findings);

// A reference that was replaced by what a variable holds.
struct Replacement {
  std::string written;
  std::string text;
};

// Takes what variables hold out of the messages and hints of findings, and names the reference instead: the longest
// values first, whatever the order of `replacements`; what was put in is not replaced again. Values of less than four
// characters are left in a message that does not say that it repeats one: they are no secrets, and words hold them.
void HideReplacements(const std::vector<Replacement>& replacements, std::vector<Diagnostic>& findings);

// `node` with every reference in it and below replaced, as decoding reads it; the node itself where there is none.
// Lists and maps on the way to a reference are made anew in `tree`, everything else is shared. Keys that become the
// same are reported. `replaced`, where given, gets what variables hold, not
// defaults; `leave_out`, where given, says which nodes are
// left as they are.
[[nodiscard]] Node ExpandReferences(const Node& node, const Environment& environment, Tree& tree, Findings& findings,
                                    std::vector<Replacement>* replaced = nullptr,
                                    const std::function<bool(const Node&)>& leave_out = {});

}  // namespace weir::config
