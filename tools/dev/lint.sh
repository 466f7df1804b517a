# ./dev lint [--tidy] [--all]                the house rules; --tidy adds clang-tidy for changed files, --all for every file
exec python3 -m tools.lint "$@"
