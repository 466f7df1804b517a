# ./dev setup [--tests] [PRESET]         install, fetch and build what Puna stands on; --tests adds the test clients and models
. tools/dev/lib/packages.sh
. tools/dev/lib/presets.sh
. tools/dev/lib/llama.sh

with_tests=no preset=dev
for argument in "$@"; do
  case $argument in
    --tests) with_tests=yes ;;
    -*) fail "setup knows no option '$argument'" "See ./dev help." ;;
    *) preset=$argument ;;
  esac
done

known_preset "$preset"
locked setup
install_packages
fetch_llama
build_llama "$preset"
if [[ $with_tests == yes ]]; then
  . tools/dev/lib/test_environment.sh
  make_test_environment
  fetch_model
fi
