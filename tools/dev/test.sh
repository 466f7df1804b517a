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
  ctest --test-dir "$(build_folder "$preset")" --parallel 2 --output-on-failure --no-tests=error "${ctest_arguments[@]}" 2>&1 | tee "$summary"
}
step "testing $preset" run_tests
tests_status=$step_status

lint_arguments=()
if [[ $tidy == yes ]]; then lint_arguments+=(--tidy); fi
lint_status=0
./dev lint "${lint_arguments[@]}" || lint_status=$?

verdict=$(grep --text -E '^[0-9]+% tests passed' "$summary" | tail -n 1 || true)
if ((tests_status)); then
  if [[ $all == no ]]; then say "slow tests were left out; ./dev test --all runs them too"; fi
  echo "${verdict:-no test could be run}"
  fail "tests failed in $preset" "Run one again: ctest --test-dir $(build_folder "$preset") --output-on-failure -R NAME"
fi
if ((lint_status)); then fail "the tests passed, lint did not: see its list above"; fi
if [[ $all == no ]]; then say "slow tests were left out; ./dev test --all runs them too"; fi
echo "$verdict"
