#pragma once

#include "config/document/node.h"
#include "config/schema/schema.h"

#include <span>
#include <string_view>

namespace weir::config {

class Findings;

// Compares a node with the tables of the schema and reports every unknown key, missing key, wrong type, value out of
// range, unknown word and key of a later version. What decoding reads afterwards is either right or was reported here.
// `key`: under which the node stands; empty: that of the object. Nodes of `apart` below it are left out: they are
// checked on their own.
void CheckShape(const Node& node, const Object& object, Findings& findings, std::string_view key = {},
                std::span<const Object* const> apart = {});

}  // namespace weir::config
