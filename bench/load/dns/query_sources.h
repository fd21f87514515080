#pragma once

// Where the questions and client subnets of a run come from.

#include "base/ip_address.h"
#include "base/result.h"
#include "bench/load/dns/query_set.h"
#include "config/model.h"

#include <cstddef>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

namespace weir::bench {

// Every wrong line of a file, ready to print: `FILE:LINE: error: MESSAGE; HINT`, a line each.
struct SourceErrors {
  std::string text;
};
template <class T>
using SourceResult = std::expected<std::vector<T>, SourceErrors>;

// The questions of dnsperf's query files: `NAME TYPE` on each line, with `;` or `#` before comments. `file` is named in
// errors. A text without any question is an error. At most kSourceLinesMax lines.
inline constexpr std::size_t kSourceLinesMax = 20'000'000;
[[nodiscard]] SourceResult<Question> ParseQueries(std::string_view text, const std::string& file);
// One CIDR block on each line, `#` before comments.
[[nodiscard]] SourceResult<CidrBlock> ParseSubnets(std::string_view text, const std::string& file);

// One question from the command line. Fails on what is no name or no type that can be asked in one message.
[[nodiscard]] Result<Question> ParseQuestion(std::string_view name, std::string_view type);

// Every name and type that the zones of `model` hold, once each, SOA and NS of the apexes included; a wildcard is asked
// for as `sweep` in the place of its `*`. Names that dns::Name refuses were refused by the configuration.
[[nodiscard]] std::vector<Question> SweepZones(const config::Model& model);

// The whole of a file. The error names it and the system's reason. Thread: any; blocks.
[[nodiscard]] Result<std::string> ReadTextFile(const std::string& path);

}  // namespace weir::bench
