# ./dev help                                 this list
cat <<'TEXT'
./dev COMMAND, from anywhere in the repository:

TEXT
for name in setup demo build run test package lint fmt bench fuzz ledger docs help; do sed -n '1s/^# /  /p; 2s/^#  /    /p' "tools/dev/$name.sh"; done
cat <<'TEXT'

Presets are those of CMakePresets.json: dev release asan tsan fuzz cuda. Downloads, ccache and the test environment are kept in
${XDG_CACHE_HOME:-~/.cache}/puna-dev, everything else in build/. CONTRIBUTING.md says how the work goes.
TEXT
