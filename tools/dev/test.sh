# ./dev test [PRESET] [--all] [--tidy] [CTEST ARGUMENT…]
#                                           setup, build, every test, lint (default: dev, without slow tests)
. tools/dev/lib/presets.sh
. tools/dev/lib/compile.sh

preset=dev all=no tidy=no ctest_arguments=()
if (($#)) && [[ $1 != -* ]]; then preset=$1; shift; fi
for argument in "$@"; do
  case $argument in
    --all) all=yes ;;
    --tidy) tidy=yes ;;
    *) ctest_arguments+=("$argument") ;;
  esac
done
if [[ ${CI:-} == true ]]; then all=yes; fi
if [[ $all == no ]]; then ctest_arguments+=(--label-exclude '^slow$'); fi

known_preset "$preset"
export PUNA_TEST_PYTHON=$PWD/build/deps/test-venv/bin/python PUNA_TEST_MODELS=$PWD/build/deps/models
./dev setup --tests "$preset"
compile "$preset" all

summary=build/logs/ctest-$preset.txt
run_tests() {
  ctest --test-dir "$(build_folder "$preset")" --output-on-failure --no-tests=error "$@" 2>&1 | tee "$summary"
}
step "testing $preset" run_tests --parallel 2 "${ctest_arguments[@]}"
tests_status=$step_status

# Tests use real processes and sockets, and a busy machine can starve one of them. What fails again by itself is broken; what passes is
# named, because it has to be made steady. Many failures are no accident.
most_unsteady=5
unsteady=()
failed_before="$(build_folder "$preset")/Testing/Temporary/LastTestsFailed.log"
if ((tests_status)) && [[ -s $failed_before ]]; then
  mapfile -t unsteady < <(cut -d: -f2- "$failed_before")
fi
if ((${#unsteady[@]} > 0 && ${#unsteady[@]} <= most_unsteady)); then
  step "testing what failed once more, one by one: ${unsteady[*]}" run_tests --rerun-failed --parallel 1
  tests_status=$step_status
fi

lint_arguments=()
if [[ $tidy == yes ]]; then lint_arguments+=(--tidy); fi
lint_status=0
./dev lint "${lint_arguments[@]}" || lint_status=$?

verdict=$(grep --text -E '^[0-9]+% tests passed' "$summary" | tail -n 1 || true)
if ((${#unsteady[@]})) && ((tests_status == 0)); then say "passed only when run alone: ${unsteady[*]}"; fi
if ((tests_status)); then
  if [[ $all == no ]]; then say "slow tests were left out; ./dev test --all runs them too"; fi
  echo "${verdict:-no test could be run}"
  fail "tests failed in $preset" "Run one again: ctest --test-dir $(build_folder "$preset") --output-on-failure -R NAME"
fi
if ((lint_status)); then fail "the tests passed, lint did not: see its list above"; fi
if [[ $all == no ]]; then say "slow tests were left out; ./dev test --all runs them too"; fi
echo "$verdict"
