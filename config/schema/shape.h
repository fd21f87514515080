#pragma once

#include "config/document/node.h"
#include "config/schema/schema.h"

namespace weir::config {

class Findings;

// Compares a node with the tables of the schema and reports every unknown key, missing key, wrong type, value out of
// range, unknown word and key of a later version. What decoding reads afterwards is either right or was reported here.
void CheckShape(const Node& node, const Object& object, Findings& findings);

}  // namespace weir::config
