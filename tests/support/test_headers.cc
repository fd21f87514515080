// Stands for the headers that all test programs share, which CMake compiles with it (weir_test in
// cmake/WeirFolder.cmake).
