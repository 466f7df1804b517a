# ./dev build [PRESET] [TARGET…]             the program (default: release, puna); leaves a link at build/puna
. tools/dev/lib/presets.sh
. tools/dev/lib/compile.sh
preset=release
if (($#)); then preset=$1; shift; fi
known_preset "$preset"
targets=("$@")
if ((${#targets[@]} == 0)); then targets=(puna); fi
./dev setup "$preset"
compile "$preset" "${targets[@]}"
program=$(build_folder "$preset")/bin/puna
if [[ -x $program ]]; then
  ln -sfn "${program#build/}" build/puna
  say "build/puna is now the $preset build"
fi
