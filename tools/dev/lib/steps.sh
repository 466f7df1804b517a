# Steps that say what they do, how long it took, and what to do when they fail; and the places every command shares.
# Narration goes to stderr: stdout belongs to the program that a command runs.

cache=${XDG_CACHE_HOME:-$HOME/.cache}/puna-dev
downloads=$cache/downloads
logs=build/logs

# A fresh clone on the same machine compiles mostly from this cache: paths are hashed relative to the repository, and the
# precompiled header by its content (cmake/compile_prelude).
export CCACHE_DIR=$cache/ccache CCACHE_BASEDIR=$PWD CCACHE_NOHASHDIR=1 CCACHE_MAXSIZE=5G CCACHE_PCH_EXTSUM=1
export CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime
export NINJA_STATUS='[%f/%t %es] '

# The clock starts with the outermost ./dev; commands called by it go on counting.
export PUNA_DEV_STARTED=${PUNA_DEV_STARTED:-$EPOCHREALTIME}

# elapsed START: the seconds since START, as "12.3 s" or "3 min 05 s".
elapsed() {
  local milliseconds=$(((${EPOCHREALTIME/[.,]/} - ${1/[.,]/}) / 1000))
  if ((milliseconds < 60000)); then
    printf '%d.%d s' $((milliseconds / 1000)) $((milliseconds % 1000 / 100))
  else
    printf '%d min %02d s' $((milliseconds / 60000)) $((milliseconds / 1000 % 60))
  fi
}

say() { printf '[%s] %s\n' "$(elapsed "$PUNA_DEV_STARTED")" "$*" >&2; }

# fail WHAT [NEXT…]: ends the command with what failed and, a line each, what to do now.
fail() {
  printf '\ndev: %s\n' "$1" >&2
  shift
  if (($#)); then printf '     %s\n' "$@" >&2; fi
  exit 1
}

# step TITLE COMMAND…: runs COMMAND in a subshell with its output on the terminal. Returns its status, so that the caller can
# say what to do next: `step … || fail …` would switch errexit off inside, hence the status in $step_status.
step() {
  local title=$1 begun=$EPOCHREALTIME
  shift
  say "$title"
  set +e
  (set -e; "$@")
  step_status=$?
  set -e
  if ((step_status == 0)); then say "$title: done in $(elapsed "$begun")"; fi
}

# quiet_step LOG TITLE COMMAND…: the same for noisy commands; output goes to build/logs/LOG.log, of which a failure shows the end.
quiet_step() {
  local log=$logs/$1.log title=$2 begun=$EPOCHREALTIME
  shift 2
  mkdir -p "$logs"
  say "$title"
  heartbeat "$title" &
  local heartbeat=$!
  set +e
  (set -e; "$@") >"$log" 2>&1 </dev/null
  step_status=$?
  kill "$heartbeat" 2>/dev/null
  wait "$heartbeat" 2>/dev/null
  set -e
  if ((step_status == 0)); then
    say "$title: done in $(elapsed "$begun")"
  else
    say "$title: failed; the end of $log:"
    tail -n 25 "$log" >&2
  fi
}

# Says every 15 s that TITLE is still at it, for as long as this ./dev lives; holds none of its locks.
heartbeat() {
  local begun=$EPOCHREALTIME
  exec 9>&- 8<> <(:)
  while read -r -t 15 -u 8 || kill -0 $$ 2>/dev/null; do say "$1: at it for $(elapsed "$begun")"; done
}

sha256() { sha256sum "$1" | cut -d' ' -f1; }

# locked NAME: from here on, one ./dev at a time does NAME in this checkout; the others wait their turn.
locked() {
  mkdir -p build
  exec 9>"build/.$1.lock"
  if ! flock --nonblock 9; then
    say "waiting for another ./dev that is at '$1' in this checkout"
    flock --timeout 3600 9 || fail "another ./dev has been at '$1' for an hour" "End it, then try again."
  fi
}
