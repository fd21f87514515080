#pragma once

#include "config/document/edit.h"
#include "config/document/node.h"

#include <span>
#include <string>
#include <vector>

namespace weir::config {

// Steps that make `after` of `before`, in the order in which ApplyEdit takes them: adds, removals and replacements as
// deep as they can stand. Items of a list that stayed are found again where others came or went beside them. None when
// both say the same (SaysTheSame). Nodes of the answer are those of `after`. Thread: any.
[[nodiscard]] std::vector<EditStep> Difference(const Node& before, const Node& after);

// The steps as a JSON Patch (RFC 6902). Only those that Difference makes.
[[nodiscard]] std::string PatchText(std::span<const EditStep> steps);

}  // namespace weir::config
