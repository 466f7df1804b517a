# ./dev setup [--model|--tests] [PRESET]     install, fetch and build what Puna stands on; then the model, the test clients
. tools/dev/lib/presets.sh
. tools/dev/lib/packages.sh
. tools/dev/lib/llama.sh
. tools/dev/lib/python.sh
. tools/dev/lib/model.sh

with_model=no with_tests=no preset=dev
for argument in "$@"; do
  case $argument in
    --model) with_model=yes ;;
    --tests) with_model=yes with_tests=yes ;;
    -*) fail "setup knows no option '$argument'" "See ./dev help." ;;
    *) preset=$argument ;;
  esac
done
known_preset "$preset"

locked setup
install_packages
fetch_llama
build_llama "$preset"
if [[ $with_model == yes ]]; then fetch_model; fi
if [[ $with_tests == yes ]]; then make_environment test deps/python-tests.lock "the test clients"; fi
