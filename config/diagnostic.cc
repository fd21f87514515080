#include "config/diagnostic.h"

#include "base/printable.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <tuple>

namespace weir::config {

bool Diagnostics::has_errors() const {
  return std::ranges::any_of(items, [](const Diagnostic& d) { return d.severity == Severity::kError; });
}

std::string Diagnostics::Format(const Diagnostic& diagnostic) const {
  const Position& at = diagnostic.position;
  const std::string_view file = at.file < files.size() ? std::string_view(files[at.file]) : std::string_view("?");
  const std::string_view severity = diagnostic.severity == Severity::kError ? "error" : "warning";
  std::string out(file);
  if (at.line != 0) out.append(fmt::format(":{}:{}", at.line, at.column));
  out.append(fmt::format(": {}: {}", severity, diagnostic.message));
  if (!diagnostic.hint.empty()) out.append("; ").append(diagnostic.hint);
  return Printable(out);
}

std::string Diagnostics::FormatAll() const {
  std::vector<const Diagnostic*> sorted;
  sorted.reserve(items.size());
  for (const Diagnostic& item : items) sorted.push_back(&item);
  std::ranges::stable_sort(sorted, {}, [](const Diagnostic* d) {
    return std::tuple(d->position.file, d->position.line, d->position.column);
  });
  std::string out;
  for (const Diagnostic* item : sorted) out.append(Format(*item)).append("\n");
  return out;
}

}  // namespace weir::config
