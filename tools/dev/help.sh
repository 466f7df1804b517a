# ./dev help                             this list
cat <<'TEXT'
./dev COMMAND, from anywhere in the repository:

TEXT
sed -n '1s/^# /  /p' tools/dev/{setup,demo,build,run,test,lint,fmt,bench,fuzz,ledger,help}.sh
cat <<'TEXT'

Presets are those of CMakePresets.json: dev release asan tsan fuzz cuda. Downloads, ccache and the test environment are kept in
${XDG_CACHE_HOME:-~/.cache}/puna-dev, everything else in build/. CONTRIBUTING.md says how the work goes.
TEXT
