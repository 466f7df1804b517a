# The presets of CMakePresets.json, and where their builds live.

# known_preset NAME: ends the command unless CMakePresets.json has a preset of that name that one may configure.
known_preset() {
  case $1 in
    dev | release | asan | tsan | fuzz | cuda) ;;
    *) fail "there is no preset '$1'" "There are: dev release asan tsan fuzz cuda." ;;
  esac
}

# llama_kind PRESET: which build of llama.cpp a preset uses.
llama_kind() {
  local cpu=${PUNA_LLAMA_CPU:-native}
  [[ $cpu == native || $cpu == dispatch ]] || fail "PUNA_LLAMA_CPU is '$cpu'" "It is native (this CPU's kernels) or dispatch (every CPU's, chosen when run)."
  if [[ $1 == cuda ]]; then echo cuda; else echo "$cpu"; fi
}

llama_folder() {
  case $(llama_kind "$1") in
    native) echo build/deps/llama ;;
    dispatch) echo build/deps/llama-dispatch ;;
    cuda) echo build/deps/llama-cuda ;;
  esac
}

# What is built for other machines gets a folder of its own, so that the two never mix.
build_folder() {
  if [[ $(llama_kind "$1") == dispatch ]]; then echo "build/$1-dispatch"; else echo "build/$1"; fi
}
