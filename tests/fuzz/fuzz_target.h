#pragma once

#include <cstddef>
#include <cstdint>

// What every fuzz target defines. libFuzzer calls it with inputs of its own; replay.cc calls it with the files of a
// corpus. Returns 0; a broken property aborts (WEIR_CHECK).
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
