# ./dev fuzz [NAME] [SECONDS]                fuzz one parser, or each in turn, from its corpus (default: 60 seconds)
. tools/dev/lib/presets.sh
. tools/dev/lib/compile.sh
mapfile -t names < <(cd tests/fuzz/corpus && printf '%s\n' *)
seconds=60
if (($#)) && [[ ! $1 =~ ^[0-9]+$ ]]; then
  [[ -d tests/fuzz/corpus/$1 ]] || fail "there is no fuzz target '$1'" "There are: ${names[*]}."
  names=("$1")
  shift
fi
if (($#)); then seconds=$1; fi
./dev setup fuzz
compile fuzz "${names[@]/%/_fuzz}"

# What the fuzzer learns is kept in build/fuzzing; the corpus in the repository only grows by hand, one input for each lesson.
for name in "${names[@]}"; do
  learned=build/fuzzing/$name
  mkdir -p "$learned" build/fuzzing/found
  step "fuzzing $name for $seconds s" "$(build_folder fuzz)/bin/${name}_fuzz" -max_total_time="$seconds" -print_final_stats=1 \
    -artifact_prefix="build/fuzzing/found/$name-" "$learned" "tests/fuzz/corpus/$name"
  if ((step_status)); then
    fail "$name: the fuzzer found something; the input is named above" \
      "Mend the code, copy the input to tests/fuzz/corpus/$name/ under a name that says what it is: from then on every ./dev test replays it."
  fi
done
