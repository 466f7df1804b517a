# ./dev package                              what others get: kernels for every CPU, stripped, proved where it lies, packed
export PUNA_LLAMA_CPU=dispatch
. tools/dev/lib/presets.sh
. tools/dev/lib/compile.sh
./dev setup release
compile release puna puna-tiny-model

folder=$(build_folder release)
version=$(sed -n 's/^project(puna VERSION \([0-9.]*\).*/\1/p' CMakeLists.txt)
name=puna-$version-linux-$(uname -m)
root=$PWD/build/package/$name
lay_out() {
  rm -rf "$root"
  cmake --install "$folder" --prefix "$root" --strip
  cp LICENSE THIRD_PARTY_NOTICES.md README.md "$root"
}
quiet_step package "laying out $name" lay_out
if ((step_status)); then fail "the package could not be laid out" "The end of the log above says why."; fi

prove() {
  cd tests/package
  PUNA=$root/bin/puna PUNA_TINY_MODEL=$OLDPWD/$folder/tests/models/puna-tiny-model python3 -m unittest test_package
}
step "proving that it runs from anywhere, with the right kernels and no others" prove
if ((step_status)); then fail "the package does not hold what it promises" "The first failure above says what; $root is what was tried."; fi

pack() {
  tar -C build/package --sort=name --owner=0 --group=0 --numeric-owner -czf "build/package/$name.tar.gz" "$name"
  du --apparent-size -h "$root/bin/puna" "build/package/$name.tar.gz"
}
step "packing build/package/$name.tar.gz" pack >&2
if ((step_status)); then fail "the package could not be packed" "The error above says why."; fi
