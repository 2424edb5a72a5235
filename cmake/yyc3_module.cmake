# yyc3_module(<folder> DEPS <folder>... LIBS <imported>... TEST_LIBS <imported>... EXCLUDE <inner folder>... LABELS <word>...)
# One folder, one library, one test binary. A folder may include only itself and its DEPS:
# tools/check_layers.py reads the same list, so the link rule and the include rule cannot differ.
# A folder without sources yet is an empty library, so that the map can name rooms before they are built.
# LABELS mark the test for scripts/test: model loopback browser heavy.
function(yyc3_module folder)
  cmake_parse_arguments(M "" "" "DEPS;LIBS;TEST_LIBS;EXCLUDE;LABELS" ${ARGN})
  string(REPLACE "/" "_" name "yyc3_${folder}")
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/src/${folder}/*.cpp)
  file(GLOB_RECURSE headers CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/src/${folder}/*.hpp)
  foreach(inner ${M_EXCLUDE})
    list(FILTER sources EXCLUDE REGEX "/src/${inner}/")
    list(FILTER headers EXCLUDE REGEX "/src/${inner}/")
  endforeach()
  set(tests ${sources})
  list(FILTER tests INCLUDE REGEX "_test\\.cpp$")
  list(FILTER sources EXCLUDE REGEX "_test\\.cpp$")
  add_library(${name} STATIC ${sources} ${PROJECT_SOURCE_DIR}/cmake/empty.cpp)
  if(CMAKE_BUILD_TYPE STREQUAL RelWithDebInfo)
    # A stranger's first build: eight files at a time read Asio and the like once (half the minutes). Everywhere else
    # each file is compiled alone, so that it includes what it uses.
    set_target_properties(${name} PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE 8)
    target_compile_options(${name} PRIVATE -Wno-subobject-linkage)  # g++ takes the files of a batch for headers
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
    add_test(NAME ${folder} COMMAND ${name}_test)
    set_tests_properties(${folder} PROPERTIES TIMEOUT 300 LABELS "${M_LABELS}")
  endif()
endfunction()
