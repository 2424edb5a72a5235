# yyc3_module(<folder> DEPS <folder>... LIBS <imported>... TEST_LIBS <imported>... EXCLUDE <inner folder>... LABELS <word>...)
# One folder, one library, one test binary. A folder may include only itself and its DEPS:
# tools/check_layers.py reads the same list, so the link rule and the include rule cannot differ.
# A folder without sources yet is an empty library, so that the map can name rooms before they are built.
# LABELS mark the test for scripts/test: model loopback browser heavy.
option(YYC3_UNITY "Compile a room's files in groups (every preset but dev and clang): Asio and the like are read once a group")

# yyc3_unity(<variable> <name>): replaces the list of files by few files that include them (tools/unity.py). CMake's own
# UNITY_BUILD writes absolute paths, which would keep one clone's objects from being found by the next, and lets names meet.
function(yyc3_unity variable name)
  if(NOT YYC3_UNITY OR NOT ${variable})
    return()
  endif()
  set(inside)
  foreach(file ${${variable}})
    file(RELATIVE_PATH file ${PROJECT_SOURCE_DIR}/src ${file})
    list(APPEND inside ${file})
  endforeach()
  execute_process(COMMAND python3 ${PROJECT_SOURCE_DIR}/tools/unity.py ${CMAKE_BINARY_DIR}/unity ${name} ${inside}
    OUTPUT_VARIABLE made OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
  string(REPLACE "\n" ";" made "${made}")
  set(${variable} ${made} PARENT_SCOPE)
endfunction()

function(yyc3_module folder)
  cmake_parse_arguments(M "" "" "DEPS;LIBS;TEST_LIBS;EXCLUDE;LABELS" ${ARGN})
  string(REPLACE "/" "_" name "yyc3_${folder}")
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/src/${folder}/*.cpp)
  file(GLOB_RECURSE headers CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/src/${folder}/*.hpp)
  list(FILTER headers EXCLUDE REGEX "/[a-z_]*test_[a-z_]*\\.hpp$")  # tests' own helpers are no interface
  foreach(inner ${M_EXCLUDE})
    list(FILTER sources EXCLUDE REGEX "/src/${inner}/")
    list(FILTER headers EXCLUDE REGEX "/src/${inner}/")
  endforeach()
  set(tests ${sources})
  list(FILTER tests INCLUDE REGEX "_test\\.cpp$")
  list(FILTER sources EXCLUDE REGEX "_test\\.cpp$")
  yyc3_unity(sources ${name})
  yyc3_unity(tests ${name}_test)
  add_library(${name} STATIC ${sources} ${PROJECT_SOURCE_DIR}/cmake/empty.cpp)
  if(YYC3_UNITY)
    target_compile_options(${name} PRIVATE $<$<CXX_COMPILER_ID:GNU>:-Wno-subobject-linkage>)  # takes a group's files for headers
  endif()
  target_include_directories(${name} PUBLIC ${PROJECT_SOURCE_DIR}/src)
  # `ninja all_verify_interface_header_sets` compiles each header alone: every header includes what it uses.
  set_target_properties(${name} PROPERTIES VERIFY_INTERFACE_HEADER_SETS ON)
  target_sources(${name} PUBLIC FILE_SET HEADERS BASE_DIRS ${PROJECT_SOURCE_DIR}/src FILES ${headers})
  list(TRANSFORM M_DEPS REPLACE "/" "_" OUTPUT_VARIABLE deps)
  list(TRANSFORM deps PREPEND "yyc3_")
  target_link_libraries(${name} PUBLIC yyc3_flags ${deps} ${M_LIBS})
  file(APPEND ${CMAKE_BINARY_DIR}/layers.txt "${folder}: ${M_DEPS}\n")
  if(tests)
    add_executable(${name}_test ${tests})
    target_link_libraries(${name}_test PRIVATE ${name} yyc3_testing ${M_TEST_LIBS})
    if(YYC3_UNITY)
      target_compile_options(${name}_test PRIVATE $<$<CXX_COMPILER_ID:GNU>:-Wno-subobject-linkage>)
    endif()
    add_test(NAME ${folder} COMMAND ${name}_test)
    set_tests_properties(${folder} PROPERTIES TIMEOUT 300 LABELS "${M_LABELS}")
  endif()
endfunction()
