# Warnings are errors, for g++ 12 and clang 19 alike; not where a stranger builds the program to use it: what an optimiser
# guesses differs from one compiler to the next (g++ 12 takes an empty std::optional for an uninitialised number).
target_compile_options(yyc3_flags INTERFACE $<$<COMPILE_LANGUAGE:CXX>:-Wall -Wextra -Wpedantic
  -Wconversion -Wshadow -Wnon-virtual-dtor -Wold-style-cast $<IF:$<CONFIG:RelWithDebInfo>,-Wno-maybe-uninitialized,-Werror>>)
# A released program names no folder of the machine that built it.
target_compile_options(yyc3_flags INTERFACE $<$<CONFIG:RelWithDebInfo>:-ffile-prefix-map=${PROJECT_SOURCE_DIR}/=>)
# libstdc++ 12's own stable_sort uses what it calls deprecated; its pragma hushes g++ only.
target_compile_options(yyc3_flags INTERFACE $<$<COMPILE_LANG_AND_ID:CXX,Clang>:-Wno-deprecated-declarations>)
