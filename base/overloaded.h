#pragma once

namespace weir {

// A function for each alternative of a variant, for std::visit: `Overloaded{[](const A&) { … }, [](const B&) { … }}`.
// An alternative without a function does not compile.
template <class... Functions>
struct Overloaded : Functions... {
  using Functions::operator()...;
};

}  // namespace weir
