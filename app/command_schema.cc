#include "app/commands.h"
#include "config/load.h"

#include <cstdio>
#include <string>

namespace weir::app {

void AddSchemaCommand(CommandSyntax root, Command& run) {
  auto command = root.AddCommand("schema", "Prints the JSON Schema of the configuration file, for editors");
  command.Footer("Example:  weir schema > weir.schema.json");
  command.OnChosen([&run] {
    run = [] {
      const std::string schema = config::JsonSchema();
      std::fputs(schema.c_str(), stdout);
      if (!schema.ends_with('\n')) std::fputs("\n", stdout);
      return kDone;
    };
  });
}

}  // namespace weir::app
