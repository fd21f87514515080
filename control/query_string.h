#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace weir::control {

// The decoded pairs of a query, in order; a key may come more than once.
using QueryPairs = std::vector<std::pair<std::string, std::string>>;

// `%41` as `A`; what is no escape stays as it is. `+` stands for a space in queries only.
[[nodiscard]] std::string PercentDecode(std::string_view text, bool plus_is_space);
// `a=1&b` as {a, 1} and {b, ""}. Empty pairs are left out.
[[nodiscard]] QueryPairs ParseQuery(std::string_view query);
// The first value of `key`; empty when it is not there.
[[nodiscard]] std::string Find(const QueryPairs& pairs, std::string_view key);

}  // namespace weir::control
