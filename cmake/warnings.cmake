# Warnings are errors, for g++ 12 and clang 19 alike.
target_compile_options(yyc3_flags INTERFACE $<$<COMPILE_LANGUAGE:CXX>:-Wall -Wextra -Wpedantic
  -Wconversion -Wshadow -Wnon-virtual-dtor -Wold-style-cast -Werror>)
# A released program names no folder of the machine that built it.
target_compile_options(yyc3_flags INTERFACE $<$<CONFIG:RelWithDebInfo>:-ffile-prefix-map=${PROJECT_SOURCE_DIR}/=>)
