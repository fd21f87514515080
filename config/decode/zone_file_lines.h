#pragma once

// The lines of a zone file, divided as RFC 1035 5.1 says, before anything is made of them.

#include "config/diagnostic.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace weir::config {

// A word, or what stands between quotation marks (without them). Escapes stand as they are written.
struct ZoneFileToken {
  std::string text;
  Position position;
  bool quoted = false;
};

// One entry: a line, or several in parentheses.
struct ZoneFileLine {
  Position position;                  // of its first token
  std::vector<ZoneFileToken> tokens;  // at least one, unless there is an error
  bool owner_omitted = false;         // it begins with a blank
  std::string error;                  // why it cannot be divided; the next one is read all the same
};

// Goes through the entries of a file; comments and empty lines are passed over.
class ZoneFileLines {
 public:
  // `text` outlives the object. `file` is that of the positions.
  ZoneFileLines(std::string_view text, std::uint32_t file) : text_(text), file_(file) {}

  // False at the end. `line` is filled anew.
  [[nodiscard]] bool Next(ZoneFileLine& line);

 private:
  [[nodiscard]] Position Here() const { return {file_, line_, static_cast<std::uint32_t>(at_ - line_start_) + 1}; }
  void ReadQuoted(ZoneFileLine& line);
  void ReadWord(ZoneFileLine& line);
  void EndLine();

  std::string_view text_;
  std::uint32_t file_;
  std::size_t at_ = 0;
  std::size_t line_start_ = 0;
  std::uint32_t line_ = 1;
};

// `\DDD` is decimal in a zone file (RFC 1035 5.1), and octal in a configuration, as Route 53 has it.
[[nodiscard]] std::string OctalEscapes(std::string_view text);

// What $GENERATE counts through.
struct GenerateRange {
  std::uint64_t start = 0;
  std::uint64_t stop = 0;
  std::uint64_t step = 1;
};
// `1-100`, `0-20/2`; absent for anything else.
[[nodiscard]] std::optional<GenerateRange> ParseGenerateRange(std::string_view text);
// `text` with `number` for each `$` (`${OFFSET,WIDTH,BASE}`; `\$` is a dollar sign); absent where it cannot be read.
[[nodiscard]] std::optional<std::string> Generated(std::string_view text, std::uint64_t number);

}  // namespace weir::config
