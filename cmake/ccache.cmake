# Compiler cache, when there is one. Paths are hashed relative to the repository, so that a fresh clone in another
# folder still hits. The cache lives with everything else we keep between builds (scripts/lib.sh).
find_program(CCACHE ccache)
if(CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  if(DEFINED ENV{CCACHE_DIR})
    set(dir $ENV{CCACHE_DIR})
  elseif(DEFINED ENV{XDG_CACHE_HOME})
    set(dir $ENV{XDG_CACHE_HOME}/aicall/ccache)
  else()
    set(dir $ENV{HOME}/.cache/aicall/ccache)
  endif()
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env CCACHE_DIR=${dir}
      CCACHE_BASEDIR=${PROJECT_SOURCE_DIR} CCACHE_NOHASHDIR=1 ${CCACHE})
  set(CMAKE_C_COMPILER_LAUNCHER ${CMAKE_CXX_COMPILER_LAUNCHER})
endif()
