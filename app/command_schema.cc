#include "app/commands.h"
#include "config/load.h"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include <cstdio>
#include <string>

namespace weir::app {

void AddSchemaCommand(CLI::App& root, Command& run) {
  auto* command = root.add_subcommand("schema", "Prints the JSON Schema of the configuration file, for editors");
  command->footer("Example:  weir schema > weir.schema.json");
  command->callback([&run] {
    run = [] {
      const std::string schema = config::JsonSchema();
      std::fputs(schema.c_str(), stdout);
      if (!schema.ends_with('\n')) std::fputs("\n", stdout);
      return kDone;
    };
  });
}

}  // namespace weir::app
