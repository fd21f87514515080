// Prints the JSON Schema, for schema_test.py.

#include "config/load.h"

#include <cstdio>

int main() {
  std::fputs(weir::config::JsonSchema().c_str(), stdout);
  return 0;
}
