# `cmake --install build/PRESET [--prefix DIR] [--strip]`, once the target weir is built; DESTDIR is honoured. Nothing that is
# configured is touched: /etc stays what it is.
include(GNUInstallDirs)

install(TARGETS weir RUNTIME COMPONENT weir)
install(FILES README.md LICENSE CONTRIBUTING.md DESTINATION ${CMAKE_INSTALL_DOCDIR} COMPONENT weir)
install(DIRECTORY docs examples DESTINATION ${CMAKE_INSTALL_DOCDIR} COMPONENT weir)

# The unit names the program by its path, which depends on a prefix that is known only now.
install(CODE "
  file(READ \"${CMAKE_SOURCE_DIR}/packaging/weir.service\" unit)
  string(REPLACE \"/usr/local/bin/\" \"\${CMAKE_INSTALL_PREFIX}/${CMAKE_INSTALL_BINDIR}/\" unit \"\${unit}\")
  string(REPLACE \"/usr/local/share/doc/weir/\" \"\${CMAKE_INSTALL_PREFIX}/${CMAKE_INSTALL_DOCDIR}/\" unit \"\${unit}\")
  set(file \"\${CMAKE_INSTALL_PREFIX}/lib/systemd/system/weir.service\")
  message(STATUS \"Installing: \$ENV{DESTDIR}\${file}\")
  file(WRITE \"\$ENV{DESTDIR}\${file}\" \"\${unit}\")
" COMPONENT weir)
