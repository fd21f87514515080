#pragma once

#include "base/result.h"

#include <string_view>

namespace CLI {
class App;
class ParseError;
}  // namespace CLI

namespace weir::app {

// What is wrong with a command line that CLI11 refused, with what would be right: a word that is no command, the
// nearest command; an option that there is not, the nearest option. `root` is as the refused parse left it.
[[nodiscard]] Error DescribeMistake(const CLI::App& root, const CLI::ParseError& refusal);

// That `word` is no command of `app`, with the nearest one: by spelling, or by what other programs call it (serve,
// run).
[[nodiscard]] Error UnknownCommand(const CLI::App& app, std::string_view word);

}  // namespace weir::app
