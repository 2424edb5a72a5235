# yyc3_embed_sql(<target> <folder>): folder/NNNN_name.sql become storage::embedded_migrations().
# Run as a script (cmake -DFOLDER= -DOUT= -P) it writes the C++ file.
if(CMAKE_SCRIPT_MODE_FILE)
  file(GLOB files ${FOLDER}/*.sql)
  list(SORT files)
  set(text "// Made by embed_sql.cmake.\n#include \"platform/storage/migrations.hpp\"\n")
  string(APPEND text "namespace yyc3::storage {\nnamespace {\nconstexpr Migration kAll[] = {\n")
  set(expected 0)
  foreach(file ${files})
    get_filename_component(name ${file} NAME_WE)
    string(REGEX MATCH "^[0-9][0-9][0-9][0-9]" number ${name})
    math(EXPR expected "${expected} + 1")
    math(EXPR version "1${number} - 10000")  # the 1 keeps the zeros from meaning octal
    if(NOT number OR NOT version EQUAL expected)
      message(FATAL_ERROR "${name}.sql: expected number ${expected} (no gaps)")
    endif()
    file(READ ${file} sql)
    string(APPEND text "{${version}, \"${name}\", R\"~sql~(${sql})~sql~\"},\n")
  endforeach()
  string(APPEND text "};\n}\nstd::span<const Migration> embedded_migrations() { return kAll; }\n}\n")
  file(WRITE ${OUT} "${text}")
  return()
endif()

function(yyc3_embed_sql target folder)
  set(out ${CMAKE_CURRENT_BINARY_DIR}/${target}_migrations.cpp)
  file(GLOB files CONFIGURE_DEPENDS ${folder}/*.sql)
  add_custom_command(OUTPUT ${out}
    COMMAND ${CMAKE_COMMAND} -DFOLDER=${folder} -DOUT=${out} -P ${PROJECT_SOURCE_DIR}/cmake/embed_sql.cmake
    DEPENDS ${files} ${PROJECT_SOURCE_DIR}/cmake/embed_sql.cmake VERBATIM)
  target_sources(${target} PRIVATE ${out})
endfunction()
