# ./dev bench [ARGUMENT…]                    benchmarks of the release build, side by side with what they are compared to
. tools/dev/lib/presets.sh
. tools/dev/lib/compile.sh
./dev setup --tests release
compile release puna puna-load puna-fetch puna-fake-hub scripted_worker puna-tiny-model
step "building llama.cpp's own programs to compare with" ninja -C "$(llama_folder release)" bench-tools
if ((step_status)); then fail "llama.cpp's bench-tools did not build" "The first error above says why."; fi
PUNA_LLAMA_DIR=$PWD/$(llama_folder release)
export PUNA_LLAMA_DIR PUNA_TEST_MODELS=$PWD/build/deps/models
exec bench/run "$@"
