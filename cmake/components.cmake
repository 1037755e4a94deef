# One call per component turns a folder into a library, its tests and a line of the registry.
#
#   weir_component(processor attributes)
#   weir_component(exporter kafka DEPS PkgConfig::rdkafka)
#
# Expects src/<kind>s/<type>/ with README.md, config.h and factory.h; the factory function is
# weir::<kind>s::<type>::Factory(). Tests are tests/<kind>s/<type>/*_test.cc.
# Leave components out of a build with -DWEIR_WITHOUT="exporter/kafka;receiver/kafka".
function(weir_component kind type)
  cmake_parse_arguments(ARG "" "" "DEPS" ${ARGN})
  if("${kind}/${type}" IN_LIST WEIR_WITHOUT)
    return()
  endif()
  set(folder ${kind}s/${type})
  foreach(required README.md config.h factory.h)
    if(NOT EXISTS ${PROJECT_SOURCE_DIR}/src/${folder}/${required})
      message(FATAL_ERROR "src/${folder}/${required} is missing; every component has one.")
    endif()
  endforeach()

  file(GLOB sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/src/${folder}/*.cc)
  set(target weir_${kind}_${type})
  add_library(${target} STATIC ${sources})
  target_link_libraries(${target} PUBLIC weir_component weir_net ${ARG_DEPS})
  weir_ours(${target} ${kind}_${type})
  set_property(GLOBAL APPEND PROPERTY WEIR_COMPONENT_TARGETS ${target})
  set_property(GLOBAL APPEND PROPERTY WEIR_COMPONENT_TESTS ${folder}@${target})
  set_property(GLOBAL APPEND_STRING PROPERTY WEIR_INCLUDES "#include \"${folder}/factory.h\"\n")
  set_property(GLOBAL APPEND_STRING PROPERTY WEIR_ADDS
               "  registry.Add(${kind}s::${type}::Factory());\n")
endfunction()

# Call once, after the last weir_component().
function(weir_generate_registry)
  get_property(WEIR_INCLUDES GLOBAL PROPERTY WEIR_INCLUDES)
  get_property(WEIR_ADDS GLOBAL PROPERTY WEIR_ADDS)
  get_property(targets GLOBAL PROPERTY WEIR_COMPONENT_TARGETS)
  configure_file(${PROJECT_SOURCE_DIR}/cmake/builtin_components.cc.in
                 ${PROJECT_BINARY_DIR}/builtin_components.cc @ONLY)
  add_library(weir_builtin STATIC ${PROJECT_BINARY_DIR}/builtin_components.cc)
  target_link_libraries(weir_builtin PUBLIC weir_component ${targets})
  weir_ours(weir_builtin builtin)
endfunction()

# Called from tests/: the tests of every component that is built.
function(weir_component_tests)
  get_property(entries GLOBAL PROPERTY WEIR_COMPONENT_TESTS)
  foreach(entry ${entries})
    string(REPLACE "@" ";" pair ${entry})
    list(GET pair 0 folder)
    list(GET pair 1 target)
    weir_tests(${folder} DEPS ${target} weir_testkit)
  endforeach()
endfunction()
