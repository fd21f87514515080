#include "app/log_entries.h"

#include "app/complain.h"
#include "base/printable.h"
#include "logs/line_source.h"

#include <fmt/format.h>

#include <cstdint>
#include <cstdio>

namespace weir::app {
namespace {

void Note(const std::string& what) { std::fputs(("weir: " + what + "\n").c_str(), stderr); }

}  // namespace

ExitCode EachLogEntry(const std::vector<std::string>& paths, const std::function<void(const logs::Entry&)>& take) {
  logs::EntryParser parser;
  std::uint64_t good_lines = 0;
  std::uint64_t wrong_lines = 0;
  for (const std::string& path : paths) {
    auto source = logs::LineSource::Open(path);
    if (!source) return static_cast<ExitCode>(Complain(source.error(), kSystemRefused));
    for (;;) {
      const auto line = (*source)->Next();
      if (!line) return static_cast<ExitCode>(Complain(line.error(), kInputWrong));
      if (!line->has_value()) break;
      if ((*line)->empty()) continue;
      const auto entry = parser.Parse(**line);
      if (entry) {
        ++good_lines;
        take(*entry);
      } else if (wrong_lines++ == 0) {
        Note(fmt::format("{}:{}: {}", path, (*source)->line_number(), Printable(entry.error().message)));
      }
    }
  }
  if (wrong_lines > 1) Note(fmt::format("{} further lines are no log", wrong_lines - 1));
  return good_lines == 0 && wrong_lines > 0 ? kInputWrong : kDone;
}

Result<std::string> ReadWhole(const std::string& path) {
  auto source = logs::LineSource::Open(path);
  if (!source) return std::unexpected(source.error());
  std::string out;
  for (;;) {
    const auto line = (*source)->Next();
    if (!line) return std::unexpected(line.error());
    if (!line->has_value()) return out;
    (out += **line) += '\n';
  }
}

}  // namespace weir::app
