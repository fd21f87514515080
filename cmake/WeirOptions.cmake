# Warnings, sanitizers and the compiler cache, as interface targets and cache variables: no folder edits flags of its own.
set(WEIR_SANITIZE "" CACHE STRING "Sanitizers to build with: empty, 'address,undefined' or 'thread'")
option(WEIR_TESTS_IN_ALL "Build the test programs with everything else, not only by their names" ON)
option(WEIR_TESTS_BY_PROGRAM "Let ctest run each test program as a whole, not a process for each of its tests" OFF)
option(WEIR_UNITY "Compile several sources as one: faster builds, slower rebuilds" OFF)
option(WEIR_BENCH "Build the micro-benchmarks of bench/" OFF)
option(WEIR_FUZZ "Build the fuzz targets of tests/fuzz with libFuzzer (clang only)" OFF)

find_program(WEIR_CCACHE ccache)
if(WEIR_CCACHE)
  # What it needs to know to keep what is compiled with a precompiled header.
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env CCACHE_SLOPPINESS=pch_defines,time_macros ${WEIR_CCACHE})
endif()

add_library(weir_warnings INTERFACE)
target_compile_options(weir_warnings INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wold-style-cast
  -Wnon-virtual-dtor -Woverloaded-virtual -Wundef -Wimplicit-fallthrough
  $<$<CXX_COMPILER_ID:GNU>:-Wduplicated-cond -Wlogical-op -Wsuggest-override>
  $<$<CXX_COMPILER_ID:Clang>:-Wthread-safety>)

# g++ 12 reports overlapping copies inside its own std::string for `"text" + string` at -O2 (GCC bug 105651, mended in 13).
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  target_compile_options(weir_warnings INTERFACE -Wno-restrict)
endif()

# Of types in an unnamed namespace that a source of several holds, g++ thinks that they stand in a header.
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  target_compile_options(weir_warnings INTERFACE -Wno-subobject-linkage)
endif()

# clang reports the call of std::get_temporary_buffer inside libstdc++ 12's own std::stable_sort; g++ is there for ours.
if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  target_compile_options(weir_warnings INTERFACE -Wno-deprecated-declarations)
endif()

# What is instrumented takes twice as long to compile when it is optimised: worth it for what is tested, not for the tests.
set(WEIR_TEST_OPTIONS)
if(WEIR_SANITIZE)
  set(WEIR_TEST_OPTIONS -O0)
  add_compile_options(-fsanitize=${WEIR_SANITIZE} -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${WEIR_SANITIZE})
  if(WEIR_SANITIZE MATCHES "undefined")
    add_compile_options(-fno-sanitize-recover=undefined)
  endif()
endif()
if(WEIR_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer)
  add_link_options(-fsanitize=address,undefined)
endif()
