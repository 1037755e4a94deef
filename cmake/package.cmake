# What `cmake --install` leaves beside bin/weir: headers, libraries, and a package that finds them.
#
#   find_package(weir REQUIRED)
#   target_link_libraries(mine PRIVATE weir::component)   # to write a component
#   target_link_libraries(test PRIVATE weir::testkit)     # to test it
#   target_link_libraries(app PRIVATE weir::main)         # to run it: weir/app/main.h
#   target_link_libraries(app PRIVATE weir::builtin)      # beside the components of this tree
#
# The libraries themselves are installed where they are made (weir_ours in library.cmake). Target
# package_targets builds all that is installed.
include(CMakePackageConfigHelpers)
set(package_dir lib/cmake/weir)
install(DIRECTORY include/weir DESTINATION include)
install(EXPORT weirTargets NAMESPACE weir:: DESTINATION ${package_dir})
configure_package_config_file(cmake/weirConfig.cmake.in ${PROJECT_BINARY_DIR}/weirConfig.cmake
                              INSTALL_DESTINATION ${package_dir})
# Before 1.0 a minor version may change the interface.
write_basic_package_version_file(${PROJECT_BINARY_DIR}/weirConfigVersion.cmake
                                 COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/weirConfig.cmake ${PROJECT_BINARY_DIR}/weirConfigVersion.cmake
        DESTINATION ${package_dir})
install(FILES cmake/dependencies.cmake DESTINATION ${package_dir} RENAME weirDependencies.cmake)
install(FILES LICENSE README.md DESTINATION share/doc/weir)

get_property(package_targets GLOBAL PROPERTY WEIR_PACKAGE_TARGETS)
add_custom_target(package_targets DEPENDS weir ${package_targets})
