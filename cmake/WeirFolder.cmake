include(GoogleTest)

# Compiles the sources of a target a few at a time where `unity` says so; those named behind it alone.
function(weir_unity target unity)
  set_target_properties(${target} PROPERTIES UNITY_BUILD ${unity} UNITY_BUILD_BATCH_SIZE 6)
  if(ARGN)
    set_source_files_properties(${ARGN} PROPERTIES SKIP_UNITY_BUILD_INCLUSION ON)
  endif()
endfunction()

# weir_folder(NAME dns HEADERS a.h SOURCES a.cc ALONE b.cc DEPENDS weir::base PRIVATE_DEPENDS fmt::fmt)
# One static library per folder, weir::<name>. DEPENDS is what the headers expose, PRIVATE_DEPENDS what only the sources use.
# With WEIR_UNITY several sources are compiled as one, which halves the time: names of an unnamed namespace are then unique in
# a folder, and sources for which that would be a burden are ALONE. Every source is a unit of its own in the dev preset, and
# those of a folder of the DATA_PATH in release and asan too: g++ chooses otherwise there what it inlines, and a request cost 3 %
# more; what is compiled alone in a release is so where every change is tested.
# Every header compiles alone: where there is a source of the same name, by its first line, which tests/architecture checks;
# the others in the target all_verify_interface_header_sets.
function(weir_folder)
  cmake_parse_arguments(ARG "DATA_PATH" "NAME" "HEADERS;SOURCES;ALONE;DEPENDS;PRIVATE_DEPENDS" ${ARGN})
  list(APPEND ARG_SOURCES ${ARG_ALONE})
  add_library(weir_${ARG_NAME} STATIC ${ARG_SOURCES})
  add_library(weir::${ARG_NAME} ALIAS weir_${ARG_NAME})
  set(with_source)
  foreach(header ${ARG_HEADERS})
    cmake_path(REPLACE_EXTENSION header .cc OUTPUT_VARIABLE source)
    if(source IN_LIST ARG_SOURCES)
      list(APPEND with_source ${header})
    endif()
  endforeach()
  set(alone ${ARG_HEADERS})
  list(REMOVE_ITEM alone ${with_source})
  target_sources(weir_${ARG_NAME} PUBLIC
    FILE_SET HEADERS BASE_DIRS ${CMAKE_SOURCE_DIR} FILES ${alone}
    FILE_SET headers_with_source TYPE HEADERS BASE_DIRS ${CMAKE_SOURCE_DIR} FILES ${with_source})
  set_property(TARGET weir_${ARG_NAME} PROPERTY INTERFACE_HEADER_SETS_TO_VERIFY HEADERS)
  target_include_directories(weir_${ARG_NAME} PUBLIC ${CMAKE_SOURCE_DIR})
  target_link_libraries(weir_${ARG_NAME} PUBLIC ${ARG_DEPENDS} PRIVATE weir_warnings ${ARG_PRIVATE_DEPENDS})
  set(unity ${WEIR_UNITY})
  if(ARG_DATA_PATH AND NOT WEIR_SANITIZE STREQUAL "thread")
    set(unity OFF)
  endif()
  weir_unity(weir_${ARG_NAME} ${unity} ${ARG_ALONE})
endfunction()

# weir_test(NAME http LABELS unit SOURCES parser_test.cc ALONE other_test.cc DEPENDS weir::http)
# One test program per folder and label; each TEST becomes one ctest entry with the labels given. One of them says what the
# tests need: `unit`, nothing of the machine, so that a program that opens a socket aborts (tests/support/no_sockets.cc); or
# `socket`. A label `threaded` adds the test to the ThreadSanitizer run, which builds only the target threaded_tests.
# Sources of tests are compiled a few at a time in every preset.
# With WEIR_TESTS_BY_PROGRAM a program is one entry: a program with sanitizers takes longer to start than most tests take.
#
# GoogleTest's headers, compiled once for all test programs: a third of what a test takes to compile.
if(BUILD_TESTING OR NOT DEFINED BUILD_TESTING)
  add_library(weir_test_headers OBJECT ${CMAKE_SOURCE_DIR}/tests/support/test_headers.cc)
  target_link_libraries(weir_test_headers PRIVATE weir_warnings GTest::gtest GTest::gmock)
  target_precompile_headers(weir_test_headers PRIVATE <gmock/gmock.h> <gtest/gtest.h>)
  target_compile_options(weir_test_headers PRIVATE ${WEIR_TEST_OPTIONS})
endif()
add_custom_target(threaded_tests)
function(weir_test)
  cmake_parse_arguments(ARG "" "NAME;TIMEOUT" "LABELS;SOURCES;ALONE;DEPENDS" ${ARGN})
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 60)
  endif()
  if("unit" IN_LIST ARG_LABELS)
    list(APPEND ARG_SOURCES ${CMAKE_SOURCE_DIR}/tests/support/no_sockets.cc)
  elseif(NOT "socket" IN_LIST ARG_LABELS)
    message(FATAL_ERROR "The test program ${ARG_NAME} has neither the label `unit` nor `socket`")
  endif()
  add_executable(${ARG_NAME}_test ${ARG_SOURCES} ${ARG_ALONE})
  # These replace functions of the libraries, which what is compiled with them would notice.
  set(replacing ${CMAKE_SOURCE_DIR}/tests/support/no_sockets.cc ${CMAKE_SOURCE_DIR}/tests/support/allocation_count.cc)
  weir_unity(${ARG_NAME}_test ON ${ARG_ALONE} ${replacing})
  target_link_libraries(${ARG_NAME}_test PRIVATE weir_warnings ${ARG_DEPENDS} GTest::gtest GTest::gmock GTest::gtest_main)
  target_include_directories(${ARG_NAME}_test PRIVATE ${CMAKE_SOURCE_DIR})
  target_compile_options(${ARG_NAME}_test PRIVATE ${WEIR_TEST_OPTIONS})
  target_precompile_headers(${ARG_NAME}_test REUSE_FROM weir_test_headers)
  # gtest_discover_tests of CMake 3.25 keeps only the first of several labels. `ctest -L` matches a regular expression, so that
  # one label `socket-threaded` is found by either word.
  list(JOIN ARG_LABELS "-" label)
  if(WEIR_TESTS_BY_PROGRAM)
    add_test(NAME ${ARG_NAME} COMMAND ${ARG_NAME}_test --gtest_brief=1)
    set_tests_properties(${ARG_NAME} PROPERTIES LABELS "${label}" TIMEOUT 900 COST 60)
  else()
    gtest_discover_tests(${ARG_NAME}_test
      TEST_PREFIX "${ARG_NAME}."
      DISCOVERY_MODE PRE_TEST
      PROPERTIES LABELS "${label}" TIMEOUT ${ARG_TIMEOUT})
  endif()
  if("threaded" IN_LIST ARG_LABELS)
    add_dependencies(threaded_tests ${ARG_NAME}_test)
  endif()
endfunction()
