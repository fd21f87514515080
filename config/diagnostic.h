#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace weir::config {

// A place in the configuration. `file` indexes Model::files (and Diagnostics::files); line and column count from 1, 0
// means no place.
struct Position {
  std::uint32_t file = 0;
  std::uint32_t line = 0;
  std::uint32_t column = 0;
};

enum class Severity : std::uint8_t { kError, kWarning };

// One finding about a configuration. Printed as `FILE:LINE:COLUMN: error: MESSAGE; HINT`, without LINE and COLUMN where
// there are none; the admin API carries the same parts.
struct Diagnostic {
  Severity severity = Severity::kError;
  Position position;
  std::string path;     // load-balancers[0].listeners[1].port; may be empty
  std::string message;  // what is wrong, what was found
  std::string hint;     // what would be right; may be empty
};

// Every finding of one load, in the order of the file.
struct Diagnostics {
  std::vector<std::string> files;  // names as given on the command line or found by include
  std::vector<Diagnostic> items;

  [[nodiscard]] bool has_errors() const;
  // `FILE:LINE:COLUMN: error: MESSAGE; HINT` without a line end, control characters escaped.
  [[nodiscard]] std::string Format(const Diagnostic& diagnostic) const;
  // Every finding on a line of its own, sorted by file and place.
  [[nodiscard]] std::string FormatAll() const;
};

}  // namespace weir::config
