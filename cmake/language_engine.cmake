# llama.cpp, as `scripts/engines language` built it. Only src/language links it. Where it was not built there is no
# language worker, and the rest of the product is none the worse: calls are led by flows alone.
file(SHA256 ${PROJECT_SOURCE_DIR}/cmake/language.lock yyc3_language_hash)
string(SUBSTRING ${yyc3_language_hash} 0 16 yyc3_language_hash)
set(YYC3_LANGUAGE_DIR ${yyc3_cache}/aicall/third_party/${yyc3_language_hash})
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/cmake/language.lock)
file(GLOB YYC3_HAS_LANGUAGE CONFIGURE_DEPENDS ${YYC3_LANGUAGE_DIR}/complete)  # looked for again at each build
if(YYC3_HAS_LANGUAGE)
  foreach(library llama ggml ggml-base)
    add_library(yyc3_language_${library} SHARED IMPORTED GLOBAL)
    set_target_properties(yyc3_language_${library} PROPERTIES
      IMPORTED_LOCATION ${YYC3_LANGUAGE_DIR}/lib/lib${library}.so
      INTERFACE_INCLUDE_DIRECTORIES ${YYC3_LANGUAGE_DIR}/include
      INTERFACE_SYSTEM_INCLUDE_DIRECTORIES ${YYC3_LANGUAGE_DIR}/include)
  endforeach()
  add_library(yyc3_language_engine INTERFACE)
  target_link_libraries(yyc3_language_engine INTERFACE yyc3_language_llama yyc3_language_ggml yyc3_language_ggml-base)
else()
  message(STATUS "No language worker: `make language` builds llama.cpp and fetches a model.")
endif()
