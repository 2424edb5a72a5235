# Counts executed lines (preset coverage, printed by scripts/coverage). Counters are not atomic: threads may lose a
# count, which line coverage does not notice, while -fprofile-update=atomic would keep ccache from working (4.7).
option(YYC3_COVERAGE "Count executed lines (scripts/coverage)")
if(YYC3_COVERAGE)
  target_compile_options(yyc3_flags INTERFACE --coverage)
  target_link_options(yyc3_flags INTERFACE --coverage)
endif()
