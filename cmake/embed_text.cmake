# yyc3_embed_text(<target> <file> <header> <function>): the text file is what `function` of `header` (namespace yyc3::worker)
# returns. Run as a script (cmake -DFILE= -DHEADER= -DFUNCTION= -DOUT= -P) it writes the C++ file.
if(CMAKE_SCRIPT_MODE_FILE)
  file(READ ${FILE} text)
  if(text MATCHES "\\)~text~")
    message(FATAL_ERROR "${FILE} holds the mark that ends a raw string")
  endif()
  file(WRITE ${OUT} "// Made by embed_text.cmake.\n#include \"${HEADER}\"\n"
    "namespace yyc3::worker {\nstd::string_view ${FUNCTION}() { return R\"~text~(${text})~text~\"; }\n}\n")
  return()
endif()

function(yyc3_embed_text target file header function)
  set(out ${CMAKE_CURRENT_BINARY_DIR}/${target}_${function}.cpp)
  add_custom_command(OUTPUT ${out}
    COMMAND ${CMAKE_COMMAND} -DFILE=${file} -DHEADER=${header} -DFUNCTION=${function} -DOUT=${out}
            -P ${PROJECT_SOURCE_DIR}/cmake/embed_text.cmake
    DEPENDS ${file} ${PROJECT_SOURCE_DIR}/cmake/embed_text.cmake VERBATIM)
  # -Wpedantic wants no literal over 64 KiB, as the standard promises no more; both our compilers take far longer ones.
  set_source_files_properties(${out} PROPERTIES COMPILE_OPTIONS -Wno-overlength-strings)
  target_sources(${target} PRIVATE ${out})
endfunction()
