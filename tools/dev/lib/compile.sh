# Configure and build one preset of Puna. Needs lib/presets.sh.

# The sanitizers' reports name functions and lines.
symbolizer=$(command -v llvm-symbolizer-19 || true)
export ASAN_SYMBOLIZER_PATH=$symbolizer UBSAN_OPTIONS=print_stacktrace=1${UBSAN_OPTIONS:+:$UBSAN_OPTIONS}
export TSAN_OPTIONS=external_symbolizer_path=$symbolizer:second_deadlock_stack=1${TSAN_OPTIONS:+:$TSAN_OPTIONS}

configure() {
  local preset=$1 folder
  folder=$(build_folder "$preset")
  cmake --preset "$preset" -B "$folder" -DPUNA_LLAMA_DIR="$PWD/$(llama_folder "$preset")"
  touch "$folder/.configured"
}

# compile PRESET TARGET…: ends the command when it fails. CMake is only run again by hand when the presets changed; what else it
# depends on, the build itself watches.
compile() {
  local preset=$1 folder
  shift
  folder=$(build_folder "$preset")
  if [[ ! -f $folder/build.ninja || ! $folder/.configured -nt CMakePresets.json ]]; then
    quiet_step "configure-$preset" "configuring $preset" configure "$preset"
    if ((step_status)); then
      fail "configuring $preset failed" "If a package was not found: ./dev setup installs what deps/apt.txt lists." \
        "If $folder is of another compiler or machine: remove it."
    fi
  fi
  step "building $preset: $*" ninja -C "$folder" "$@" >&2
  if ((step_status)); then fail "building $preset failed" "The first error above says why."; fi
}
