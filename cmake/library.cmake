# weir_library(<folder> DEPS <targets>...) makes target weir_<folder> out of src/<folder>/*.cc.
# weir_tests(<folder> DEPS <targets>...)   makes weir_<folder>_test out of tests/<folder>/*_test.cc.
# weir_fuzzer(<name> DEPS <targets>...)    makes fuzz_<name> out of tests/fuzz/<name>_fuzz.cc.
# A slash in a folder becomes an underscore in the target.
#
# Target engine_tests builds what ThreadSanitizer looks at (their tests have the label `engine`),
# target fuzz_targets every fuzzer.
set(WEIR_ENGINE_FOLDERS base telemetry net component journal pipeline service stress)
add_custom_target(engine_tests)
add_custom_target(fuzz_targets)

function(weir_library folder)
  cmake_parse_arguments(ARG "" "" "DEPS" ${ARGN})
  string(REPLACE "/" "_" name ${folder})
  file(GLOB sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/src/${folder}/*.cc)
  add_library(weir_${name} STATIC ${sources})
  target_link_libraries(weir_${name} PUBLIC ${ARG_DEPS})
  weir_ours(weir_${name} ${name})
endfunction()

# weir_ours(<target> <name>): what every library of ours has. It is installed as weir::<name>; only
# include/weir is seen from outside, and our warnings are nobody else's.
function(weir_ours target name)
  target_include_directories(${target} PUBLIC $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include>
                             $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/src>
                             $<INSTALL_INTERFACE:include>)
  target_compile_features(${target} PUBLIC cxx_std_20)
  target_link_libraries(${target} PRIVATE $<BUILD_INTERFACE:weir_flags>)
  set_target_properties(${target} PROPERTIES EXPORT_NAME ${name})
  install(TARGETS ${target} EXPORT weirTargets ARCHIVE DESTINATION lib)
  set_property(GLOBAL APPEND PROPERTY WEIR_PACKAGE_TARGETS ${target})
endfunction()

function(weir_tests folder)
  cmake_parse_arguments(ARG "" "" "DEPS" ${ARGN})
  if(NOT BUILD_TESTING)
    return()
  endif()
  string(REPLACE "/" "_" name ${folder})
  file(GLOB sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/tests/${folder}/*_test.cc)
  if(NOT sources)
    return()
  endif()
  add_executable(weir_${name}_test ${sources})
  target_include_directories(weir_${name}_test PRIVATE ${PROJECT_SOURCE_DIR})
  target_compile_definitions(weir_${name}_test PRIVATE WEIR_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
  target_link_libraries(weir_${name}_test PRIVATE ${ARG_DEPS} GTest::gmock GTest::gtest_main
                        weir_flags)
  set(label unit)
  if(folder IN_LIST WEIR_ENGINE_FOLDERS)
    set(label engine)
    add_dependencies(engine_tests weir_${name}_test)
  endif()
  gtest_discover_tests(weir_${name}_test DISCOVERY_TIMEOUT 60
                       PROPERTIES TIMEOUT 120 LABELS ${label})
endfunction()

function(weir_fuzzer name)
  cmake_parse_arguments(ARG "" "" "DEPS" ${ARGN})
  if(NOT WEIR_FUZZ)
    return()
  endif()
  add_executable(fuzz_${name} ${PROJECT_SOURCE_DIR}/tests/fuzz/${name}_fuzz.cc)
  target_include_directories(fuzz_${name} PRIVATE ${PROJECT_SOURCE_DIR})
  target_link_libraries(fuzz_${name} PRIVATE ${ARG_DEPS} weir_flags)
  target_link_options(fuzz_${name} PRIVATE -fsanitize=fuzzer)
  add_dependencies(fuzz_targets fuzz_${name})
endfunction()
