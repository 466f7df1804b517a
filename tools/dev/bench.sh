# ./dev bench [ARGUMENT…]                    benchmarks of the release build, side by side with what they are compared to
. tools/dev/lib/presets.sh
. tools/dev/lib/compile.sh
. tools/dev/lib/python.sh

# wanted PART: whether it is to run.
parts=("$@")
wanted() { ((${#parts[@]} == 0)) || [[ " ${parts[*]} " == *" $1 "* ]]; }

./dev setup --tests release
compile release puna puna-load puna-fetch puna-train puna-fake-hub scripted_worker puna-tiny-model
step "building llama.cpp's own programs to compare with" ninja -C "$(llama_folder release)" bench-tools
if ((step_status)); then fail "llama.cpp's bench-tools did not build" "The first error above says why."; fi
# Our build of llama.cpp leaves the router out, because a worker starts no processes: the one to compare with is built as upstream has it.
router=build/deps/llama-router
build_router() {
  GIT_CEILING_DIRECTORIES=$PWD/build/deps cmake -S build/deps/llama-src -B $router -G Ninja -DCMAKE_BUILD_TYPE=Release \
    -DCMAKE_C_COMPILER=clang-19 -DCMAKE_CXX_COMPILER=clang++-19 -DCMAKE_C_COMPILER_LAUNCHER=ccache -DCMAKE_CXX_COMPILER_LAUNCHER=ccache -DCMAKE_EXE_LINKER_FLAGS=-fuse-ld=lld -DCMAKE_CXX_FLAGS=-w \
    -DCMAKE_C_FLAGS=-w -DBUILD_SHARED_LIBS=OFF -DLLAMA_SUBPROCESS=ON -DLLAMA_BUILD_UI=OFF -DLLAMA_USE_PREBUILT_UI=OFF -DLLAMA_OPENSSL=OFF \
    -DGGML_OPENMP=OFF -DGGML_CCACHE=OFF
  ninja -C $router llama-server
}
if wanted fleet; then
  step "building llama.cpp's router to compare with" build_router
  if ((step_status)); then fail "llama.cpp's router did not build" "The first error above says why."; fi
fi
if wanted tune; then make_environment peft deps/python-peft.lock "PEFT and PyTorch (3 GB)"; fi
export PUNA_PEFT_PYTHON=$PWD/build/deps/peft-venv/bin/python
export PUNA_LLAMA_ROUTER=$PWD/$router/bin/llama-server
PUNA_LLAMA_DIR=$PWD/$(llama_folder release)
export PUNA_LLAMA_DIR PUNA_TEST_MODELS=$PWD/build/deps/models
exec bench/run "$@"
