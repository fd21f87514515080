#pragma once

// How many words an enumeration has, so that a table with a row for each of them cannot be a row short.

#include <cstddef>
#include <string_view>

namespace weir {

// Whether an enumerator has this value. The compiler names the value of its type by it (`weir::Colour::kRed`), and by
// the number where there is none (`(weir::Colour)3`).
template <auto kValue>
[[nodiscard]] consteval bool IsEnumerator() {
  constexpr std::string_view kBefore = "kValue = ";
  const std::string_view function = __PRETTY_FUNCTION__;
  return function[function.find(kBefore) + kBefore.size()] != '(';
}

// Those of an enumeration that counts from 0 on without a gap, and has a fixed underlying type.
template <class Enum, std::size_t kFrom = 0>
[[nodiscard]] consteval std::size_t CountEnumerators() {
  if constexpr (IsEnumerator<static_cast<Enum>(kFrom)>()) {
    return CountEnumerators<Enum, kFrom + 1>();
  } else {
    return kFrom;
  }
}

}  // namespace weir
