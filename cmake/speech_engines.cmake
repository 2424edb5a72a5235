# The speech libraries that scripts/engines built once for all presets. Only src/worker links them.
file(SHA256 ${PROJECT_SOURCE_DIR}/cmake/engines.lock yyc3_engines_hash)
string(SUBSTRING ${yyc3_engines_hash} 0 16 yyc3_engines_hash)
if(DEFINED ENV{XDG_CACHE_HOME} AND NOT "$ENV{XDG_CACHE_HOME}" STREQUAL "")
  set(yyc3_cache $ENV{XDG_CACHE_HOME})
else()
  set(yyc3_cache $ENV{HOME}/.cache)
endif()
set(YYC3_ENGINES_DIR ${yyc3_cache}/aicall/third_party/${yyc3_engines_hash})  # never cached: the lock may change
if(NOT EXISTS ${YYC3_ENGINES_DIR}/complete)
  message(FATAL_ERROR "The speech libraries are not in ${YYC3_ENGINES_DIR}: run scripts/engines (a minute or two, once).")
endif()
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/cmake/engines.lock)
foreach(library whisper ggml ggml-base onnxruntime sherpa-onnx-c-api)
  add_library(yyc3_engines_${library} SHARED IMPORTED GLOBAL)
  set_target_properties(yyc3_engines_${library} PROPERTIES
    IMPORTED_LOCATION ${YYC3_ENGINES_DIR}/lib/lib${library}.so
    INTERFACE_INCLUDE_DIRECTORIES ${YYC3_ENGINES_DIR}/include
    INTERFACE_SYSTEM_INCLUDE_DIRECTORIES ${YYC3_ENGINES_DIR}/include)
endforeach()
set_target_properties(yyc3_engines_onnxruntime PROPERTIES IMPORTED_NO_SONAME ON)
add_library(yyc3_engines INTERFACE)
target_link_libraries(yyc3_engines INTERFACE
  yyc3_engines_whisper yyc3_engines_ggml yyc3_engines_ggml-base yyc3_engines_onnxruntime
  yyc3_engines_sherpa-onnx-c-api)
