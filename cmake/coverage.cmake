# Counts executed lines (preset coverage, printed by scripts/coverage), with clang's counters: g++ writes the folder of
# the clone into every object, so that no clone found another's objects in the compiler cache. The paths are relative
# for the same reason; where the counts go is said when a program runs (LLVM_PROFILE_FILE), else they go nowhere.
option(YYC3_COVERAGE "Count executed lines (scripts/coverage; clang only)")
if(YYC3_COVERAGE)
  target_compile_options(yyc3_flags INTERFACE
    -fprofile-instr-generate=/dev/null -fcoverage-mapping -fcoverage-compilation-dir=.)
  target_link_options(yyc3_flags INTERFACE -fprofile-instr-generate)
endif()
