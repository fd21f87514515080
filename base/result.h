#pragma once

// Values every folder uses: results, clocks, addresses, snapshot publishing, logging, counters.

#include <expected>
#include <string>
#include <utility>

namespace weir {

// An expected failure outside the data plane: what is wrong, and what would be right (may be empty). Both are shown to
// people.
struct Error {
  std::string message;
  std::string hint;
};

// Either a value or the reason why there is none. Nothing of ours throws.
template <class T>
using Result = std::expected<T, Error>;

// The failing side of a Result: `return Failure("no such zone", "did you mean a?")`.
[[nodiscard]] inline std::unexpected<Error> Failure(std::string message, std::string hint = {}) {
  return std::unexpected(Error{std::move(message), std::move(hint)});
}

}  // namespace weir
