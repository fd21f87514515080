include(GoogleTest)

# weir_folder(NAME dns HEADERS a.h SOURCES a.cc DEPENDS weir::base PRIVATE_DEPENDS fmt::fmt)
# One static library per folder, weir::<name>. DEPENDS is what the headers expose, PRIVATE_DEPENDS what only the sources use.
# Every header compiles alone in the target all_verify_interface_header_sets.
function(weir_folder)
  cmake_parse_arguments(ARG "" "NAME" "HEADERS;SOURCES;DEPENDS;PRIVATE_DEPENDS" ${ARGN})
  add_library(weir_${ARG_NAME} STATIC ${ARG_SOURCES})
  add_library(weir::${ARG_NAME} ALIAS weir_${ARG_NAME})
  target_sources(weir_${ARG_NAME} PUBLIC FILE_SET HEADERS BASE_DIRS ${CMAKE_SOURCE_DIR} FILES ${ARG_HEADERS})
  target_include_directories(weir_${ARG_NAME} PUBLIC ${CMAKE_SOURCE_DIR})
  target_link_libraries(weir_${ARG_NAME} PUBLIC ${ARG_DEPENDS} PRIVATE weir_warnings ${ARG_PRIVATE_DEPENDS})
endfunction()

# weir_test(NAME http LABELS unit SOURCES parser_test.cc DEPENDS weir::http)
# One test program per folder and label; each TEST becomes one ctest entry with the labels given. One of them says what the
# tests need: `unit`, nothing of the machine, so that a program that opens a socket aborts (tests/support/no_sockets.cc); or
# `socket`. A label `threaded` adds the test to the ThreadSanitizer run, which builds only the target threaded_tests.
add_custom_target(threaded_tests)
function(weir_test)
  cmake_parse_arguments(ARG "" "NAME;TIMEOUT" "LABELS;SOURCES;DEPENDS" ${ARGN})
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 60)
  endif()
  if("unit" IN_LIST ARG_LABELS)
    list(APPEND ARG_SOURCES ${CMAKE_SOURCE_DIR}/tests/support/no_sockets.cc)
  elseif(NOT "socket" IN_LIST ARG_LABELS)
    message(FATAL_ERROR "The test program ${ARG_NAME} has neither the label `unit` nor `socket`")
  endif()
  add_executable(${ARG_NAME}_test ${ARG_SOURCES})
  target_link_libraries(${ARG_NAME}_test PRIVATE weir_warnings ${ARG_DEPENDS} GTest::gtest GTest::gmock GTest::gtest_main)
  target_include_directories(${ARG_NAME}_test PRIVATE ${CMAKE_SOURCE_DIR})
  # gtest_discover_tests of CMake 3.25 keeps only the first of several labels. `ctest -L` matches a regular expression, so that
  # one label `socket-threaded` is found by either word.
  list(JOIN ARG_LABELS "-" label)
  gtest_discover_tests(${ARG_NAME}_test
    TEST_PREFIX "${ARG_NAME}."
    DISCOVERY_MODE PRE_TEST
    PROPERTIES LABELS "${label}" TIMEOUT ${ARG_TIMEOUT})
  if("threaded" IN_LIST ARG_LABELS)
    add_dependencies(threaded_tests ${ARG_NAME}_test)
  endif()
endfunction()
